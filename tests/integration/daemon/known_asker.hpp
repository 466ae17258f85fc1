#pragma once

#include <string>

#include <unistd.h>

namespace chancery::tests {

// A gate lets no user ask whom the configuration knows by no name. Tests ask as the user who runs them, who is a person of their own
// here: nobody whom a gate names.

inline constexpr const char* kAsker = "user:operator@example.org";

/// The line of `[console]` that says so.
inline std::string known_asker(const std::string& principal = kAsker) {
  return "approvers = [\"" + std::to_string(::geteuid()) + "=" + principal + "\"]\n";
}

/// The same with its section, for a daemon that has no console.
inline std::string known_asker_section(const std::string& principal = kAsker) {
  return "[console]\n" + known_asker(principal);
}

}  // namespace chancery::tests
