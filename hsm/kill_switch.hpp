#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <chancery/result.hpp>

#include "attest/evidence/kill_switch.hpp"
#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// What is frozen, as the device says. A bank that is not armed has never been written, or was removed: it freezes whatever
/// belongs to it, and no slot of it can be given out.
struct SwitchState {
  struct Bank {
    std::uint32_t index = 0;
    bool is_armed = false;
    std::uint64_t frozen = 0;  ///< bits of slots; 0 unless it is armed
  };
  std::vector<Bank> banks;

  [[nodiscard]] bool is_armed(std::uint16_t slot) const noexcept {
    const std::size_t bank = slot / attest::kSlotsOfBank;
    return bank < banks.size() && banks[bank].is_armed;
  }
  [[nodiscard]] bool is_frozen(std::uint16_t slot) const noexcept {
    return is_armed(slot) && (banks[slot / attest::kSlotsOfBank].frozen & attest::bit_of_slot(slot)) != 0;
  }
};

/// Freezes keys inside of a device, whatever the daemon thinks of it: a frozen key signs nothing until the operator's key
/// has signed that it may. Slot 0 is for all keys at once; every other is for the keys of one agent. Thread-safe;
/// every call ends by its deadline, with KeyBackend's common errors.
///
/// Holds against a daemon that is taken over after the freeze: it can freeze more, and remove the switch, which freezes for good;
/// it cannot unfreeze. Does not hold against a device whose whole state is set back, as a simulator's files can be.
class KillSwitch {
 public:
  using Slot = std::uint16_t;
  static constexpr Slot kAll = 0;

  virtual ~KillSwitch() = default;

  /// Whose signature unfreezes.
  [[nodiscard]] virtual const PublicKey& operator_key() const noexcept = 0;

  /// The highest slot that there is, armed or not.
  [[nodiscard]] virtual Slot last_slot() const noexcept = 0;

  [[nodiscard]] virtual Result<SwitchState> state(Deadline deadline) = 0;

  /// One write, after which no key of the slot signs. Freezing what is frozen succeeds.
  /// \return kConflict where the slot's bank is not armed, kInvalidArgument for no slot
  virtual Status freeze(Slot slot, Deadline deadline) = 0;

  /// Begins a bank's first write, or its next: what is to stay frozen is written in place of what is. Nothing changes yet. Whatever
  /// was asked before and not answered is void.
  /// \param frozen  bits of the bank's slots
  /// \return what the operator's key is to sign (attest::setting_message)
  virtual Result<attest::BankSetting> ask(std::size_t bank, std::uint64_t frozen, Deadline deadline) = 0;

  /// Has the setting written that was asked for last, which needs the operator's signature over it. A wrong signature
  /// changes nothing, and uses up what was asked.
  /// \return kForbidden for a wrong signature; kConflict when another setting was asked for since, the device was
  ///         restarted, something was frozen since, or ten minutes have passed: ask again
  virtual Status set(const attest::BankSetting& setting, const Signature& signature, Deadline deadline) = 0;

  /// Makes a key (P-256) that signs only while neither kAll nor `slot` is frozen. With kAll as the slot, while that is not.
  /// The backend signs with it and destroys it as any other; of a frozen one sign() says kForbidden.
  /// \return kConflict where the bank of either is not armed, as such a key would never sign
  virtual Result<StoredKey> create(const KeyBinding& binding, Slot slot, Deadline deadline) = 0;

  /// The slot of a key that create() made; nothing for one that does not carry the switch.
  [[nodiscard]] virtual std::optional<Slot> slot_of(const StoredKey& key) const = 0;
};

}  // namespace chancery::hsm
