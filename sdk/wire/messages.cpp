#include "sdk/wire/messages.hpp"

#include "sdk/base/hex.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/custody_fields.hpp"
#include "sdk/wire/fields.hpp"
#include "sdk/wire/key_fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr std::int64_t kMaxId = 4294967294;  // (uid_t) -1 means "none"
constexpr std::int64_t kMaxSeconds = 100LL * 366 * 86400;
constexpr std::int64_t kMaxDepth = 1000;
// An action's parameters may hold any number; the chain's own are checked when its tokens are read.
constexpr json::Limits kBodyLimits{.allow_unsafe_integers = true};

Node selectors_node(const api::Selectors& selectors) {
  Node node = Node::object();
  if (selectors.uid) node.set("uid", *selectors.uid);
  if (selectors.gid) node.set("gid", *selectors.gid);
  if (!selectors.unit.empty()) node.set("unit", selectors.unit);
  if (!selectors.executable.empty()) node.set("executable", selectors.executable);
  if (!selectors.executable_sha256.empty()) node.set("executable_sha256", selectors.executable_sha256);
  return node;
}

Status check_selectors(const api::Selectors& selectors) {
  if (!selectors.uid && !selectors.gid && selectors.unit.empty()) {
    return malformed("`selectors` need `uid`, `gid` or `unit`: executable and hash only narrow");
  }
  if (!selectors.executable.empty() && !selectors.executable.starts_with('/')) {
    return malformed("selector `executable` must be an absolute path");
  }
  const auto digest = hex_decode(selectors.executable_sha256);
  if (!digest || (!digest->empty() && digest->size() != 32)) {
    return malformed("selector `executable_sha256` must be 64 hexadecimal digits");
  }
  return {};
}

Result<std::optional<std::string>> optional_text(const Value& object, std::string_view name,
                                                 const char* what) {
  if (object.find(name) == nullptr) return std::optional<std::string>();
  CHANCERY_ASSIGN(std::string text, need_text(object, name, what));
  return std::optional(std::move(text));
}

// An empty selector would match anybody, which nobody means who writes it.
Result<std::string> selector(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(auto text, optional_text(object, name, what));
  return std::move(text).value_or("");
}

Result<api::Selectors> selectors_from(const Value& object) {
  CHANCERY_TRY(
      allow_only(object, {"uid", "gid", "unit", "executable", "executable_sha256"},
                 "`selectors` have `uid`, `gid`, `unit`, `executable` and `executable_sha256` only"));
  api::Selectors out;
  CHANCERY_ASSIGN(const auto uid,
                  integer(object, "uid", {0, kMaxId}, "selector `uid` must be a numeric user id"));
  CHANCERY_ASSIGN(const auto gid,
                  integer(object, "gid", {0, kMaxId}, "selector `gid` must be a numeric group id"));
  if (uid) out.uid = static_cast<std::uint32_t>(*uid);
  if (gid) out.gid = static_cast<std::uint32_t>(*gid);
  CHANCERY_ASSIGN(out.unit, selector(object, "unit", "selector `unit` must be a systemd unit's name"));
  CHANCERY_ASSIGN(out.executable,
                  selector(object, "executable", "selector `executable` must be an absolute path"));
  CHANCERY_ASSIGN(
      out.executable_sha256,
      selector(object, "executable_sha256", "selector `executable_sha256` must be 64 hexadecimal digits"));
  CHANCERY_TRY(check_selectors(out));
  return out;
}

Node switch_node(const api::KeySwitch& key) {
  Node node = Node::object({{"jkt", key.jkt}, {"backend", key.backend}, {"state", key.state}});
  set_optional(node, "bank", key.bank);
  set_optional(node, "bit", key.bit);
  return node;
}

Result<api::KeySwitch> switch_from(const Value& object) {
  constexpr Range kBanks{0, 14};
  constexpr Range kBits{0, 63};
  api::KeySwitch out;
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", "a key of `kill_switch` has `jkt`"));
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", "a key of `kill_switch` has `backend`"));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", "a key of `kill_switch` has `state`"));
  CHANCERY_ASSIGN(out.bank, integer(object, "bank", kBanks, "`bank` is the number of one: 0 to 14"));
  CHANCERY_ASSIGN(out.bit, integer(object, "bit", kBits, "`bit` is a number from 0 to 63"));
  if (out.bank.has_value() != out.bit.has_value())
    return malformed("a key of `kill_switch` has `bank` and `bit`, or neither");
  return out;
}

Node agent_node(const api::Agent& agent) {
  Node node = Node::object({{"name", agent.name},
                            {"id", agent.id},
                            {"backend", agent.backend},
                            {"state", agent.state},
                            {"jwk", Node::canonical(agent.jwk)},
                            {"jkt", agent.jkt},
                            {"selectors", selectors_node(agent.selectors)},
                            {"created_at", agent.created_at}});
  if (!agent.reason.empty()) node.set("reason", agent.reason);
  if (agent.retired_at) node.set("retired_at", *agent.retired_at);
  set_optional(node, "frozen_since", agent.frozen_since);
  set_unless_empty(node, "frozen_reason", agent.frozen_reason);
  set_unless_empty(node, "freeze_enforcement", agent.freeze_enforcement);
  if (!agent.kill_switch.empty()) node.set("kill_switch", array_of(agent.kill_switch, switch_node));
  return node;
}

Result<api::Agent> agent_from(const Value& object) {
  api::Agent out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", "an agent has `name`"));
  CHANCERY_ASSIGN(out.id, need_text(object, "id", "an agent has `id`"));
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", "an agent has `backend`"));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", "an agent has `state`"));
  CHANCERY_ASSIGN(out.reason, text_or_empty(object, "reason", "`reason` is a string"));
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", "an agent has `jkt`"));
  const Value* jwk = object.find("jwk");
  const Value* selectors = object.find("selectors");
  if (jwk == nullptr || selectors == nullptr) return malformed("an agent has `jwk` and `selectors`");
  out.jwk = json::to_jcs(*jwk);
  CHANCERY_ASSIGN(out.selectors, selectors_from(*selectors));
  constexpr Range kAnyTime{0, kMaxSeconds * 100};
  CHANCERY_ASSIGN(const auto created, integer(object, "created_at", kAnyTime, "`created_at` is a time"));
  out.created_at = created.value_or(0);
  CHANCERY_ASSIGN(out.retired_at, integer(object, "retired_at", kAnyTime, "`retired_at` is a time"));
  CHANCERY_ASSIGN(out.frozen_since, integer(object, "frozen_since", kAnyTime, "`frozen_since` is a time"));
  CHANCERY_ASSIGN(out.frozen_reason, text_or_empty(object, "frozen_reason", "`frozen_reason` is a string"));
  CHANCERY_ASSIGN(out.freeze_enforcement,
                  text_or_empty(object, "freeze_enforcement", "`freeze_enforcement` is tpm or software"));
  if (object.find("kill_switch") == nullptr)
    return out;  // of one that has no key, and from a daemon that cannot freeze
  CHANCERY_ASSIGN(
      out.kill_switch,
      items_from<api::KeySwitch>(object, "kill_switch", "`kill_switch` is a list of keys", switch_from));
  return out;
}

// `scopes` and `constraints` of a request.
Result<Authority> requested_authority(const Value& object) {
  CHANCERY_ASSIGN(Authority authority, read_authority(object));
  if (authority.scopes.empty()) return malformed("`scopes` must name at least one scope");
  return authority;
}

void set_authority(Node& node, const Authority& authority) {
  node.set("scopes", text_array(authority.scopes));
  Node constraints = Node::array();
  for (const Constraint& constraint : authority.constraints) constraints.push_back(to_json(constraint));
  node.set("constraints", std::move(constraints));
}

Node narrowed_node(const std::vector<Narrowing>& narrowed) {
  Node array = Node::array();
  for (const Narrowing& item : narrowed) {
    array.push_back(Node::object({{"what", item.what},
                                  {"asked", Node::canonical(item.asked)},
                                  {"given", Node::canonical(item.given)}}));
  }
  return array;
}

Node dpop_node(const DpopPresentation& dpop) {
  Node node = Node::object({{"proof", dpop.proof}, {"htm", dpop.htm}, {"htu", dpop.htu}});
  if (dpop.nonce) node.set("nonce", *dpop.nonce);
  return node;
}

Result<DpopPresentation> dpop_from(const Value& object) {
  CHANCERY_TRY(allow_only(object, {"proof", "htm", "htu", "nonce"},
                          "`dpop` has `proof`, `htm`, `htu` and `nonce` only"));
  DpopPresentation out;
  CHANCERY_ASSIGN(out.proof, need_text(object, "proof", "`dpop.proof` must be a compact dpop+jwt"));
  CHANCERY_ASSIGN(out.htm, need_text(object, "htm", "`dpop.htm` must be the request's HTTP method"));
  CHANCERY_ASSIGN(out.htu, need_text(object, "htu", "`dpop.htu` must be the request's URI"));
  CHANCERY_ASSIGN(out.nonce, optional_text(object, "nonce", "`dpop.nonce` must be a non-empty string"));
  return out;
}

Result<api::Action> action_from(const Value& object) {
  CHANCERY_TRY(allow_only(object, {"audience", "action", "dpop"},
                          "`request` has `audience`, `action` and `dpop` only"));
  api::Action out;
  CHANCERY_ASSIGN(out.audience, need_text(object, "audience",
                                          "`request.audience` must be the enforcement point's identifier"));
  const Value* action = object.find("action");
  if (action == nullptr) return malformed("`request.action` must be an object with `scope` and `params`");
  CHANCERY_TRY(
      allow_only(*action, {"scope", "params"},
                 "`request.action` has `scope` and `params` only: totals never come from a request"));
  CHANCERY_ASSIGN(out.scope, need_text(*action, "scope", "`request.action.scope` must be a scope"));
  if (const Value* params = action->find("params")) {
    if (!params->is(Value::Kind::kObject)) return malformed("`request.action.params` must be an object");
    out.params = params->source();
  }
  const Value* dpop = object.find("dpop");
  if (dpop != nullptr && !dpop->is(Value::Kind::kNull)) {
    CHANCERY_ASSIGN(out.dpop, dpop_from(*dpop));
  }
  return out;
}

Result<std::vector<std::string>> answered_chain(const Value& object) {
  CHANCERY_ASSIGN(std::vector<std::string> tokens, chain(object));
  if (tokens.empty()) return malformed("the answer's `chain` is empty");
  return tokens;
}

}  // namespace

// --- requests

std::string write(const api::CreateAgent& message) {
  Node node = Node::object({{"name", message.name}, {"selectors", selectors_node(message.selectors)}});
  if (!message.backend.empty()) node.set("backend", message.backend);
  if (!message.algorithm.empty()) node.set("algorithm", message.algorithm);
  return json::to_jcs(node);
}

Result<api::CreateAgent> read_create_agent(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"name", "backend", "selectors", "algorithm"},
                          "an agent is created from `name`, `backend`, `selectors` and `algorithm` only"));
  api::CreateAgent out;
  CHANCERY_ASSIGN(out.name,
                  need_text(root, "name", "`name` must be an agent name: [a-z0-9][a-z0-9._-]{0,62}"));
  CHANCERY_ASSIGN(out.backend, text_or_empty(root, "backend", "`backend` must be a backend's name"));
  CHANCERY_ASSIGN(out.algorithm, text_or_empty(root, "algorithm", "`algorithm` must be ES256 or Ed25519"));
  const Value* selectors = root.find("selectors");
  if (selectors == nullptr) return malformed("`selectors` must say who the agent is: `uid`, `gid` or `unit`");
  CHANCERY_ASSIGN(out.selectors, selectors_from(*selectors));
  return out;
}

std::string write(const api::CreateGrant& message) {
  Node node = Node::object({{"principal", message.principal},
                            {"agent", message.agent},
                            {"audience", text_array(message.audience)},
                            {"lifetime_s", message.lifetime.count()},
                            {"depth", message.depth}});
  set_authority(node, message.authority);
  set_unless_empty(node, "gate", message.gate);
  return json::to_jcs(node);
}

Result<api::CreateGrant> read_create_grant(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(
      root, {"principal", "agent", "audience", "scopes", "constraints", "lifetime_s", "depth", "gate"},
      "a grant has `principal`, `agent`, `audience`, `scopes`, `constraints`, "
      "`lifetime_s`, `depth` and `gate` only"));
  api::CreateGrant out;
  CHANCERY_ASSIGN(out.principal, need_text(root, "principal",
                                           "`principal` must name on whose behalf: user:alice@example.org"));
  CHANCERY_ASSIGN(out.agent, need_text(root, "agent", "`agent` must be a registered agent's name"));
  CHANCERY_ASSIGN(out.audience,
                  texts(root, "audience", "`audience` must be a string or a non-empty array of strings"));
  if (out.audience.empty()) return malformed("`audience` must name at least one enforcement point");
  CHANCERY_ASSIGN(out.authority, requested_authority(root));
  constexpr const char* kLifetime = "`lifetime_s` must be a whole number of seconds of at least 1";
  CHANCERY_ASSIGN(const auto lifetime, integer(root, "lifetime_s", {1, kMaxSeconds}, kLifetime));
  if (!lifetime) return malformed(kLifetime);
  out.lifetime = std::chrono::seconds(*lifetime);
  CHANCERY_ASSIGN(const auto depth,
                  integer(root, "depth", {1, kMaxDepth}, "`depth` must count agents: 1 to 1000"));
  out.depth = depth.value_or(1);
  CHANCERY_ASSIGN(out.gate, text_or_empty(root, "gate", "`gate` must be the name of a gate"));
  return out;
}

std::string write(const api::CreateDelegation& message) {
  Node node = Node::object({{"chain", text_array(message.chain)}, {"to", message.to}});
  set_authority(node, message.authority);
  if (!message.audience.empty()) node.set("audience", text_array(message.audience));
  if (message.lifetime.count() > 0) node.set("lifetime_s", message.lifetime.count());
  if (message.exact) node.set("exact", true);
  return json::to_jcs(node);
}

Result<api::CreateDelegation> read_create_delegation(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(
      root, {"chain", "to", "audience", "scopes", "constraints", "lifetime_s", "exact"},
      "a delegation has `chain`, `to`, `audience`, `scopes`, `constraints`, `lifetime_s` and `exact` only"));
  api::CreateDelegation out;
  CHANCERY_ASSIGN(out.chain, chain(root));
  CHANCERY_ASSIGN(out.to, need_text(root, "to", "`to` must be the receiving agent's name or SPIFFE ID"));
  CHANCERY_ASSIGN(out.audience,
                  texts(root, "audience", "`audience` must be a string or a non-empty array of strings"));
  CHANCERY_ASSIGN(out.authority, requested_authority(root));
  CHANCERY_ASSIGN(const auto lifetime,
                  integer(root, "lifetime_s", {1, kMaxSeconds},
                          "`lifetime_s` must be a whole number of seconds of at least 1"));
  out.lifetime = std::chrono::seconds(lifetime.value_or(0));
  CHANCERY_ASSIGN(out.exact, flag(root, "exact", "`exact` must be true or false"));
  return out;
}

std::string write(const api::CreateProof& message) {
  Node node =
      Node::object({{"chain", text_array(message.chain)}, {"htm", message.htm}, {"htu", message.htu}});
  if (message.nonce) node.set("nonce", *message.nonce);
  if (message.ada) node.set("ada", *message.ada);
  return json::to_jcs(node);
}

Result<api::CreateProof> read_create_proof(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root, {"chain", "htm", "htu", "nonce", "ada"},
                          "a proof has `chain`, `htm`, `htu`, `nonce` and `ada` only"));
  api::CreateProof out;
  CHANCERY_ASSIGN(out.chain, chain(root));
  CHANCERY_ASSIGN(out.htm, need_text(root, "htm", "`htm` must be an HTTP method"));
  CHANCERY_ASSIGN(out.htu, need_text(root, "htu", "`htu` must be an absolute http(s) URI"));
  CHANCERY_ASSIGN(out.nonce, optional_text(root, "nonce", "`nonce` must be a non-empty string"));
  CHANCERY_ASSIGN(out.ada, optional_text(root, "ada", "`ada` must be the base64url SHA-256 of the action"));
  return out;
}

std::string write(const api::VerifyChain& message) {
  Node node = Node::object({{"chain", text_array(message.chain)}});
  if (message.request) {
    const auto params = Document::parse(message.request->params, kBodyLimits);
    Node action = Node::object({{"scope", message.request->scope}});
    if (params) action.set("params", Node::copy(params->root()));
    Node request = Node::object({{"audience", message.request->audience}, {"action", std::move(action)}});
    if (message.request->dpop) request.set("dpop", dpop_node(*message.request->dpop));
    node.set("request", std::move(request));
  }
  set_custody_terms(node, message.custody);
  return json::to_jcs(node);
}

Result<api::VerifyChain> read_verify_chain(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json, kBodyLimits));
  const Value& root = document.root();
  CHANCERY_TRY(allow_only(root,
                          {"chain", "request", "require_custody", "custody_max_age_s", "attestation_results"},
                          "a verification has `chain`, `request`, `require_custody`, `custody_max_age_s` and "
                          "`attestation_results` only"));
  api::VerifyChain out;
  CHANCERY_ASSIGN(out.chain, chain(root));
  const Value* request = root.find("request");
  if (request != nullptr && !request->is(Value::Kind::kNull)) {
    CHANCERY_ASSIGN(out.request, action_from(*request));
  }
  CHANCERY_ASSIGN(out.custody, custody_terms(root));
  return out;
}

// --- answers

std::string write(const api::Selectors& selectors) { return json::to_jcs(selectors_node(selectors)); }

Result<api::Selectors> read_selectors(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return selectors_from(document.root());
}

std::string write(const api::Agent& message) { return json::to_jcs(agent_node(message)); }

Result<api::Agent> read_agent(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return agent_from(document.root());
}

std::string write(const api::AgentPage& message) {
  Node agents = Node::array();
  for (const api::Agent& agent : message.agents) agents.push_back(agent_node(agent));
  Node node = Node::object({{"agents", std::move(agents)}});
  if (!message.next.empty()) node.set("next", message.next);
  return json::to_jcs(node);
}

Result<api::AgentPage> read_agent_page(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value* agents = document.root().find("agents");
  if (agents == nullptr || !agents->is(Value::Kind::kArray))
    return malformed("a list of agents has `agents`: an array");
  api::AgentPage out;
  for (const Value& item : agents->items()) {
    CHANCERY_ASSIGN(api::Agent agent, agent_from(item));
    out.agents.push_back(std::move(agent));
  }
  CHANCERY_ASSIGN(out.next, text_or_empty(document.root(), "next", "`next` is a string"));
  return out;
}

std::string write(const api::Retirement& message) {
  Node node = agent_node(message.agent);
  node.set("ended", ended_node(message.ended));
  return json::to_jcs(node);
}

Result<api::Retirement> read_retirement(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Retirement out;
  CHANCERY_ASSIGN(out.agent, agent_from(document.root()));
  CHANCERY_ASSIGN(out.ended, answered_ended(document.root()));
  return out;
}

std::string write(const api::Grant& message) {
  Node node = Node::object({{"warnings", text_array(message.warnings)}});
  if (message.approval) {
    node.set("approval", pending_approval_node(*message.approval));
  } else {
    node.set("chain", text_array(message.chain));
  }
  return json::to_jcs(node);
}

Result<api::Grant> read_grant(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Grant out;
  const Value* const approval = document.root().find("approval");
  if (approval != nullptr) {
    CHANCERY_ASSIGN(out.approval, pending_approval_from(*approval));
  } else {
    CHANCERY_ASSIGN(out.chain, answered_chain(document.root()));
  }
  if (document.root().find("warnings") == nullptr) return out;
  CHANCERY_ASSIGN(out.warnings,
                  string_array(document.root(), "warnings", "`warnings` are an array of strings"));
  return out;
}

std::string write(const api::Delegation& message) {
  return json::to_jcs(Node::object({{"chain", text_array(message.chain)},
                                    {"granted", to_json(message.granted)},
                                    {"narrowed", narrowed_node(message.narrowed)}}));
}

Result<api::Delegation> read_delegation(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  api::Delegation out;
  CHANCERY_ASSIGN(out.chain, answered_chain(root));
  const Value* granted = root.find("granted");
  if (granted == nullptr) return malformed("a delegation has `granted`");
  CHANCERY_ASSIGN(out.granted, read_authority(*granted));
  if (const Value* narrowed = root.find("narrowed")) {
    if (!narrowed->is(Value::Kind::kArray)) return malformed("`narrowed` is an array");
    for (const Value& item : narrowed->items()) {
      const Value* asked = item.find("asked");
      const Value* given = item.find("given");
      CHANCERY_ASSIGN(std::string what, need_text(item, "what", "`narrowed` items have `what`"));
      if (asked == nullptr || given == nullptr) return malformed("`narrowed` items have `asked` and `given`");
      out.narrowed.push_back({std::move(what), json::to_jcs(*asked), json::to_jcs(*given)});
    }
  }
  return out;
}

std::string write(const api::Proof& message) {
  return json::to_jcs(Node::object({{"proof", message.proof}}));
}

Result<api::Proof> read_proof(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  CHANCERY_ASSIGN(std::string proof, need_text(document.root(), "proof", "the answer has `proof`"));
  return api::Proof{std::move(proof)};
}

}  // namespace chancery::wire
