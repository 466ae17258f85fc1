#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace chancery {

/// What was proved about where a private key is (docs/protocol/attestation.md, section 1).
enum class Custody : std::uint8_t {
  kSoftware,              ///< nothing: a key that somebody holds
  kPkcs11Claimed,         ///< the PKCS#11 module says so
  kPkcs11Attested,        ///< the HSM's vendor says so, by a certificate for this key
  kTpmCertifiedEmulated,  ///< a TPM certifies it, but its EK leads to a simulator's root
  kTpmCertified,          ///< a TPM certifies it, whose EK leads to a vendor's root or is pinned
  kTpmQuoted,             ///< that, and a fresh quote of its host met the policy
};

/// What a verifier demands of every key in a chain.
enum class CustodyRequirement : std::uint8_t {
  kPkcs11Claimed,
  kTpmCertifiedEmulated,
  kHardware,  ///< kPkcs11Attested, kTpmCertified or better
  kTpmCertified,
  kTpmQuoted,
};

/// "software", "pkcs11-claimed", …
[[nodiscard]] std::string_view custody_name(Custody custody) noexcept;
[[nodiscard]] std::optional<Custody> parse_custody(std::string_view name) noexcept;
/// "hardware", or the name of the least level.
[[nodiscard]] std::string_view requirement_name(CustodyRequirement requirement) noexcept;
[[nodiscard]] std::optional<CustodyRequirement> parse_requirement(std::string_view name) noexcept;

/// Whether a level is enough. An emulated one is never enough where a real one is asked for, nor a claim.
[[nodiscard]] bool satisfies(Custody custody, CustodyRequirement requirement) noexcept;

}  // namespace chancery
