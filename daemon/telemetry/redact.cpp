#include "daemon/telemetry/redact.hpp"

#include <algorithm>

namespace chancery::telemetry {
namespace {

constexpr std::string_view kReplacement = "[redacted]";
constexpr std::string_view kHeaderStart = "eyJ";  // {" in base64url

bool is_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::size_t part_size(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_base64url) - text.begin());
}

// How many octets at the front of `text` are a compact JWS; none when it is not one. A last part that is
// empty or cut off is taken for one: what stands before it is as good as the whole.
std::size_t jws_size(std::string_view text) {
  const std::size_t header = part_size(text);
  if (header == text.size() || text[header] != '.') return 0;
  const std::size_t payload = part_size(text.substr(header + 1));
  const std::size_t second_dot = header + 1 + payload;
  if (payload == 0 || second_dot == text.size() || text[second_dot] != '.') return 0;
  return second_dot + 1 + part_size(text.substr(second_dot + 1));
}

}  // namespace

std::string redact(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t start = std::min(text.find(kHeaderStart, at), text.size());
    out += text.substr(at, start - at);
    if (start == text.size()) break;
    const std::string_view rest = text.substr(start);
    const std::size_t size = jws_size(rest);
    // What is no token is passed in one go, so that a long run of "eyJeyJ…" costs no more than its length.
    const std::size_t passed = size == 0 ? part_size(rest) : size;
    out += size == 0 ? rest.substr(0, passed) : kReplacement;
    at = start + passed;
  }
  return out;
}

}  // namespace chancery::telemetry
