#include "daemon/edge/request_reader.hpp"

#include <algorithm>

#include "sdk/base/cleanse.hpp"

namespace chancery::edge {
namespace {

constexpr std::size_t kKeptBodyBytes = 64 * 1024;

constexpr Refusal kBodyTooLong{413, ErrorCode::kTooLarge,
                               "the request body is longer than this server reads"};

// A body may be a secret: where it needs more room, it is not left behind in the former.
void append_without_traces(std::string& body, std::string_view octets) {
  if (body.size() + octets.size() > body.capacity()) {
    std::string larger;
    larger.reserve(std::max(2 * body.capacity(), body.size() + octets.size()));
    larger.append(body);
    cleanse(body);
    body.swap(larger);
  }
  body.append(octets);
}

}  // namespace

RequestReader::RequestReader(const Limits& limits) noexcept
    : limits_(limits), scan_(limits.header_bytes), chunks_(limits.body_bytes) {}

Result<std::size_t, Refusal> RequestReader::feed(std::string_view octets) {
  std::size_t used = 0;
  if (part_ == Part::kHead) {
    CHANCERY_ASSIGN(used, feed_head(octets));
  }
  CHANCERY_ASSIGN(const std::size_t of_body, feed_body(octets.substr(used)));
  return used + of_body;
}

Result<std::size_t, Refusal> RequestReader::feed_head(std::string_view octets) {
  CHANCERY_ASSIGN(const auto found, scan_.look(octets));
  if (!found) return std::size_t{0};
  CHANCERY_ASSIGN(head_, read_head(octets.substr(found->begin, found->end - found->begin), request_));
  if (head_.content_length > limits_.body_bytes) return kBodyTooLong;
  part_ = head_.chunked ? Part::kChunkedBody : Part::kSizedBody;
  return found->end;
}

Result<std::size_t, Refusal> RequestReader::feed_body(std::string_view octets) {
  std::size_t used = 0;
  if (part_ == Part::kSizedBody) {
    used = std::min<std::size_t>(head_.content_length - request_.body.size(), octets.size());
    append_without_traces(request_.body, octets.substr(0, used));
    if (request_.body.size() == head_.content_length) part_ = Part::kWhole;
  } else if (part_ == Part::kChunkedBody) {
    CHANCERY_ASSIGN(used, chunks_.feed(octets, request_.body));
    if (chunks_.done()) part_ = Part::kWhole;
  }
  return used;
}

void RequestReader::restart() {
  part_ = Part::kHead;
  scan_ = HeadScan(limits_.header_bytes);
  chunks_ = ChunkedBody(limits_.body_bytes);
  head_ = {};
  if (request_.body.capacity() > kKeptBodyBytes)
    std::string().swap(request_.body);  // an assignment would keep it
  request_.body.clear();
}

}  // namespace chancery::edge
