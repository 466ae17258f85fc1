#pragma once

#include <memory>
#include <string>

#include "sdk/cli/device_key.hpp"
#include "sdk/cli/failure.hpp"
#include "sdk/cli/output.hpp"

namespace chancery::cli {

/// A private key of this user's, with the file that leads to it: a PEM with the key itself, or JSON with what it takes
/// to use the key in its device. Copies share the key.
class KeptKey {
 public:
  /// Makes a key where `place` says, ES256; nothing is written yet.
  [[nodiscard]] static Checked<KeptKey> make(const KeyPlace& place);
  /// Reads a key file of either form, or a pipe that one comes through; a device is asked for the first signature.
  /// \return kFileUnreadable, kFilePermissions (others than its owner may read it), kInvalidKey, kMalformed
  [[nodiscard]] static Checked<KeptKey> load(const std::string& file);

  /// Writes the file, for its owner alone. \return kConflict when there is one, kFileUnwritable
  [[nodiscard]] Checked<void> save(const std::string& file);

  /// What was to be done with a key that was made failed: it is removed from its device too, unless a file leads to it
  /// already. What cannot be removed is told.
  void give_up(Output& output) const;

  [[nodiscard]] const HolderKey& holder() const noexcept { return holder_; }
  [[nodiscard]] KeyPlace place() const { return device_ ? device_->place : KeyPlace{}; }
  [[nodiscard]] std::string thumbprint() const { return holder_.public_key().thumbprint().text(); }

  /// Says in plain words where the key is and what that means.
  void tell_custody(Output& output) const;

 private:
  explicit KeptKey(HolderKey holder) : holder_(std::move(holder)) {}
  [[nodiscard]] static Checked<KeptKey> in_device(DeviceKey key, const std::string& subject);

  HolderKey holder_;
  std::shared_ptr<const DeviceKey> device_{};  // none: the key is in memory, and its file has it
  bool is_only_here_ = false;                  // in a device, where no file leads to it
  bool is_emulated_ = false;                   // known of new keys alone
};

/// Where the key is that a file leads to, without asking a device; no pipe.
[[nodiscard]] Checked<KeyPlace> place_of_key(const std::string& file);

}  // namespace chancery::cli
