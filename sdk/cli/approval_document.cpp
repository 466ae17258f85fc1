#include "sdk/cli/approval_document.hpp"

#include <algorithm>
#include <array>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Value;
using enum json::Value::Kind;

constexpr Error kOther{ErrorCode::kBadResponse,
                       "the document is not what its SHA-256 says: ask the daemon again"};
constexpr Error kUnknown{ErrorCode::kBadResponse,
                         "this program does not know documents of this kind, and shows none of it: take the "
                         "daemon's version of `chancery`, `--format json` gives it as it is"};
constexpr Error kDisagrees{
    ErrorCode::kBadResponse,
    "the document disagrees with itself or with the approval's id: do not approve it, and tell "
    "whoever runs the daemon"};

struct Known {
  std::string_view name;
  Value::Kind kind = kString;
  bool is_needed = true;
};

// docs/protocol/approvals.md
constexpr std::array kKnown{
    Known{"typ"},
    Known{"v", kNumber},
    Known{"id"},
    Known{"tool"},
    Known{"scope"},
    Known{"uri"},
    Known{"audience"},
    Known{"arguments", kObject},
    Known{"arguments_sha256"},
    Known{"risk"},
    Known{"description", kString, false},
    Known{"credential", kString, false},
    Known{"principal"},
    Known{"agent", kString, false},
    Known{"client_id"},
    Known{"key"},
    Known{"session_key", kString, false},
    Known{"token"},
    Known{"runtime"},
    Known{"debits", kObject},
    Known{"asked_at", kNumber},
    Known{"expires_at", kNumber},
};

bool says(const Value& root, std::string_view name, std::string_view text) {
  const Value* const value = root.find(name);
  return value != nullptr && value->string() == text;
}

bool has_whole_number(const Value& root, std::string_view name) {
  const Value* const value = root.find(name);
  return value != nullptr && value->integer().has_value();
}

bool is_known(const json::Member& member) {
  return std::ranges::any_of(
      kKnown, [&](const Known& known) { return known.name == member.name && member.value.is(known.kind); });
}

bool is_known_whole(const Value& root) {
  const auto is_there = [&](const Known& known) {
    return !known.is_needed || root.find(known.name) != nullptr;
  };
  const Value* const version = root.find("v");
  if (!says(root, "typ", "chancery-approval-request") || version == nullptr || version->integer() != 1)
    return false;
  return std::ranges::all_of(root.members(), is_known) && std::ranges::all_of(kKnown, is_there) &&
         has_whole_number(root, "asked_at") && has_whole_number(root, "expires_at") &&
         std::ranges::all_of(root.find("debits")->members(),
                             [](const json::Member& debit) { return debit.value.is(kString); });
}

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

}  // namespace

Status check_document(const api::Approval& approval) {
  if (digest_of(approval.document) == approval.sha256) return {};
  return kOther;
}

Result<json::Document> read_document(const api::Approval& approval) {
  CHANCERY_TRY(check_document(approval));
  auto document = json::Document::parse(approval.document);
  if (!document || !is_known_whole(document->root())) return kUnknown;
  const Value& root = document->root();
  const std::string arguments = digest_of(json::to_jcs(*root.find("arguments")));
  if (!says(root, "id", approval.id) || !says(root, "arguments_sha256", arguments)) return kDisagrees;
  return document;
}

}  // namespace chancery::cli
