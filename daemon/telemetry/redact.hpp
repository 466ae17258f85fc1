#pragma once

#include <string>
#include <string_view>

namespace chancery::telemetry {

/// `text` with every compact JWS (three base64url parts, the first beginning with `eyJ`, as the JSON of every
/// header does) replaced by `[redacted]`. Linear in the text.
[[nodiscard]] std::string redact(std::string_view text);

}  // namespace chancery::telemetry
