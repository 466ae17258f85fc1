#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::mcp {

/// One message as an event of a stream (HTML, "Server-sent events"). \param message  without a line end
[[nodiscard]] std::string sse_event(std::string_view message);

/// Takes messages out of a stream of events as its octets arrive, in pieces of any size. Events of other names than
/// `message`, comments, ids and times to retry after are passed over: no stream is taken up again. Not thread-safe.
class SseReader {
 public:
  /// \param max_octets  of one event
  explicit SseReader(std::size_t max_octets) : max_octets_(max_octets) {}

  /// \return the messages that are whole now; kTooLarge for an event that is too long, and from then on
  [[nodiscard]] Result<std::vector<std::string>> feed(std::string_view octets);

 private:
  void take_line(std::vector<std::string>& out);

  const std::size_t max_octets_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool is_message_ = true;
  bool after_return_ = false;  // the next line feed ends the same line
  bool too_long_ = false;
};

}  // namespace chancery::mcp
