// docs/protocol/openapi.yaml, which the daemon answers as /openapi.json, describes the routes and the messages
// that there are.

#include "daemon/rest/openapi.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/rest/routes.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/approval_messages.hpp"
#include "sdk/wire/approver_messages.hpp"
#include "sdk/wire/attestation_messages.hpp"
#include "sdk/wire/audit_messages.hpp"
#include "sdk/wire/console_messages.hpp"
#include "sdk/wire/freeze_messages.hpp"
#include "sdk/wire/messages.hpp"
#include "sdk/wire/status_messages.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery {
namespace {

using json::Document;
using json::Value;

const Value& description() {
  static const auto document = Document::parse(std::string(rest::openapi_json()));
  BOOST_REQUIRE(document);
  return document->root();
}

const Value& need(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  BOOST_REQUIRE_MESSAGE(member != nullptr, "no member " << name << " in " << object.source().substr(0, 200));
  return *member;
}

/// "GET /v1/agents", and on which listeners it is, for which scope.
using Routes = std::map<std::string, std::string>;

std::string_view text_of(rest::Listener listener) {
  switch (listener) {
    case rest::Listener::kAny:
      return "any";
    case rest::Listener::kUnixSocket:
      return "Unix socket";
    case rest::Listener::kTls:
      return "TLS";
    case rest::Listener::kPrivileged:
      return "privileged";
    case rest::Listener::kLocal:
      return "this machine";
    case rest::Listener::kConsole:
      return "console";
  }
  return "";
}

// The tags `operate`, `act` and `enforce` say: privileged; `socket`: Unix socket; `local`: that, or plain loopback.
std::string_view listener_of(const Value& operation) {
  const auto is_private = [](const Value& tag) {
    return tag.string() == "operate" || tag.string() == "act" || tag.string() == "enforce";
  };
  const auto tags = need(operation, "tags").items();
  BOOST_TEST(!tags.empty());
  BOOST_TEST((std::ranges::all_of(tags, is_private) || std::ranges::none_of(tags, is_private)),
             operation.source().substr(0, 80));
  if (std::ranges::any_of(tags, is_private)) return text_of(rest::Listener::kPrivileged);
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(tags, [&](const Value& tag) { return tag.string() == name; });
  };
  if (has("tls")) return text_of(rest::Listener::kTls);
  if (has("socket")) return text_of(rest::Listener::kUnixSocket);
  return text_of(has("local") ? rest::Listener::kLocal : rest::Listener::kAny);
}

// The scope that `security` names, if there is any.
std::string scope_of(const Value& operation) {
  const Value* security = operation.find("security");
  if (security == nullptr) return "";
  return std::string(need(security->items().front(), "chain").items().front().string().value_or(""));
}

Routes described_routes() {
  Routes out;
  for (const auto& [path, operations] : need(description(), "paths").members()) {
    for (const auto& [name, operation] : operations.members()) {
      if (name == "parameters") continue;
      std::string method(name);
      std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(c & ~0x20); });
      out.emplace(method + " " + std::string(path),
                  std::string(listener_of(operation)) + scope_of(operation));
    }
  }
  return out;
}

// What the console's page alone asks has a page of its own, see below.
Routes present_routes() {
  Routes out;
  for (const rest::Route& route : rest::routes()) {
    if (route.listener == rest::Listener::kConsole) continue;
    out.emplace(std::string(route.method) + " " + std::string(route.pattern),
                std::string(text_of(route.listener)).append(route.scope));
  }
  return out;
}

void expect_all(const Routes& these, const Routes& in, const char* where) {
  for (const auto& [route, listener] : these) {
    const auto found = in.find(route);
    BOOST_TEST((found != in.end()), route << " is not in " << where);
    if (found != in.end()) {
      BOOST_TEST(found->second == listener, route << ": " << listener << ", in " << where << " otherwise");
    }
  }
}

/// Names of the properties of a schema, with those of the schemas that it is made of.
std::set<std::string> properties_of(const Value& schema) {
  std::set<std::string> out;
  if (const Value* reference = schema.find("$ref")) {
    const std::string_view name = reference->string().value_or("");
    return properties_of(need(need(need(description(), "components"), "schemas"),
                              name.substr(std::string_view("#/components/schemas/").size())));
  }
  if (const Value* parts = schema.find("allOf")) {
    for (const Value& part : parts->items()) out.merge(properties_of(part));
  }
  if (const Value* properties = schema.find("properties")) {
    for (const auto& [name, value] : properties->members()) out.emplace(name);
  }
  return out;
}

struct Message {
  const char* schema;
  std::string json;  ///< with every member that it may have
};

std::ostream& operator<<(std::ostream& out, const Message& message) { return out << message.schema; }

const api::Key kKey{"jkt", "support", "tpm", "ES256", "lost", "key_lost", 1, 2, 3, 4};
const api::AuditEntry kEntry{1, "{}"};
const api::AuditCheckpoint kCheckpoint{1, 2, "note"};
const api::Ended kEnded{1, 2, 3, {"lookup"}};
const api::StatusAct kAct{1, "drill", {"agent", "a"}, "why", 1, 2, 3, 4};
const api::Selectors kSelectors{1, 2, "u.service", "/bin/u", std::string(64, '0')};
const api::Agent kAgent{"support",  "id", "tpm", "lost", "key_lost", "{}",  "jkt",
                        kSelectors, 1,    2,     3,      "why",      "tpm", {{"jkt", "tpm", "active", 0, 1}}};
const api::SwitchSetting kSwitchSetting{"tpm", 1, 2, {1}};

const api::HostIdentity kIdentity{{1}, {1}, {1}, {1}};
const api::PcrQuote kQuote{{{1}, {1}}, {{"sha256", {{0, {1}}}}}};
const api::Activation kActivation{{1}, kQuote};
const api::KeyEvidence kKeyEvidence{{1}, {{1}, {1}}, kQuote, {1}};
const api::Measurements kMeasurements{{{1}, {1}}, {1}, {{1, 2, "id", "e", "m"}}};
const api::AttestedHost kHost{
    "build-7", "tpm", "quarantined", "why", "tpm-certified", "root", "ek", "id:49465800", "1", 2, 3, true, 4,
    5,         6};

// Evidence of one kind, as if it were of both.
std::string with_activation(std::string json) { return json.insert(1, R"("activation":{},)"); }

// A message that names its target in one way, as if it did in every way.
std::string with_other_targets(std::string json) {
  constexpr std::string_view kOthers = R"("token":"","subtree":"","chain":[],"key":"","principal":"",)";
  return json.insert(1, kOthers);
}

const api::CredentialVersion kCredentialVersion{1, "retiring", 2, 3, 4, 5, 6, 7, 8, 9};
const api::Credential kCredential{
    "id", "psp", "issued", "issuer", "a.b", {"t"}, "o", "e", true, 1, {kCredentialVersion}};

const api::ApprovalGate kApprovalGate{"refunds", 2, 1, "requester", "software-enforced"};
const api::ApprovalVote kApprovalVote{"user:b", "jkt", "approve",   1, "tpm-enforced",
                                      "why",    "jws", {"refunds"}, 2};
const api::Approval kApproval{"id",
                              "call",
                              "lapsed",
                              "refund",
                              "user:a",
                              "jkt",
                              "digest",
                              "software-enforced",
                              {kApprovalGate},
                              1,
                              2,
                              3,
                              4,
                              5,
                              "{}",
                              {kApprovalVote},
                              "spiffe://a/agent/b",
                              "high",
                              {{"amount", "1"}},
                              api::PreviousRequest{"id", "denied", 1, "digest", "{}"}};
const api::Approver kApprover{
    "user:b", {"finance"}, {{"jkt", "passkey", "{}", "id", "revoked", 1, "user:c", 2}}};

const api::Gate kGate{"refunds", {"a.b"}, {"t"}, "above", "amount",       "1",  "Mo-Fr", {"user:b"},
                      2,         "none",  1,     2,       "tpm-enforced", "{}", "000b",  "tpm"};

// What stands in another message.
std::string part_of(const std::string& json, std::string_view list) {
  return json::to_jcs(Document::parse(json)->root().find(list)->items().front());
}

const api::ConsoleAgentSight kAgentSight{
    {"support", "id", "lost", "key_lost", "tpm", "tpm", "tpm-resident", "jkt", 1, 2, 3},
    {{"t", "amount", "lifetime", "5", "1", 4}},
    1};

// One that somebody issues, as if it came with a value, too.
std::string full_put() {
  const api::PutCredential put{"psp", {}, "issued", "issuer", "a.b", {"t"}, "o", "e", true, 1};
  return wire::write(put).insert(1, R"("value":"",)");
}

std::vector<Message> messages() {
  return {
      {"CreateJoinToken", wire::write(api::CreateJoinToken{"support", {"t"}})},
      {"JoinToken", wire::write(api::JoinToken{"t", 1})},
      {"Joined", wire::write(api::Joined{"support", "id", {"t"}})},
      {"CreateSession", wire::write(api::CreateSession{{"t"}, "proof"})},
      {"Session", wire::write(api::Session{{"t"}, 1})},
      {"CreateOperator", wire::write(api::CreateOperator{"admin", "jkt"})},
      {"CreateAgent", wire::write(api::CreateAgent{"support", "tpm", kSelectors, "ES256"})},
      {"Selectors", wire::write(kSelectors)},
      {"Agent", wire::write(kAgent)},
      {"AgentPage", wire::write(api::AgentPage{{kAgent}, "next"})},
      {"FreezeReason", wire::write(api::FreezeReason{"why"})},
      {"SignedSettings", wire::write(api::SignedSettings{{{kSwitchSetting, {1}}}})},
      {"AgentFreeze",
       wire::write(api::AgentFreeze{"support", true, "tpm", {kSwitchSetting}, {{"tpm", 0, 1, true, 3}}})},
      {"FreezeState",
       wire::write(api::FreezeState{
           true, "tpm", 1, "why", {"support"}, 2, 3, true, {kSwitchSetting}, {{"tpm", 0, 1, true, 3}}})},
      {"Retirement", wire::write(api::Retirement{kAgent, kEnded})},
      {"RotateKey", wire::write(api::RotateKey{std::chrono::seconds(1), "tpm", "ES256"})},
      {"ReenrollAgent", wire::write(api::ReenrollAgent{"tpm", "ES256", true})},
      {"RevokeKey", wire::write(api::RevokeKey{"why"})},
      {"KeyList", wire::write(api::KeyList{{kKey}})},
      {"Rotation", wire::write(api::Rotation{kKey, kKey})},
      {"Revocation", wire::write(api::Revocation{kKey, kEnded})},
      {"ChangeStatus", with_other_targets(wire::write(api::ChangeStatus{{"agent", "a"}, "why"}))},
      {"CreateDrill",
       with_other_targets(wire::write(api::CreateDrill{{"agent", "a"}, std::chrono::seconds(1), "why"}))},
      {"StatusAct", wire::write(kAct)},
      {"Impact", wire::write(api::Impact{{"agent", "a"}, 1, 2, 3, 4, {}, 5, {kAct}})},
      {"Drill", wire::write(api::Drill{kAct, {{"id", "a", 1, 2, 3}}})},
      {"Adoption", wire::write(api::Adoption{"tpm", "000b"})},
      {"HostIdentity", wire::write(kIdentity)},
      {"EnrollHost", wire::write(api::EnrollHost{"build-7", kIdentity})},
      {"AskChallenge", wire::write(api::AskChallenge{"build-7"})},
      {"AttestationChallenge",
       wire::write(api::AttestationChallenge{"id", {1}, {{"sha256", {0}}}, {1}, {1}, 1})},
      {"Activation", wire::write(kActivation)},
      {"CertifyKey", wire::write(api::CertifyKey{{1}, "leaf", {{"sha256", {0}}}})},
      {"KeyEvidence", wire::write(kKeyEvidence)},
      {"Evidence",
       with_activation(wire::write(api::Evidence{"id", std::nullopt, kKeyEvidence, kMeasurements, "leaf"}))},
      {"CertifyMeasurements", wire::write(api::CertifyMeasurements{{1}})},
      {"Measurements", wire::write(kMeasurements)},
      {"AttestedHost", wire::write(kHost)},
      {"AttestedHostList", wire::write(api::AttestedHostList{{kHost}, "next"})},
      {"ApproveHost", wire::write(api::ApproveHost{})},
      {"Attested", wire::write(api::Attested{kHost, "result"})},
      {"AttestationResults", wire::write(api::AttestationResults{{"result"}})},
      {"PutCredential", full_put()},
      {"RotateCredential", wire::write(api::RotateCredential{SecretBytes(as_bytes("octets")), 1})},
      {"ActivateCredential", wire::write(api::ActivateCredential{})},
      {"ChangeCredential",
       wire::write(api::ChangeCredential{"api_key", "a.b", std::vector<std::string>{"t"}, "o", "e", true})},
      {"RevokeCredential", wire::write(api::RevokeCredential{1})},
      {"CredentialVersion",
       json::to_jcs(Document::parse(wire::write(kCredential))->root().find("versions")->items().front())},
      {"Credential", wire::write(kCredential)},
      {"CredentialPage", wire::write(api::CredentialPage{{kCredential}, "next"})},
      {"ResetVault", wire::write_confirmation()},
      {"VaultReset", wire::write(api::VaultReset{1})},
      {"Approval", wire::write(kApproval)},
      {"PreviousRequest", json::to_jcs(*Document::parse(wire::write(kApproval))->root().find("previous"))},
      {"ApprovalGate", part_of(wire::write(kApproval), "gates")},
      {"ApprovalVote", part_of(wire::write(kApproval), "decisions")},
      {"DecideApproval", wire::write(api::DecideApproval{"jws", "signature"})},
      {"DecidedApproval", wire::write(api::DecidedApproval{"id", "approved", "tpm-enforced"})},
      {"Approver", wire::write(kApprover)},
      {"ApproverKey", part_of(wire::write(kApprover), "keys")},
      {"ApproverList", wire::write(api::ApproverList{{kApprover}})},
      {"GateList", wire::write(api::GateList{{kGate}})},
      {"Gate", part_of(wire::write(api::GateList{{kGate}}), "gates")},
      {"EnrollApprover", wire::write(api::EnrollApprover{"{}", "jws"})},
      {"RevokeApproverKey", wire::write(api::RevokeApproverKey{"why", "jws"})},
      {"ApprovalPage", wire::write(api::ApprovalPage{{kApproval}, "next"})},
      {"ConsoleLink", wire::write(api::ConsoleLink{"https://localhost/ui#link=x", 1, "approver", "user:a"})},
      {"ConsoleAgent", json::to_jcs(*Document::parse(wire::write(kAgentSight))->root().find("agent"))},
      {"ConsoleBudget",
       json::to_jcs(Document::parse(wire::write(kAgentSight))->root().find("budgets")->items().front())},
      {"ConsoleAgentPage", wire::write(api::ConsoleAgentPage{{kAgentSight.agent}, "next", 1, 2, 3})},
      {"ConsoleAgentSight", wire::write(kAgentSight)},
      {"ConsoleApproval", wire::write(api::ConsoleApproval{kApproval, {"t"}})},
      {"ConsoleChain", wire::write(api::ConsoleChain{{"t"}})},
      {"ConsoleAuditPage", wire::write(api::ConsoleAuditPage{{kEntry}, 1, 2})},
      {"AuditPage", wire::write(api::AuditPage{{kEntry}, 1})},
      {"ProvedAuditEntry",
       wire::write(api::ProvedAuditEntry{kEntry, {}, api::AuditInclusion{}, kCheckpoint, {1}})},
      {"AuditInclusion", wire::write(api::AuditInclusion{})},
      {"AuditConsistency", wire::write(api::AuditConsistency{})},
      {"AuditCheckpoint", wire::write(kCheckpoint)},
      {"AuditCheckpointPage", wire::write(api::AuditCheckpointPage{{kCheckpoint}})},
      {"AuditKeys", wire::write(api::AuditKeys{"origin", {}})},
  };
}

// What a schema says of its own, and those of its members that are schemas, many by name, or many in a row.
constexpr std::array<std::string_view, 17> kKeywords{
    "$ref",    "type",    "required",      "description",   "enum",      "const",
    "default", "format",  "pattern",       "minLength",     "maxLength", "minItems",
    "minimum", "maximum", "minProperties", "maxProperties", "examples"};
constexpr std::array<std::string_view, 2> kOneSchema{"items", "additionalProperties"};
constexpr std::array<std::string_view, 3> kManySchemas{"allOf", "anyOf", "oneOf"};

bool is_in(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void expect_keywords(const Value& schema) {
  for (const auto& [name, value] : schema.members()) {
    if (name == "properties") {
      for (const auto& [property, described] : value.members()) expect_keywords(described);
    } else if (is_in(kOneSchema, name)) {
      expect_keywords(value);
    } else if (is_in(kManySchemas, name)) {
      for (const Value& part : value.items()) expect_keywords(part);
    } else {
      BOOST_TEST(is_in(kKeywords, name), name << " is no keyword, in " << schema.source().substr(0, 200));
    }
  }
}

// The schemas of parameters and bodies, wherever they stand.
void expect_keywords_below(const Value& value) {
  for (const auto& [name, member] : value.members()) {
    if (name == "schema") {
      expect_keywords(member);
    } else {
      expect_keywords_below(member);
    }
  }
  for (const Value& item : value.items()) expect_keywords_below(item);
}

std::set<std::string> members_of(const Value& object) {
  std::set<std::string> out;
  for (const auto& [name, value] : object.members()) out.emplace(name);
  return out;
}

const Value& schema(std::string_view name) {
  return need(need(need(description(), "components"), "schemas"), name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openapi)

BOOST_AUTO_TEST_CASE(describes_every_route_and_no_other) {
  expect_all(described_routes(), present_routes(), "daemon/rest/routes.cpp");
  expect_all(present_routes(), described_routes(), "docs/protocol/openapi.yaml");
}

// Paths of the page stand in docs/protocol/console.md, in a row or a sentence that begins with method and path.
BOOST_AUTO_TEST_CASE(every_path_of_the_consoles_page_has_its_place_in_the_page_about_it) {
  std::ifstream file(std::string(CHANCERY_SOURCE_DIR) + "/docs/protocol/console.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  BOOST_REQUIRE(!page.empty());
  for (const rest::Route& route : rest::routes()) {
    if (route.listener != rest::Listener::kConsole) continue;
    const std::string call = "`" + std::string(route.method) + " " + std::string(route.pattern);
    BOOST_TEST((page.find(call + "`") != std::string::npos || page.find(call + " ") != std::string::npos),
               call);
  }
}

BOOST_AUTO_TEST_CASE(describes_the_argument_of_each_path_that_has_one) {
  for (const auto& [path, operations] : need(description(), "paths").members()) {
    const Value* parameters = operations.find("parameters");
    BOOST_TEST((parameters != nullptr) == (path.find("{name}") != std::string_view::npos), path);
    if (parameters == nullptr) continue;
    BOOST_REQUIRE(parameters->items().size() == 1);
    BOOST_TEST((need(parameters->items().front(), "name").string() == "name"), path);
    BOOST_TEST((need(parameters->items().front(), "in").string() == "path"), path);
  }
}

BOOST_DATA_TEST_CASE(describes_every_member_and_no_other, boost::unit_test::data::make(messages()), message) {
  const auto document = Document::parse(message.json);
  BOOST_REQUIRE(document);
  BOOST_TEST(members_of(document->root()) == properties_of(schema(message.schema)),
             boost::test_tools::per_element());
}

// An unquoted comma makes the rest of a description one.
BOOST_AUTO_TEST_CASE(schemas_are_made_of_known_keywords) {
  const Value& components = need(description(), "components");
  expect_keywords_below(need(description(), "paths"));
  expect_keywords_below(need(components, "responses"));
  for (const auto& [name, described] : need(components, "schemas").members()) expect_keywords(described);
}

BOOST_AUTO_TEST_CASE(describes_every_member_of_a_key_and_of_what_its_end_ends) {
  const auto document = Document::parse(wire::write(api::Revocation{kKey, kEnded}));
  BOOST_REQUIRE(document);
  BOOST_TEST(members_of(need(document->root(), "key")) == properties_of(schema("Key")),
             boost::test_tools::per_element());
  BOOST_TEST(members_of(need(document->root(), "ended")) == properties_of(schema("Ended")),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery
