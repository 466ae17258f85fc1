#include "sdk/cli/approval_changes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/cli/approval_document.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::cli {
namespace {

using json::Value;
using enum json::Value::Kind;

// Of any two requests they are others.
constexpr std::array<std::string_view, 6> kOfOneRequest{
    "id", "asked_at", "expires_at", "arguments_sha256", "token", "unsigned_token"};
constexpr std::array<std::string_view, 5> kOfOneToken{"jti", "iat", "nbf", "exp", "status"};

class Comparison {
 public:
  void members(const Value& before, const Value& now, std::string_view path,
               std::span<const std::string_view> left_out = {}) {
    const auto is_left_out = [&](std::string_view name) {
      return std::ranges::find(left_out, name) != left_out.end();
    };
    for (const json::Member& member : before.members()) {
      if (is_left_out(member.name)) continue;
      const std::string at = below(path, member.name);
      const Value* const other = now.find(member.name);
      if (other == nullptr)
        lines_.push_back("- " + at + " = " + json::to_jcs(member.value));
      else
        values(member.value, *other, at);
    }
    for (const json::Member& member : now.members()) {
      if (!is_left_out(member.name) && before.find(member.name) == nullptr)
        lines_.push_back("+ " + below(path, member.name) + " = " + json::to_jcs(member.value));
    }
  }

  [[nodiscard]] std::vector<std::string> lines() && { return std::move(lines_); }

 private:
  static std::string below(std::string_view path, std::string_view name) {
    return path.empty() ? std::string(name) : std::string(path) + " > " + std::string(name);
  }

  // As deep as the reader's bound lets a document be.
  void values(const Value& before, const Value& now, const std::string& path) {
    if (before.is(kObject) && now.is(kObject)) return members(before, now, path);
    const std::string then = json::to_jcs(before);
    const std::string text = json::to_jcs(now);
    if (then != text) lines_.push_back("  " + path + ": " + then + " -> " + text);
  }

  std::vector<std::string> lines_;
};

// Of a grant what its token says.
std::optional<json::Document> claims_of(const Value& document) {
  const Value* const input = document.find("unsigned_token");
  if (input == nullptr || !input->string()) return std::nullopt;
  const std::string_view text = *input->string();
  auto claims = decode_json_object(text.substr(text.find('.') + 1));
  if (!claims) return std::nullopt;
  return std::optional(*std::move(claims));
}

// What the daemon gives as the one before is read as strictly as the one that would be approved.
Result<json::Document> read_previous(const api::PreviousRequest& previous) {
  api::Approval approval;
  approval.id = previous.id;
  approval.sha256 = previous.sha256;
  approval.document = previous.document;
  return read_document(approval);
}

}  // namespace

std::vector<std::string> changes_between(const json::Value& before, const json::Value& now) {
  Comparison comparison;
  comparison.members(before, now, {}, kOfOneRequest);
  const auto then = claims_of(before);
  const auto claims = claims_of(now);
  if (then && claims) comparison.members(then->root(), claims->root(), "granted", kOfOneToken);
  return std::move(comparison).lines();
}

void show_changes(Output& output, const api::Approval& approval, const json::Value& document) {
  if (!approval.previous) return output.field("one before", "none is known that is like it");
  const api::PreviousRequest& previous = *approval.previous;
  output.field("one before", previous.state + " " + utc_text(static_cast<double>(previous.decided_at)) +
                                 ", by the daemon's word: " + previous.id);
  const auto before = read_previous(previous);
  if (!before) return output.line("    this program cannot read it, so that nothing is compared");
  const std::vector<std::string> changes = changes_between(before->root(), document);
  if (changes.empty()) output.line("    nothing is another");
  for (const std::string& change : changes) output.line("    " + printable(change));
}

}  // namespace chancery::cli
