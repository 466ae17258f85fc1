#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <tss2/tss2_esys.h>

namespace chancery::hsm {

/// What ESYS allocates for its callers.
struct EsysDeleter {
  void operator()(void* memory) const noexcept { Esys_Free(memory); }
};
template <typename T>
using EsysOwned = std::unique_ptr<T, EsysDeleter>;

struct EsysContextDeleter {
  void operator()(ESYS_CONTEXT* context) const noexcept { Esys_Finalize(&context); }
};
using EsysContext = std::unique_ptr<ESYS_CONTEXT, EsysContextDeleter>;

/// What we hold in the TPM, and of it in memory, at the moment. Written by the device thread, read by any.
struct LiveCounts {
  std::atomic<std::uint64_t> objects = 0;
  std::atomic<std::uint64_t> sessions = 0;
  std::atomic<std::uint64_t> cached_keys = 0;
};

/// Owns one object or session in the TPM's transient memory and flushes it. A TPM holds about three of each,
/// so one leak stops the service. Borrows `esys` and `count`, which must outlive it; the device thread's
/// alone. Behind a lost connection the flush fails at once, and the TPM's side ends with the connection or in
/// the next one's first steps.
class TransientHandle {
 public:
  TransientHandle() = default;
  /// \param count  of the live handles of this kind
  TransientHandle(ESYS_CONTEXT& esys, ESYS_TR handle, std::atomic<std::uint64_t>& count) noexcept
      : esys_(&esys), handle_(handle), count_(&count) {
    ++*count_;
  }
  ~TransientHandle() { flush(); }
  TransientHandle(TransientHandle&& other) noexcept
      : esys_(other.esys_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)), count_(other.count_) {}
  TransientHandle& operator=(TransientHandle&& other) noexcept {
    if (this != &other) {
      flush();
      esys_ = other.esys_;
      handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
      count_ = other.count_;
    }
    return *this;
  }

  [[nodiscard]] ESYS_TR get() const noexcept { return handle_; }
  [[nodiscard]] bool live() const noexcept { return handle_ != ESYS_TR_NONE; }

  void flush() noexcept {
    if (!live()) return;
    Esys_FlushContext(esys_, std::exchange(handle_, ESYS_TR_NONE));
    --*count_;
  }

 private:
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR handle_ = ESYS_TR_NONE;
  std::atomic<std::uint64_t>* count_ = nullptr;
};

}  // namespace chancery::hsm
