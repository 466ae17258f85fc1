#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/audit/checkpoint.hpp"

namespace chancery::audit {

/// What shows, to whoever has a key of the log's, that an entry stands in it: C2SP tlog-proof, with the entry itself as the
/// extra data.
struct EntryProof {
  std::string entry;               ///< its own octets
  std::uint64_t index = 0;         ///< from 0
  std::vector<Sha256Digest> path;  ///< from the leaf upwards
  std::string checkpoint;          ///< a signed note
  bool operator==(const EntryProof&) const = default;
};

[[nodiscard]] std::string write_entry_proof(const EntryProof& proof);

/// Reads it; what it says is not judged. \return kMalformed, also for a proof without its entry
[[nodiscard]] Result<EntryProof> parse_entry_proof(std::string_view text);

/// Judges it. \return the checkpoint whose tree the entry stands in; as open_checkpoint(), and kSignatureInvalid when
///         the path does not lead from the entry to the tree's root
[[nodiscard]] Result<Checkpoint> check_entry_proof(const EntryProof& proof, std::span<const NoteKey> keys);

}  // namespace chancery::audit
