#pragma once

#include <cstdint>
#include <vector>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"
#include "hsm/tpm/connection.hpp"

namespace chancery::hsm {

/// What a TPM tells of its state at one moment.
struct TpmCondition {
  TpmFacts identity;

  // Dictionary-attack protection (TPM 2.0 part 1, section 19.8).
  bool is_locked_out = false;
  std::uint32_t failed_tries = 0;
  std::uint32_t max_tries = 0;
  std::uint32_t recovery_seconds = 0;  ///< after which one failure is forgotten; 0: never

  // What the TPM has room for now.
  std::uint32_t free_objects = 0;
  std::uint32_t free_loaded_sessions = 0;
  std::uint32_t free_active_sessions = 0;

  /// Which of the manufacturer's endorsement key certificates are in NV (TCG EK Credential Profile, 2.2.1).
  bool has_rsa_2048 = false;
  bool has_ecc_p256 = false;
  bool has_ecc_p384 = false;

  // TPM2_ReadClock.
  std::uint64_t clock_ms = 0;  ///< for which the TPM had power in its life
  std::uint32_t resets = 0;
  std::uint32_t restarts = 0;
  bool is_clock_safe = false;  ///< never seen a later one before
};

/// Asks the TPM, with some five commands. The device thread's alone.
[[nodiscard]] Result<TpmCondition> read_condition(TpmConnection& tpm);

/// Judges it. Pure.
[[nodiscard]] std::vector<Fact> judge(const TpmCondition& condition);

}  // namespace chancery::hsm
