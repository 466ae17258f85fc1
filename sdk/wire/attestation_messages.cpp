// The messages around attestation.

#include "sdk/wire/attestation_messages.hpp"

#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/wire/attestation_fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

Node host_node(const api::AttestedHost& host) {
  Node node = Node::object({{"name", host.name},
                            {"state", host.state},
                            {"endorsement", host.endorsement},
                            {"ek", host.ek},
                            {"firmware", host.firmware},
                            {"reset_count", std::int64_t{host.reset_count}},
                            {"restart_count", std::int64_t{host.restart_count}},
                            {"clock_safe", host.is_clock_safe},
                            {"measurements", host.measurements},
                            {"enrolled_at", host.enrolled_at},
                            {"last_seen_at", host.last_seen_at}});
  set_unless_empty(node, "backend", host.backend);
  set_unless_empty(node, "reason", host.reason);
  set_unless_empty(node, "custody", host.custody);
  set_unless_empty(node, "manufacturer", host.manufacturer);
  return node;
}

Result<api::AttestedHost> host_from(const Value& object) {
  constexpr const char* kWhat = "a host has `name`, `state`, `endorsement`, `ek`, its TPM's counts and times";
  constexpr Range kCount32{0, UINT32_MAX};
  api::AttestedHost out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", kWhat));
  CHANCERY_ASSIGN(out.backend, text_or_empty(object, "backend", kWhat));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", kWhat));
  CHANCERY_ASSIGN(out.reason, text_or_empty(object, "reason", kWhat));
  CHANCERY_ASSIGN(out.custody, text_or_empty(object, "custody", kWhat));
  CHANCERY_ASSIGN(out.endorsement, need_text(object, "endorsement", kWhat));
  CHANCERY_ASSIGN(out.ek, need_text(object, "ek", kWhat));
  CHANCERY_ASSIGN(out.manufacturer, text_or_empty(object, "manufacturer", kWhat));
  CHANCERY_ASSIGN(out.firmware, need_text(object, "firmware", kWhat));
  CHANCERY_ASSIGN(const std::int64_t resets, need_number(object, "reset_count", kCount32, kWhat));
  CHANCERY_ASSIGN(const std::int64_t restarts, need_number(object, "restart_count", kCount32, kWhat));
  out.reset_count = static_cast<std::uint32_t>(resets);
  out.restart_count = static_cast<std::uint32_t>(restarts);
  CHANCERY_ASSIGN(out.is_clock_safe, flag(object, "clock_safe", kWhat));
  CHANCERY_ASSIGN(out.measurements, need_number(object, "measurements", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.enrolled_at, need_number(object, "enrolled_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.last_seen_at, need_number(object, "last_seen_at", kAnyTime, kWhat));
  return out;
}

/// \param from  const Value& → Result<Message>
template <typename From>
auto read_with(std::string_view json, From from) -> decltype(from(std::declval<const Value&>())) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return from(document.root());
}

}  // namespace

// --- a host's daemon

std::string write(const api::HostIdentity& message) { return json::to_jcs(identity_node(message)); }
Result<api::HostIdentity> read_host_identity(std::string_view json) { return read_with(json, identity_from); }

std::string write(const api::Activation& message) { return json::to_jcs(activation_node(message)); }
Result<api::Activation> read_activation(std::string_view json) { return read_with(json, activation_from); }

std::string write(const api::CertifyKey& message) {
  Node node =
      Node::object({{"nonce", base64url_encode(message.nonce)}, {"pcrs", selection_node(message.pcrs)}});
  set_unless_empty(node, "leaf", message.leaf);
  return json::to_jcs(node);
}

Result<api::CertifyKey> read_certify_key(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::CertifyKey> {
    constexpr const char* kWhat = "a key is certified with `nonce` in base64url, `leaf` and `pcrs`";
    CHANCERY_TRY(allow_only(root, {"nonce", "leaf", "pcrs"}, kWhat));
    api::CertifyKey out;
    CHANCERY_ASSIGN(out.nonce, need_octets(root, "nonce", kWhat));
    CHANCERY_ASSIGN(out.leaf, text_or_empty(root, "leaf", kWhat));
    CHANCERY_ASSIGN(out.pcrs, selection_from(root));
    return out;
  });
}

std::string write(const api::KeyEvidence& message) { return json::to_jcs(key_evidence_node(message)); }
Result<api::KeyEvidence> read_key_evidence(std::string_view json) {
  return read_with(json, key_evidence_from);
}

std::string write(const api::CertifyMeasurements& message) {
  return json::to_jcs(Node::object({{"nonce", base64url_encode(message.nonce)}}));
}

Result<api::CertifyMeasurements> read_certify_measurements(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::CertifyMeasurements> {
    constexpr const char* kWhat = "measurements are certified with `nonce` in base64url";
    CHANCERY_TRY(allow_only(root, {"nonce"}, kWhat));
    api::CertifyMeasurements out;
    CHANCERY_ASSIGN(out.nonce, need_octets(root, "nonce", kWhat));
    return out;
  });
}

std::string write(const api::Measurements& message) { return json::to_jcs(measurements_node(message)); }
Result<api::Measurements> read_measurements(std::string_view json) {
  return read_with(json, measurements_from);
}

// --- its verifier

std::string write(const api::EnrollHost& message) {
  return json::to_jcs(Node::object({{"name", message.name}, {"identity", identity_node(message.identity)}}));
}

Result<api::EnrollHost> read_enroll_host(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::EnrollHost> {
    constexpr const char* kWhat = "a host is enrolled with `name` and `identity`";
    CHANCERY_TRY(allow_only(root, {"name", "identity"}, kWhat));
    CHANCERY_ASSIGN(const Value* const identity, need(root, "identity", kWhat));
    api::EnrollHost out;
    CHANCERY_ASSIGN(out.name, need_text(root, "name", kWhat));
    CHANCERY_ASSIGN(out.identity, identity_from(*identity));
    return out;
  });
}

std::string write(const api::AskChallenge& message) {
  return json::to_jcs(Node::object({{"host", message.host}}));
}

Result<api::AskChallenge> read_ask_challenge(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::AskChallenge> {
    constexpr const char* kWhat = "a challenge is asked for with `host`, an enrolled host's name";
    CHANCERY_TRY(allow_only(root, {"host"}, kWhat));
    api::AskChallenge out;
    CHANCERY_ASSIGN(out.host, need_text(root, "host", kWhat));
    return out;
  });
}

std::string write(const api::AttestationChallenge& message) { return json::to_jcs(challenge_node(message)); }
Result<api::AttestationChallenge> read_attestation_challenge(std::string_view json) {
  return read_with(json, challenge_from);
}

std::string write(const api::Evidence& message) {
  Node node = Node::object({{"challenge", message.challenge}});
  if (message.activation) node.set("activation", activation_node(*message.activation));
  if (message.key) node.set("key", key_evidence_node(*message.key));
  if (message.measurements) node.set("measurements", measurements_node(*message.measurements));
  set_unless_empty(node, "leaf", message.leaf);
  return json::to_jcs(node);
}

Result<api::Evidence> read_evidence(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::Evidence> {
    constexpr const char* kWhat =
        "evidence has `challenge`, exactly one of `activation` and `key`, and beside a key `measurements` and `leaf`";
    CHANCERY_TRY(allow_only(root, {"challenge", "activation", "key", "measurements", "leaf"}, kWhat));
    const Value* const activation = root.find("activation");
    const Value* const key = root.find("key");
    if ((activation == nullptr) == (key == nullptr)) return malformed(kWhat);
    api::Evidence out;
    CHANCERY_ASSIGN(out.challenge, need_text(root, "challenge", kWhat));
    CHANCERY_ASSIGN(out.leaf, text_or_empty(root, "leaf", kWhat));
    if (activation != nullptr) {
      CHANCERY_ASSIGN(out.activation, activation_from(*activation));
    } else {
      CHANCERY_ASSIGN(out.key, key_evidence_from(*key));
    }
    if (const Value* const measurements = root.find("measurements")) {
      CHANCERY_ASSIGN(out.measurements, measurements_from(*measurements));
    }
    return out;
  });
}

std::string write(const api::ApproveHost& message) {
  return json::to_jcs(Node::object({{"custody", custody_name(message.custody)}}));
}

Result<api::ApproveHost> read_approve_host(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::ApproveHost> {
    constexpr const char* kWhat =
        "a host is approved with `custody`: \"tpm-certified\", or \"tpm-certified-emulated\" for a simulator";
    CHANCERY_TRY(allow_only(root, {"custody"}, kWhat));
    CHANCERY_ASSIGN(const std::string name, need_text(root, "custody", kWhat));
    const auto custody = parse_custody(name);
    const bool is_hosts = custody == Custody::kTpmCertified || custody == Custody::kTpmCertifiedEmulated;
    return is_hosts ? Result<api::ApproveHost>(api::ApproveHost{*custody}) : malformed(kWhat);
  });
}

// --- answers

std::string write(const api::AttestedHost& message) { return json::to_jcs(host_node(message)); }
Result<api::AttestedHost> read_attested_host(std::string_view json) { return read_with(json, host_from); }

std::string write(const api::AttestedHostList& message) {
  Node hosts = Node::array();
  for (const api::AttestedHost& host : message.hosts) hosts.push_back(host_node(host));
  Node node = Node::object({{"hosts", std::move(hosts)}});
  set_unless_empty(node, "next", message.next);
  return json::to_jcs(node);
}

Result<api::AttestedHostList> read_attested_host_list(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::AttestedHostList> {
    constexpr const char* kWhat = "a list of hosts has `hosts`";
    CHANCERY_ASSIGN(const Value* const hosts, need(root, "hosts", kWhat));
    if (!hosts->is(Value::Kind::kArray)) return malformed(kWhat);
    api::AttestedHostList out;
    for (const Value& host : hosts->items()) {
      CHANCERY_ASSIGN(out.hosts.emplace_back(), host_from(host));
    }
    CHANCERY_ASSIGN(out.next, text_or_empty(root, "next", "`next` is a text"));
    return out;
  });
}

std::string write(const api::Attested& message) {
  Node node = Node::object({{"host", host_node(message.host)}});
  set_unless_empty(node, "result", message.result);
  return json::to_jcs(node);
}

Result<api::Attested> read_attested(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::Attested> {
    CHANCERY_ASSIGN(const Value* const host, need(root, "host", "what was attested has `host`"));
    api::Attested out;
    CHANCERY_ASSIGN(out.host, host_from(*host));
    CHANCERY_ASSIGN(out.result, text_or_empty(root, "result", "`result` is an `eat+jwt`"));
    return out;
  });
}

std::string write(const api::AttestationResults& message) {
  return json::to_jcs(Node::object({{"results", text_array(message.results)}}));
}

Result<api::AttestationResults> read_attestation_results(std::string_view json) {
  return read_with(json, [](const Value& root) -> Result<api::AttestationResults> {
    api::AttestationResults out;
    CHANCERY_ASSIGN(out.results, string_array(root, "results", "`results` is an array of `eat+jwt`"));
    return out;
  });
}

}  // namespace chancery::wire
