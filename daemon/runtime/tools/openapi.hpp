#pragma once

#include <string>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::tools {

struct ImportOptions {
  std::string name_prefix;   ///< of every tool, "payments." for instance
  std::string scope_prefix;  ///< an operation's scope is this, a dot, and the operation's name
  std::string
      credential;  ///< the vault's record for operations that need one; empty: named as the security scheme is
  std::string
      basic_user;      ///< the user of HTTP basic authentication; such operations are not taken over without
  std::string server;  ///< the URL before the paths; empty: the document's first server
};

struct ImportedTool {
  std::string name;
  std::string operation;           ///< "POST /charges/{charge}/refunds"
  std::string toml;                ///< the text of a declaration; parse_tool() takes it
  std::vector<std::string> notes;  ///< what was left out of the operation, or wants a look
};

struct RefusedOperation {
  std::string operation;  ///< "POST /charges/{charge}/refunds"
  std::string reason;
};

struct Import {
  std::vector<ImportedTool> tools;  ///< by name
  std::vector<RefusedOperation> refused;
};

/// Makes declarations of tools from an OpenAPI document of version 3.0 or 3.1: one for each operation, with the schema of its
/// parameters and body as arguments, the place of its credential, and the fields of its answer that the document describes.
/// Risk and scope are proposals. References are followed within the document alone.
///
/// Pure. What a declaration cannot say is refused or left out, and reported; whatever comes out was read by parse_tool().
/// \param document  as a program that trusts nobody reads it; may hold integers beyond 2^53 in bounds, which are left out
/// \return what could be made, and what not; kMalformed when it is no OpenAPI document of version 3, kInvalidArgument when the server's
///         URL or the scope's prefix cannot be used
[[nodiscard]] Result<Import> import_openapi(const json::Value& document, const ImportOptions& options);

}  // namespace chancery::tools
