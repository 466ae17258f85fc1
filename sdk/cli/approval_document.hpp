#pragma once

#include <string_view>

#include <chancery/api_approvals.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::cli {

/// Whether the document is the one whose SHA-256 is given with it. kBadResponse.
[[nodiscard]] Status check_document(const api::Approval& approval);

/// What would be approved, to be shown to a person. Refuses a document that is not known whole: of another kind or version,
/// with a member that docs/protocol/approvals.md does not name, without one that it needs, or one of another type. What nobody
/// can read must not be approved. Its id is the approval's, and `arguments_sha256` is that of its arguments.
/// \return an object; kBadResponse
[[nodiscard]] Result<json::Document> read_document(const api::Approval& approval);

}  // namespace chancery::cli
