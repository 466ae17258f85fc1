#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

#include "daemon/service/partners.hpp"
#include "daemon/store/store.hpp"

namespace chancery::service {

/// Where this daemon's status lists are: `ISSUER_URL/v1/status-lists/`, and then a list's name.
[[nodiscard]] std::string status_list_prefix(std::string_view issuer_url);

/// The issuer keys behind a gate that a TPM enforces.
struct GatedAnchor {
  std::vector<PublicKey> keys;
  std::vector<std::string> scopes;  ///< what they may grant, and no other key of the issuer's
  bool operator==(const GatedAnchor&) const = default;
};

/// What keys of the issuer may grant.
struct GateCeilings {
  /// The scopes that the issuer's keys may grant that are behind no gate; none: all.
  std::optional<std::vector<std::string>> ungated{};
  std::map<std::string, GatedAnchor> gated{};  ///< by the gate's name
  /// Keys behind what is no such gate any more. They sign nothing; what they signed counts as far as it could be granted without an
  /// approval now. They govern nothing of the daemon's own.
  std::vector<PublicKey> former{};
  bool operator==(const GateCeilings&) const = default;
};

/// Publishes what the daemon trusts: its own issuer keys, under its own issuer URL, and configured anchors; and
/// what it knows to count no longer. Readers take the current snapshot, which never changes under them.
/// Thread-safe.
class TrustPublisher {
 public:
  /// \param issuer_url  the `iss` that this daemon's own keys may say
  /// \param configured  anchors of others
  /// \param attestation_verifiers  whose results count for chains under this daemon's own keys
  TrustPublisher(std::string issuer_url, TrustConfig configured,
                 std::vector<PublicKey> attestation_verifiers = {})
      : issuer_url_(std::move(issuer_url)),
        attestation_verifiers_(std::move(attestation_verifiers)),
        configured_(std::move(configured)) {}

  /// From now on keeps the configured anchors up to date. Without anchors it does nothing. As Partners::open().
  [[nodiscard]] Status keep_up(const PartnerOptions& options);
  /// Takes other anchors and verifiers in place of those that are configured, and keeps the anchors up to date: what was
  /// learned of the former ones' keys is forgotten.
  /// \param record  called once nothing else can go wrong, and before anybody sees the change
  /// \return as keep_up(), or what `record` said; after an error nothing has changed
  [[nodiscard]] Status configure(TrustConfig configured, std::vector<PublicKey> attestation_verifiers,
                                 const PartnerOptions& options, const std::function<Status()>& record);
  /// Whether fetch_for() may wait for others.
  [[nodiscard]] bool has_partners() const { return partners() != nullptr; }

  [[nodiscard]] TrustSnapshot current() const;
  /// The same once what can be had of the status lists of others was fetched to which this chain refers; nothing when
  /// no more will be had.
  /// \param options  how the chain will be verified
  [[nodiscard]] std::optional<TrustSnapshot> fetch_for(std::span<const std::string_view> chain,
                                                       const VerifyOptions& options);
  /// The same with this daemon's own keys alone: for chains that govern the daemon itself.
  [[nodiscard]] TrustSnapshot own() const;
  /// The same with those of gates that are none any more: for chains that this daemon has issued, and that govern nothing.
  [[nodiscard]] TrustSnapshot issued() const;
  /// This daemon's own keys of that purpose as they were published last, newest first.
  [[nodiscard]] std::vector<PublicKey> keys(std::string_view owner) const;

  /// Builds and publishes a snapshot with these issuer keys beside the configured anchors.
  /// \param ended_keys  holders' keys whose tokens no longer count
  void publish(const std::vector<store::Key>& issuer_keys, std::vector<Thumbprint> ended_keys);
  /// What keys of the issuer may grant: from now on, whatever was granted before.
  void publish_gates(GateCeilings ceilings);
  /// As they were published last.
  [[nodiscard]] GateCeilings gate_ceilings() const;

  /// The same for the daemon's keys for another purpose, by which no chain is verified.
  void publish_keys(std::string_view owner, const std::vector<store::Key>& keys);
  /// Whether what is known of this daemon's own tokens may be out of date: then chains of its own that refer to a status
  /// list are of unknown status.
  void doubt_statuses(bool doubtful);
  /// In place of those that were known before.
  void publish_ended_tokens(EndedTokens ended);
  /// Besides those that are known.
  void publish_changes(std::span<const EndedTokens::Change> changes);

  /// Changes with each publication of keys or tokens that have ended: what was made of the store before may be
  /// out of date.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

 private:
  void set_ended_tokens(EndedTokens ended);  // with mutex_ held
  [[nodiscard]] std::shared_ptr<Partners> partners() const;
  [[nodiscard]] Result<std::shared_ptr<Partners>> open_partners(const TrustConfig& configured,
                                                                const PartnerOptions& options,
                                                                std::uint64_t edition);
  void take_anchors(TrustConfig configured, std::uint64_t edition);
  [[nodiscard]] TrustAnchor own_anchor(std::vector<PublicKey> keys,
                                       std::optional<std::vector<std::string>> scopes) const;
  [[nodiscard]] TrustConfig own_with_gates(const GateCeilings& ceilings) const;
  void rebuild();  // with publishing_ held

  const std::string issuer_url_;
  // Of the next four, and so that what came last is published last. Taken before mutex_.
  std::mutex publishing_;
  std::vector<PublicKey> attestation_verifiers_;
  TrustConfig configured_;
  std::uint64_t edition_ = 0;  // of what is configured: what was learned of another's anchors does not count
  TrustConfig own_config_;
  bool is_doubtful_ = false;
  mutable std::mutex mutex_;  // of the next five and partners_
  GateCeilings ceilings_;
  TrustSnapshot snapshot_;
  TrustSnapshot own_;
  TrustSnapshot issued_;
  std::map<std::string, std::vector<PublicKey>, std::less<>> own_keys_;  // by owner
  std::atomic<std::uint64_t> generation_ = 0;
  std::shared_ptr<Partners> partners_;  // ends before what it uses
};

}  // namespace chancery::service
