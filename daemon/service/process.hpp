#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hsm/key_backend.hpp"

namespace chancery::service {

/// A file or folder whose permissions matter.
struct WatchedFile {
  std::string name;            ///< for people: "master secret"
  std::filesystem::path path;  ///< absolute
  std::uint32_t forbidden = 077;
  hsm::Fact::Severity severity = hsm::Fact::Severity::kBad;  ///< of a forbidden permission
  const char* advice = "";                                   ///< what to do then, a literal
  bool may_be_missing = false;                               ///< a systemd credential may stand in its place
};

/// What the process is like that holds the secrets: permissions of its files, memory that is locked, core dumps.
/// Asks the kernel, no device.
[[nodiscard]] std::vector<hsm::Fact> process_facts(const std::vector<WatchedFile>& files);

}  // namespace chancery::service
