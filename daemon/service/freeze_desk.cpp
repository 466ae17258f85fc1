#include "daemon/service/freeze_desk.hpp"

#include <algorithm>
#include <utility>

namespace chancery::service {
namespace {

using attest::bit_of_slot;
using attest::kSlotsOfBank;
using hsm::KillSwitch;

constexpr Error kAgentFrozen{ErrorCode::kForbidden,
                             "the agent is frozen: `chancery agent unfreeze` lets its keys sign again"};
constexpr Error kFrozenAgain{ErrorCode::kConflict,
                             "it was frozen again meanwhile: look why, and unfreeze it then"};
constexpr Error kAskAgain{
    ErrorCode::kConflict,
    "this is not what was asked for last to end this freeze, or it was frozen again since: ask again"};
constexpr Error kAllFrozen{ErrorCode::kForbidden,
                           "all agents are frozen: `chancery freeze lift` lets their keys sign again"};

api::SwitchSetting setting_of(const std::string& backend, attest::BankSetting setting) {
  return {backend, setting.index, setting.frozen, std::move(setting.nonce)};
}

/// Slots that nobody is given: such as a device has frozen, whose owner could not sign, and the first of each bank. Whoever signs
/// for the operator has the daemon's word alone for which bank is the first: so this bit never is one agent's.
std::set<std::uint16_t> unfit_slots(const hsm::SwitchState& state) {
  std::set<std::uint16_t> out;
  const std::size_t slots = state.banks.size() * kSlotsOfBank;
  for (std::size_t i = 1; i < slots; ++i) {
    const auto slot = static_cast<std::uint16_t>(i);
    if (slot % kSlotsOfBank == 0 || state.is_frozen(slot)) out.insert(slot);
  }
  return out;
}

/// Has devices told again what the book says, unless what they were told ends as it was meant to: else one is left that freezes no more.
class Unfinished {
 public:
  Unfinished(FreezeDesk& desk, bool are_told) : desk_(are_told ? &desk : nullptr) {}
  ~Unfinished() {
    if (desk_ != nullptr) desk_->note_news();
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void finish() noexcept { desk_ = nullptr; }

 private:
  FreezeDesk* desk_;
};

/// The highest slot that no bank before it, nor its own, keeps from being given out.
std::uint16_t last_armed(const hsm::SwitchState& state) {
  std::size_t banks = 0;
  while (banks < state.banks.size() && state.banks[banks].is_armed) ++banks;
  return banks == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(banks * kSlotsOfBank - 1);
}

}  // namespace

Status FreezeDesk::open() {
  CHANCERY_ASSIGN(const std::vector<store::Freeze> frozen, book_.frozen());
  CHANCERY_ASSIGN(const std::vector<store::FreezeSlot> slots, book_.slots());
  const std::lock_guard lock(mutex_);
  frozen_.clear();
  slots_.clear();
  for (const store::Freeze& freeze : frozen) frozen_.emplace(freeze.agent_id, freeze);
  is_frozen_ = !frozen_.empty();
  for (const store::FreezeSlot& slot : slots) slots_.emplace(slot.agent_id, slot.slot);
  return {};
}

// --- who is frozen

std::optional<store::Freeze> FreezeDesk::freeze_of(std::string_view agent_id) const {
  const std::lock_guard lock(mutex_);
  for (const std::string_view id : {agent_id, std::string_view()}) {
    if (const auto found = frozen_.find(id); found != frozen_.end()) return found->second;
  }
  return std::nullopt;
}

Status FreezeDesk::require_free(std::string_view agent_id) const {
  const auto freeze = freeze_of(agent_id);
  if (!freeze) return {};
  return freeze->agent_id.empty() ? kAllFrozen : kAgentFrozen;
}

std::vector<std::string> FreezeDesk::frozen_agents() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [id, freeze] : frozen_) {
    if (!id.empty()) out.push_back(id);
  }
  return out;
}

// What the book has counts at once, also where a device does not answer: that it is told later is the lesser evil.
Result<bool> FreezeDesk::freeze(const store::Freeze& freeze, const store::AuditEntry& audit,
                                hsm::Deadline deadline) {
  {
    const std::lock_guard recording(book_mutex_);
    CHANCERY_TRY(book_.freeze(freeze, audit));
    const std::lock_guard lock(mutex_);
    frozen_.emplace(freeze.agent_id, freeze);
    is_frozen_ = true;
    ++freezes_[freeze.agent_id];
  }
  const bool are_told = tell_devices(deadline).has_value();
  if (!are_told) {
    is_owed_ = true;
    note_news();
  }
  return are_told;
}

// Whoever freezes while this goes on comes after it: it ends nothing then, and the device is told of it again.
Result<std::vector<api::SwitchSetting>> FreezeDesk::lift(const Lift& lift, hsm::Deadline deadline) {
  const std::lock_guard changing(devices_mutex_);
  CHANCERY_TRY(require_asked(lift));
  const std::uint64_t freezes = freezes_of(lift.agent_id);
  Unfinished unfinished(*this, !lift.settings.empty());
  CHANCERY_TRY(carry_out(lift.settings, lift.written, deadline));
  CHANCERY_ASSIGN(std::vector<api::SwitchSetting> to_sign, ask_to_unfreeze(lift.agent_id, deadline));
  if (!to_sign.empty()) {
    if (lift.settings.empty()) return to_sign;
    // Whoever is asked may go no further: what was just unfrozen is frozen until all of it is signed for together.
    static_cast<void>(tell_each(deadline));
    return ask_to_unfreeze(lift.agent_id, deadline);
  }
  const std::lock_guard recording(book_mutex_);
  if (freezes_of(lift.agent_id) != freezes) return kFrozenAgain;
  CHANCERY_TRY(book_.unfreeze(lift.agent_id, lift.audit));
  unfinished.finish();
  const std::lock_guard lock(mutex_);
  frozen_.erase(lift.agent_id);
  is_frozen_ = !frozen_.empty();
  return to_sign;
}

std::uint64_t FreezeDesk::freezes_of(std::string_view agent_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = freezes_.find(agent_id);
  return found == freezes_.end() ? 0 : found->second;
}

// A device takes what it was asked for last unless its bits are others by then. They are the same when somebody freezes again what is
// frozen, and what was to end has a new reason.
Status FreezeDesk::require_asked(const Lift& lift) const {
  for (const api::SignedSetting& each : lift.settings) {
    const auto asked = asked_.find(each.setting.backend);
    if (asked == asked_.end())
      continue;  // no such backend, or the daemon was started again: who carries it out says so
    const Question& question = asked->second;
    if (question.nonce != each.setting.nonce || question.agent_id != lift.agent_id ||
        question.freezes != freezes_of(lift.agent_id))
      return kAskAgain;
  }
  return {};
}

// --- devices

std::vector<FreezeDesk::Switch> FreezeDesk::switches() const {
  std::vector<Switch> out;
  for (const std::string& name : backends_.names()) {
    if (hsm::KillSwitch* const device = switch_of(name)) out.push_back({name, device});
  }
  return out;
}

hsm::KillSwitch* FreezeDesk::switch_of(std::string_view backend) const {
  const auto found = backends_.find(backend);
  return found ? (*found)->kill_switch() : nullptr;
}

std::uint16_t FreezeDesk::slot_of(std::string_view agent_id) const {
  if (agent_id.empty()) return KillSwitch::kAll;
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(agent_id);
  return found == slots_.end() ? std::uint16_t{0} : found->second;
}

std::uint64_t FreezeDesk::frozen_in_bank(std::size_t bank) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bits = 0;
  if (bank == 0 && frozen_.contains(std::string_view())) bits |= bit_of_slot(KillSwitch::kAll);
  for (const auto& [agent, slot] : slots_) {
    if (slot / kSlotsOfBank == bank && frozen_.contains(agent)) bits |= bit_of_slot(slot);
  }
  return bits;
}

Result<hsm::SwitchState> FreezeDesk::state_of(const Switch& one, hsm::Deadline deadline) const {
  CHANCERY_ASSIGN(hsm::SwitchState state, one.device->state(deadline));
  const bool is_armed = std::ranges::all_of(state.banks, &hsm::SwitchState::Bank::is_armed);
  const std::lock_guard lock(mutex_);
  armed_[one.backend] = is_armed;
  return state;
}

std::vector<FreezeDesk::LastSeen> FreezeDesk::last_seen() const {
  std::vector<LastSeen> out;
  for (const Switch& one : switches()) {
    LastSeen& seen = out.emplace_back(LastSeen{one.backend, std::nullopt, false});
    const std::lock_guard lock(mutex_);
    if (const auto found = armed_.find(one.backend); found != armed_.end()) seen.is_armed = found->second;
    seen.is_untold = untold_.contains(one.backend);
  }
  return out;
}

FreezeDesk::Held FreezeDesk::look(hsm::Deadline deadline) const {
  const std::vector<Switch> all = switches();
  Held out{{}, !all.empty()};
  for (const Switch& one : all) {
    const auto state = state_of(one, deadline);
    if (!state) {
      out.is_armed = false;
      continue;
    }
    std::uint32_t number = 0;
    for (const hsm::SwitchState::Bank& bank : state->banks) {
      out.banks.push_back({one.backend, number++, bank.index, bank.is_armed, bank.frozen});
      out.is_armed = out.is_armed && bank.is_armed;
    }
  }
  return out;
}

Status FreezeDesk::tell(const Switch& one, hsm::Deadline deadline) {
  CHANCERY_ASSIGN(const hsm::SwitchState state, state_of(one, deadline));
  for (std::size_t bank = 0; bank < state.banks.size(); ++bank) {
    if (!state.banks[bank].is_armed) continue;  // it freezes as it is
    const std::uint64_t missing = frozen_in_bank(bank) & ~state.banks[bank].frozen;
    for (std::size_t i = 0; i < kSlotsOfBank; ++i) {
      const auto slot = static_cast<std::uint16_t>(bank * kSlotsOfBank + i);
      if ((missing & bit_of_slot(slot)) != 0) CHANCERY_TRY(one.device->freeze(slot, deadline));
    }
  }
  return {};
}

Status FreezeDesk::tell_devices(hsm::Deadline deadline) {
  const std::lock_guard changing(devices_mutex_);
  return tell_each(deadline);
}

Status FreezeDesk::tell_each(hsm::Deadline deadline) {
  Status outcome;
  for (const Switch& one : switches()) {
    const Status told = tell(one, deadline);
    if (!told) outcome = told;
    const std::lock_guard lock(mutex_);
    if (told || frozen_.empty())
      untold_.erase(one.backend);
    else
      untold_.insert(one.backend);
  }
  return outcome;
}

Result<std::vector<api::SwitchSetting>> FreezeDesk::ask_to_unfreeze(std::string_view agent_id,
                                                                    hsm::Deadline deadline) {
  std::vector<api::SwitchSetting> out;
  const std::uint16_t slot = slot_of(agent_id);
  if (!agent_id.empty() && slot == KillSwitch::kAll) return out;  // no device knows it by itself
  const std::size_t bank = slot / kSlotsOfBank;
  const std::uint64_t freezes = freezes_of(agent_id);  // before the look at what is frozen
  for (const Switch& one : switches()) {
    CHANCERY_ASSIGN(const hsm::SwitchState state, state_of(one, deadline));
    if (!state.is_frozen(slot)) continue;
    CHANCERY_ASSIGN(attest::BankSetting asked,
                    one.device->ask(bank, state.banks[bank].frozen & ~bit_of_slot(slot), deadline));
    asked_[one.backend] = {asked.nonce, std::string(agent_id), freezes};
    out.push_back(setting_of(one.backend, std::move(asked)));
  }
  return out;
}

Result<std::vector<api::SwitchSetting>> FreezeDesk::ask_to_arm(hsm::Deadline deadline) {
  std::vector<api::SwitchSetting> out;
  for (const Switch& one : switches()) {
    CHANCERY_ASSIGN(const hsm::SwitchState state, state_of(one, deadline));
    const auto next = std::ranges::find(state.banks, false, &hsm::SwitchState::Bank::is_armed);
    if (next == state.banks.end()) continue;
    const auto bank = static_cast<std::size_t>(next - state.banks.begin());
    CHANCERY_ASSIGN(attest::BankSetting asked, one.device->ask(bank, frozen_in_bank(bank), deadline));
    out.push_back(setting_of(one.backend, std::move(asked)));
  }
  return out;
}

Status FreezeDesk::carry_out(const std::vector<api::SignedSetting>& settings, const Written& written,
                             hsm::Deadline deadline) {
  for (const api::SignedSetting& each : settings) {
    CHANCERY_TRY(backends_.find(each.setting.backend));
    hsm::KillSwitch* const device = switch_of(each.setting.backend);
    if (device == nullptr)
      return Error{ErrorCode::kInvalidArgument,
                   "this backend has no kill switch: nothing is signed for it to unfreeze"};
    Signature signature{};
    if (each.signature.size() != signature.size())
      return Error{ErrorCode::kInvalidArgument, "a signature of the operator's has 64 octets"};
    std::ranges::copy(each.signature, signature.begin());
    CHANCERY_TRY(
        device->set({each.setting.index, each.setting.frozen, each.setting.nonce}, signature, deadline));
    CHANCERY_TRY(written(each.setting));
  }
  return {};
}

// Who was frozen while the operator signed is not among what was signed.
Status FreezeDesk::arm(const std::vector<api::SignedSetting>& settings, const Written& written,
                       hsm::Deadline deadline) {
  const std::lock_guard changing(devices_mutex_);
  const Status done = carry_out(settings, written, deadline);
  if (settings.empty()) return done;
  note_news();  // keys can hang on one of them now, and what fails here is done later
  static_cast<void>(tell_each(deadline));
  return done;
}

// --- keys

Result<hsm::StoredKey> FreezeDesk::make_key(hsm::KeyBackend& backend, const hsm::KeyBinding& binding,
                                            Algorithm algorithm, std::chrono::sys_seconds now,
                                            hsm::Deadline deadline) {
  hsm::KillSwitch* const device = backend.kill_switch();
  if (device == nullptr || algorithm != Algorithm::kES256)
    return backend.create(binding, algorithm, deadline);
  CHANCERY_ASSIGN(const hsm::SwitchState state, device->state(deadline));
  if (!state.is_armed(KillSwitch::kAll)) return backend.create(binding, algorithm, deadline);
  CHANCERY_ASSIGN(std::uint16_t slot,
                  book_.take_slot({binding.agent_id, last_armed(state), unfit_slots(state)}, now));
  {
    const std::lock_guard lock(mutex_);
    if (slot != 0) slots_[binding.agent_id] = slot;
  }
  // With another device's fewer banks the agent is frozen there together with all, and by the daemon alone.
  if (!state.is_armed(slot)) slot = KillSwitch::kAll;
  CHANCERY_TRY(freeze_slot_of_frozen(*device, binding.agent_id, slot, deadline));
  return device->create(binding, slot, deadline);
}

// Whoever freezes it after this look finds the slot, which is known by then; whoever unfreezes it comes before or after.
Status FreezeDesk::freeze_slot_of_frozen(hsm::KillSwitch& device, std::string_view agent_id,
                                         std::uint16_t slot, hsm::Deadline deadline) {
  if (slot == KillSwitch::kAll) return {};  // it is not for one agent
  const std::lock_guard changing(devices_mutex_);
  const auto freeze = freeze_of(agent_id);
  if (!freeze || freeze->agent_id != agent_id) return {};
  return device.freeze(slot, deadline);
}

std::optional<std::uint16_t> FreezeDesk::hangs_on(const store::Key& key) const {
  const hsm::KillSwitch* const device = switch_of(key.backend);
  return device == nullptr ? std::nullopt : device->slot_of(key.stored);
}

bool FreezeDesk::is_switched(const store::Key& key) const {
  const auto slot = hangs_on(key);
  return slot && *slot != KillSwitch::kAll && *slot == slot_of(key.owner);
}

bool FreezeDesk::hangs_on_a_switch(std::string_view backend, const hsm::StoredKey& key) const {
  const hsm::KillSwitch* const device = switch_of(backend);
  return device != nullptr && device->slot_of(key).has_value();
}

void FreezeDesk::count(store::AgentKey key, KeyCounts& counts) const {
  hsm::StoredKey stored;
  stored.blob = std::move(key.blob);
  ++(hangs_on_a_switch(key.backend, stored) ? counts.switched : counts.others);
}

// By pages, so that others get the database in between. Those that rotate are looked up after those that are active: one that is
// followed meanwhile is counted twice rather than never.
Result<FreezeDesk::KeyCounts> FreezeDesk::count_keys() const {
  KeyCounts counts;
  const auto count_pages = [&](const auto& page_after) -> Status {
    for (std::int64_t after = 0;;) {
      CHANCERY_ASSIGN(std::vector<store::AgentKey> page, page_after(after));
      const bool is_last = page.size() < store::kMaxPage;
      if (!is_last) after = page.back().place;
      for (store::AgentKey& key : page) count(std::move(key), counts);
      if (is_last) return {};
    }
  };
  CHANCERY_TRY(count_pages([&](std::int64_t after) { return book_.active_keys(after, store::kMaxPage); }));
  // No key of a backend that is not there signs anything.
  for (const std::string& backend : backends_.names()) {
    CHANCERY_TRY(count_pages(
        [&](std::int64_t after) { return book_.rotating_keys(backend, after, store::kMaxPage); }));
  }
  return counts;
}

Result<std::uint64_t> FreezeDesk::unswitched_keys(std::chrono::sys_seconds now) const {
  constexpr std::chrono::minutes kGoodFor{5};
  const std::lock_guard counting(counting_mutex_);
  if (last_count_ && last_count_->at <= now && now < last_count_->at + kGoodFor)
    return last_count_->unswitched;
  CHANCERY_ASSIGN(const KeyCounts counts, count_keys());
  last_count_ = KeyCount{now, counts.others};
  return counts.others;
}

std::set<std::string, std::less<>> FreezeDesk::armed_backends(hsm::Deadline deadline) const {
  std::set<std::string, std::less<>> out;
  for (const Switch& one : switches()) {
    const auto state = state_of(one, deadline);
    if (state && state->is_armed(KillSwitch::kAll)) out.insert(one.backend);
  }
  return out;
}

bool FreezeDesk::could_be_switched(const store::Key& key,
                                   const std::set<std::string, std::less<>>& armed) const {
  return armed.contains(key.backend) && key.stored.public_key.algorithm() == Algorithm::kES256 &&
         !hangs_on_a_switch(key.backend, key.stored);
}

}  // namespace chancery::service
