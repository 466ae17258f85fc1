#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/runtime/tools/tool.hpp"

namespace chancery::tools {

/// What is wrong with a declaration.
struct LoadError {
  ErrorCode code = ErrorCode::kConfigInvalid;  ///< or kFileUnreadable, kFilePermissions
  std::string file;
  int line = 0;  ///< 1-based; 0 when it concerns the whole file
  std::string message;
};

/// "refund.toml:12: tool.risk must be one of ..."
[[nodiscard]] std::string load_error_text(const LoadError& error);

/// Reads one declaration. What it means is in docs/operations/tools.md.
/// \param toml  the text
/// \param file  its name in errors; a schema's file is looked for beside it
[[nodiscard]] Result<Tool, LoadError> parse_tool(std::string_view toml, const std::filesystem::path& file);

/// Reads every `*.toml` of a folder, by name, hidden files left out: all of them or none.
/// \return the tools by name; else one error for each file that cannot be used. Folder and files that everybody may write to
///         are refused, and so are two tools of one name
[[nodiscard]] Result<std::vector<Tool>, std::vector<LoadError>> load_tools(
    const std::filesystem::path& folder);

}  // namespace chancery::tools
