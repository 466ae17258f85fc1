#include "sdk/wire/attestation_fields.hpp"

#include <charconv>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::wire {

using json::Member;
using json::Node;
using json::Value;

namespace {

constexpr const char* kWhatPcrs = "`pcrs` has arrays of PCR indices by bank, such as {\"sha256\": [0, 7]}";
constexpr const char* kWhatValues =
    "`values` has hexadecimal PCR values by index by bank, such as {\"sha256\": {\"0\": \"…\"}}";
constexpr std::int64_t kMostPcrs = 31;

Result<std::uint32_t> index_from(std::string_view text) {
  std::uint32_t index = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, index);
  const bool is_index = parsed.ec == std::errc() && parsed.ptr == end && index <= kMostPcrs;
  return is_index ? Result<std::uint32_t>(index) : malformed(kWhatValues);
}

Node values_node(const api::PcrValues& values) {
  Node node = Node::object({});
  for (const auto& [bank, pcrs] : values) {
    Node of_bank = Node::object({});
    for (const auto& [index, value] : pcrs) of_bank.set(std::to_string(index), hex_encode(value));
    node.set(bank, std::move(of_bank));
  }
  return node;
}

Result<api::PcrValues> values_from(const Value& banks) {
  api::PcrValues values;
  if (!banks.is(Value::Kind::kObject)) return malformed(kWhatValues);
  for (const Member& bank : banks.members()) {
    if (!bank.value.is(Value::Kind::kObject)) return malformed(kWhatValues);
    auto& pcrs = values[std::string(bank.name)];
    for (const Member& pcr : bank.value.members()) {
      CHANCERY_ASSIGN(const std::uint32_t index, index_from(pcr.name));
      const auto octets = pcr.value.string() ? hex_decode(*pcr.value.string()) : malformed(kWhatValues);
      if (!octets) return malformed(kWhatValues);
      pcrs[index] = *octets;
    }
  }
  return values;
}

// --- statements

Node statement_node(const api::TpmStatement& statement) {
  return Node::object(
      {{"attest", base64url_encode(statement.attest)}, {"signature", base64url_encode(statement.signature)}});
}

Result<api::TpmStatement> statement_from(const Value& object) {
  constexpr const char* kWhat = "a statement has `attest` and `signature`, base64url";
  CHANCERY_TRY(allow_only(object, {"attest", "signature"}, kWhat));
  api::TpmStatement out;
  CHANCERY_ASSIGN(out.attest, need_octets(object, "attest", kWhat));
  CHANCERY_ASSIGN(out.signature, need_octets(object, "signature", kWhat));
  return out;
}

Node quote_node(const api::PcrQuote& quote) {
  return Node::object(
      {{"statement", statement_node(quote.statement)}, {"values", values_node(quote.values)}});
}

Result<api::PcrQuote> quote_from(const Value& object) {
  constexpr const char* kWhat = "a quote has `statement` and `values`";
  CHANCERY_TRY(allow_only(object, {"statement", "values"}, kWhat));
  CHANCERY_ASSIGN(const Value* const statement, need(object, "statement", kWhat));
  CHANCERY_ASSIGN(const Value* const values, need(object, "values", kWhat));
  api::PcrQuote out;
  CHANCERY_ASSIGN(out.statement, statement_from(*statement));
  CHANCERY_ASSIGN(out.values, values_from(*values));
  return out;
}

Result<api::MeasuredAgent> measured_from(const Value& object) {
  constexpr const char* kWhat =
      "an entry of `log` has `seq`, `at`, `agent`, `executable_sha256` and `manifest_sha256`";
  CHANCERY_TRY(allow_only(object, {"seq", "at", "agent", "executable_sha256", "manifest_sha256"}, kWhat));
  api::MeasuredAgent out;
  CHANCERY_ASSIGN(out.seq, need_number(object, "seq", kAnyCount, kWhat));
  CHANCERY_ASSIGN(out.at, need_number(object, "at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.agent, need_text(object, "agent", kWhat));
  CHANCERY_ASSIGN(out.executable_sha256, need_text(object, "executable_sha256", kWhat));
  CHANCERY_ASSIGN(out.manifest_sha256, need_text(object, "manifest_sha256", kWhat));
  return out;
}

}  // namespace

Result<Bytes> octets_or_empty(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(const std::string text, text_or_empty(object, name, what));
  auto octets = base64url_decode(text);
  return octets ? octets : Result<Bytes>(malformed(what));
}

Result<Bytes> need_octets(const Value& object, std::string_view name, const char* what) {
  CHANCERY_ASSIGN(Bytes octets, octets_or_empty(object, name, what));
  return octets.empty() ? Result<Bytes>(malformed(what)) : octets;
}

void set_octets(Node& node, const char* name, const Bytes& octets) {
  if (!octets.empty()) node.set(name, base64url_encode(octets));
}

Result<const Value*> need(const Value& object, std::string_view name, const char* what) {
  const Value* value = object.find(name);
  return value != nullptr ? Result<const Value*>(value) : malformed(what);
}

Node selection_node(const api::PcrSelection& selection) {
  Node node = Node::object({});
  for (const auto& [bank, indices] : selection) {
    Node array = Node::array();
    for (const std::uint32_t index : indices) array.push_back(Node(std::int64_t{index}));
    node.set(bank, std::move(array));
  }
  return node;
}

Result<api::PcrSelection> selection_from(const Value& object) {
  api::PcrSelection selection;
  const Value* banks = object.find("pcrs");
  if (banks == nullptr) return selection;
  if (!banks->is(Value::Kind::kObject)) return malformed(kWhatPcrs);
  for (const Member& bank : banks->members()) {
    if (!bank.value.is(Value::Kind::kArray)) return malformed(kWhatPcrs);
    auto& indices = selection[std::string(bank.name)];
    for (const Value& index : bank.value.items()) {
      const auto number = index.integer();
      if (!number || *number < 0 || *number > kMostPcrs) return malformed(kWhatPcrs);
      indices.insert(static_cast<std::uint32_t>(*number));
    }
  }
  return selection;
}

Node identity_node(const api::HostIdentity& identity) {
  Node node = Node::object({{"ek_public", base64url_encode(identity.ek_public)},
                            {"ak_public", base64url_encode(identity.ak_public)},
                            {"srk_public", base64url_encode(identity.srk_public)}});
  set_octets(node, "ek_certificate", identity.ek_certificate);
  return node;
}

Result<api::HostIdentity> identity_from(const Value& object) {
  constexpr const char* kWhat =
      "a host's identity has `ek_public`, `ak_public` and `srk_public`, and `ek_certificate` if it has one, base64url";
  CHANCERY_TRY(allow_only(object, {"ek_certificate", "ek_public", "ak_public", "srk_public"}, kWhat));
  api::HostIdentity out;
  CHANCERY_ASSIGN(out.ek_certificate, octets_or_empty(object, "ek_certificate", kWhat));
  CHANCERY_ASSIGN(out.ek_public, need_octets(object, "ek_public", kWhat));
  CHANCERY_ASSIGN(out.ak_public, need_octets(object, "ak_public", kWhat));
  CHANCERY_ASSIGN(out.srk_public, need_octets(object, "srk_public", kWhat));
  return out;
}

Node challenge_node(const api::AttestationChallenge& challenge) {
  Node node = Node::object({{"challenge", challenge.id},
                            {"nonce", base64url_encode(challenge.nonce)},
                            {"pcrs", selection_node(challenge.pcrs)},
                            {"expires_at", challenge.expires_at}});
  set_octets(node, "id_object", challenge.id_object);
  set_octets(node, "encrypted_secret", challenge.encrypted_secret);
  return node;
}

Result<api::AttestationChallenge> challenge_from(const Value& object) {
  constexpr const char* kWhat = "a challenge has `challenge`, `nonce`, `pcrs` and `expires_at`";
  CHANCERY_TRY(allow_only(
      object, {"challenge", "nonce", "pcrs", "id_object", "encrypted_secret", "expires_at"}, kWhat));
  api::AttestationChallenge out;
  CHANCERY_ASSIGN(out.id, need_text(object, "challenge", kWhat));
  CHANCERY_ASSIGN(out.nonce, need_octets(object, "nonce", kWhat));
  CHANCERY_ASSIGN(out.pcrs, selection_from(object));
  CHANCERY_ASSIGN(out.id_object, octets_or_empty(object, "id_object", "`id_object` is base64url"));
  CHANCERY_ASSIGN(out.encrypted_secret,
                  octets_or_empty(object, "encrypted_secret", "`encrypted_secret` is base64url"));
  CHANCERY_ASSIGN(const auto expires_at, integer(object, "expires_at", kAnyTime, kWhat));
  out.expires_at = expires_at.value_or(0);
  return out;
}

Node activation_node(const api::Activation& activation) {
  return Node::object(
      {{"secret", base64url_encode(activation.secret)}, {"quote", quote_node(activation.quote)}});
}

Result<api::Activation> activation_from(const Value& object) {
  constexpr const char* kWhat = "an activation has `secret` and `quote`";
  CHANCERY_TRY(allow_only(object, {"secret", "quote"}, kWhat));
  CHANCERY_ASSIGN(const Value* const quote, need(object, "quote", kWhat));
  api::Activation out;
  CHANCERY_ASSIGN(out.secret, need_octets(object, "secret", kWhat));
  CHANCERY_ASSIGN(out.quote, quote_from(*quote));
  return out;
}

Node key_evidence_node(const api::KeyEvidence& evidence) {
  Node node = Node::object({{"key_public", base64url_encode(evidence.key_public)},
                            {"certification", statement_node(evidence.certification)}});
  if (evidence.quote) node.set("quote", quote_node(*evidence.quote));
  if (!evidence.creation_data.empty()) node.set("creation_data", base64url_encode(evidence.creation_data));
  return node;
}

Result<api::KeyEvidence> key_evidence_from(const Value& object) {
  constexpr const char* kWhat =
      "evidence for a key has `key_public` and `certification`, `quote` if asked for, and `creation_data` of a gate's key";
  CHANCERY_TRY(allow_only(object, {"key_public", "certification", "quote", "creation_data"}, kWhat));
  CHANCERY_ASSIGN(const Value* const certification, need(object, "certification", kWhat));
  api::KeyEvidence out;
  CHANCERY_ASSIGN(out.key_public, need_octets(object, "key_public", kWhat));
  CHANCERY_ASSIGN(out.certification, statement_from(*certification));
  if (const Value* const quote = object.find("quote")) {
    CHANCERY_ASSIGN(out.quote, quote_from(*quote));
  }
  if (object.find("creation_data") != nullptr) {
    CHANCERY_ASSIGN(out.creation_data, need_octets(object, "creation_data", kWhat));
  }
  return out;
}

Result<std::int64_t> need_number(const Value& object, std::string_view name, Range range, const char* what) {
  CHANCERY_ASSIGN(const auto number, integer(object, name, range, what));
  return number ? Result<std::int64_t>(*number) : malformed(what);
}

Node measurements_node(const api::Measurements& measurements) {
  Node log = Node::array();
  for (const api::MeasuredAgent& entry : measurements.log) {
    log.push_back(Node::object({{"seq", entry.seq},
                                {"at", entry.at},
                                {"agent", entry.agent},
                                {"executable_sha256", entry.executable_sha256},
                                {"manifest_sha256", entry.manifest_sha256}}));
  }
  return Node::object({{"statement", statement_node(measurements.statement)},
                       {"index_public", base64url_encode(measurements.index_public)},
                       {"log", std::move(log)}});
}

Result<api::Measurements> measurements_from(const Value& object) {
  constexpr const char* kWhat = "measurements have `statement`, `index_public` and `log`";
  CHANCERY_TRY(allow_only(object, {"statement", "index_public", "log"}, kWhat));
  CHANCERY_ASSIGN(const Value* const statement, need(object, "statement", kWhat));
  CHANCERY_ASSIGN(const Value* const log, need(object, "log", kWhat));
  if (!log->is(Value::Kind::kArray)) return malformed(kWhat);
  api::Measurements out;
  CHANCERY_ASSIGN(out.statement, statement_from(*statement));
  CHANCERY_ASSIGN(out.index_public, need_octets(object, "index_public", kWhat));
  for (const Value& entry : log->items()) {
    CHANCERY_ASSIGN(out.log.emplace_back(), measured_from(entry));
  }
  return out;
}

}  // namespace chancery::wire
