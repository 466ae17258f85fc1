#pragma once

#include <map>
#include <string>

#include <chancery/result.hpp>

#include "daemon/store/approval_book.hpp"

namespace chancery::service {

// What lists show of a request, so that whoever looks through them need not read each document.

/// Fills in the agent, the risk and the amounts from the request's document, when that is composed. Amounts are of its arguments
/// those that are numbers, or what it would spend when none is; a handful, with short names. kMalformed for a document that is
/// no JSON.
[[nodiscard]] Status outline(store::ParkedCall& call);

/// The amounts by their names; none when they are not to be read.
[[nodiscard]] std::map<std::string, std::string> amounts_of(const store::ParkedCall& call);

}  // namespace chancery::service
