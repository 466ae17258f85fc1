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
  std::string type;   ///< "api_key", "client_secret", "password", "service_account_key"
  std::string scope;  ///< under which it may be used
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
  std::string type;
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

/// What came of forgetting the vault's key.
struct VaultReset {
  std::uint64_t versions = 0;  ///< that were revoked by it
};

}  // namespace chancery::api
