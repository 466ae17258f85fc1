#pragma once

#include <string_view>

namespace chancery::rest {

/// docs/protocol/openapi.yaml as JSON, embedded when the daemon is built.
[[nodiscard]] std::string_view openapi_json() noexcept;

}  // namespace chancery::rest
