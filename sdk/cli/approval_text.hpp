#pragma once

#include <string>
#include <string_view>

#include <chancery/api_approvals.hpp>

#include "sdk/cli/output.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::cli {

/// Shows a person what would be approved. Of what stands in the document nothing is taken from elsewhere; only state, votes,
/// how it is enforced, and which one was decided before are the daemon's word.
/// \param document  as read_document() gives it
void show_request(Output& output, const api::Approval& approval, const json::Value& document);

/// What has become of a request of which there is nothing to decide any more.
void show_ended(Output& output, const api::Approval& approval);

/// `U+00EB, U+0430`: the characters of a text that are not ASCII, each once, by number; of many the first 16, and how many more there are.
[[nodiscard]] std::string foreign_characters(std::string_view text);

/// `pending until …`, `denied …`
[[nodiscard]] std::string times_text(const api::Approval& approval);

}  // namespace chancery::cli
