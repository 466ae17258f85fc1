#pragma once

#include "daemon/runtime/tools/prepare.hpp"

namespace chancery::tools {

/// Composes the request of a tool from its arguments in their one spelling. A value fills its own place alone: it adds no
/// segment of the path, no parameter and no header, and changes no host.
[[nodiscard]] Result<HttpRequest, CallRefusal> compose(const HttpUpstream& upstream,
                                                       const json::Value& arguments);

}  // namespace chancery::tools
