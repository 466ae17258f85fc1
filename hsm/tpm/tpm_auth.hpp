#pragma once

#include <algorithm>

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>

namespace chancery::hsm {

/// An auth value in the form that ESYS takes; cleansed.
class TpmAuth {
 public:
  explicit TpmAuth(const SecretBytes& auth) {
    value_.size = static_cast<std::uint16_t>(auth.size());
    std::ranges::copy(auth.view(), value_.buffer);
  }
  ~TpmAuth() { explicit_bzero(&value_, sizeof value_); }
  TpmAuth(const TpmAuth&) = delete;
  TpmAuth& operator=(const TpmAuth&) = delete;

  [[nodiscard]] const TPM2B_AUTH& value() const noexcept { return value_; }

 private:
  TPM2B_AUTH value_{};
};

}  // namespace chancery::hsm
