#pragma once

#include <string_view>
#include <utility>

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"

namespace chancery::rest {

/// Why a request of an OAuth client is refused, in the words that such clients know (RFC 6749 section 5.2,
/// RFC 8693 section 2.2.2, RFC 9396 section 5, RFC 9449 section 5). docs/protocol/oauth.md lists them.
struct Refusal {
  std::string_view name;  ///< a literal
  Error cause;
};

template <typename T>
using OAuthResult = Result<T, Refusal>;

/// The error with the word that its code stands for.
[[nodiscard]] Refusal refusal(const Error& error);

/// A use case's result, its error in that word.
template <typename T>
[[nodiscard]] OAuthResult<T> in_oauth(Result<T> result) {
  if (!result) return refusal(result.error());
  return *std::move(result);
}

/// `{"error": …, "error_description": …}`: status 400; 503 and the like when the fault is not the client's.
[[nodiscard]] Response refuse(const Refusal& refusal);

}  // namespace chancery::rest
