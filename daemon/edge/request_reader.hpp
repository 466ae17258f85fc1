#pragma once

#include <cstddef>
#include <string_view>

#include "daemon/edge/chunked_body.hpp"
#include "daemon/edge/framing_rules.hpp"
#include "daemon/edge/limits.hpp"
#include "daemon/edge/request_head.hpp"

namespace chancery::edge {

/// Puts requests together from octets as they arrive, within the limits on header and body. Pure: no socket,
/// no clock. The body grows with what has arrived, never with what was announced.
class RequestReader {
 public:
  explicit RequestReader(const Limits& limits) noexcept;

  /// \param octets  what has arrived and was not consumed by earlier calls
  /// \return how many octets were consumed; those behind a whole request are not
  Result<std::size_t, Refusal> feed(std::string_view octets);

  [[nodiscard]] bool has_head() const noexcept { return part_ != Part::kHead; }
  [[nodiscard]] bool is_whole() const noexcept { return part_ == Part::kWhole; }

  /// Meaningful once has_head().
  [[nodiscard]] const RequestHead& head() const noexcept { return head_; }

  /// Octets of the body that are held.
  [[nodiscard]] std::size_t body_size() const noexcept { return request_.body.size(); }

  /// Meaningful once is_whole(); may be moved from.
  [[nodiscard]] rest::Request& request() noexcept { return request_; }

  /// Begins the next request. Storage is kept, unless it is large.
  void restart();

 private:
  enum class Part : std::uint8_t { kHead, kSizedBody, kChunkedBody, kWhole };

  Result<std::size_t, Refusal> feed_head(std::string_view octets);
  Result<std::size_t, Refusal> feed_body(std::string_view octets);

  const Limits& limits_;
  Part part_ = Part::kHead;
  HeadScan scan_;
  ChunkedBody chunks_;
  RequestHead head_;
  rest::Request request_;
};

}  // namespace chancery::edge
