#pragma once

#include <tss2/tss2_esys.h>

#include <cstdlib>
#include <memory>
#include <utility>

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

/// Owns one object or session in the TPM's transient memory and flushes it. A TPM holds about three objects, so one
/// leak stops the service. Borrows `esys`, which must outlive it; TpmDevice's thread only.
class TransientHandle {
 public:
  TransientHandle() = default;
  TransientHandle(ESYS_CONTEXT& esys, ESYS_TR handle) noexcept : esys_(&esys), handle_(handle) {}
  ~TransientHandle() { flush(); }
  TransientHandle(TransientHandle&& other) noexcept
      : esys_(other.esys_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}
  TransientHandle& operator=(TransientHandle&& other) noexcept {
    if (this != &other) {
      flush();
      esys_ = other.esys_;
      handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
    }
    return *this;
  }

  [[nodiscard]] ESYS_TR get() const noexcept { return handle_; }
  [[nodiscard]] bool live() const noexcept { return handle_ != ESYS_TR_NONE; }

  /// Ends it in the TPM. Failure is of no use to anybody: the connection is then being rebuilt.
  void flush() noexcept {
    if (live()) Esys_FlushContext(esys_, std::exchange(handle_, ESYS_TR_NONE));
  }
  /// Forgets it without asking the TPM, which has forgotten it already.
  void abandon() noexcept { handle_ = ESYS_TR_NONE; }

 private:
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

}  // namespace chancery::hsm
