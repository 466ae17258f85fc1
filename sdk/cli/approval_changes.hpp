#pragma once

#include <string>
#include <vector>

#include <chancery/api_approvals.hpp>

#include "sdk/cli/output.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::cli {

/// What is another in a document than in the one that was decided last: a line each, `arguments > amount: 75 -> 101`, with `+` for
/// what is new, `-` for what is gone. Left out is what differs in any two requests: ids, times, hashes of what is compared itself,
/// and of a token that would be granted its id, times and place in a status list.
/// \param before, now  of one kind
[[nodiscard]] std::vector<std::string> changes_between(const json::Value& before, const json::Value& now);

/// Shows that of a request and the last one like it that was decided. It is the daemon's word that this was that one: nobody
/// decides by it.
/// \param document  of the request, as read_document() gives it
void show_changes(Output& output, const api::Approval& approval, const json::Value& document);

}  // namespace chancery::cli
