#pragma once

#include <string>
#include <string_view>

#include "sdk/audit/entry.hpp"

namespace chancery::audit {

// Entries as other systems take them. These forms are for searching and alerting: what proves something is the log itself.

/// An event of the class API Activity (6003) of the Open Cybersecurity Schema Framework 1.3.0, in JCS, with the whole entry
/// as `unmapped`.
/// \param origin  which log it is from
[[nodiscard]] std::string ocsf_event(const Entry& entry, std::string_view origin);

/// A message of syslog (RFC 5424) without framing: one line without line feeds, whatever the entry has in it. What all
/// entries have in common stands in the structured data; the message is the whole entry, its JSON in ASCII.
[[nodiscard]] std::string syslog_message(const Entry& entry, std::string_view origin);

}  // namespace chancery::audit
