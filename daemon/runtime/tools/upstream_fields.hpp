#pragma once

#include "daemon/runtime/tools/fields.hpp"
#include "daemon/runtime/tools/tool.hpp"

namespace chancery::tools {

// The sections of a declaration that say where a tool is.

[[nodiscard]] Result<HttpUpstream, LoadError> read_http(Fields fields);
[[nodiscard]] Result<McpStdioUpstream, LoadError> read_mcp_stdio(Fields fields);
[[nodiscard]] Result<McpHttpUpstream, LoadError> read_mcp_http(Fields fields);

/// "header:Authorization: Bearer {}", "query:key", "basic:user"; nullopt when it has another form.
[[nodiscard]] std::optional<CredentialPlace> parse_credential_place(std::string_view text);

/// Reads `env:NAME`. \return the variable's name; nullopt for any other text, and for a variable that is not the server's own
[[nodiscard]] std::optional<std::string> parse_credential_variable(std::string_view text);

/// Whether a text is an address range such as "127.0.0.1/32" or "fd00::/8".
[[nodiscard]] bool is_address_range(std::string_view text);

}  // namespace chancery::tools
