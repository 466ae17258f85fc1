#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "sdk/verify/status_list.hpp"

namespace chancery {

/// What a status list says of one token; of a token that it does not mention it says 0, valid.
struct StatusEntry {
  std::uint64_t index = 0;
  unsigned status = 0;
};

/// The statuses of a list of `size` tokens, least significant bits first (draft-ietf-oauth-status-list,
/// section 4.1). Of two entries for one index the later counts.
/// \param bits  per entry: 1, 2, 4 or 8
/// \return the octets, or kInvalidArgument: an entry that is beyond the end or needs more bits, other `bits`;
///         kTooLarge above kMaxStatusListBytes
[[nodiscard]] Result<Bytes> pack_statuses(std::span<const StatusEntry> entries, std::uint64_t size,
                                          unsigned bits);

/// The octets to sign for a `statuslist+jwt` (section 5.1) that open_status_list reads back: the signature,
/// base64url, follows after a dot.
/// \param list  compressed here as far as zlib goes
/// \param signer  whose algorithm and `kid` stand in the header
/// \return the JWS Signing Input, or kInternal when there is no memory to compress in
[[nodiscard]] Result<std::string> status_list_signing_input(const StatusList& list,
                                                            std::chrono::sys_seconds issued_at,
                                                            const PublicKey& signer);

}  // namespace chancery
