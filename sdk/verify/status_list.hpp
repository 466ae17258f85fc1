#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "sdk/crypto/verify_key.hpp"

namespace chancery {

/// The most that a compressed list may inflate to.
inline constexpr std::size_t kMaxStatusListBytes = 16u << 20;

/// A Token Status List, its signature verified, inflated (draft-ietf-oauth-status-list, sections 4 and 5).
struct StatusList {
  std::string subject;        ///< `sub`: the list's own URI
  std::optional<double> iat;  ///< seconds since 1970: when it was made
  std::optional<double> exp;  ///< seconds since 1970; exclusive
  std::optional<double> ttl;  ///< seconds since the fetch; inclusive
  unsigned bits = 1;          ///< per entry: 1, 2, 4 or 8
  Bytes statuses;

  /// The value at `index`; nullopt beyond the end.
  [[nodiscard]] std::optional<unsigned> at(std::uint64_t index) const noexcept;

  /// Whether the list may still be used at `now`: one of `exp` and `ttl` must exist, and both hold.
  [[nodiscard]] bool fresh(std::chrono::sys_seconds fetched_at, std::chrono::sys_seconds now) const noexcept;
};

/// A list and the key that signed it.
struct SignedStatusList {
  StatusList list;
  VerifyKey key;
};

/// Reads a `statuslist+jwt` and verifies it under the first of `keys` that fits. Duplicate members are
/// refused; canonical form is not required.
/// \return the list, or kMalformed, kSignatureInvalid, kTooLarge (inflates beyond kMaxStatusListBytes), …
[[nodiscard]] Result<SignedStatusList> open_status_list(std::string_view compact,
                                                        std::span<const VerifyKey> keys);

}  // namespace chancery
