#include "daemon/runtime/upstreams/stdio_transport.hpp"

#include <algorithm>
#include <chrono>

#include "daemon/runtime/upstreams/upstream.hpp"

namespace chancery::runtime {
namespace {

constexpr std::chrono::milliseconds kSlice{250};

}  // namespace

Status StdioTransport::send(const mcp::Outgoing& message, mcp::Deadline deadline) {
  CHANCERY_TRY(process_.lines().add_line(message.text));
  for (;;) {
    if (stop_.stop_requested()) return kCallStopped;
    const auto slice = std::min(deadline, std::chrono::steady_clock::now() + kSlice);
    const Status sent = process_.lines().flush(slice);
    const bool is_over = sent || sent.error().code != ErrorCode::kTimeout;
    if (is_over || slice == deadline) return sent;
  }
}

Result<std::string> StdioTransport::receive(mcp::Deadline deadline) {
  for (;;) {
    if (stop_.stop_requested()) return kCallStopped;
    const auto slice = std::min(deadline, std::chrono::steady_clock::now() + kSlice);
    auto line = process_.lines().read_line(slice);
    const bool is_over = line || line.error().code != ErrorCode::kTimeout;
    if (is_over || slice == deadline) return line;
  }
}

}  // namespace chancery::runtime
