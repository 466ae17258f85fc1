#pragma once

#include <string_view>

namespace chancery::rest {

/// Whether one of a header's entity tags is this one (RFC 9110 section 13.1.2, which compares weakly).
[[nodiscard]] bool names_tag(std::string_view header, std::string_view etag);

}  // namespace chancery::rest
