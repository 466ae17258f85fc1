#include "daemon/service/spending.hpp"

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/audit_start.hpp"

namespace chancery::service {
namespace {

using store::Checkpoint;

constexpr Error kStarting{ErrorCode::kSpendingHalted,
                          "budgets are not spent yet: the device's counter is being read"};
constexpr Error kEnding{ErrorCode::kSpendingHalted, "budgets are not spent any more: the daemon is ending"};
constexpr Error kDeviceAway{
    ErrorCode::kSpendingHalted,
    "the device whose counter finds out copies of the store does not answer: spending goes "
    "on when it does; `chancery backend list` tells more"};
constexpr Error kOlderCopy{
    ErrorCode::kSpendingHalted,
    "the state folder is an older copy of what this daemon has spent from, or another daemon "
    "uses its counter: restore the newest state, or `chancery budget accept` spends from "
    "this one"};
constexpr Error kUnvouched{
    ErrorCode::kSpendingHalted,
    "no signature of a key that its device holds vouches for the state folder's value of the counter: the folder is an "
    "older copy that was changed, the audit log's key is gone, or the first start was interrupted; restore the newest "
    "state, or `chancery budget accept` goes on from this one"};
constexpr Error kRestored{
    ErrorCode::kSpendingHalted,
    "the state folder was restored from a backup: what was revoked and spent since is not in it. `chancery budget "
    "accept` goes on from it"};
constexpr Error kTokensUnsaid{
    ErrorCode::kInvalidArgument,
    "say what becomes of the tokens that were issued before, since nobody can know which of them were revoked: "
    "`tokens` is \"end\" (all that have not expired are revoked) or \"keep\" (--end-tokens, --keep-tokens)"};
constexpr Error kCounterGone{
    ErrorCode::kSpendingHalted,
    "the device's counter is gone, as after a TPM2_Clear, so that nobody can tell whether "
    "this store is the newest: `chancery budget accept` makes another and goes on"};
constexpr Error kNoCounter{
    ErrorCode::kSpendingHalted,
    "the backend has no counter that would find out copies of the store: name a TPM in "
    "[budgets] backend, or set checkpoint = \"none\" knowingly"};
constexpr const char* kNotChecked = "budgets are not spent: the device's counter could not be advanced";

// Whether the device was not to be had, as opposed to what was found in it.
bool is_about_device(const Error& error) {
  using enum ErrorCode;
  switch (error.code) {
    case kDeviceUnavailable:
    case kDeviceBusy:
    case kDeviceTimeout:
    case kDeviceLockout:
    case kWrongDevice:
      return true;
    default:
      return false;
  }
}

// The one that the counter has once all is done.
std::uint64_t value_behind(const Checkpoint& checkpoint) {
  return checkpoint.intended.value_or(checkpoint.value);
}

// Values of a device's counter have 64 bits, more than JSON numbers carry.
AuditFacts value_facts(const std::string& backend, std::uint64_t value) {
  AuditFacts facts = backend_facts(backend);
  facts.details.set("value", std::to_string(value));
  return facts;
}

}  // namespace

std::string_view spending_state_name(Spending::State state) noexcept {
  switch (state) {
    case Spending::State::kOpen:
      return "open";
    case Spending::State::kWaiting:
      return "waiting";
    case Spending::State::kHalted:
      return "halted";
    case Spending::State::kUnset:
      return "unset";
  }
  return "";
}

hsm::Fact spending_fact(const Spending& spending) {
  using enum hsm::Fact::Severity;
  const Spending::State state = spending.state();
  const auto reason = spending.reason();
  if (reason) {
    const auto severity = state == Spending::State::kHalted ? kBad : kWarn;
    return {"budgets", "not spent: " + std::string(spending_state_name(state)), severity, reason->what};
  }
  if (spending.with_counter()) return {"budgets", "spent; a device's counter finds out copies of the store"};
  return {
      "budgets", "spent; copies of the store are not found out", kWarn,
      "a restored backup gives spent units back: set [budgets] checkpoint = \"counter\" where there is a TPM"};
}

Status Spending::require_open() const {
  const auto why_not = reason();
  return why_not ? Status{*why_not} : Status{};
}

Status Spending::require_newest() const {
  const auto older = halted();
  return older ? Status{*older} : Status{};
}

Status Spending::require_known() const {
  if (const auto older = halted()) return *older;
  const bool is_asked = options_.with_counter && options_.counter != nullptr;
  return is_asked && !is_vouched_for_ ? Status{kStarting} : Status{};
}

Result<store::Recording> Spending::record(const store::Decision& decision, const store::AuditEntry& audit) {
  if (decision.debits.empty()) return books_.ledger.record(decision, audit);
  CHANCERY_TRY(require_open());
  auto recorded = books_.ledger.record(decision, audit);
  has_spent_ = true;  // behind it: the last checkpoint may have been made meanwhile, and not have it
  return recorded;
}

Spending::State Spending::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::optional<Error> Spending::reason() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kOpen) return std::nullopt;
  return reason_.value_or(kStarting);
}

std::optional<Error> Spending::halted() const { return state() == State::kHalted ? reason() : std::nullopt; }

void Spending::set(State state, std::optional<Error> reason) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
    reason_ = reason;
  }
  options_.watch(state == State::kHalted);
}

// --- rounds

void Spending::tick(std::chrono::sys_seconds now) {
  {
    const std::lock_guard lock(advancing_);
    if (is_due(now)) note(advance(now), now);
  }
  if (const Status pruned = books_.ledger.prune(now); !pruned)
    complain_("expired reservations could not be settled", pruned.error());
  if (const Status pruned = books_.proofs.prune(now); !pruned)
    complain_("expired proofs could not be forgotten", pruned.error());
}

bool Spending::is_due(std::chrono::sys_seconds now) const {
  if (is_sealed_) return false;
  switch (state()) {
    case State::kHalted:
    case State::kUnset:
      return false;
    case State::kWaiting:
      return true;
    case State::kOpen:
      break;
  }
  if (!options_.with_counter || !has_changed() || !checkpoint_at_) return false;
  // Also when the clock was set back since.
  return now >= *checkpoint_at_ + options_.interval || now < *checkpoint_at_;
}

bool Spending::has_changed() const { return has_spent_ || books_.log.counts().size != log_size_; }

void Spending::seal(std::chrono::sys_seconds now) {
  const std::lock_guard lock(advancing_);
  if (!options_.with_counter || state() != State::kOpen) return;
  const Status sealed = advance(now);
  is_sealed_ = true;
  set(State::kWaiting, kEnding);
  if (!sealed) complain_("the store could not be sealed at the end", sealed.error());
}

// --- the counter

hsm::Deadline Spending::deadline() const { return std::chrono::steady_clock::now() + options_.patience; }

// Success when the store is found to be the newest, and can tell itself from every copy made before.
Status Spending::advance(std::chrono::sys_seconds now) {
  if (is_restored()) return kRestored;
  if (!options_.with_counter) return {};
  if (options_.counter == nullptr) return kNoCounter;
  const auto value = options_.counter->read(deadline());
  if (!value && value.error().code != ErrorCode::kNotFound) return value.error();
  CHANCERY_ASSIGN(const std::optional<Checkpoint> last, books_.checkpoints.last());
  if (!last && (!value || is_vouched_for_)) return begin(now);
  if (!last) return kOlderCopy;
  if (!value) return kCounterGone;
  if (*value != last->value && *value != last->intended) return kOlderCopy;
  CHANCERY_TRY(require_seal(*value, now));
  if (*value != last->value) CHANCERY_TRY(books_.checkpoints.keep({*value}));
  return advance_from(*value, now);
}

// Whose first answers are lost, it begins again. Killed before it is signed, it needs the operator's word.
Status Spending::begin(std::chrono::sys_seconds now) {
  if (log_ != nullptr && !is_vouched_for_) {
    // A log that says a value had a counter.
    CHANCERY_ASSIGN(const std::optional<std::uint64_t> sealed, log_->sealed(now, deadline()));
    if (sealed) return kCounterGone;
  }
  is_vouched_for_ = true;
  CHANCERY_ASSIGN(const std::uint64_t first, options_.counter->create(deadline()));
  CHANCERY_TRY(say({first}, first, now));
  return sign(now);
}

Status Spending::require_seal(std::uint64_t value, std::chrono::sys_seconds now) {
  if (log_ == nullptr || is_vouched_for_) return {};
  CHANCERY_ASSIGN(const std::optional<std::uint64_t> sealed, log_->sealed(now, deadline()));
  if (!sealed) return kUnvouched;
  // The latter was signed, and then the daemon was killed.
  if (value != *sealed && value + 1 != *sealed) return kOlderCopy;
  is_vouched_for_ = true;
  return {};
}

Status Spending::advance_from(std::uint64_t value, std::chrono::sys_seconds now) {
  has_spent_ = false;  // what is spent meanwhile may be in a copy already
  // What was said, and could not be signed or done, is not said again.
  if (said_ != value + 1) CHANCERY_TRY(say({value, value + 1}, value + 1, now));
  return go_on_to(value + 1, now);
}

// Once that is signed.
Status Spending::go_on_to(std::uint64_t value, std::chrono::sys_seconds now) {
  CHANCERY_TRY(sign(now));
  CHANCERY_ASSIGN(const std::uint64_t reached, options_.counter->advance(deadline()));
  return reached == value ? books_.checkpoints.keep({reached}) : Status{kOlderCopy};
}

// That the counter has this value, or will in a moment.
Status Spending::say(const Checkpoint& checkpoint, std::uint64_t value, std::chrono::sys_seconds now) {
  store::AuditEntry entry = audit_entry("counter.advance", now, value_facts(options_.backend, value));
  entry.refs.emplace_back(kCounterRef);
  expect(value);
  CHANCERY_ASSIGN(const std::uint64_t sequence, books_.checkpoints.record(checkpoint, entry));
  said_ = value;
  log_size_ = sequence;  // its own entry does not make it due again
  return {};
}

void Spending::expect(std::uint64_t value) {
  if (log_ != nullptr) log_->expect(value);
}

Status Spending::sign(std::chrono::sys_seconds now) {
  return log_ == nullptr ? Status{} : log_->seal(now, deadline());
}

void Spending::note(const Status& advanced, std::chrono::sys_seconds now) {
  if (advanced) {
    checkpoint_at_ = now;
    complained_.reset();
    return set(State::kOpen, std::nullopt);
  }
  const Error& error = advanced.error();
  if (error.what == kNoCounter.what) return set(State::kUnset, error);
  if (error.code == ErrorCode::kSpendingHalted) return halt(error, now);
  has_spent_ = true;  // the checkpoint is still due
  if (!complained_ || complained_->code != error.code) complain_(kNotChecked, error);
  complained_ = error;
  // A device that is away for a moment stops nobody; copies are found out later by as much.
  const bool is_overdue = !checkpoint_at_ || now >= *checkpoint_at_ + 2 * options_.interval;
  if (is_overdue) set(State::kWaiting, is_about_device(error) ? kDeviceAway : error);
}

void Spending::halt(const Error& error, std::chrono::sys_seconds now) {
  set(State::kHalted, error);
  complain_("nothing is spent or issued until the operator decides; the audit log may be an older copy too",
            error);
  const auto recorded = books_.audit.append_audit(
      audit_entry("budget.halt", now, {.details = json::Node::object({{"reason", error.what}})}));
  if (!recorded) complain_("the halt could not be recorded", recorded.error());
}

// What the counter says now, or would have said in a moment, is not to be missed by accepting first.
Status Spending::look_again(std::chrono::sys_seconds now, std::optional<FormerTokens> tokens) {
  if (options_.with_counter && options_.counter == nullptr) return kNoCounter;
  if (state() != State::kHalted && !is_sealed_) note(advance(now), now);
  return halted() && !tokens ? Status{kTokensUnsaid} : Status{};
}

Status Spending::may_accept(const CallContext& context, std::optional<FormerTokens> tokens) {
  const std::lock_guard lock(advancing_);
  CHANCERY_TRY(look_again(context.now, tokens));
  if (!options_.with_counter) return {};
  const auto value = options_.counter->read(deadline());
  return value || value.error().code == ErrorCode::kNotFound ? Status{} : Status{value.error()};
}

Status Spending::accept(const CallContext& context, std::optional<FormerTokens> tokens) {
  const std::lock_guard lock(advancing_);
  CHANCERY_TRY(look_again(context.now, tokens));
  const bool is_older = halted().has_value();
  store::CheckpointBook::Decision decision{.ends_tokens = tokens == FormerTokens::kEnd};
  AuditFacts facts;
  if (options_.with_counter) {
    CHANCERY_ASSIGN(decision.checkpoint, acceptable());
    facts = value_facts(options_.backend, value_behind(*decision.checkpoint));
  }
  if (is_older) CHANCERY_TRY(rename_log(context));
  facts.details.set("state", spending_state_name(state()));
  if (tokens) facts.details.set("tokens", decision.ends_tokens ? "end" : "keep");
  store::AuditEntry entry = audit_entry("budget.accept", context, std::move(facts));
  if (decision.checkpoint) {
    entry.refs.emplace_back(kCounterRef);
    expect(value_behind(*decision.checkpoint));
  }
  CHANCERY_TRY(books_.checkpoints.accept(decision, entry));
  if (is_restored()) CHANCERY_TRY(options_.restored->remove());
  checkpoint_at_ = context.now;
  is_vouched_for_ = true;
  set(State::kOpen, std::nullopt);
  if (decision.checkpoint) leave_behind(*decision.checkpoint, context.now);
  return {};
}

// To where the counter goes with what is accepted, so that what was the newest store is one no longer.
Result<Checkpoint> Spending::acceptable() {
  const auto value = options_.counter->read(deadline());
  if (value) return Checkpoint{*value, *value + 1};
  if (value.error().code != ErrorCode::kNotFound) return value.error();
  CHANCERY_ASSIGN(const std::uint64_t first, options_.counter->create(deadline()));
  return Checkpoint{first};
}

// What fails here is done by the next round; killed before it is signed, the daemon asks for the operator once more.
void Spending::leave_behind(const Checkpoint& accepted, std::chrono::sys_seconds now) {
  said_ = value_behind(accepted);
  const Status done = accepted.intended ? go_on_to(*accepted.intended, now) : sign(now);
  if (done) return;
  has_spent_ = true;
  complain_("what was accepted could not be signed, or the counter not be advanced: it is tried again",
            done.error());
}

// What the log was continued with elsewhere under its name is lost here, and no key may sign two continuations. A daemon
// that is killed before it has accepted renames it once more.
Status Spending::rename_log(const CallContext& context) {
  CHANCERY_ASSIGN(const std::string former, books_.log.known_origin());
  const auto older = halted();
  AuditFacts facts;
  if (!former.empty()) facts.details.set("former", former);
  facts.details.set("size", books_.log.counts().size);
  facts.details.set("reason", older ? older->what : "");
  return books_.log.rename(audit_entry("log.rename", context, std::move(facts)));
}

}  // namespace chancery::service
