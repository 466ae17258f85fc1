#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/pcr.hpp"

namespace chancery::attest {

/// What a reset of a host's TPM since it enrolled means.
enum class OnReset : std::uint8_t {
  kAccept,  ///< a host may be restarted
  kRefuse,  ///< until it enrols anew
};

/// What a verifier asks of a host and its keys, beyond that the evidence is good.
struct Policy {
  std::string id;                    ///< stands in results
  std::uint64_t least_firmware = 0;  ///< TPM firmware, as TPMS_ATTEST has it
  OnReset on_reset = OnReset::kAccept;
  /// PCRs that a quote must have, each with the values that it may have. Empty: no quote is asked for.
  std::map<Hash, std::map<PcrIndex, std::set<Bytes>>> pcrs{};
};

/// Reads a policy's file (docs/operations/attestation.md). Whatever is misspelled, of another type or without
/// meaning is refused: a policy that is read only in part would take hosts that it was written against.
/// \param toml  the file's content, at most 1 MiB
/// \return the policy; kConfigInvalid, which names the key and says what to write, with the line in `native`
[[nodiscard]] Result<Policy> parse_policy(std::string_view toml);

/// The PCRs that a policy looks at.
[[nodiscard]] PcrSelection selection_of(const Policy& policy);

}  // namespace chancery::attest
