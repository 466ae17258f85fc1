#pragma once

#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"

namespace chancery::rest {

/// The longest `Chancery-Task`.
inline constexpr std::size_t kLongestTask = 128;

/// The trace id of a `traceparent` (W3C Trace Context 1.1, section 3.2.2): of version 00 exactly in its form, of later
/// ones what begins in it. \return 32 lower-case hexadecimal digits, or nothing for what is not valid
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent) noexcept;

/// Takes `Chancery-Task` and `traceparent` from the headers into the request's members. What is no `traceparent` is
/// ignored, as the standard wants it.
/// \return kBadRequest for a task that is repeated, longer than kLongestTask, or not printable ASCII
[[nodiscard]] Status read_marks(Request& request);

/// The value of `traceresponse` (W3C Trace Context level 2): the caller's trace, and this request as a part of it.
/// \param trace_id  32 hexadecimal digits
/// \param request_id  of which the first 16 name the part
[[nodiscard]] std::string traceresponse(std::string_view trace_id, std::string_view request_id);

}  // namespace chancery::rest
