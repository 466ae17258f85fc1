#include "sdk/mcp/sse.hpp"

#include <utility>

namespace chancery::mcp {
namespace {

constexpr Error kTooLong{ErrorCode::kTooLarge, "an event of the stream is too long"};

}  // namespace

std::string sse_event(std::string_view message) {
  std::string out = "event: message\ndata: ";
  out += message;
  return out += "\n\n";
}

Result<std::vector<std::string>> SseReader::feed(std::string_view octets) {
  std::vector<std::string> out;
  for (const char c : octets) {
    if (too_long_) return kTooLong;
    const bool ends_same_line = after_return_ && c == '\n';
    after_return_ = c == '\r';
    if (ends_same_line) continue;
    if (c == '\n' || c == '\r') {
      take_line(out);
    } else {
      line_ += c;
    }
    too_long_ = line_.size() + data_.size() > max_octets_;
  }
  if (too_long_) return kTooLong;
  return out;
}

void SseReader::take_line(std::vector<std::string>& out) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    if (has_data_ && is_message_ && !data_.empty()) out.push_back(std::move(data_));
    data_.clear();
    has_data_ = false;
    is_message_ = true;
    return;
  }
  const auto colon = line.find(':');
  const std::string_view name = std::string_view(line).substr(0, colon);
  std::string_view value =
      colon == std::string::npos ? std::string_view() : std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") is_message_ = value.empty() || value == "message";
  if (name != "data") return;
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

}  // namespace chancery::mcp
