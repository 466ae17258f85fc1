#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/service/caller.hpp"
#include "daemon/store/audit_book.hpp"
#include "daemon/store/checkpoint_book.hpp"
#include "daemon/store/ledger.hpp"
#include "daemon/store/proof_book.hpp"
#include "daemon/store/restored_mark.hpp"
#include "hsm/counter.hpp"

namespace chancery::service {

/// What spending is kept in; they outlive it.
struct SpendingBooks {
  store::Ledger& ledger;
  store::ProofBook& proofs;
  store::CheckpointBook& checkpoints;
  store::Store& audit;
  store::AuditBook& log;
};

/// The audit log, as what vouches for values of the device's counter: each signed checkpoint of the log says to which value
/// it belongs, so that nobody can make up entries in an older copy that lead to the present one.
class CounterSeal {
 public:
  virtual ~CounterSeal() = default;

  /// The value that the log's newest checkpoint says.
  /// \return nothing when it says none, or when the device does not hold the key that signed it; the device's errors
  virtual Result<std::optional<std::uint64_t>> sealed(std::chrono::sys_seconds now,
                                                      hsm::Deadline deadline) = 0;
  /// Has every checkpoint from now on say this value: before the entry is recorded that does.
  virtual void expect(std::uint64_t value) = 0;
  /// Signs what the log is now, unless that was signed already.
  virtual Status seal(std::chrono::sys_seconds now, hsm::Deadline deadline) = 0;
};

struct SpendingOptions {
  /// Whether copies of the store are to be found out by a device's counter. Without it nothing is.
  bool with_counter = true;
  hsm::MonotonicCounter* counter = nullptr;  ///< nullptr: the device that was named has none
  std::string backend{};                     ///< whose counter it is
  std::chrono::seconds interval{600};        ///< between checkpoints while anything is spent
  std::chrono::milliseconds patience{3000};  ///< for one answer of the device
  /// By which a restored copy is found out also without a counter.
  std::optional<store::RestoredMark> restored{};
  /// Told whenever the store is found to be an older copy, or is one no longer.
  std::function<void(bool is_older)> watch = [](bool) {};
};

/// What becomes of the tokens that were issued before an older copy was accepted. Nobody can know which of them were
/// revoked since.
enum class FormerTokens : std::uint8_t { kKeep, kEnd };

/// Decides whether budgets may be spent from this store, so that an older copy of it does not give spent units
/// back; and whether anything may be issued from it, so that it does not bring back what was revoked.
///
/// The device's counter and the store's checkpoint advance together: at the start, every `interval` in which
/// something was spent or the audit log grew, and at a clean stop. Before the counter goes to a value, an entry of the
/// audit log says so, and the log's checkpoint is signed. A store of which either says another value than the counter is an
/// older copy, or another daemon uses the same counter: then nothing is spent, issued or signed until the operator
/// accepts it; and so it is with one that somebody restored.
/// What was spent between a copy and the next checkpoint is not found out (docs/operations/budgets.md).
/// Thread-safe.
class Spending {
 public:
  enum class State : std::uint8_t {
    kOpen,
    kWaiting,  ///< for the device: goes on by itself
    kHalted,   ///< for the operator
    kUnset,    ///< no counter where one is configured
  };
  /// What could not be done now and is tried again, and alarms: in a literal what it was, and why.
  using Complaint = std::function<void(const char* what, const Error& error)>;

  Spending(SpendingBooks books, SpendingOptions options, Complaint complain)
      : books_(books), options_(std::move(options)), complain_(std::move(complain)) {}

  /// Before the first round: has the audit log vouch for the counter's values. Borrowed.
  void seal_with(CounterSeal& log) noexcept { log_ = &log; }

  /// kSpendingHalted unless it is open.
  [[nodiscard]] Status require_open() const;

  /// kSpendingHalted while the store is known to be an older copy. Whoever issues, decides, proves or signs asks this
  /// first: what was revoked or spent since is not in it, and its audit log was continued elsewhere.
  [[nodiscard]] Status require_newest() const;

  /// kSpendingHalted while it is not known yet whether the store is an older copy, and when it is. Whoever signs the audit
  /// log asks this first: a copy's log may have been continued under its name.
  [[nodiscard]] Status require_known() const;

  /// Records a decision in the ledger; one that debits only while spending is open.
  /// \return kSpendingHalted, and as Ledger::record()
  [[nodiscard]] Result<store::Recording> record(const store::Decision& decision,
                                                const store::AuditEntry& audit);

  /// For everything but record().
  [[nodiscard]] store::Ledger& ledger() const noexcept { return books_.ledger; }

  /// One round: opens, makes the checkpoint that is due, settles what has expired and forgets what can matter
  /// no more. One thread at a time.
  void tick(std::chrono::sys_seconds now);

  /// At a clean stop, when nobody spends any more: no copy that was made before counts from here on.
  void seal(std::chrono::sys_seconds now);

  /// The operator vouches for this store, whatever the counter says, and for the clock. The audit log of an older copy has
  /// another name from then on.
  /// \param tokens  what becomes of them; must be said of an older copy
  /// \return kInvalidArgument when it is not, kSpendingHalted when no counter is to be had, kDeviceUnavailable and the
  ///         like when it cannot be advanced
  [[nodiscard]] Status accept(const CallContext& context, std::optional<FormerTokens> tokens = std::nullopt);
  /// Whether it would be accepted now: asked before something is done that cannot be undone. As accept().
  [[nodiscard]] Status may_accept(const CallContext& context, std::optional<FormerTokens> tokens);

  [[nodiscard]] State state() const;
  /// Why it is not open; nullopt when it is.
  [[nodiscard]] std::optional<Error> reason() const;
  /// Why nothing is spent until the operator decides: the store, and its audit log, may be an older copy.
  [[nodiscard]] std::optional<Error> halted() const;
  [[nodiscard]] bool with_counter() const noexcept { return options_.with_counter; }

 private:
  [[nodiscard]] bool is_due(std::chrono::sys_seconds now) const;
  [[nodiscard]] bool is_restored() const { return options_.restored && options_.restored->is_set(); }
  [[nodiscard]] bool has_changed() const;
  [[nodiscard]] Status advance(std::chrono::sys_seconds now);
  [[nodiscard]] Status advance_from(std::uint64_t value, std::chrono::sys_seconds now);
  [[nodiscard]] Status go_on_to(std::uint64_t value, std::chrono::sys_seconds now);
  [[nodiscard]] Status begin(std::chrono::sys_seconds now);
  [[nodiscard]] Status require_seal(std::uint64_t value, std::chrono::sys_seconds now);
  [[nodiscard]] Status say(const store::Checkpoint& checkpoint, std::uint64_t value,
                           std::chrono::sys_seconds now);
  void expect(std::uint64_t value);
  [[nodiscard]] Status sign(std::chrono::sys_seconds now);
  [[nodiscard]] Status look_again(std::chrono::sys_seconds now, std::optional<FormerTokens> tokens);
  [[nodiscard]] Result<store::Checkpoint> acceptable();
  void leave_behind(const store::Checkpoint& accepted, std::chrono::sys_seconds now);
  [[nodiscard]] hsm::Deadline deadline() const;
  void note(const Status& advanced, std::chrono::sys_seconds now);
  void halt(const Error& error, std::chrono::sys_seconds now);
  [[nodiscard]] Status rename_log(const CallContext& context);
  void set(State state, std::optional<Error> reason);

  const SpendingBooks books_;
  const SpendingOptions options_;
  const Complaint complain_;
  CounterSeal* log_ = nullptr;
  std::mutex advancing_;  // one round with the counter at a time: tick, seal or accept
  std::optional<std::chrono::sys_seconds> checkpoint_at_;
  std::optional<Error> complained_;
  bool is_sealed_ = false;
  std::optional<std::uint64_t> said_;  // the value that an entry of this daemon's said last
  std::atomic<bool> is_vouched_for_ =
      false;  // the counter's value: by the log, or because this daemon has made it
  std::atomic<bool> has_spent_ = false;
  std::atomic<std::uint64_t> log_size_ = 0;  // when the counter was advanced last

  mutable std::mutex mutex_;  // of the rest
  State state_ = State::kWaiting;
  std::optional<Error> reason_;
};

/// For people: whether budgets are spent, and how copies of the store are found out.
[[nodiscard]] hsm::Fact spending_fact(const Spending& spending);

/// "open", "waiting", "halted" or "unset".
[[nodiscard]] std::string_view spending_state_name(Spending::State state) noexcept;

}  // namespace chancery::service
