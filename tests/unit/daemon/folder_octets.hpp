#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace chancery::store::testing {

/// Whether a text stands in any file of a folder, such as those of a database.
[[nodiscard]] inline bool stands_in_files(const std::filesystem::path& folder, const std::string& text) {
  return std::ranges::any_of(std::filesystem::directory_iterator(folder), [&](const auto& file) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string octets(std::istreambuf_iterator<char>(in), {});
    return octets.find(text) != std::string::npos;
  });
}

}  // namespace chancery::store::testing
