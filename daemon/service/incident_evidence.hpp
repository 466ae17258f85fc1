#pragma once

#include "daemon/service/office.hpp"
#include "daemon/store/incident_book.hpp"
#include "sdk/incident/bundle.hpp"

namespace chancery::service {

/// What a trail says, as a bundle has it: all of the evidence but what the log says, and what comes of that.
[[nodiscard]] incident::Evidence evidence_of(const store::Trail& trail);

/// The entries of the log that refer to the agent, or to its keys, tokens, calls and requests, as they stood when the log had the
/// trail's size.
struct FoundEntries {
  std::vector<store::AuditRecord> records;  ///< oldest first
  bool are_cut = false;                     ///< there are older ones
};
/// \param most  how many
[[nodiscard]] Result<FoundEntries> entries_about(Office& office, const store::Trail& trail, std::size_t most);

}  // namespace chancery::service
