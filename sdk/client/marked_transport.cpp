#include <algorithm>
#include <utility>

#include "sdk/client/transport.hpp"

namespace chancery::client {
namespace {

class MarkedTransport final : public Transport {
 public:
  MarkedTransport(std::unique_ptr<Transport> carrier, Headers marks)
      : carrier_(std::move(carrier)), marks_(std::move(marks)) {}

  Result<HttpAnswer> send(const HttpRequest& request, Deadline deadline) const override {
    HttpRequest marked = request;
    marked.headers.insert(marked.headers.end(), marks_.begin(), marks_.end());
    return carrier_->send(marked, deadline);
  }

 private:
  const std::unique_ptr<Transport> carrier_;
  const Headers marks_;
};

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<std::unique_ptr<Transport>> make_marked_transport(std::unique_ptr<Transport> carrier,
                                                         const std::string& task,
                                                         const std::string& traceparent) {
  constexpr std::size_t kLongest = 128;
  if (task.size() > kLongest || !is_printable(task)) {
    return Error{ErrorCode::kInvalidArgument, "a task is at most 128 printable ASCII characters"};
  }
  if (traceparent.size() > kLongest || !is_printable(traceparent)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a traceparent is as W3C Trace Context has it: 00-TRACE-PARENT-FLAGS"};
  }
  Headers marks;
  if (!task.empty()) marks.emplace_back("Chancery-Task", task);
  if (!traceparent.empty()) marks.emplace_back("traceparent", traceparent);
  if (marks.empty()) return carrier;
  return std::unique_ptr<Transport>(std::make_unique<MarkedTransport>(std::move(carrier), std::move(marks)));
}

}  // namespace chancery::client
