#pragma once

#include <functional>
#include <string_view>

#include <tss2/tss2_esys.h>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "hsm/tpm/connection.hpp"

namespace chancery::hsm {

/// An NV index of ours: where it is, what it is, and the auth value that only this daemon can derive.
struct NvPlace {
  TPM2_HANDLE index = 0;
  TPMA_NV attributes = 0;  ///< as it is defined, without TPMA_NV_WRITTEN
  std::uint16_t size = 0;  ///< octets
  SecretBytes auth;
  TPM2B_DIGEST policy{};  ///< authPolicy; empty: none
};

/// A place in the range that the TCG leaves to owners (Registry of Reserved TPM 2.0 Handles, section 2.2), read
/// and written by its auth value alone, outside of dictionary-attack protection, as our keys are: a crash
/// between command and answer would count.
/// \param master   32 octets; auth value and index are derived from it, so that several daemons can share a TPM
/// \param purpose  tells one of our indexes from another
[[nodiscard]] NvPlace derive_nv_place(const SecretBytes& master, std::string_view purpose, TPM2_NT type,
                                      std::uint16_t size);

/// Whether an index was asked for its content, and has none.
[[nodiscard]] bool says_nothing_is_written(const Error& error) noexcept;

/// What a request does with an index while it has the device. The device thread's alone.
class NvIndex {
 public:
  /// \param tpm,place  must outlive it
  NvIndex(TpmConnection& tpm, const NvPlace& place) : tpm_(tpm), place_(place) {}
  ~NvIndex() { close(); }
  NvIndex(const NvIndex&) = delete;
  NvIndex& operator=(const NvIndex&) = delete;

  /// Finds the index, and makes sure that it is as we define it.
  /// \return kNotFound when the TPM has none; kConflict for something else in its place
  [[nodiscard]] Status open();
  /// \return success also when an earlier, unanswered attempt has defined it: open() looks at what is there
  [[nodiscard]] Status define();
  /// Removes the index that is open, whatever it is.
  [[nodiscard]] Status remove();
  /// \return the whole content; kNotFound when nothing was ever written
  [[nodiscard]] Result<Bytes> read();

  /// Runs a command that is authorized by the index. \return kConflict when the auth value is not ours
  [[nodiscard]] Status authorized(const char* what, const std::function<TSS2_RC()>& run);

  [[nodiscard]] ESYS_TR handle() const noexcept { return handle_; }
  /// As the TPM described it when it was opened.
  [[nodiscard]] const TPMS_NV_PUBLIC& public_area() const noexcept { return area_; }

 private:
  [[nodiscard]] bool is_as_we_define() const;
  [[nodiscard]] Status authorized_once(const char* what, const std::function<TSS2_RC()>& run);
  void close() noexcept;

  TpmConnection& tpm_;
  const NvPlace& place_;
  ESYS_TR handle_ = ESYS_TR_NONE;
  TPMS_NV_PUBLIC area_{};
};

}  // namespace chancery::hsm
