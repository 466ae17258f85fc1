#include "sdk/cli/approval_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <set>
#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/base/utf8.hpp"
#include "sdk/cli/approval_changes.hpp"
#include "sdk/cli/approval_document.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::cli {
namespace {

/// What people read of a document, in this order, besides times, id, gates, arguments, debits and the token of a grant. With these
/// it is all that read_document() knows.
constexpr std::array<std::pair<std::string_view, const char*>, 18> kFields{{
    {"kind", "what"},
    {"description", "description"},
    {"risk", "risk"},
    {"scope", "scope"},
    {"method", "method"},
    {"principal", "on behalf of"},
    {"agent", "agent"},
    {"client_id", "called"},
    {"key", "agent's key"},
    {"session_key", "session key"},
    {"token", "token"},
    {"credential", "credential"},
    {"audience", "audience"},
    {"uri", "address"},
    {"runtime", "asked by"},
    {"asked_by", "asked by"},
    {"arguments_sha256", "args' SHA-256"},
    {"typ", "document"},
}};

std::string time_text(std::int64_t time) { return utc_text(static_cast<double>(time)); }

std::string text_of(const json::Value& value) {
  const auto text = value.string();
  return text ? std::string(*text) : json::to_jcs(value);
}

// Each member on a line of its own, as JSON: what is text and what a number must not be guessed.
void show_members(Output& output, const json::Value& object, const char* title) {
  if (object.members().empty()) return output.field(title, "none");
  output.line("  " + std::string(title));
  for (const json::Member& member : object.members())
    output.line("    " + printable(member.name) + " = " + printable(json::to_jcs(member.value)));
}

void show_object(Output& output, const json::Value& document, const char* name, const char* title) {
  if (const json::Value* const object = document.find(name)) show_members(output, *object, title);
}

void show_gates(Output& output, const json::Value& document) {
  for (const json::Value& gate : document.find("gates")->items()) {
    const json::Value* const why = gate.find("why");
    output.field("gate", text_of(*gate.find("gate")) + (why == nullptr ? "" : ": " + text_of(*why)));
  }
}

// Every claim, from the octets that would be signed, whether this program knows it or not.
void show_unsigned_token(Output& output, const json::Value& document) {
  const json::Value* const input = document.find("unsigned_token");
  if (input == nullptr) return;
  const std::string_view text = *input->string();
  const auto payload = decode_json_object(text.substr(text.find('.') + 1));
  if (!payload) return;  // read_document() has seen that it is one
  show_members(output, payload->root(), "would be granted");
  for (const char* name : {"iat", "nbf", "exp"}) {
    const json::Value* const time = payload->root().find(name);
    if (time != nullptr && time->number())
      output.line("    " + std::string(name) + " is " + utc_text(*time->number()));
  }
}

// A tool, a scope, or the one who is granted something.
std::string title_of(const json::Value& document) {
  for (const char* name : {"tool", "scope"}) {
    if (const json::Value* const value = document.find(name)) return text_of(*value);
  }
  return "a grant for " + text_of(*document.find("client_id"));
}

std::string vote_text(const api::ApprovalVote& vote) {
  std::string out =
      vote.verdict + " by " + vote.approver + " at " + time_text(vote.at) + ", " + vote.enforcement;
  if (vote.voided_at) out += ", void since " + time_text(*vote.voided_at);
  return vote.reason.empty() ? out : out + ": " + vote.reason;
}

// What the document says, and the token in it: a letter that looks like another is told from it by its number alone.
void show_foreign(Output& output, const json::Value& document) {
  std::string text = json::to_jcs(document);
  if (const json::Value* const input = document.find("unsigned_token")) {
    const std::string_view token = *input->string();
    if (const auto payload = decode_json_object(token.substr(token.find('.') + 1)))
      text += json::to_jcs(payload->root());
  }
  const std::string found = foreign_characters(text);
  if (!found.empty()) output.field("not ASCII", found);
}

// By the daemon's word.
void show_progress(Output& output, const api::Approval& approval) {
  for (const api::ApprovalGate& gate : approval.gates) {
    output.field("needed", gate.name + ": " + std::to_string(gate.approvals) + " of " +
                               std::to_string(gate.quorum) + ", separation " + gate.separation + ", " +
                               gate.enforcement);
  }
  for (const api::ApprovalVote& vote : approval.decisions) output.field("decided", vote_text(vote));
}

}  // namespace

std::string foreign_characters(std::string_view text) {
  constexpr std::size_t kMostNamed = 16;
  constexpr std::uint32_t kFirstForeign = 0x80;
  std::set<std::uint32_t> found;
  while (!text.empty()) {
    const CodePoint decoded = decode_utf8(text);
    if (decoded.size != 0 && decoded.value >= kFirstForeign) found.insert(decoded.value);
    text.remove_prefix(std::max<std::size_t>(decoded.size, 1));
  }
  std::string out;
  std::size_t named = 0;
  for (const std::uint32_t code : found) {
    if (named++ == kMostNamed) return out + " and " + std::to_string(found.size() - kMostNamed) + " more";
    std::array<char, 16> name;
    const int size = std::snprintf(name.data(), name.size(), "U+%04X", code);
    out.append(out.empty() ? "" : ", ").append(name.data(), static_cast<std::size_t>(size));
  }
  return out;
}

std::string times_text(const api::Approval& approval) {
  if (approval.ended_at) return approval.state + " " + time_text(*approval.ended_at);
  return approval.state + " until " + time_text(approval.approved_until.value_or(approval.expires_at));
}

void show_request(Output& output, const api::Approval& approval, const json::Value& document) {
  const auto time_of = [&](const char* name) { return time_text(*document.find(name)->integer()); };
  const std::string until =
      approval.approved_until ? time_text(*approval.approved_until) : time_of("expires_at");
  output.line(output.paint(Colour::kBold, printable(title_of(document))) + "  " + printable(approval.state) +
              " until " + until);
  output.field("id", text_of(*document.find("id")));
  show_object(output, document, "arguments", "arguments");
  show_object(output, document, "debits", "would spend");
  show_unsigned_token(output, document);
  for (const auto& [name, label] : kFields) {
    if (const json::Value* const value = document.find(name)) output.field(label, text_of(*value));
  }
  show_gates(output, document);
  output.field("asked for", time_of("asked_at"));
  output.field("to be decided", "until " + time_of("expires_at"));
  output.field("sha256", approval.sha256);
  show_foreign(output, document);
  show_changes(output, approval, document);
  show_progress(output, approval);
}

void show_ended(Output& output, const api::Approval& approval) {
  output.line(output.paint(Colour::kBold, printable(approval.tool)) + "  " + printable(times_text(approval)));
  output.field("id", approval.id);
  output.field("what", approval.kind);
  output.field("on behalf of", approval.principal);
  output.field("agent's key", approval.key);
  output.field("asked for", time_text(approval.asked_at));
  output.field("sha256", approval.sha256);
  show_progress(output, approval);
  output.field("document", "kept only while something can come of it");
}

}  // namespace chancery::cli
