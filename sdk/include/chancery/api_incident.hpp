#pragma once

#include <cstdint>
#include <string>

namespace chancery::api {

/// The most entries of the audit log that a bundle has.
inline constexpr std::int64_t kMostIncidentEntries = 10000;

/// Asks for what is known of an agent, in one bundle that verifies offline (docs/protocol/incidents.md).
struct OpenIncident {
  std::string agent;                            ///< by name
  std::string reason;                           ///< one line for people; may be empty
  bool freeze = true;                           ///< first have its keys sign nothing any more
  bool revoke = true;                           ///< and end its tokens, with all that was delegated from them
  std::int64_t entries = kMostIncidentEntries;  ///< of the audit log, the newest; at least 1
};

struct Incident {
  std::string bundle;  ///< JCS
};

}  // namespace chancery::api
