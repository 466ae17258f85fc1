#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

namespace chancery::api {

// The messages around the vault of credentials (docs/operations/vault.md), as values. A value goes to the daemon in the
// body of a request alone, in base64; no answer has one.

/// How long a version that another has followed may still be used, unless something else is said.
inline constexpr std::chrono::seconds kDefaultDrain{600};

/// A value for a credential: of a new one the first, of one that is there the next. What describes it must be said of a new
/// one; of one that is there it may be left out, or be what it is.
struct PutCredential {
  std::string name;
  SecretBytes value;
  std::string type;      ///< "api_key", "client_secret", "password", "service_account_key"
  std::string issuer{};  ///< who issues its values; then it has neither `value` nor `type`
  std::string scope;     ///< under which it may be used
  std::vector<std::string> tools;
  std::string owner;
  std::string environment;
  bool rotate_on_hit = false;
  std::optional<std::int64_t> expires_at;  ///< of this value
};

/// The next value, which is what is released from now on.
struct RotateCredential {
  SecretBytes value;
  std::optional<std::int64_t> expires_at;
  std::chrono::seconds drain = kDefaultDrain;
};

struct ActivateCredential {
  std::chrono::seconds drain = kDefaultDrain;
};

/// What a credential is to be from now on; what is left out stays.
struct ChangeCredential {
  std::optional<std::string> type;
  std::optional<std::string> scope;
  std::optional<std::vector<std::string>> tools;
  std::optional<std::string> owner;
  std::optional<std::string> environment;
  std::optional<bool> rotate_on_hit;
};

struct RevokeCredential {
  std::int64_t version = 0;  ///< 0: all of them
};

struct CredentialVersion {
  std::int64_t number = 0;
  std::string state;  ///< "pending", "active", "retiring", "revoked"
  std::int64_t created_at = 0;
  std::optional<std::int64_t> expires_at;
  std::optional<std::int64_t> activated_at;
  std::optional<std::int64_t> retire_at;  ///< when one that is retiring is revoked at the latest
  std::optional<std::int64_t> revoked_at;
  std::optional<std::int64_t> last_used_at;
  std::uint64_t uses = 0;
  std::uint64_t open_uses = 0;  ///< that have not ended
  bool operator==(const CredentialVersion&) const = default;
};

struct Credential {
  std::string id;
  std::string name;
  std::string type;      ///< "issued" where somebody issues its values
  std::string issuer{};  ///< who does; empty: they are kept
  std::string scope;
  std::vector<std::string> tools;
  std::string owner;
  std::string environment;
  bool rotate_on_hit = false;
  std::int64_t created_at = 0;
  std::vector<CredentialVersion> versions;  ///< oldest first
  bool operator==(const Credential&) const = default;
};

struct CredentialPage {
  std::vector<Credential> credentials;  ///< by name
  std::string next;                     ///< `after` of the next page; empty: this is the last one
};

/// An issuer of credentials (docs/operations/issuers.md), and how it is.
struct CredentialIssuer {
  std::string name;
  std::string type;                     ///< "oauth_client_credentials", "oauth_grant", "postgres_role"
  std::string state;                    ///< "ready", "failing", "needs_consent"
  std::optional<std::int64_t> since{};  ///< when that began; none: nothing was issued yet
  std::string error{};  ///< of what is not ready: the name of the last failure, and what to do
  std::string why{};
  bool takes_consent = false;  ///< whether a person allows it
  bool operator==(const CredentialIssuer&) const = default;
};

struct CredentialIssuerList {
  std::vector<CredentialIssuer> issuers;  ///< as they are configured
};

/// Begins a person's consent.
struct BeginConsent {
  std::int64_t port = 0;  ///< on loopback, where the redirect is waited for; 0: as it is configured
};

struct BegunConsent {
  std::string authorization_url;  ///< what the person opens
  std::int64_t expires_at = 0;    ///< until when the redirect counts
};

/// What the browser brought back.
struct FinishConsent {
  SecretBytes query;  ///< of the redirect's address, without its `?`
};

/// What came of forgetting the vault's key.
struct VaultReset {
  std::uint64_t versions = 0;  ///< that were revoked by it
};

}  // namespace chancery::api
