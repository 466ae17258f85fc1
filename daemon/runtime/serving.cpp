#include "daemon/runtime/serving.hpp"

#include <algorithm>
#include <chrono>

#include "daemon/config/values.hpp"

namespace chancery::runtime {

using namespace std::chrono_literals;

std::vector<tools::Tool> served(std::vector<tools::Tool> tools) {
  std::erase_if(tools, [](const tools::Tool& tool) { return !tools::may_be_served(tool); });
  return tools;
}

edge::Limits limits_for(const std::vector<tools::Tool>& tools) {
  std::chrono::milliseconds longest = 0ms;
  for (const tools::Tool& tool : tools) longest = std::max(longest, tools::limits_of(tool).timeout);
  edge::Limits limits;
  limits.header_bytes = 64 * 1024;  // chains travel in headers
  limits.handler_time = longest + 60s;
  return limits;
}

edge::ServerOptions server_options(const Settings& settings, const edge::Limits& limits,
                                   const telemetry::Log& log) {
  edge::ServerOptions options;
  options.unix_socket = edge::UnixAddress{settings.socket, 0666, ""};
  if (const auto address = config::parse_address(settings.tls_listen)) {
    options.tls =
        edge::TlsAddress{{address->host, address->port}, settings.tls_certificate, settings.tls_key};
  }
  options.limits = limits;
  options.blocking_threads = kCallsAtOnce;  // each waits for an upstream
  options.looks_at_programs = false;        // chains and proofs say who calls
  options.log = &log;
  return options;
}

telemetry::LogOptions log_options(const Settings& settings) {
  telemetry::LogOptions options;
  options.level = settings.log_level;
  options.format = settings.log_format;
  return options;
}

}  // namespace chancery::runtime
