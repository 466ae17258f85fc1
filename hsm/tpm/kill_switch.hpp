#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hsm/kill_switch.hpp"
#include "hsm/tpm/device.hpp"
#include "hsm/tpm/nv_index.hpp"

namespace chancery::hsm {

struct KillSwitchOptions {
  PublicKey operator_key;  ///< P-256; whose signature unfreezes
  unsigned banks = 1;      ///< NV indexes of 64 slots each, 1 to 15
};

/// The banks of a TPM's kill switch, and what a key's policy says of them. Pure, and shared with the device thread.
struct SwitchBanks {
  PublicKey operator_key;
  attest::BankPolicy policy;
  TPM2B_PUBLIC operator_area;
  std::vector<NvPlace> places;

  /// \return kInvalidKey; kInvalidArgument for no or too many banks, or when two of them would be one
  [[nodiscard]] static Result<std::shared_ptr<const SwitchBanks>> of(const KillSwitchOptions& options,
                                                                     const SecretBytes& master);

  [[nodiscard]] std::uint16_t last_slot() const noexcept {
    return static_cast<std::uint16_t>(places.size() * attest::kSlotsOfBank - 1);
  }
  /// What a key of this slot wants clear: the bit of all in the first bank, and its own.
  [[nodiscard]] std::vector<attest::SlotCheck> checks(std::uint16_t slot) const;
};

/// A kill switch of NV indexes (attest/evidence/kill_switch.hpp).
class TpmKillSwitch final : public KillSwitch {
 public:
  /// How a key is made: the backend's own way.
  using Creation = std::function<Result<StoredKey>(const KeyBinding& binding, Slot slot, Deadline deadline)>;

  /// \param device  outlives the switch
  TpmKillSwitch(TpmDevice& device, std::shared_ptr<const SwitchBanks> banks, Creation create)
      : device_(device), banks_(std::move(banks)), create_(std::move(create)) {}

  [[nodiscard]] const PublicKey& operator_key() const noexcept override { return banks_->operator_key; }
  [[nodiscard]] Slot last_slot() const noexcept override { return banks_->last_slot(); }
  Result<SwitchState> state(Deadline deadline) override;
  Status freeze(Slot slot, Deadline deadline) override;
  Result<attest::BankSetting> ask(std::size_t bank, std::uint64_t frozen, Deadline deadline) override;
  Status set(const attest::BankSetting& setting, const Signature& signature, Deadline deadline) override;
  Result<StoredKey> create(const KeyBinding& binding, Slot slot, Deadline deadline) override;
  [[nodiscard]] std::optional<Slot> slot_of(const StoredKey& key) const override;

 private:
  struct Question;
  using Asked = std::shared_ptr<Question>;

  TpmDevice& device_;
  const std::shared_ptr<const SwitchBanks> banks_;
  const Creation create_;
  std::mutex mutex_;  // held while something is asked or set, so that one question is open
  Asked asked_;
};

}  // namespace chancery::hsm
