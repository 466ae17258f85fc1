#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/api_freeze.hpp>
#include <chancery/result.hpp>

#include "daemon/service/backend_set.hpp"
#include "daemon/store/freeze_book.hpp"
#include "hsm/kill_switch.hpp"

namespace chancery::service {

/// Who is frozen, by the book and by the kill switches of devices. The book is asked before an agent's key is used, whatever
/// device has it; what has a kill switch refuses by itself. Thread-safe.
class FreezeDesk {
 public:
  /// \param book,backends  outlive it
  FreezeDesk(store::FreezeBook& book, const Backends& backends) : book_(book), backends_(backends) {}

  /// Reads the book, before any key is used.
  [[nodiscard]] Status open();

  /// Whether an agent is frozen, or all are. Asked for each decision: waits for nobody.
  [[nodiscard]] bool is_anything_frozen() const noexcept { return is_frozen_; }
  /// The agent's own freeze, or that of all. \param agent_id  empty: of all alone
  [[nodiscard]] std::optional<store::Freeze> freeze_of(std::string_view agent_id) const;
  /// kForbidden for who is frozen.
  [[nodiscard]] Status require_free(std::string_view agent_id) const;
  /// Ids of the agents that are frozen by themselves.
  [[nodiscard]] std::vector<std::string> frozen_agents() const;

  /// Records a freeze; from the return on no key that it is about is used. Then the devices are told, as far as they answer.
  /// \return whether each of them was
  [[nodiscard]] Result<bool> freeze(const store::Freeze& freeze, const store::AuditEntry& audit,
                                    hsm::Deadline deadline);

  /// Called with each setting that a device has written, whatever becomes of the next ones. Its error ends what goes on.
  using Written = std::function<Status(const api::SwitchSetting& setting)>;
  /// How a freeze ends.
  struct Lift {
    std::string agent_id;                      ///< empty: that of all
    std::vector<api::SignedSetting> settings;  ///< what devices are to write first
    store::AuditEntry audit;                   ///< of the end
    Written written;
  };
  /// Has devices write what the operator has signed, and records the end of the freeze when none of them freezes any more.
  /// Where one freezes that was not signed for, those that were freeze again meanwhile, and all are asked for together.
  /// \return what is still to be signed, and the end is not recorded; empty: it has ended. As arm(); kConflict also when it was
  ///         not frozen, or was frozen again since it was asked what is to be signed
  [[nodiscard]] Result<std::vector<api::SwitchSetting>> lift(const Lift& lift, hsm::Deadline deadline);

  /// Whether a backend has a kill switch.
  [[nodiscard]] bool has_switches() const { return !switches().empty(); }
  /// What devices hold, as far as they answer.
  struct Held {
    std::vector<api::SwitchBank> banks;
    bool is_armed = false;  ///< there is one, each device answers, and each bank of each is armed
  };
  [[nodiscard]] Held look(hsm::Deadline deadline) const;
  /// Has devices write what the operator has signed. kForbidden, kConflict, kBackendUnknown, kInvalidArgument (a backend without
  /// a kill switch).
  [[nodiscard]] Status arm(const std::vector<api::SignedSetting>& settings, const Written& written,
                           hsm::Deadline deadline);
  /// Begins to arm the next bank of each kill switch that is not armed, with all frozen there that the book says.
  [[nodiscard]] Result<std::vector<api::SwitchSetting>> ask_to_arm(hsm::Deadline deadline);

  /// Makes a key of an agent's: one that hangs on the kill switch where there is one that is armed. Of an agent that is frozen by
  /// itself the device freezes it before it is made.
  [[nodiscard]] Result<hsm::StoredKey> make_key(hsm::KeyBackend& backend, const hsm::KeyBinding& binding,
                                                Algorithm algorithm, std::chrono::sys_seconds now,
                                                hsm::Deadline deadline);
  /// The slot on which a key hangs; none where its device has no kill switch, or the key was made without.
  [[nodiscard]] std::optional<std::uint16_t> hangs_on(const store::Key& key) const;
  /// Whether a key's device refuses by itself when its owner is frozen, or only when all are.
  [[nodiscard]] bool is_switched(const store::Key& key) const;
  /// The keys by which agents can sign, those that serve until their overlap ends too, by whether their device refuses by itself when all are frozen.
  struct KeyCounts {
    std::uint64_t switched = 0;
    std::uint64_t others = 0;
    [[nodiscard]] bool are_all_switched() const noexcept { return switched > 0 && others == 0; }
  };
  /// Goes through all of these keys, and asks no device: some microseconds for each.
  [[nodiscard]] Result<KeyCounts> count_keys() const;
  /// Keys by which agents can sign and that hang on no kill switch, counted anew when that is five minutes ago. To watch.
  [[nodiscard]] Result<std::uint64_t> unswitched_keys(std::chrono::sys_seconds now) const;
  /// What is known of a kill switch without asking it.
  struct LastSeen {
    std::string backend;
    std::optional<bool>
        is_armed;            ///< each of its banks, when it answered last; empty: it has not since the start
    bool is_untold = false;  ///< something is frozen, and when it was to be told last it was not
  };
  [[nodiscard]] std::vector<LastSeen> last_seen() const;
  /// Backends that make keys which hang on their kill switch. Those whose device does not answer are left out.
  [[nodiscard]] std::set<std::string, std::less<>> armed_backends(hsm::Deadline deadline) const;
  /// Whether a key hangs on no kill switch, and the one that follows it would.
  [[nodiscard]] bool could_be_switched(const store::Key& key,
                                       const std::set<std::string, std::less<>>& armed) const;

  /// Whether something may be left to do in devices: armed or started since the last time that this was asked.
  [[nodiscard]] bool take_news() noexcept { return has_news_.exchange(false); }
  void note_news() noexcept { has_news_ = true; }
  /// Whether a device was away when it was to be told of a freeze since the last time that this was asked.
  [[nodiscard]] bool take_owed() noexcept { return is_owed_.exchange(false); }
  /// Tells devices what they were not told: of a freeze while they were away, or of one before they were armed anew.
  [[nodiscard]] Status tell_devices(hsm::Deadline deadline);

 private:
  /// A backend's kill switch.
  struct Switch {
    std::string backend;
    hsm::KillSwitch* device;
  };

  [[nodiscard]] std::vector<Switch> switches() const;
  [[nodiscard]] hsm::KillSwitch* switch_of(std::string_view backend) const;
  [[nodiscard]] bool hangs_on_a_switch(std::string_view backend, const hsm::StoredKey& key) const;
  /// 0: none.
  [[nodiscard]] std::uint16_t slot_of(std::string_view agent_id) const;
  /// What the book says of a bank.
  [[nodiscard]] std::uint64_t frozen_in_bank(std::size_t bank) const;
  /// Asks the device, and remembers what last_seen() says of it.
  [[nodiscard]] Result<hsm::SwitchState> state_of(const Switch& one, hsm::Deadline deadline) const;
  [[nodiscard]] Status tell(const Switch& one, hsm::Deadline deadline);
  [[nodiscard]] Status tell_each(hsm::Deadline deadline);
  [[nodiscard]] Status carry_out(const std::vector<api::SignedSetting>& settings, const Written& written,
                                 hsm::Deadline deadline);
  /// kConflict for a setting that was not asked for to end this very freeze.
  [[nodiscard]] Status require_asked(const Lift& lift) const;
  [[nodiscard]] Status freeze_slot_of_frozen(hsm::KillSwitch& device, std::string_view agent_id,
                                             std::uint16_t slot, hsm::Deadline deadline);
  void count(store::AgentKey key, KeyCounts& counts) const;
  [[nodiscard]] Result<std::vector<api::SwitchSetting>> ask_to_unfreeze(std::string_view agent_id,
                                                                        hsm::Deadline deadline);
  /// How often it was frozen since the start.
  [[nodiscard]] std::uint64_t freezes_of(std::string_view agent_id) const;

  store::FreezeBook& book_;
  const Backends& backends_;
  std::atomic<bool> has_news_ = true;
  std::atomic<bool> is_owed_ = false;
  std::atomic<bool> is_frozen_ = false;  // whether `frozen_` has anything; changed with it, under mutex_
  /// What was asked of the operator to end a freeze.
  struct Question {
    Bytes nonce;
    std::string agent_id;
    std::uint64_t freezes = 0;  ///< how often the agent had been frozen by then
  };

  std::mutex devices_mutex_;  // held while devices are changed: what one clears no other sets meanwhile
  std::map<std::string, Question, std::less<>> asked_;  // by backend; under devices_mutex_
  std::mutex book_mutex_;  // held from a change of the book until it is known below
  /// A count of keys, and when it was made.
  struct KeyCount {
    std::chrono::sys_seconds at;
    std::uint64_t unswitched = 0;
  };
  mutable std::mutex counting_mutex_;                       // held while keys are counted to be watched
  mutable std::optional<KeyCount> last_count_;              // under counting_mutex_
  mutable std::mutex mutex_;                                // of what follows
  mutable std::map<std::string, bool, std::less<>> armed_;  // by backend, as it said last
  std::set<std::string, std::less<>> untold_;               // backends
  std::map<std::string, std::uint64_t, std::less<>> freezes_;
  std::map<std::string, store::Freeze, std::less<>> frozen_;
  std::map<std::string, std::uint16_t, std::less<>> slots_;
};

}  // namespace chancery::service
