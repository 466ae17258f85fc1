#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/service/daemon_keys.hpp"
#include "daemon/service/refusal_bound.hpp"
#include "daemon/service/spending.hpp"
#include "daemon/store/audit_book.hpp"
#include "daemon/store/store.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::service {

/// What the operator's configuration decides about the audit log, and what it needs.
struct AuditOptions {
  std::string host;                          ///< of the issuer's URL: the beginning of the log's name
  std::chrono::seconds interval{60};         ///< between checkpoints while the log grows
  std::chrono::milliseconds patience{3000};  ///< for the device that signs them
  SecretBytes salts{};                       ///< from which the salts of parameters' hashes are made
  RefusalBound::Limits refusals{};
  /// Asked before each checkpoint but those that vouch for the counter: its error is the answer then.
  std::function<Status()> may_sign = [] { return Status{}; };
};

/// What the daemon does with its audit log besides writing it: checkpoints, which each vouch for all before and say to which
/// value of the device's counter they belong, and salts. Thread-safe.
class AuditDesk final : public CounterSeal {
 public:
  /// What could not be done now and is tried again: in a literal what it was, and why.
  using Complaint = std::function<void(const char* what, const Error& error)>;

  AuditDesk(store::AuditBook& log, store::Store& entries, DaemonKeys& audit_keys, AuditOptions options,
            Complaint complain)
      : book(log),
        keys(audit_keys),
        refusals(options.refusals),
        store_(entries),
        options_(std::move(options)),
        complain_(std::move(complain)) {}

  store::AuditBook& book;
  DaemonKeys& keys;  ///< that sign checkpoints
  RefusalBound refusals;

  /// The log's name.
  [[nodiscard]] Result<std::string> origin() { return book.origin(options_.host); }

  /// Signs what the log is now, unless that was signed already. What was signed before is verified first: a log that does
  /// not contain it any more is not signed.
  /// \return the newest checkpoint; kNotFound when the log has no entries; kStoreCorrupt; the device's errors
  [[nodiscard]] Result<store::SignedCheckpoint> checkpoint(std::chrono::sys_seconds now,
                                                           hsm::Deadline deadline);

  Result<std::optional<std::uint64_t>> sealed(std::chrono::sys_seconds now, hsm::Deadline deadline) override;
  void expect(std::uint64_t value) override;
  Status seal(std::chrono::sys_seconds now, hsm::Deadline deadline) override;

  /// One round: records what was counted of refusals, and a clock that was set back, brings references into the index, makes the
  /// checkpoint that is due, and reads a part of the log again: once after the start, then once a day. A log of which an entry is found to be another
  /// is signed no more. One thread at a time.
  void tick(std::chrono::sys_seconds now);

  /// Whether the checkpoint that was due last could not be made.
  [[nodiscard]] bool is_behind() const noexcept { return is_behind_; }

  /// At a clean stop: records what is left to say, and signs it. `seal` is done before the signature.
  void close(std::chrono::sys_seconds now, const std::function<void()>& seal);

  /// Of the hash of parameters in the entry of a decision, or of another request.
  [[nodiscard]] SecretBytes salt_for(std::string_view id) const;
  /// That hash. \param parameters  in JCS
  [[nodiscard]] std::string hash_parameters(std::string_view id, std::string_view parameters) const;

 private:
  [[nodiscard]] Result<store::SignedCheckpoint> sign_log(std::chrono::sys_seconds now,
                                                         hsm::Deadline deadline);
  [[nodiscard]] Result<store::SignedCheckpoint> sign_head(const store::Key& key,
                                                          const std::optional<store::SignedCheckpoint>& last,
                                                          std::chrono::sys_seconds now,
                                                          hsm::Deadline deadline);
  [[nodiscard]] Result<bool> is_held(const store::Key& key, std::chrono::sys_seconds now,
                                     hsm::Deadline deadline);
  void index();
  void read_again(std::chrono::sys_seconds now);
  [[nodiscard]] bool is_due(std::chrono::sys_seconds now) const;
  void watch_clock(std::chrono::sys_seconds now);
  void record(const std::vector<CountedRefusals>& counted, std::chrono::sys_seconds now);

  store::Store& store_;
  const AuditOptions options_;
  const Complaint complain_;
  std::mutex signing_;  // of the next
  std::optional<std::uint64_t>
      counter_;  // whose value the log belongs to; none: what the checkpoint before says
  // Of the one thread that makes rounds.
  std::optional<std::chrono::sys_seconds> seen_at_;
  std::optional<std::chrono::sys_seconds> tried_at_;
  std::optional<std::chrono::sys_seconds> read_at_;  // to its end
  std::uint64_t block_ = 0;                          // that is read next
  std::atomic<bool> is_altered_ = false;
  std::atomic<std::uint64_t> signed_size_ = 0;
  std::atomic<bool> is_behind_ = false;
};

}  // namespace chancery::service
