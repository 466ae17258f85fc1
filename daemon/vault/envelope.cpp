#include "daemon/vault/envelope.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "sdk/crypto/aead.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::vault {
namespace {

using json::Node;
using store::Credential;
using store::CredentialVersion;

constexpr Error kForeign{
    ErrorCode::kStoreCorrupt,
    "a credential's record in the database is damaged, or was changed by another hand: revoke it and put it "
    "again, or restore the database from a backup"};

Node time_node(const std::optional<std::chrono::sys_seconds>& time) {
  return time ? Node(std::int64_t{time->time_since_epoch().count()}) : Node(nullptr);
}

// What decides to whom the value is released, until when, and which value it is. Uses and states are not in it: they change
// with each call, and a value that is revoked is erased.
std::string associated_data(const Credential& credential, const CredentialVersion& version,
                            std::string_view part) {
  Node tools = Node::array();
  for (const std::string& tool : credential.tools) tools.push_back(tool);
  Node node = Node::object({{"form", 1},
                            {"part", part},
                            {"id", credential.id},
                            {"name", credential.name},
                            {"type", credential.type},
                            {"scope", credential.scope},
                            {"tools", std::move(tools)},
                            {"owner", credential.owner},
                            {"environment", credential.environment},
                            {"created_at", time_node(credential.created_at)},
                            {"rotate_on_hit", credential.rotate_on_hit},
                            {"version", version.number},
                            {"put_at", time_node(version.created_at)},
                            {"expires_at", time_node(version.expires_at)}});
  if (!credential.issuer.empty()) node.set("issuer", credential.issuer);
  return json::to_jcs(node);
}

// No credential's data have `grant_of`, so that neither passes for the other.
std::string associated_data(const store::SealedGrant& grant, std::string_view part) {
  return json::to_jcs(Node::object({{"form", 1},
                                    {"part", part},
                                    {"grant_of", grant.issuer},
                                    {"state", store::grant_state_name(grant.state)},
                                    {"since", std::int64_t{grant.since.time_since_epoch().count()}},
                                    {"generation", grant.generation}}));
}

// The nonce stands before what it sealed. A data key seals once, and the vault's key so seldom that random nonces do not
// meet (NIST SP 800-38D section 8.3).
Result<Bytes> seal(ByteView key, std::string_view aad, ByteView plain) {
  Bytes out(kAeadNonceSize);
  CHANCERY_TRY(random_bytes(out));
  CHANCERY_ASSIGN(const Bytes sealed, seal_aead(key, out, as_bytes(aad), plain));
  out.insert(out.end(), sealed.begin(), sealed.end());
  return out;
}

Result<SecretBytes> open(ByteView key, std::string_view aad, ByteView sealed) {
  if (sealed.size() < kAeadNonceSize) return kForeign;
  auto plain = open_aead(key, sealed.first(kAeadNonceSize), as_bytes(aad), sealed.subspan(kAeadNonceSize));
  if (!plain && plain.error().code == ErrorCode::kSignatureInvalid) return kForeign;
  return plain;
}

/// What both parts of an envelope are bound to.
struct Bonds {
  std::string data_key;
  std::string value;
};

Bonds bonds_of(const Credential& credential, const CredentialVersion& version) {
  return {associated_data(credential, version, "data_key"), associated_data(credential, version, "value")};
}

Bonds bonds_of(const store::SealedGrant& grant) {
  return {associated_data(grant, "data_key"), associated_data(grant, "value")};
}

Result<store::Envelope> seal_envelope(const SecretBytes& vault_key, const Bonds& bonds,
                                      const SecretBytes& value) {
  SecretBytes data_key(kAeadKeySize);
  CHANCERY_TRY(random_bytes(data_key.writable()));
  store::Envelope out;
  CHANCERY_ASSIGN(out.data_key, seal(vault_key.view(), bonds.data_key, data_key.view()));
  CHANCERY_ASSIGN(out.value, seal(data_key.view(), bonds.value, value.view()));
  return out;
}

Result<SecretBytes> open_envelope(const SecretBytes& vault_key, const Bonds& bonds,
                                  const store::Envelope& envelope) {
  CHANCERY_ASSIGN(const SecretBytes data_key, open(vault_key.view(), bonds.data_key, envelope.data_key));
  if (data_key.size() != kAeadKeySize) return kForeign;
  return open(data_key.view(), bonds.value, envelope.value);
}

}  // namespace

Result<store::Envelope> seal_value(const SecretBytes& vault_key, const Credential& credential,
                                   const CredentialVersion& version, const SecretBytes& value) {
  return seal_envelope(vault_key, bonds_of(credential, version), value);
}

Result<SecretBytes> open_value(const SecretBytes& vault_key, const Credential& credential,
                               const CredentialVersion& version, const store::Envelope& envelope) {
  return open_envelope(vault_key, bonds_of(credential, version), envelope);
}

Result<store::Envelope> seal_grant(const SecretBytes& vault_key, const store::SealedGrant& grant,
                                   const SecretBytes& refresh_token) {
  return seal_envelope(vault_key, bonds_of(grant), refresh_token);
}

Result<SecretBytes> open_grant(const SecretBytes& vault_key, const store::SealedGrant& grant) {
  if (!grant.envelope) return kForeign;
  return open_envelope(vault_key, bonds_of(grant), *grant.envelope);
}

}  // namespace chancery::vault
