#include "daemon/edge/chunked_body.hpp"

#include <algorithm>

namespace chancery::edge {
namespace {

constexpr unsigned kMaxDigits = 16;
/// Extensions and trailers of one body. Nobody needs either; whoever sends them endlessly is stopped.
constexpr std::size_t kMaxDropped = 4096;

constexpr Refusal kBadSize{
    .detail = "a chunk size is not a hexadecimal number of 1 to 16 digits, followed by CRLF"};
constexpr Refusal kBadEnd{.detail = "a chunk is not followed by CRLF: its size is wrong"};
constexpr Refusal kBadExtension{
    .detail = "a chunk extension or trailer holds a control octet, or a line end other than CRLF"};
constexpr Refusal kTooMuchDropped{.detail = "the chunk extensions and trailers are longer than 4096 octets"};
constexpr Refusal kTooLong{413, ErrorCode::kTooLarge, "the request body is longer than this server reads"};

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); }

}  // namespace

Result<std::size_t, Refusal> ChunkedBody::feed(std::string_view octets, std::string& body) {
  std::size_t position = 0;
  while (position < octets.size() && !done()) {
    if (state_ == State::kData) {
      const std::size_t part = std::min<std::uint64_t>(size_, octets.size() - position);
      body.append(octets.substr(position, part));
      position += part;
      size_ -= part;
      if (size_ == 0) state_ = State::kDataCr;
    } else if (const auto refusal = step(octets[position++])) {
      return *refusal;
    }
  }
  return position;
}

std::optional<Refusal> ChunkedBody::step(char c) {
  switch (state_) {
    case State::kSizeStart:
      size_ = 0;
      digits_ = 0;
      return add_digit(c);
    case State::kSize:
      if (c == '\r') return go_to(State::kSizeLf);
      if (c != ';') return add_digit(c);
      state_ = State::kExtension;
      return count_dropped();
    case State::kExtension:
      if (c == '\r') return go_to(State::kSizeLf);
      return is_text(c) ? count_dropped() : kBadExtension;
    case State::kSizeLf:
      return c == '\n' ? begin_data() : kBadSize;
    case State::kDataCr:
      return c == '\r' ? go_to(State::kDataLf) : kBadEnd;
    case State::kDataLf:
      return c == '\n' ? go_to(State::kSizeStart) : kBadEnd;
    case State::kLineStart:
      if (c == '\r') return go_to(State::kEndLf);
      state_ = State::kTrailer;
      return is_text(c) ? count_dropped() : kBadExtension;
    case State::kTrailer:
      if (c == '\r') return go_to(State::kTrailerLf);
      return is_text(c) ? count_dropped() : kBadExtension;
    case State::kTrailerLf:
      return c == '\n' ? go_to(State::kLineStart) : kBadExtension;
    case State::kEndLf:
      return c == '\n' ? go_to(State::kDone) : kBadExtension;
    case State::kData:
    case State::kDone:
      break;  // feed() gives no octet to these
  }
  std::abort();
}

std::optional<Refusal> ChunkedBody::go_to(State next) {
  state_ = next;
  return std::nullopt;
}

std::optional<Refusal> ChunkedBody::add_digit(char c) {
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > kMaxDigits) return kBadSize;
  size_ = size_ << 4 | static_cast<unsigned>(value);
  state_ = State::kSize;
  return std::nullopt;
}

std::optional<Refusal> ChunkedBody::count_dropped() {
  if (++dropped_ > kMaxDropped) return kTooMuchDropped;
  return std::nullopt;
}

std::optional<Refusal> ChunkedBody::begin_data() {
  if (size_ > limit_ - decoded_) return kTooLong;
  decoded_ += size_;
  state_ = size_ == 0 ? State::kLineStart : State::kData;
  return std::nullopt;
}

}  // namespace chancery::edge
