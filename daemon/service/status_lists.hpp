#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <chancery/result.hpp>

#include "daemon/service/daemon_keys.hpp"
#include "daemon/service/trust.hpp"
#include "daemon/store/status_book.hpp"

namespace chancery::service {

/// How long a verifier may use a list that it has fetched: after a revocation, no longer than this.
inline constexpr std::chrono::seconds kStatusListTtl{60};
/// How long a list may be used at all. Twice as long, so that one that is served may be used for its `ttl`.
inline constexpr std::chrono::seconds kStatusListLifetime{120};

/// A status list as it is served.
struct SignedStatusListToken {
  std::string compact;  ///< `statuslist+jwt`
  std::string etag;     ///< of the octets, quotes included
};

/// Signs status lists when they are asked for, and keeps them until they change or grow old. However many ask
/// at once, one signature is made; while it is made, who may still have the one before it gets that.
/// Thread-safe.
class StatusLists {
 public:
  /// \param prefix  of the lists' addresses
  StatusLists(store::StatusBook& book, DaemonKeys& keys, const TrustPublisher& trust, std::string prefix)
      : book_(book), keys_(keys), trust_(trust), prefix_(std::move(prefix)) {}

  /// \return the list, or kNotFound, kDeviceTimeout when others' signature was not made by the deadline, or
  ///         what the device says when a signature is needed
  [[nodiscard]] Result<std::shared_ptr<const SignedStatusListToken>> get(std::uint64_t name,
                                                                         std::chrono::sys_seconds now,
                                                                         hsm::Deadline deadline);

  /// When a list was signed last; nothing when none was since the start.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> last_signed_at() const;

 private:
  struct Made {
    std::shared_ptr<const SignedStatusListToken> token;
    Bytes statuses;
    std::uint64_t generation = 0;  // of the trust when the book was read
    std::chrono::sys_seconds at{};
  };
  struct Slot {
    std::timed_mutex signing;
    std::optional<Made> made;  // guarded by mutex_
  };

  [[nodiscard]] Result<std::shared_ptr<Slot>> slot_of(std::uint64_t name);
  [[nodiscard]] std::optional<Made> made_in(const Slot& slot) const;
  [[nodiscard]] Result<Made> make(std::uint64_t name, const std::optional<Made>& former,
                                  std::chrono::sys_seconds now, hsm::Deadline deadline);
  struct Signing {
    const store::Key& key;
    std::chrono::sys_seconds now;
    hsm::Deadline deadline;
  };
  [[nodiscard]] Result<Made> sign(std::uint64_t name, Bytes statuses, const Signing& signing);

  store::StatusBook& book_;
  DaemonKeys& keys_;
  const TrustPublisher& trust_;
  const std::string prefix_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<Slot>> slots_;
};

}  // namespace chancery::service
