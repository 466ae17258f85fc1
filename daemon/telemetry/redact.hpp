#pragma once

#include <span>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>

namespace chancery::telemetry {

/// `text` with every compact JWS (three base64url parts, the first beginning with `eyJ`, as the JSON of every
/// header does) and every occurrence of a secret replaced by `[redacted]`. Linear in the text for each
/// secret.
[[nodiscard]] std::string redact(std::string_view text, std::span<const SecretBytes> secrets);

}  // namespace chancery::telemetry
