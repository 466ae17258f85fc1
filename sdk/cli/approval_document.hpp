#pragma once

#include <string_view>
#include <vector>

#include <chancery/api_approvals.hpp>
#include <chancery/result.hpp>
#include <chancery/token.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::cli {

/// Whether the document is the one whose SHA-256 is given with it. kBadResponse.
[[nodiscard]] Status check_document(const api::Approval& approval);

/// What a document of that kind ("call", "action", "grant") may say, in the order of the names; empty for another kind.
[[nodiscard]] std::vector<std::string_view> document_members(std::string_view kind);

/// What would be approved, to be shown to a person. Refuses a document that is not known whole: of another kind or version,
/// with a member that docs/protocol/approvals.md does not name, without one that it needs, or one of another type. What nobody
/// can read must not be approved. It is in JCS, its id is the approval's, `arguments_sha256` is that of its arguments, and
/// the token that a grant would be is what the rest of it says.
/// \return an object; kBadResponse
[[nodiscard]] Result<json::Document> read_document(const api::Approval& approval);

/// The token that a grant's document is about, from the octets that would be signed: in JCS, well formed, the first of its
/// chain, for the principal, the client and the key that the document names. It has no signature yet.
/// \return kBadResponse, and what Token::parse() says
[[nodiscard]] Result<Token> read_unsigned_token(const json::Value& document);

}  // namespace chancery::cli
