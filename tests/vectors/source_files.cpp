#include "tests/vectors/source_files.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace chancery::tests {

std::string read_source_file(std::string_view path) {
  const std::string full = std::string(CHANCERY_SOURCE_DIR) + "/" + std::string(path);
  std::ifstream file(full, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + full);
  return {std::istreambuf_iterator<char>(file), {}};
}

json::Document read_source_json(std::string_view path) {
  constexpr json::Limits kTables{.max_depth = 64, .max_values = 1u << 24, .allow_unsafe_integers = true};
  auto document = json::Document::parse(read_source_file(path), kTables);
  if (!document) throw std::runtime_error(std::string(path) + ": " + document.error().what);
  return *std::move(document);
}

}  // namespace chancery::tests
