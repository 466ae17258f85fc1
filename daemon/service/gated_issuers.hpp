#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "daemon/service/backend_set.hpp"
#include "daemon/service/gates.hpp"
#include "daemon/service/key_life.hpp"
#include "daemon/service/occasion.hpp"
#include "daemon/service/trust.hpp"
#include "daemon/store/approver_book.hpp"
#include "daemon/store/store.hpp"
#include "hsm/gated_keys.hpp"

namespace chancery::service {

/// The issuer key behind a gate, and who opens it.
struct GatedIssuer {
  store::Key key;
  attest::GatePolicy policy;
  attest::Name name{};  ///< of the key in its TPM
};

struct GatedIssuerOptions {
  std::string backend;              ///< the issuer's: a TPM
  std::chrono::seconds overlap{0};  ///< how long a key counts at least after another has followed it
  /// Asked before each signature: its error is the answer then.
  std::function<Status()> may_sign = [] { return Status{}; };
};

/// A key that is younger is followed only when a grant is asked for: or an approver whose key changes each second would fill the store.
inline constexpr std::chrono::minutes kGateKeySettles{5};
/// That sign for a gate, or whose tokens count still, and those that are lost: no more are made until one of them ends.
inline constexpr std::size_t kMostKeysOfGate = 16;

/// A gate as the policy has it just then.
struct PresentGate {
  Gate gate;
  std::chrono::seconds longest_grant{};  ///< that a token may live
};
using LookUpGate = std::function<std::optional<PresentGate>()>;

/// Issuer keys that a TPM signs with only under the signatures of a gate's approvers (docs/protocol/gated-keys.md): for each gate
/// with `enforcement = "tpm"` one for the approvers that it has. The first is made when it is first needed; when the approvers change, another
/// follows. Of each approver the active key that was enrolled last counts, of those that are P-256 and no passkey. Thread-safe.
class GatedIssuers {
 public:
  GatedIssuers(store::Store& store, store::ApproverBook& approvers, KeyLife& life, const Backends& backends,
               TrustPublisher& trust, GatedIssuerOptions options)
      : store_(store),
        approvers_(approvers),
        life_(life),
        backends_(backends),
        trust_(trust),
        options_(std::move(options)) {}

  /// The key for the approvers that the gate has now, made if there is none. The one that it follows counts until the longest of its
  /// tokens has ended.
  /// \param longest_grant  that a token may live now
  /// \return kConfigInvalid when these are none that a TPM can hold a key to, or the issuer's backend is no TPM; kConflict when the gate
  ///         has kMostKeysOfGate; the store's and the device's errors
  [[nodiscard]] Result<GatedIssuer> current(const Gate& gate, std::chrono::seconds longest_grant,
                                            std::chrono::sys_seconds now, hsm::Deadline deadline);
  /// The same without making one.
  [[nodiscard]] Result<std::optional<GatedIssuer>> find(const Gate& gate) const;
  /// Follows the gate's key where it is left behind, see is_left_behind(). Which gate that is, is looked up once nobody else makes
  /// keys: what was known before may be long past by then.
  /// \param look_up  gives nothing for a gate that is none any more
  /// \return whether it was followed; as current()
  [[nodiscard]] Result<bool> follow(const LookUpGate& look_up, std::chrono::sys_seconds now,
                                    hsm::Deadline deadline);

  /// Signs with what approvers have signed. \return as hsm::GatedKeys::sign()
  [[nodiscard]] Result<Signature> sign(const GatedIssuer& issuer, std::string_view input,
                                       const std::vector<hsm::PolicySignature>& signatures,
                                       hsm::Deadline deadline) const;

  /// Keys in use that an approver's key opens, which is no present approver's any more: whichever the gate, also of gates that are none
  /// any more. Where nobody knows who opens one, every approver's key may, unless the present approvers of its gate do.
  /// \param gates  that there are now
  [[nodiscard]] Result<std::vector<store::Key>> opened_by(const store::ApproverKey& approver,
                                                          const std::vector<Gate>& gates);

  /// Whether the gate has a key that signs, for others than its present approvers, who could have one: current() makes that, and the
  /// overlap of the former begins. Not yet while the key is younger than kGateKeySettles. Cheap while the approvers are as they were.
  [[nodiscard]] Result<bool> is_left_behind(const Gate& gate, std::chrono::sys_seconds now) const;

  /// The keys of these gates, what the issuer's other keys may grant beside them, and the keys of gates that are none any more.
  /// \param granted  the scopes that may be granted at all
  [[nodiscard]] Result<GateCeilings> ceilings(const std::vector<Gate>& gates,
                                              const std::vector<std::string>& granted) const;
  /// Held from the look at the gates of the policy until what there is behind them is published, so that nobody publishes an
  /// older look after a newer one. Not together with the calls above that make keys.
  [[nodiscard]] std::unique_lock<std::mutex> hold_publishing() const { return std::unique_lock(publishing_); }
  /// Publishes them, while that is held.
  [[nodiscard]] Status publish(const std::vector<Gate>& gates, const std::vector<std::string>& granted);
  /// Whether what is published is older than the store: publishing failed.
  [[nodiscard]] bool is_stale() const noexcept { return is_stale_; }

 private:
  /// Somebody whose key a TPM can hold another to.
  struct Opener {
    store::Approver person;  ///< without keys
    PublicKey key;
  };
  using Openers = std::shared_ptr<const std::vector<Opener>>;

  /// Read once for each change of the approvers.
  [[nodiscard]] Result<Openers> openers() const;
  [[nodiscard]] Result<attest::GatePolicy> policy_of(const Gate& gate) const;
  [[nodiscard]] Status require_room(const Gate& gate) const;
  [[nodiscard]] Result<hsm::GatedKeys*> device() const;
  /// Whether the present approvers of its gate open it.
  [[nodiscard]] Result<bool> is_present(const store::Key& key, const std::vector<Gate>& gates) const;
  [[nodiscard]] Result<std::optional<GatedIssuer>> find(const Gate& gate,
                                                        const attest::GatePolicy& policy) const;
  [[nodiscard]] Result<GatedIssuer> make(const Gate& gate, const attest::GatePolicy& policy,
                                         std::chrono::seconds overlap, const Occasion& occasion);

  store::Store& store_;
  store::ApproverBook& approvers_;
  KeyLife& life_;
  const Backends& backends_;
  TrustPublisher& trust_;
  const GatedIssuerOptions options_;
  std::mutex making_;
  mutable std::mutex reading_;  // of the approvers; taken last
  mutable Openers openers_;
  mutable std::uint64_t openers_of_ = 0;  // ApproverBook::changes()
  mutable std::mutex publishing_;
  std::atomic<bool> is_stale_ = false;
};

}  // namespace chancery::service
