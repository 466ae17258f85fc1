#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/vault/issuer.hpp"
#include "daemon/vault/issuers/grant_store.hpp"
#include "daemon/vault/issuers/issuer_condition.hpp"
#include "daemon/vault/issuers/lifetime_tally.hpp"
#include "daemon/vault/issuers/oauth_client.hpp"

namespace chancery::vault {

struct RefreshTokenOptions {
  /// For one exchange with the server. It is not cut short by the deadline of a call: an answer that nobody waited for could have
  /// had the only refresh token in it.
  std::chrono::milliseconds patience = std::chrono::seconds(15);
  /// Whether a token may live longer than the leaf although the server takes none back.
  bool accepts_outliving = false;
};

/// Access tokens for a person who consented: the refresh token grant (RFC 6749 section 6), with rotation.
///
/// One refresh is under way at a time, on a thread of its own; whoever needs the same token waits for it. The store is told of
/// each before the server is, and has the new refresh token before anybody has the access token. When an answer was lost, the same
/// refresh token is presented once more by the next call: a server that did not see the first takes it, one that did ends the grant,
/// and with it whatever was lost on the way. A grant that has ended is a state and not retried: a person consents anew.
///
/// A token is shared until half of its life is over. One that would outlive a leaf for which it was given is revoked by sweep() when
/// the first such leaf has ended, and is given to nobody any more.
class RefreshTokenIssuer final : public Issuer {
 public:
  /// How soon after a refresh a second 401 of the upstream means that no refresh will help, and for how long none is tried then.
  static constexpr std::chrono::seconds kProbation = std::chrono::minutes(5);

  /// \param lifetimes  must outlive it
  RefreshTokenIssuer(std::shared_ptr<const OAuthClient> client, std::shared_ptr<GrantStore> store,
                     const RefreshTokenOptions& options, Clock now, LifetimeTally& lifetimes)
      : client_(std::move(client)),
        store_(std::move(store)),
        options_(options),
        now_(std::move(now)),
        lifetimes_(lifetimes) {}
  /// Waits for a refresh that is under way, for as long as its patience.
  ~RefreshTokenIssuer() override = default;

  [[nodiscard]] Result<IssuedCredential> issue(const IssueRequest& request, Deadline deadline) override;
  [[nodiscard]] Status revoke(const IssuedCredential& credential, Deadline deadline) override;
  /// The next issue() refreshes. If the upstream refuses that token too, soon and before it has accepted it once, the state is
  /// kNeedsConsent for a while. The grant stays: by two calls nobody ends what a person allowed for all.
  void report_unauthorized(const IssuedCredential& credential) override;
  void report_accepted(const IssuedCredential& credential) override;
  [[nodiscard]] Status sweep(Deadline deadline) override;
  [[nodiscard]] IssuerFacts facts() const override;

  /// To be called when somebody has consented anew: what the former grant gave is used no more, nor what is being asked for by it.
  void drop_tokens();

 private:
  struct Token {
    std::string id;
    SecretBytes value;
    std::chrono::sys_seconds asked_at{};
    std::chrono::sys_seconds expires_at{};
    std::chrono::sys_seconds ends_by = std::chrono::sys_seconds::max();  // of the leaves it was given for
    bool follows_refusal = false;                                        // of its predecessor by the upstream
  };
  /// One refresh, and whoever waits for it.
  struct Flight {
    TokenTarget target;
    bool is_own = false;        // for one call alone
    std::uint64_t epoch = 0;    // when it took off
    bool is_abandoned = false;  // by the one call that it was for
    bool is_done = false;
    std::optional<Error> failure{};
    std::shared_ptr<Token> token{};
  };

  [[nodiscard]] bool can_revoke_tokens() const;

  // With the lock.
  [[nodiscard]] std::shared_ptr<Token> kept_for(const TokenTarget& target) const;
  [[nodiscard]] std::shared_ptr<Flight> take_off(const TokenTarget& target, bool is_own);
  void land(const std::shared_ptr<Flight>& flight);
  void retire(const std::shared_ptr<Token>& token);
  [[nodiscard]] Result<IssuedCredential> give(Token& token, const IssueRequest& request, bool is_own);
  void forget(const std::string& id);

  // On the flight's thread.
  void fly(const std::shared_ptr<Flight>& flight);
  [[nodiscard]] Result<GivenToken> refresh(const TokenTarget& target);
  [[nodiscard]] Result<StoredGrant> usable_grant();
  [[nodiscard]] Result<GivenToken> ask(const StoredGrant& grant, const TokenTarget& target);
  [[nodiscard]] Error note_refusal(const StoredGrant& grant, const TokenRefusal& refusal);
  [[nodiscard]] Status store_what_waits();
  [[nodiscard]] Status keep(StoredGrant next);

  [[nodiscard]] std::chrono::sys_seconds pauses_until() const;

  const std::shared_ptr<const OAuthClient> client_;
  const std::shared_ptr<GrantStore> store_;
  const RefreshTokenOptions options_;
  const Clock now_;
  LifetimeTally& lifetimes_;
  IssuerCondition condition_;
  std::optional<StoredGrant>
      unstored_;  // of the flight's thread: what the server gave and the store did not take

  mutable std::mutex mutex_;
  std::condition_variable landed_;
  std::map<std::string, std::shared_ptr<Token>> tokens_;  // by what they are for
  std::vector<std::shared_ptr<Token>> retired_;           // given to nobody any more, and to be revoked
  std::shared_ptr<Flight> flight_;
  std::uint64_t epoch_ = 0;                  // of grants; one more with each new consent
  bool was_refused_ = false;                 // by the upstream, and not refreshed since
  std::chrono::sys_seconds paused_until_{};  // no refresh helped
  std::jthread thread_;                      // of the last flight; ends before the above do
};

}  // namespace chancery::vault
