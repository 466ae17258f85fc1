#pragma once

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::mcp {

/// What a tool answers, in the one form that passes in either direction: text, image, audio, resource_link and
/// resource, each with the members that both versions give it (Tools, "Tool Result"). Others are left out, `_meta`
/// and annotations among them.
/// \param content  an array of at most 1024 blocks
/// \return the blocks; kMalformed for another kind of block, or a member that is missing or of another type
[[nodiscard]] Result<json::Node> content_node(const json::Value& content);

/// One block of text. \param text  UTF-8
[[nodiscard]] json::Node text_content(std::string_view text);

}  // namespace chancery::mcp
