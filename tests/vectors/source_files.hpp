#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"

namespace chancery::tests {

/// The octets of a file of the source tree; throws when it cannot be read.
/// \param path  from the root of the tree: "tests/vectors/data/vectors/htu.json"
[[nodiscard]] std::string read_source_file(std::string_view path);

/// The same file as JSON, with room for large tables and integers beyond 2^53.
[[nodiscard]] json::Document read_source_json(std::string_view path);

}  // namespace chancery::tests
