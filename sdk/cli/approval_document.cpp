#include "sdk/cli/approval_document.hpp"

#include <algorithm>
#include <array>

#include "sdk/base/base64url.hpp"
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

// Which requests have a member.
constexpr unsigned kCall = 1;
constexpr unsigned kAction = 2;
constexpr unsigned kGrant = 4;
constexpr unsigned kUse = kCall | kAction;  // what a chain is used for
constexpr unsigned kEvery = kUse | kGrant;

struct Known {
  std::string_view name;
  Value::Kind kind = kString;
  unsigned allowed = kEvery;
  unsigned needed = kEvery;
};

// docs/protocol/approvals.md
constexpr std::array kKnown{
    Known{"typ"},
    Known{"v", kNumber},
    Known{"kind"},
    Known{"id"},
    Known{"gates", kArray},
    Known{"principal"},
    Known{"client_id"},
    Known{"key"},
    Known{"agent", kString, kEvery, 0},
    Known{"asked_at", kNumber},
    Known{"expires_at", kNumber},
    Known{"scope", kString, kUse, kUse},
    Known{"uri", kString, kUse, kUse},
    Known{"audience", kString, kUse, kUse},
    Known{"arguments", kObject, kUse, kUse},
    Known{"arguments_sha256", kString, kUse, kUse},
    Known{"debits", kObject, kUse, kUse},
    Known{"token", kString, kUse, kUse},
    Known{"session_key", kString, kUse, 0},
    Known{"tool", kString, kCall, kCall},
    Known{"risk", kString, kCall, kCall},
    Known{"description", kString, kCall, 0},
    Known{"credential", kString, kCall, 0},
    Known{"runtime", kString, kCall, kCall},
    Known{"method", kString, kAction, kAction},
    Known{"asked_by", kString, kAction | kGrant, kAction | kGrant},
    Known{"unsigned_token", kString, kGrant, kGrant},
};

bool says(const Value& root, std::string_view name, std::string_view text) {
  const Value* const value = root.find(name);
  return value != nullptr && value->string() == text;
}

bool has_whole_number(const Value& root, std::string_view name) {
  const Value* const value = root.find(name);
  return value != nullptr && value->integer().has_value();
}

unsigned kind_named(std::string_view name) {
  if (name == "call") return kCall;
  if (name == "action") return kAction;
  return name == "grant" ? kGrant : 0;
}

unsigned kind_of(const Value& root) {
  const Value* const kind = root.find("kind");
  return kind == nullptr ? 0 : kind_named(kind->string().value_or(""));
}

bool is_known(const json::Member& member, unsigned kind) {
  return std::ranges::any_of(kKnown, [&](const Known& known) {
    return known.name == member.name && member.value.is(known.kind) && (known.allowed & kind) != 0;
  });
}

bool has_texts_alone(const Value* object) {
  return object == nullptr || std::ranges::all_of(object->members(), [](const json::Member& member) {
           return member.value.is(kString);
         });
}

bool is_gate(const Value& gate) {
  return gate.has_only({"gate", "why"}) && gate.find("gate") != nullptr && has_texts_alone(&gate);
}

bool is_known_whole(const Value& root) {
  const Value* const version = root.find("v");
  const unsigned kind = kind_of(root);
  if (!says(root, "typ", "chancery-approval-request") || version == nullptr || version->integer() != 1 ||
      kind == 0)
    return false;
  const auto is_there = [&](const Known& known) {
    return (known.needed & kind) == 0 || root.find(known.name) != nullptr;
  };
  return std::ranges::all_of(root.members(),
                             [&](const json::Member& member) { return is_known(member, kind); }) &&
         std::ranges::all_of(kKnown, is_there) && has_whole_number(root, "asked_at") &&
         has_whole_number(root, "expires_at") && has_texts_alone(root.find("debits")) &&
         !root.find("gates")->items().empty() && std::ranges::all_of(root.find("gates")->items(), is_gate);
}

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

// Whether what the document says twice is the same.
bool agrees(const Value& root) {
  if (kind_of(root) == kGrant) return read_unsigned_token(root).has_value();
  return says(root, "arguments_sha256", digest_of(json::to_jcs(*root.find("arguments"))));
}

}  // namespace

Status check_document(const api::Approval& approval) {
  if (digest_of(approval.document) == approval.sha256) return {};
  return kOther;
}

std::vector<std::string_view> document_members(std::string_view kind) {
  std::vector<std::string_view> out;
  for (const Known& known : kKnown) {
    if ((known.allowed & kind_named(kind)) != 0) out.push_back(known.name);
  }
  std::ranges::sort(out);
  return out;
}

Result<json::Document> read_document(const api::Approval& approval) {
  CHANCERY_TRY(check_document(approval));
  auto document = json::Document::parse(approval.document);
  if (!document || !is_known_whole(document->root())) return kUnknown;
  const Value& root = document->root();
  if (!document->canonical() || !says(root, "id", approval.id) || !agrees(root)) return kDisagrees;
  return document;
}

Result<Token> read_unsigned_token(const json::Value& document) {
  const Value* const member = document.find("unsigned_token");
  const std::string_view input = member == nullptr ? "" : member->string().value_or("");
  // A token is read with a signature: any will do, since nothing verifies it here.
  const auto token = Token::parse(std::string(input) + "." + base64url_encode(Signature{}));
  if (!token)
    return Error{token.error().code,
                 "the document's token is none that could be signed: do not approve it, and tell "
                 "whoever runs the daemon"};
  const Claims& claims = token->claims();
  if (token->has_jwk() || claims.par_hash || claims.del_depth != 0) return kDisagrees;
  const bool agrees = says(document, "principal", claims.sub) &&
                      says(document, "client_id", claims.client_id) &&
                      says(document, "key", claims.holder.text());
  return agrees ? token : Result<Token>(kDisagrees);
}

}  // namespace chancery::cli
