#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::mcp {

/// A tool as it is described to whoever may call it. Schemas and annotations are JSON texts of objects.
struct Tool {
  std::string name;
  std::optional<std::string> title;
  std::optional<std::string> description;
  std::string input_schema;
  std::optional<std::string> output_schema;
  std::optional<std::string> annotations;
};

/// The tool that an element of `tools` describes, as a whole. Members that are not of the struct are left out.
/// \return the tool; kMalformed when there is no name (is_tool_name), a member is of another type, the input's schema
///         is not that of an object, or a text in it has hidden characters
[[nodiscard]] Result<Tool> read_tool(const json::Value& value);

enum class SchemaScope : std::uint8_t {
  kAnyValue,    ///< a tool's structured result may be any value (2026-07-28)
  kObjectOnly,  ///< it is an object: the schema of another one is left out (2025-11-25)
};

/// An element of `tools`. Annotations that have arguments mirrored into HTTP headers (`x-mcp-header`) are left out:
/// an argument may be what no log on the way should hold, and nothing between an agent and its gateway routes by it.
/// \return the element; kMalformed when read_tool() would refuse it
[[nodiscard]] Result<json::Node> tool_node(const Tool& tool, SchemaScope scope);

/// What a review of a tool was about: SHA-256 over the JCS form of its name, title, description, inputSchema,
/// outputSchema and annotations, without those that it does not have.
/// \return the digest; kMalformed when a member that is JSON is not an object
[[nodiscard]] Result<Sha256Digest> description_digest(const Tool& tool);

/// Whether the input's schema has arguments mirrored into HTTP headers. \return kMalformed when it is not an object
[[nodiscard]] Result<bool> asks_for_headers(const Tool& tool);

}  // namespace chancery::mcp
