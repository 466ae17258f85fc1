#include "daemon/rest/request_marks.hpp"

#include <algorithm>

namespace chancery::rest {
namespace {

constexpr std::size_t kParentSize = 55;  // "00-" trace id "-" parent id "-" flags

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string_view trace_id_of(std::string_view traceparent) noexcept {
  if (traceparent.size() < kParentSize) return {};
  const std::string_view version = traceparent.substr(0, 2), trace = traceparent.substr(3, 32),
                         parent = traceparent.substr(36, 16), flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  for (const std::string_view part : {version, trace, parent, flags}) {
    if (!is_lower_hex(part)) return {};
  }
  if (version == "ff" || is_zero(trace) || is_zero(parent)) return {};
  const std::string_view more = traceparent.substr(kParentSize);
  if (!more.empty() && (version == "00" || more.front() != '-')) return {};
  return trace;
}

Status read_marks(Request& request) {
  request.task.clear();  // requests of a connection share their storage
  request.trace_id = trace_id_of(request.header("traceparent").value_or(""));
  const auto tasks =
      std::ranges::count(request.headers, "chancery-task", &std::pair<std::string, std::string>::first);
  if (tasks == 0) return {};
  const std::string_view task = request.header("chancery-task").value_or("");
  const bool is_printable = std::ranges::all_of(task, [](char c) { return c >= ' ' && c <= '~'; });
  if (task.empty() || task.size() > kLongestTask || !is_printable) {
    return Error{ErrorCode::kBadRequest,
                 "`Chancery-Task` is one header of 1 to 128 printable ASCII characters"};
  }
  request.task = task;
  return {};
}

std::string traceresponse(std::string_view trace_id, std::string_view request_id) {
  return std::string("00-").append(trace_id).append("-").append(request_id.substr(0, 16)).append("-00");
}

}  // namespace chancery::rest
