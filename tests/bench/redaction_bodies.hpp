#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chancery::bench {

/// What a tool's upstream answers, or a program logs, with nothing secret in it.
struct Body {
  std::string_view name;
  std::string text;
};

/// One of each kind, 64 KiB each: an API's objects in JSON, JSON of many words with escapes, a log with ids and
/// percent-encoding, octets in base64, and the log in base64 (the dearest: what it says is looked at as the log itself is).
[[nodiscard]] std::vector<Body> redaction_bodies();

}  // namespace chancery::bench
