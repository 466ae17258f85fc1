#pragma once

#include <cstdint>

#include "daemon/runtime/tools/tool.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/redaction/secret_finder.hpp"

namespace chancery::runtime {

/// Whose words an answer has.
enum class McpAnswer : std::uint8_t {
  kResult,   ///< the tool's
  kRefusal,  ///< an error's of the protocol, which no tool wrote
};

/// What of an MCP tool's answer an agent gets: the fields that the declaration allows, without secrets, and always a result of MCP.
/// A block of content of which not all passes that makes it one is left out; a text that is JSON is looked through as JSON. An image, a
/// sound or a blob that holds a secret is replaced as a whole by a text, since a part of it would be none. Whether it is an error always passes.
/// \param kind      of a refusal the text is shown printable and at most 1024 octets of it, cut after it was redacted
/// \param document  `{"content", "structuredContent", "isError"}` with blocks that mcp::content_node() made
[[nodiscard]] redaction::Redacted shape_mcp_result(const tools::Tool& tool, const json::Value& document,
                                                   const redaction::SecretFinder& finder,
                                                   McpAnswer kind = McpAnswer::kResult);

}  // namespace chancery::runtime
