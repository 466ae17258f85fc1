#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

Result<std::chrono::seconds> lifetime_within(const Value& object, std::int64_t most, const char* what) {
  CHANCERY_ASSIGN(const auto lifetime, integer(object, "lifetime_s", {1, most}, what));
  return std::chrono::seconds(lifetime.value_or(600));
}

Result<std::int64_t> need_time(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(const auto time, integer(object, name, kAnyTime, what));
  if (!time) return Error{ErrorCode::kMalformed, what};
  return *time;
}

}  // namespace

std::string write(const api::CreateJoinToken& message) {
  return json::to_jcs(Node::object({{"agent", message.agent},
                                    {"chain", text_array(message.chain)},
                                    {"lifetime_s", message.lifetime.count()}}));
}

Result<api::CreateJoinToken> read_create_join_token(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"agent", "chain", "lifetime_s"},
                          "a join token is asked for with `agent`, `chain` and `lifetime_s` only"));
  api::CreateJoinToken out;
  CHANCERY_ASSIGN(out.agent, need_text(root, "agent", "`agent` must be a registered agent's name"));
  CHANCERY_ASSIGN(out.chain, chain(root));
  CHANCERY_ASSIGN(out.lifetime, lifetime_within(root, 3600, "`lifetime_s` must be 1 to 3600 seconds"));
  return out;
}

std::string write(const api::JoinToken& message) {
  return json::to_jcs(Node::object({{"token", message.token}, {"expires_at", message.expires_at}}));
}

Result<api::JoinToken> read_join_token(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::JoinToken out;
  CHANCERY_ASSIGN(out.token, need_text(document.root(), "token", "a join token has `token`"));
  CHANCERY_ASSIGN(out.expires_at, need_time(document.root(), "expires_at", "a join token has `expires_at`"));
  return out;
}

std::string write(const api::Joined& message) {
  return json::to_jcs(
      Node::object({{"agent", message.agent}, {"id", message.id}, {"chain", text_array(message.chain)}}));
}

Result<api::Joined> read_joined(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Joined out;
  CHANCERY_ASSIGN(out.agent, need_text(document.root(), "agent", "who joined has `agent`"));
  CHANCERY_ASSIGN(out.id, need_text(document.root(), "id", "who joined has `id`"));
  CHANCERY_ASSIGN(out.chain, chain(document.root()));
  return out;
}

std::string write(const api::CreateSession& message) {
  return json::to_jcs(Node::object({{"chain", text_array(message.chain)},
                                    {"key_proof", message.key_proof},
                                    {"lifetime_s", message.lifetime.count()}}));
}

Result<api::CreateSession> read_create_session(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"chain", "key_proof", "lifetime_s"},
                          "a session is asked for with `chain`, `key_proof` and `lifetime_s` only"));
  api::CreateSession out;
  CHANCERY_ASSIGN(out.chain, chain(root));
  CHANCERY_ASSIGN(out.key_proof,
                  need_text(root, "key_proof", "`key_proof` must be a DPoP proof by the session's key"));
  CHANCERY_ASSIGN(out.lifetime, lifetime_within(root, 600, "`lifetime_s` must be 1 to 600 seconds"));
  return out;
}

std::string write(const api::Session& message) {
  return json::to_jcs(
      Node::object({{"chain", text_array(message.chain)}, {"expires_at", message.expires_at}}));
}

Result<api::Session> read_session(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Session out;
  CHANCERY_ASSIGN(out.chain, chain(document.root()));
  CHANCERY_ASSIGN(out.expires_at, need_time(document.root(), "expires_at", "a session has `expires_at`"));
  return out;
}

}  // namespace chancery::wire
