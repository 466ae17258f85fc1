#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/custody.hpp>
#include <chancery/keys.hpp>

namespace chancery {

/// As many attestation results are read with a chain; the others are ignored.
inline constexpr std::size_t kMaxAttestationResults = 64;
/// In characters; a longer one is ignored.
inline constexpr std::size_t kMaxAttestationResult = 8192;

/// By whose word a key's custody is known.
enum class CustodyBasis : std::uint8_t {
  kUnproven,
  kVouched,  ///< an attestation result of a verifier that the chain's anchor names
  kProved,   ///< evidence that the caller judged itself
  kSession,  ///< a key in memory for minutes, to which the key of the token before it handed over
};

/// "unproven", "vouched", "proved", "session".
[[nodiscard]] std::string_view basis_name(CustodyBasis basis) noexcept;

/// What evidence said about a key and its device when it was judged.
struct KeyCustody {
  Custody level = Custody::kSoftware;
  std::chrono::sys_seconds evidence_at{};
  std::string
      ek;  ///< SHA-256 of the EK's certificate or public area, hexadecimal; empty: no TPM, nor the rest
  std::string manufacturer;
  std::string endorsement;  ///< how the EK was believed: "root", "pinned", "first-use"; empty: not said
  std::uint64_t firmware = 0;
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool is_clock_safe = false;
};

/// A key that the caller knows about from evidence.
struct ProvedCustody {
  Thumbprint key;
  KeyCustody custody;
};

/// What is known of where the holder's key of one token lives.
struct HopCustody {
  CustodyBasis how = CustodyBasis::kUnproven;
  KeyCustody found;      ///< kSoftware where nothing is proved, and of a session's key
  std::string verifier;  ///< who vouches: its URL, untrusted text
  std::optional<std::chrono::sys_seconds>
      expires_at;  ///< of a result: the first second that it counts no more

  /// One sentence for people: how it is known, and what that proves and does not. Escape it for a terminal.
  [[nodiscard]] std::string text() const;
};

/// What a level proves, and what it does not; a literal.
[[nodiscard]] std::string_view custody_meaning(Custody custody) noexcept;

/// An attestation result that did not count.
struct IgnoredResult {
  std::size_t index = 0;  ///< among those that were given
  const char* reason = "";
};

}  // namespace chancery
