#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "daemon/runtime/tools/openapi.hpp"

namespace chancery::runtime {

/// What `chancery-runtime --import-openapi` was asked to do.
struct ImportOrder {
  std::filesystem::path document;  ///< an OpenAPI document, in JSON
  std::filesystem::path folder;    ///< where declarations go, which is there
  tools::ImportOptions options;    ///< without a prefix of scopes: the document's file name, if it may be one
  std::vector<std::string> only;   ///< names of tools, or operations as `POST /refunds`; empty: all
};

struct ImportReport {
  std::string text;  ///< for people: each operation, where its declaration is, and what wants a look
  std::size_t written = 0;
};

/// Writes `NAME.toml.proposed` for each operation of the document that can be declared. Such a file serves nobody: load_tools() reads
/// `*.toml` alone, so that an operator reads a proposal, and takes the ending off. Nothing is overwritten: when one of the files is there,
/// none is written.
/// \return the report, or what is wrong, and what to do about it
[[nodiscard]] std::variant<ImportReport, std::string> import_declarations(const ImportOrder& order);

}  // namespace chancery::runtime
