#include "sdk/incident/records.hpp"

#include <utility>

#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::incident {
namespace {

using json::Node;
using json::Value;
using wire::array_of;
using wire::items_from;
using wire::kAnyCount;
using wire::kAnyTime;
using wire::malformed;
using wire::need_text;
using wire::set_optional;
using wire::set_unless_empty;
using wire::text_or_empty;

constexpr const char* kEvidenceHas = "`evidence` has not the members that docs/protocol/incidents.md names";
constexpr const char* kKeyHas = "a key has `jkt`, `jwk`, `state`, `backend` and `created_at`";
constexpr const char* kTokenHas =
    "a token has `id`, `place`, `status`, `issued_at`, `expires_at` and `compact`";
constexpr const char* kDecisionHas = "a decision has `approver`, `jkt`, `jwk`, `verdict`, `at` and `jws`";
constexpr const char* kRequestHas =
    "a request has `id`, `kind`, `state`, `sha256`, `tool`, `principal`, `enforcement`, `gates`, `asked_at` and "
    "`decisions`";
constexpr const char* kCallHas =
    "a call has `permit`, `decision`, `runtime`, `token`, `jkt`, `tool`, `scope`, `arguments_sha256` and `given_at`";
constexpr const char* kAttestedHas =
    "what is attested has `jkt`, `issuer`, `custody`, `evidence_at`, `expires_at` and `result`";
constexpr const char* kEntryHas = "an entry has `number` and `entry`";
constexpr const char* kReachHas =
    "what was reached has `kind`, `name`, `scope`, `count`, `first_at` and `last_at`";
constexpr const char* kFreezeHas = "`frozen` has `since`, `reason` and `enforcement`";
constexpr const char* kPasskeysHave = "`passkeys` has `rp_id` and `origins`";

Result<std::int64_t> need_integer(const Value& object, std::string_view name, wire::Range range,
                                  const char* what) {
  CHANCERY_ASSIGN(const auto number, wire::integer(object, name, range, what));
  return number ? Result<std::int64_t>(*number) : malformed(what);
}

Result<std::int64_t> need_time(const Value& object, std::string_view name, const char* what) {
  return need_integer(object, name, kAnyTime, what);
}

// A value of its own form: the octets are those that were hashed.
Result<std::string> need_object(const Value& object, std::string_view name, const char* what) {
  const Value* const member = object.find(name);
  if (member == nullptr || !member->is(Value::Kind::kObject)) return malformed(what);
  return std::string(member->source());
}
Result<std::string> object_or_empty(const Value& object, std::string_view name, const char* what) {
  return object.find(name) == nullptr ? Result<std::string>(std::string()) : need_object(object, name, what);
}

void set_canonical(Node& node, const char* name, const std::string& jcs) {
  if (!jcs.empty()) node.set(name, Node::canonical(jcs));
}

// --- keys and tokens

Node key_node(const AgentKey& key) {
  Node node = Node::object({{"jkt", key.jkt},
                            {"jwk", Node::canonical(key.jwk)},
                            {"state", key.state},
                            {"backend", key.backend},
                            {"created_at", key.created_at}});
  set_optional(node, "ended_at", key.ended_at);
  return node;
}

Result<AgentKey> key_from(const Value& object) {
  CHANCERY_TRY(
      wire::allow_only(object, {"jkt", "jwk", "state", "backend", "created_at", "ended_at"}, kKeyHas));
  AgentKey out;
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", kKeyHas));
  CHANCERY_ASSIGN(out.jwk, need_object(object, "jwk", kKeyHas));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kKeyHas));
  CHANCERY_ASSIGN(out.backend, need_text(object, "backend", kKeyHas));
  CHANCERY_ASSIGN(out.created_at, need_time(object, "created_at", kKeyHas));
  CHANCERY_ASSIGN(out.ended_at, wire::integer(object, "ended_at", kAnyTime, kKeyHas));
  return out;
}

Node token_node(const ChainToken& token) {
  Node node = Node::object({{"id", token.id},
                            {"place", token.place},
                            {"status", token.status},
                            {"issued_at", token.issued_at},
                            {"expires_at", token.expires_at},
                            {"compact", token.compact}});
  set_unless_empty(node, "parent", token.parent);
  set_unless_empty(node, "agent", token.agent);
  if (token.is_session) node.set("session", true);
  return node;
}

Result<ChainToken> token_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(
      object, {"id", "parent", "place", "status", "agent", "session", "issued_at", "expires_at", "compact"},
      kTokenHas));
  ChainToken out;
  CHANCERY_ASSIGN(out.id, need_text(object, "id", kTokenHas));
  CHANCERY_ASSIGN(out.parent, text_or_empty(object, "parent", kTokenHas));
  CHANCERY_ASSIGN(out.place, need_text(object, "place", kTokenHas));
  CHANCERY_ASSIGN(out.status, need_text(object, "status", kTokenHas));
  CHANCERY_ASSIGN(out.agent, text_or_empty(object, "agent", kTokenHas));
  CHANCERY_ASSIGN(out.is_session, wire::flag(object, "session", kTokenHas));
  CHANCERY_ASSIGN(out.issued_at, need_time(object, "issued_at", kTokenHas));
  CHANCERY_ASSIGN(out.expires_at, need_time(object, "expires_at", kTokenHas));
  CHANCERY_ASSIGN(out.compact, need_text(object, "compact", kTokenHas));
  if (out.place != kHeld && out.place != kAbove && out.place != kBelow) return malformed(kTokenHas);
  return out;
}

// --- requests and decisions

Node decision_node(const Decision& decision) {
  Node node = Node::object({{"approver", decision.approver},
                            {"jkt", decision.jkt},
                            {"jwk", Node::canonical(decision.jwk)},
                            {"verdict", decision.verdict},
                            {"at", decision.at},
                            {"jws", decision.jws}});
  set_optional(node, "voided_at", decision.voided_at);
  return node;
}

Result<Decision> decision_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(object, {"approver", "jkt", "jwk", "verdict", "at", "jws", "voided_at"},
                                kDecisionHas));
  Decision out;
  CHANCERY_ASSIGN(out.approver, need_text(object, "approver", kDecisionHas));
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", kDecisionHas));
  CHANCERY_ASSIGN(out.jwk, need_object(object, "jwk", kDecisionHas));
  CHANCERY_ASSIGN(out.verdict, need_text(object, "verdict", kDecisionHas));
  CHANCERY_ASSIGN(out.at, need_time(object, "at", kDecisionHas));
  CHANCERY_ASSIGN(out.jws, need_text(object, "jws", kDecisionHas));
  CHANCERY_ASSIGN(out.voided_at, wire::integer(object, "voided_at", kAnyTime, kDecisionHas));
  return out;
}

Node request_node(const Request& request) {
  Node node = Node::object({{"id", request.id},
                            {"kind", request.kind},
                            {"state", request.state},
                            {"sha256", request.sha256},
                            {"tool", request.tool},
                            {"principal", request.principal},
                            {"enforcement", request.enforcement},
                            {"gates", wire::text_array(request.gates)},
                            {"asked_at", request.asked_at},
                            {"decisions", array_of(request.decisions, decision_node)}});
  set_optional(node, "ended_at", request.ended_at);
  set_canonical(node, "document", request.document);
  return node;
}

Result<Request> request_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(object,
                                {"id", "kind", "state", "sha256", "document", "tool", "principal",
                                 "enforcement", "gates", "asked_at", "ended_at", "decisions"},
                                kRequestHas));
  Request out;
  CHANCERY_ASSIGN(out.id, need_text(object, "id", kRequestHas));
  CHANCERY_ASSIGN(out.kind, need_text(object, "kind", kRequestHas));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kRequestHas));
  CHANCERY_ASSIGN(out.sha256, need_text(object, "sha256", kRequestHas));
  CHANCERY_ASSIGN(out.document, object_or_empty(object, "document", kRequestHas));
  CHANCERY_ASSIGN(out.tool, text_or_empty(object, "tool", kRequestHas));
  CHANCERY_ASSIGN(out.principal, text_or_empty(object, "principal", kRequestHas));
  CHANCERY_ASSIGN(out.enforcement, need_text(object, "enforcement", kRequestHas));
  CHANCERY_ASSIGN(out.gates, wire::string_array(object, "gates", kRequestHas));
  CHANCERY_ASSIGN(out.asked_at, need_time(object, "asked_at", kRequestHas));
  CHANCERY_ASSIGN(out.ended_at, wire::integer(object, "ended_at", kAnyTime, kRequestHas));
  CHANCERY_ASSIGN(out.decisions, items_from<Decision>(object, "decisions", kRequestHas, decision_from));
  return out;
}

// --- calls, attestation, what was reached

Node call_node(const ToolCall& call) {
  Node node = Node::object({{"permit", call.permit},
                            {"decision", call.decision},
                            {"runtime", call.runtime},
                            {"token", call.token},
                            {"jkt", call.jkt},
                            {"tool", call.tool},
                            {"scope", call.scope},
                            {"arguments_sha256", call.arguments_sha256},
                            {"given_at", call.given_at}});
  set_unless_empty(node, "credential", call.credential);
  set_optional(node, "released_at", call.released_at);
  set_optional(node, "ended_at", call.ended_at);
  set_canonical(node, "receipt", call.receipt);
  return node;
}

Result<ToolCall> call_from(const Value& object) {
  CHANCERY_TRY(
      wire::allow_only(object,
                       {"permit", "decision", "runtime", "token", "jkt", "tool", "scope", "credential",
                        "arguments_sha256", "given_at", "released_at", "ended_at", "receipt"},
                       kCallHas));
  ToolCall out;
  CHANCERY_ASSIGN(out.permit, need_text(object, "permit", kCallHas));
  CHANCERY_ASSIGN(out.decision, need_text(object, "decision", kCallHas));
  CHANCERY_ASSIGN(out.runtime, need_text(object, "runtime", kCallHas));
  CHANCERY_ASSIGN(out.token, need_text(object, "token", kCallHas));
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", kCallHas));
  CHANCERY_ASSIGN(out.tool, need_text(object, "tool", kCallHas));
  CHANCERY_ASSIGN(out.scope, text_or_empty(object, "scope", kCallHas));
  CHANCERY_ASSIGN(out.credential, text_or_empty(object, "credential", kCallHas));
  CHANCERY_ASSIGN(out.arguments_sha256, need_text(object, "arguments_sha256", kCallHas));
  CHANCERY_ASSIGN(out.given_at, need_time(object, "given_at", kCallHas));
  CHANCERY_ASSIGN(out.released_at, wire::integer(object, "released_at", kAnyTime, kCallHas));
  CHANCERY_ASSIGN(out.ended_at, wire::integer(object, "ended_at", kAnyTime, kCallHas));
  CHANCERY_ASSIGN(out.receipt, object_or_empty(object, "receipt", kCallHas));
  return out;
}

Node attested_node(const Attested& attested) {
  Node node = Node::object({{"jkt", attested.jkt},
                            {"issuer", attested.issuer},
                            {"custody", attested.custody},
                            {"evidence_at", attested.evidence_at},
                            {"expires_at", attested.expires_at},
                            {"result", attested.result}});
  set_unless_empty(node, "host", attested.host);
  return node;
}

Result<Attested> attested_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(
      object, {"jkt", "issuer", "host", "custody", "evidence_at", "expires_at", "result"}, kAttestedHas));
  Attested out;
  CHANCERY_ASSIGN(out.jkt, need_text(object, "jkt", kAttestedHas));
  CHANCERY_ASSIGN(out.issuer, need_text(object, "issuer", kAttestedHas));
  CHANCERY_ASSIGN(out.host, text_or_empty(object, "host", kAttestedHas));
  CHANCERY_ASSIGN(out.custody, need_text(object, "custody", kAttestedHas));
  CHANCERY_ASSIGN(out.evidence_at, need_time(object, "evidence_at", kAttestedHas));
  CHANCERY_ASSIGN(out.expires_at, need_time(object, "expires_at", kAttestedHas));
  CHANCERY_ASSIGN(out.result, need_text(object, "result", kAttestedHas));
  return out;
}

Result<Reach> reach_from(const Value& object) {
  CHANCERY_TRY(
      wire::allow_only(object, {"kind", "name", "scope", "count", "first_at", "last_at"}, kReachHas));
  Reach out;
  CHANCERY_ASSIGN(out.kind, need_text(object, "kind", kReachHas));
  CHANCERY_ASSIGN(out.name, text_or_empty(object, "name", kReachHas));
  CHANCERY_ASSIGN(out.scope, text_or_empty(object, "scope", kReachHas));
  CHANCERY_ASSIGN(const std::int64_t count, need_integer(object, "count", kAnyCount, kReachHas));
  out.count = static_cast<std::uint64_t>(count);
  CHANCERY_ASSIGN(out.first_at, need_time(object, "first_at", kReachHas));
  CHANCERY_ASSIGN(out.last_at, need_time(object, "last_at", kReachHas));
  return out;
}

// --- what stands once

Result<std::optional<Freeze>> freeze_from(const Value& object) {
  const Value* const member = object.find("frozen");
  if (member == nullptr) return std::optional<Freeze>();
  CHANCERY_TRY(wire::allow_only(*member, {"since", "reason", "enforcement"}, kFreezeHas));
  Freeze out;
  CHANCERY_ASSIGN(out.since, need_time(*member, "since", kFreezeHas));
  CHANCERY_ASSIGN(out.reason, text_or_empty(*member, "reason", kFreezeHas));
  CHANCERY_ASSIGN(out.enforcement, need_text(*member, "enforcement", kFreezeHas));
  return std::optional(std::move(out));
}

Result<std::optional<RelyingParty>> passkeys_from(const Value& object) {
  const Value* const member = object.find("passkeys");
  if (member == nullptr) return std::optional<RelyingParty>();
  CHANCERY_TRY(wire::allow_only(*member, {"rp_id", "origins"}, kPasskeysHave));
  RelyingParty out;
  CHANCERY_ASSIGN(out.id, need_text(*member, "rp_id", kPasskeysHave));
  CHANCERY_ASSIGN(out.origins, wire::string_array(*member, "origins", kPasskeysHave));
  return std::optional(std::move(out));
}

Status read_head(const Value& object, Evidence& out) {
  CHANCERY_ASSIGN(out.log, need_text(object, "log", kEvidenceHas));
  CHANCERY_ASSIGN(out.issuer, text_or_empty(object, "issuer", kEvidenceHas));
  CHANCERY_ASSIGN(out.agent, need_text(object, "agent", kEvidenceHas));
  CHANCERY_ASSIGN(out.agent_id, need_text(object, "agent_id", kEvidenceHas));
  CHANCERY_ASSIGN(out.selectors, need_object(object, "selectors", kEvidenceHas));
  CHANCERY_ASSIGN(out.created_at, need_time(object, "created_at", kEvidenceHas));
  CHANCERY_ASSIGN(out.opened_at, need_time(object, "opened_at", kEvidenceHas));
  CHANCERY_ASSIGN(out.reason, text_or_empty(object, "reason", kEvidenceHas));
  CHANCERY_ASSIGN(out.frozen, freeze_from(object));
  CHANCERY_ASSIGN(out.revoked, wire::integer(object, "revoked", kAnyCount, kEvidenceHas));
  CHANCERY_ASSIGN(const std::int64_t size, need_integer(object, "size", kAnyCount, kEvidenceHas));
  CHANCERY_ASSIGN(const std::int64_t damaged, need_integer(object, "damaged", kAnyCount, kEvidenceHas));
  out.size = static_cast<std::uint64_t>(size);
  out.damaged = static_cast<std::uint64_t>(damaged);
  CHANCERY_ASSIGN(out.cut, wire::string_array(object, "cut", kEvidenceHas));
  CHANCERY_ASSIGN(out.passkeys, passkeys_from(object));
  return {};
}

Result<LoggedEntry> listed_entry_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(object, {"number", "entry"}, kEntryHas));
  return entry_from(object);
}

}  // namespace

Node entry_node(const LoggedEntry& entry) {
  return Node::object({{"number", entry.number}, {"entry", Node::canonical(entry.json)}});
}

Result<LoggedEntry> entry_from(const Value& object) {
  LoggedEntry out;
  CHANCERY_ASSIGN(const std::int64_t number, need_integer(object, "number", {1, kAnyCount.high}, kEntryHas));
  out.number = static_cast<std::uint64_t>(number);
  CHANCERY_ASSIGN(out.json, need_object(object, "entry", kEntryHas));
  return out;
}

Node reach_node(const Reach& reach) {
  return Node::object({{"kind", reach.kind},
                       {"name", reach.name},
                       {"scope", reach.scope},
                       {"count", reach.count},
                       {"first_at", reach.first_at},
                       {"last_at", reach.last_at}});
}

std::string write_evidence(const Evidence& evidence) {
  Node out = Node::object({{"log", evidence.log},
                           {"agent", evidence.agent},
                           {"agent_id", evidence.agent_id},
                           {"selectors", Node::canonical(evidence.selectors)},
                           {"created_at", evidence.created_at},
                           {"opened_at", evidence.opened_at},
                           {"size", evidence.size},
                           {"damaged", evidence.damaged},
                           {"cut", wire::text_array(evidence.cut)}});
  set_unless_empty(out, "issuer", evidence.issuer);
  set_unless_empty(out, "reason", evidence.reason);
  set_optional(out, "revoked", evidence.revoked);
  if (const auto& frozen = evidence.frozen) {
    out.set("frozen", Node::object({{"since", frozen->since},
                                    {"reason", frozen->reason},
                                    {"enforcement", frozen->enforcement}}));
  }
  if (const auto& passkeys = evidence.passkeys) {
    out.set("passkeys",
            Node::object({{"rp_id", passkeys->id}, {"origins", wire::text_array(passkeys->origins)}}));
  }
  out.set("keys", array_of(evidence.keys, key_node));
  out.set("tokens", array_of(evidence.tokens, token_node));
  out.set("requests", array_of(evidence.requests, request_node));
  out.set("calls", array_of(evidence.calls, call_node));
  out.set("attestation", array_of(evidence.attestation, attested_node));
  out.set("entries", array_of(evidence.entries, entry_node));
  out.set("reached", array_of(evidence.reached, reach_node));
  return json::to_jcs(out);
}

Result<Evidence> evidence_from(const Value& object) {
  CHANCERY_TRY(wire::allow_only(
      object, {"log",    "issuer", "agent",    "agent_id", "selectors",   "created_at", "opened_at",
               "reason", "frozen", "revoked",  "size",     "cut",         "damaged",    "passkeys",
               "keys",   "tokens", "requests", "calls",    "attestation", "entries",    "reached"},
      kEvidenceHas));
  Evidence out;
  CHANCERY_TRY(read_head(object, out));
  CHANCERY_ASSIGN(out.keys, items_from<AgentKey>(object, "keys", kEvidenceHas, key_from));
  CHANCERY_ASSIGN(out.tokens, items_from<ChainToken>(object, "tokens", kEvidenceHas, token_from));
  CHANCERY_ASSIGN(out.requests, items_from<Request>(object, "requests", kEvidenceHas, request_from));
  CHANCERY_ASSIGN(out.calls, items_from<ToolCall>(object, "calls", kEvidenceHas, call_from));
  CHANCERY_ASSIGN(out.attestation, items_from<Attested>(object, "attestation", kEvidenceHas, attested_from));
  CHANCERY_ASSIGN(out.entries, items_from<LoggedEntry>(object, "entries", kEvidenceHas, listed_entry_from));
  CHANCERY_ASSIGN(out.reached, items_from<Reach>(object, "reached", kEvidenceHas, reach_from));
  return out;
}

}  // namespace chancery::incident
