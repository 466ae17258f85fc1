#include "daemon/runtime/upstreams/http_transport.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "daemon/runtime/upstreams/credential_place.hpp"
#include "daemon/runtime/upstreams/http_upstream.hpp"
#include "daemon/runtime/upstreams/mcp_conversation.hpp"
#include "sdk/mcp/message.hpp"
#include "sdk/mcp/sse.hpp"
#include "sdk/mcp/text_rules.hpp"
#include "sdk/mcp/version.hpp"

namespace chancery::runtime {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestSession = 1024;
constexpr milliseconds kGoodbye{2'000};

constexpr Error kNoTime{ErrorCode::kTimeout, "the server did not answer in time"};
constexpr Error kNoAnswer{ErrorCode::kBadResponse, "the server's answer ended without a message"};
constexpr Error kBadSession{ErrorCode::kBadResponse, "the server names its session otherwise than it may"};

Error refused(int status) {
  const bool wants_credential = status == 401 || status == 403;
  return {ErrorCode::kRequestRefused,
          wants_credential ? "the server does not take the request with this credential, or without one"
                           : "the server refuses the request",
          static_cast<std::uint64_t>(status)};
}

bool is_stream(const std::vector<OutboundHeader>& headers) {
  constexpr std::string_view kStream = "text/event-stream";
  return is_alike(header_of(headers, "content-type").substr(0, kStream.size()), kStream);
}

bool is_message(const std::string& text) { return mcp::Message::read(text).has_value(); }

}  // namespace

/// Takes one answer apart as it comes.
class HttpTransport::Answer final : public AnswerSink {
 public:
  Answer(HttpTransport& transport, std::size_t max_message, bool may_begin_session)
      : transport_(transport), events_(max_message), may_begin_session_(may_begin_session) {}

  void begin(int status, const std::vector<OutboundHeader>& headers) override {
    status_ = status;
    is_stream_ = is_good() && is_stream(headers);
    const std::string_view session = header_of(headers, "mcp-session-id");
    if (session.empty() || !is_good() || !may_begin_session_) return;
    if (!mcp::is_visible_ascii(session, kLongestSession)) {
      failure_ = kBadSession;
      return;
    }
    const std::lock_guard lock(transport_.mutex_);
    transport_.session_ = std::string(session);
  }

  bool take(std::string_view part) override {
    if (failure_) return false;
    if (!is_stream_) {
      body_ += part;  // as long as the exchange takes
      return true;
    }
    auto messages = events_.feed(part);
    if (!messages) {
      failure_ = messages.error();
      return false;
    }
    for (std::string& message : *messages) deliver(std::move(message));
    return true;
  }

  /// After the exchange.
  void finish(const Result<OutboundResponse>& response) {
    Error end = failure_    ? *failure_
                : !response ? response.error()
                : is_good() ? kNoAnswer
                            : refused(status_);
    const bool has_body = response && !failure_ && !is_stream_ && !body_.empty();
    // An error of HTTP may hold one of JSON-RPC, which says more. One about credentials is told by its status.
    const bool is_plain_error = !is_good() && (status_ == 401 || status_ == 403 || !is_message(body_));
    if (has_body && !is_plain_error) deliver(std::move(body_));
    const std::lock_guard lock(transport_.mutex_);
    transport_.end_ = end;
    transport_.changed_.notify_all();
  }

 private:
  [[nodiscard]] bool is_good() const noexcept { return status_ >= 200 && status_ < 300; }
  void deliver(std::string message) {
    const std::lock_guard lock(transport_.mutex_);
    transport_.messages_.push_back(std::move(message));
    transport_.changed_.notify_all();
  }

  HttpTransport& transport_;
  mcp::SseReader events_;
  const bool may_begin_session_;
  int status_ = 0;
  bool is_stream_ = false;
  std::string body_;
  std::optional<Error> failure_;
};

HttpTransport::HttpTransport(const Parts& parts, std::string ca_file, std::stop_token stop)
    : parts_(parts), ca_file_(std::move(ca_file)), stop_(std::move(stop)) {}

HttpTransport::~HttpTransport() {
  end_exchange();
  end_session();
}

Result<OutboundRequest> HttpTransport::request_of(const std::string& method, mcp::Deadline deadline) const {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  if (left <= milliseconds{0}) return kNoTime;
  OutboundRequest request;
  request.method = method;
  request.url = parts_.server.url.text();
  CHANCERY_ASSIGN(request.allowed, allowed_ranges(parts_.server.limits));
  request.http_allowed = parts_.server.url.scheme == "http";
  request.limits = outbound_limits(parts_.server.limits);
  request.limits.max_response = std::max<std::size_t>(request.limits.max_response, kLeastMessage);
  request.limits.timeout = left;
  request.ca_file = ca_file_;
  if (!session_.empty()) request.headers.push_back({"mcp-session-id", session_});
  if (parts_.credential != nullptr && parts_.server.credential_in)
    CHANCERY_TRY(place_credential(*parts_.server.credential_in, *parts_.credential, request));
  return request;
}

Result<OutboundRequest> HttpTransport::post_of(const mcp::Outgoing& message, mcp::Deadline deadline) const {
  CHANCERY_ASSIGN(OutboundRequest request, request_of("POST", deadline));
  for (const auto& [name, value] : message.headers) request.headers.push_back({name, value});
  request.body = message.text;
  return request;
}

Status HttpTransport::send(const mcp::Outgoing& message, mcp::Deadline deadline) {
  if (stop_.stop_requested()) return kCallStopped;
  deadline_ = deadline;
  if (message.has_answer) end_exchange();  // before what it may still change is read
  auto request = [&] {
    const std::lock_guard lock(mutex_);
    return post_of(message, deadline);
  }();
  if (!request) return request.error();
  if (message.has_answer) {
    // 2026-07-28 knows no sessions.
    const bool is_stateless = std::ranges::any_of(
        message.headers, [](const auto& header) { return is_alike(header.first, "mcp-method"); });
    ask(*std::move(request), !is_stateless);
    return {};
  }
  const auto response = parts_.outbound.call(*request, stop_);
  if (!response) return response.error();
  if (response->status >= 200 && response->status < 300) return {};
  return refused(response->status);
}

// A stream may stay open after its answer: the next question ends it.
void HttpTransport::ask(OutboundRequest request, bool may_begin_session) {
  exchange_ = std::stop_source();
  reader_ = std::thread([this, may_begin_session, request = std::move(request)]() mutable {
    Answer answer(*this, request.limits.max_response, may_begin_session);
    request.sink = &answer;
    const std::stop_callback forward(stop_, [this] { exchange_.request_stop(); });
    answer.finish(parts_.outbound.call(request, exchange_.get_token()));
  });
}

Result<std::string> HttpTransport::receive(mcp::Deadline deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return !messages_.empty() || end_.has_value(); });
  if (!messages_.empty()) {
    std::string message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }
  return end_.value_or(kNoTime);
}

void HttpTransport::end_exchange() {
  if (!reader_.joinable()) return;
  exchange_.request_stop();
  reader_.join();
  messages_.clear();
  end_.reset();
}

// A server that keeps no sessions answers that it does not know the method, which is as good. The agent waits meanwhile: a call
// whose time is over says no goodbye, and the server forgets the session by itself.
void HttpTransport::end_session() {
  if (session_.empty()) return;
  auto request = request_of("DELETE", std::min(deadline_, Clock::now() + kGoodbye));
  if (!request) return;
  request->headers.push_back({"mcp-protocol-version", std::string(mcp::kSessionVersion)});
  static_cast<void>(parts_.outbound.call(*request, stop_));
}

}  // namespace chancery::runtime
