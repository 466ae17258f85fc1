#pragma once

#include <chancery/result.hpp>

#include "sdk/json/writer.hpp"
#include "sdk/mcp/tool_host.hpp"

namespace chancery::mcp {

/// The result of a call that was made: `content`, `structuredContent`, and `isError` where it is one. A structured
/// value without content is its own content, as text; one that is no object stays away from 2025-11-25.
/// \return the result; kMalformed when the content is not what may pass
[[nodiscard]] Result<json::Node> done_node(const ToolDone& done, SchemaScope scope);

/// The result of a call that was refused: an error that the model reads, and its code in `_meta` for programs.
/// \param meta  an object: what `_meta` has besides
[[nodiscard]] json::Node refused_node(const ToolRefused& refused, json::Node meta);

/// The result of a call that waits, for an agent that cannot be asked to open a page: it says that nothing was done
/// and what to do. It is an error, since a result that is none would have to fit the tool's output schema.
/// \return the result; kMalformed when the request's name or the document is not what it must be
[[nodiscard]] Result<json::Node> pending_node(const ToolPending& pending, json::Node meta);

/// The same as 2026-07-28 has it: `input_required`, with the page as an elicitation in URL mode and the request's
/// name as `requestState`.
[[nodiscard]] Result<json::Node> input_required_node(const ToolPending& pending, json::Node meta);

/// Whether the request can be shown as a page: an https URL, or http on this machine.
[[nodiscard]] bool has_page(const ToolPending& pending) noexcept;

}  // namespace chancery::mcp
