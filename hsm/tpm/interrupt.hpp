#pragma once

#include <chrono>

namespace chancery::hsm {

/// Ends the waits of the device thread: those on the TPM, and those between two attempts. raise() may be
/// called from any thread; the rest is the device thread's.
class Interrupt {
 public:
  Interrupt() noexcept;
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// For good: there is no way back.
  void raise() const noexcept;
  [[nodiscard]] bool raised() const noexcept;
  /// Returns early when raised.
  void sleep_for(std::chrono::milliseconds time) const noexcept;

  /// Readable once raised, for poll().
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace chancery::hsm
