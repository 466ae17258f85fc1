#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/ended_tokens.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>
#include <chancery/token.hpp>

namespace chancery {

/// Keys that DT_0 may be signed with, and what they may say. What is not given does not restrict.
/// A pattern is an exact text, or a prefix when it ends in `*`.
struct TrustAnchor {
  std::vector<PublicKey> keys;
  std::optional<std::string> iss;            ///< DT_0's `iss` must be this
  std::vector<std::string> sub;              ///< patterns; DT_0's `sub` must match one
  std::vector<std::string> client_id;        ///< patterns; DT_0's `client_id` must match one
  std::optional<Authority> ceiling;          ///< the parent of DT_0 in the narrowing step
  std::vector<std::string> status_prefixes;  ///< status lists of its chains begin with one of these
  std::vector<PublicKey> status_keys;        ///< and are signed by one of these
  /// Whose attestation results count for its chains; no other key's, its own least of all.
  std::vector<PublicKey> attestation_verifiers;
  /// Of tokens whose status list begins with this, `ended_tokens` says all that a list could say: none is
  /// looked for. For an issuer that judges its own chains; empty: none.
  std::string known_status_prefix;
};

/// A Token Status List as it was fetched (draft-ietf-oauth-status-list).
struct FetchedStatusList {
  std::string uri;
  std::string token;  ///< the compact `statuslist+jwt`
  std::chrono::sys_seconds fetched_at{};
};

/// Everything that a verifier trusts, as it is configured.
struct TrustConfig {
  /// A chain is rooted in the first that has the key of DT_0 and may speak for it. When that one says nothing of
  /// status, the first after it that does, and could have rooted the chain, says it.
  std::vector<TrustAnchor> anchors;
  std::vector<PublicKey> issuers;      ///< may sign children without `jwk`; never DT_0
  std::vector<PublicKey> status_keys;  ///< for anchors that name none of their own
  std::vector<FetchedStatusList> status_lists;
  std::vector<Thumbprint> ended_keys;  ///< holders' keys that no longer count: their tokens are `revoked`
  EndedTokens ended_tokens;            ///< tokens that no longer count: `revoked`

  /// Reads `{"anchors": [{"iss", "keys", "sub"?, "client_id"?, "ceiling"?, "status"?, "attestation_verifiers"?:
  /// [JWK]}], "issuers"?: [JWK], "status_keys"?: [JWK]}`; `status` is `{"prefixes": […], "keys": […]}`. Unknown
  /// members are refused.
  /// \return the configuration, or kMalformed, kNonFinite, kDuplicateMember, kInvalidKey,
  ///         kUnsupportedAlgorithm
  [[nodiscard]] static Result<TrustConfig> parse(std::string_view json);
};

struct HeldStatusLists;

/// Trust made ready for verification: keys parsed, status lists checked and inflated once. Immutable and
/// cheap to copy; share one between threads. A default one trusts nothing.
class TrustSnapshot {
 public:
  TrustSnapshot();
  /// Keys that are not on their curve are left out: they would verify nothing. Status lists that are
  /// malformed or signed by no configured key are kept as unusable.
  explicit TrustSnapshot(TrustConfig config);

  /// The same trust but for the tokens that have ended. Cheap.
  [[nodiscard]] TrustSnapshot with(EndedTokens ended) const;

  /// The same trust with the status lists that `other` holds in place of its own; a list counts for chains of an
  /// anchor of this trust as it would have from the start. Cheap.
  [[nodiscard]] TrustSnapshot with_status_lists_of(const TrustSnapshot& other) const;

  [[nodiscard]] const EndedTokens& ended_tokens() const noexcept { return ended_tokens_; }

  struct Impl;
  [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }
  [[nodiscard]] const HeldStatusLists& status_lists() const noexcept { return *status_lists_; }

 private:
  std::shared_ptr<const Impl> impl_;
  std::shared_ptr<const HeldStatusLists> status_lists_;
  EndedTokens ended_tokens_;
};

}  // namespace chancery
