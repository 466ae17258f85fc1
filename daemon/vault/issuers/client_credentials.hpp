#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "daemon/vault/issuer.hpp"
#include "daemon/vault/issuers/issuer_condition.hpp"
#include "daemon/vault/issuers/lifetime_tally.hpp"
#include "daemon/vault/issuers/oauth_client.hpp"

namespace chancery::vault {

struct ClientCredentialsOptions {
  /// Whether a token may live longer than the leaf although the server takes none back.
  bool accepts_outliving = false;
};

/// Access tokens for ourselves: the client credentials grant of OAuth 2.1 (RFC 6749 section 4.4), with resource indicators (RFC
/// 8707).
///
/// A token is shared by all calls for the same scopes and resource until half of its life is over, as far as it ends before their
/// leaves do. Whoever must have one of its own, or has a leaf that ends earlier, gets one that is revoked after the call. One
/// request for the same token is under way at a time.
class ClientCredentialsIssuer final : public Issuer {
 public:
  /// \param lifetimes  must outlive it
  ClientCredentialsIssuer(std::shared_ptr<const OAuthClient> client, const ClientCredentialsOptions& options,
                          Clock now, LifetimeTally& lifetimes)
      : client_(std::move(client)), options_(options), now_(std::move(now)), lifetimes_(lifetimes) {}

  [[nodiscard]] Result<IssuedCredential> issue(const IssueRequest& request, Deadline deadline) override;
  [[nodiscard]] Status revoke(const IssuedCredential& credential, Deadline deadline) override;
  void report_unauthorized(const IssuedCredential& credential) override;
  /// Forgets tokens that have ended. Asks nobody.
  [[nodiscard]] Status sweep(Deadline deadline) override;
  [[nodiscard]] IssuerFacts facts() const override { return condition_.facts(); }

  /// What is kept is given to nobody any more.
  void drop_tokens();

 private:
  struct Kept {
    std::string id;
    SecretBytes token{};
    std::chrono::sys_seconds asked_at{};
    std::chrono::sys_seconds expires_at{};
  };
  /// Where one token is kept, and the turn to ask for it.
  struct Place {
    std::timed_mutex asking;
    Kept kept{};  // guarded by mutex_
  };

  [[nodiscard]] std::shared_ptr<Place> place_of(const std::string& key);
  [[nodiscard]] Result<IssuedCredential> shared(Place& place, const IssueRequest& request);
  [[nodiscard]] Result<Kept> ask(const TokenTarget& target, Deadline deadline);
  [[nodiscard]] Result<IssuedCredential> give(Kept kept, bool ends_with_call);
  void forget(const std::string& id);

  const std::shared_ptr<const OAuthClient> client_;
  const ClientCredentialsOptions options_;
  const Clock now_;
  LifetimeTally& lifetimes_;
  IssuerCondition condition_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Place>> places_;  // by what a token is for
};

}  // namespace chancery::vault
