#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <chancery/result.hpp>

#include "daemon/service/spending.hpp"
#include "daemon/service/turns.hpp"
#include "daemon/telemetry/redactor.hpp"
#include "daemon/vault/issuer.hpp"
#include "daemon/vault/issuers/authorization_code.hpp"
#include "daemon/vault/issuers/grant_store.hpp"
#include "daemon/vault/issuers/lifetime_tally.hpp"

namespace chancery::service {

/// What an issuer is made with, besides what its configuration says.
struct IssuerParts {
  vault::Clock now;
  vault::SecretSource secret;                ///< its own secret; empty where it has none
  std::shared_ptr<vault::GrantStore> grant;  ///< of a person who consents
  vault::LifetimeTally& lifetimes;           ///< outlives the issuer
};

struct MadeIssuer {
  std::unique_ptr<vault::Issuer> issuer;
  std::unique_ptr<vault::AuthorizationCode>
      consent{};                        ///< of one that a person allows; null: nobody is asked
  std::function<void()> drop_tokens{};  ///< has it use no token any more that it keeps; empty: it keeps none
};

/// How often and for how long an issuer's own thread is at it.
struct IssuerPace {
  std::chrono::milliseconds look = std::chrono::minutes(1);  ///< between looks for what is over
  std::chrono::milliseconds sweep = std::chrono::hours(1);   ///< between sweeps when nothing was issued
  std::chrono::milliseconds last = std::chrono::seconds(5);  ///< for all that is left at the end
};

/// An issuer as it is configured.
struct IssuerSetup {
  std::string name;
  std::string type;      ///< as the configuration calls it
  std::string secret{};  ///< the record in the vault that has the issuer's own secret; empty: it has none
  vault::IssueRequest
      request{};  ///< scopes, resource and whether each call has one of its own; the rest is the call's
  std::function<MadeIssuer(IssuerParts)> make;
  std::size_t at_once = 4;  ///< how many may ask it at a time
  IssuerPace pace{};
};

/// What the upstream said to an issued credential.
enum class Reception : std::uint8_t { kUnknown, kAccepted, kRefused };

/// What was issued, for as long as somebody has to do with it.
using Issued = std::shared_ptr<const vault::IssuedCredential>;

/// One issuer at work: issues when it is asked, and takes back on a thread of its own what is over, so that no caller waits for
/// that. What it issued is redacted from all that the daemon says until it is good for nothing any more. Thread-safe.
class IssuerLine {
 public:
  enum class Outcome : std::uint8_t { kIssued, kNeedsConsent, kRefused, kFailed };
  static constexpr std::array<std::string_view, 4> kOutcomeNames{"issued", "needs_consent", "refused",
                                                                 "failed"};

  /// \param complain  told what could not be taken back, and is tried again
  IssuerLine(IssuerSetup setup, MadeIssuer made, vault::Clock now,
             std::shared_ptr<telemetry::Redactor> redactor, Spending::Complaint complain);
  ~IssuerLine();
  IssuerLine(const IssuerLine&) = delete;
  IssuerLine& operator=(const IssuerLine&) = delete;

  /// \param tool  for whose call \param not_after  when the chain's leaf expires
  /// \param all  the turns of all issuers, of which a request takes one besides its own issuer's
  /// \return kOverloaded while too many ask, and the errors of an Issuer
  [[nodiscard]] Result<Issued> issue(std::string_view tool, std::chrono::sys_seconds not_after,
                                     vault::Deadline deadline, Turns& all);

  /// The call is over. Waits for nobody.
  void end(const Issued& issued, Reception reception);

  /// Begins to take back what is over, and what a crash left behind: now, and each minute in which there may be any.
  void start();
  /// Has that end soon. Waits for nobody.
  void stop() { thread_.request_stop(); }
  /// Ends it, and takes back what is left as far as there is time. Nothing may be issued any more.
  void close();

  [[nodiscard]] const IssuerSetup& setup() const noexcept { return setup_; }
  [[nodiscard]] vault::IssuerFacts facts() const { return made_.issuer->facts(); }
  /// null: nobody is asked.
  [[nodiscard]] vault::AuthorizationCode* consent() const noexcept { return made_.consent.get(); }
  /// What its tokens come from is another, or gone.
  void drop_tokens() const {
    if (made_.drop_tokens) made_.drop_tokens();
  }
  [[nodiscard]] std::uint64_t count(Outcome outcome) const noexcept {
    return counts_[static_cast<std::size_t>(outcome)].load(std::memory_order_relaxed);
  }

 private:
  using Steady = std::chrono::steady_clock::time_point;
  struct Ending {
    Issued issued;
    int attempts = 0;
    Steady due{};
  };
  struct Hidden {
    Issued issued;
    std::chrono::sys_seconds until{};
  };

  [[nodiscard]] Result<vault::IssuedCredential> ask(const vault::IssueRequest& request,
                                                    vault::Deadline deadline, Turns& all);
  void run(const std::stop_token& stop);
  [[nodiscard]] bool is_sweep_due();
  void sweep();
  void take_back_due(const std::stop_token& stop);
  [[nodiscard]] std::deque<Ending> due_by(Steady now);
  [[nodiscard]] Status take_back(const Ending& ending, vault::Deadline deadline);
  void hide(const Issued& issued);
  void show(const std::string& id);
  void forget_expired();

  const IssuerSetup setup_;
  const MadeIssuer made_;
  const vault::Clock now_;
  const std::shared_ptr<telemetry::Redactor> redactor_;
  const Spending::Complaint complain_;
  std::array<std::atomic<std::uint64_t>, kOutcomeNames.size()> counts_{};
  Turns turns_;
  bool is_unswept_ = true;  // this and the next of the thread
  Steady idle_until_{};
  std::mutex mutex_;  // of the next five
  std::condition_variable_any wake_;
  bool has_new_ = false;
  std::deque<Ending> endings_;
  std::map<std::string, Hidden> hidden_;     // by id
  std::set<std::chrono::sys_seconds> dues_;  // when something expires, or the leaf of which it was given
  std::jthread thread_;                      // ends before the above do
};

}  // namespace chancery::service
