#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "sdk/redaction/secret_finder.hpp"

namespace chancery::redaction {

/// How much a body may be.
struct BodyLimits {
  std::size_t max_octets = 16 * 1024 * 1024;  ///< decoded
};

/// A body without its Content-Encoding (RFC 9110 section 8.4.1): gzip (also of several members), deflate (as the standard
/// has it, with zlib's header, or bare, as some send it), identity, or two of these.
/// \return kUnsupportedAlgorithm (another encoding: what cannot be read cannot be redacted), kTooLarge,
///         kMalformed (it is not so encoded, or ends too soon)
[[nodiscard]] Result<std::string> decode_body(std::string_view content_encoding, std::string_view body,
                                              const BodyLimits& limits = {});

/// A tool's answer as an agent may have it: decoded, and redacted as JSON if it is JSON, else as text. Its
/// Content-Encoding and Content-Length are to be left out or made anew.
/// \param fields  see SecretFinder::redact_json()
/// \return the errors of decode_body()
[[nodiscard]] Result<Redacted> redact_body(const SecretFinder& finder, std::string_view content_encoding,
                                           std::string_view body, const FieldPaths& fields = {},
                                           const BodyLimits& limits = {});

}  // namespace chancery::redaction
