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

/// What we hold in the TPM of one kind.
struct HeldCount {
  std::atomic<std::uint64_t> held = 0;
  bool flush_failed = false;  ///< the TPM may hold more than that; the device thread's alone
};

/// What we hold in the TPM, and of it in memory, at the moment. Written by the device thread, read by any.
struct LiveCounts {
  HeldCount objects;
  HeldCount sessions;
  std::atomic<std::uint64_t> cached_keys = 0;
};

/// Owns one object or session in the TPM's transient memory and flushes it. A TPM holds about three of each,
/// so one leak stops the service. Borrows `esys` and `count`, which must outlive it; the device thread's
/// alone. A flush that fails is noted in `count`, so that the connection is given up: the TPM's side ends
/// with it or in the next one's first steps.
class TransientHandle {
 public:
  TransientHandle() = default;
  /// \param count  of the live handles of this kind
  TransientHandle(ESYS_CONTEXT& esys, ESYS_TR handle, HeldCount& count) noexcept
      : esys_(&esys), handle_(handle), count_(&count) {
    ++count_->held;
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

  /// It is the TPM's no more, as a session whose context was saved.
  void release() noexcept {
    if (!live()) return;
    handle_ = ESYS_TR_NONE;
    --count_->held;
  }

  void flush() noexcept {
    if (!live()) return;
    const TSS2_RC rc = Esys_FlushContext(esys_, std::exchange(handle_, ESYS_TR_NONE));
    if (rc != TSS2_RC_SUCCESS) count_->flush_failed = true;
    --count_->held;
  }

 private:
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR handle_ = ESYS_TR_NONE;
  HeldCount* count_ = nullptr;
};

}  // namespace chancery::hsm
