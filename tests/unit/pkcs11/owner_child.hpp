#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <unistd.h>

namespace chancery::hsm {

inline std::string file_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The process that holds the module for process `parent`, if there is one now. Zombies are none.
inline std::optional<pid_t> owner_child(pid_t parent = ::getpid()) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (file_text(entry.path() / "cmdline").find("--pkcs11-owner") == std::string::npos) continue;
    const std::string stat = file_text(entry.path() / "stat");
    const std::size_t after_name = stat.rfind(") ");
    if (after_name == std::string::npos || stat[after_name + 2] == 'Z') continue;
    if (std::stoi(stat.substr(after_name + 4)) == parent) return std::stoi(name);
  }
  return std::nullopt;
}

}  // namespace chancery::hsm
