#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/edge/framing_rules.hpp"

namespace chancery::edge {

/// Removes the chunked coding (RFC 9112 section 7.1), strictly: sizes of 1 to 16 hexadecimal digits, CRLF
/// only, no white space before extensions. Extensions and trailer fields are checked for their octets,
/// bounded and dropped.
///
/// Ours because Beast 1.74's aborts the process when the last chunk arrives in pieces (`0 CRLF`, then `CR`:
/// an assertion of at least five octets in parse_chunk_header), and lets LF and NUL stand in quoted extension
/// values.
class ChunkedBody {
 public:
  /// \param limit  the most octets of decoded body
  explicit ChunkedBody(std::size_t limit) noexcept : limit_(limit) {}

  /// Reads on. Stops behind the coding's end, where the next request may begin.
  /// \param body  what is decoded is appended to it
  /// \return how many octets were consumed: all of them unless done()
  Result<std::size_t, Refusal> feed(std::string_view octets, std::string& body);

  [[nodiscard]] bool done() const noexcept { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kLineStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone
  };

  std::optional<Refusal> step(char c);
  std::optional<Refusal> go_to(State next);
  std::optional<Refusal> add_digit(char c);
  std::optional<Refusal> count_dropped();
  std::optional<Refusal> begin_data();

  std::size_t limit_;
  std::size_t decoded_ = 0;
  std::size_t dropped_ = 0;  // octets of extensions and trailers
  std::uint64_t size_ = 0;   // of the chunk; while in its data, what is missing of it
  unsigned digits_ = 0;
  State state_ = State::kSizeStart;
};

}  // namespace chancery::edge
