#pragma once

#include <chrono>
#include <string>

#include "daemon/rest/http.hpp"

namespace chancery::edge {

/// How a response stands in its connection.
struct ResponseFrame {
  std::string_view request_id;
  int version = 11;  ///< of the request
  bool keep_alive = false;
  bool omit_body = false;  ///< an answer to HEAD: Content-Length tells of the body that GET would give
  std::chrono::sys_seconds now{};
};

/// Appends a response in HTTP/1.1: status line, the fields that every answer has, the handler's own, the
/// body.
void append_response(std::string& out, const rest::Response& response, const ResponseFrame& frame);

}  // namespace chancery::edge
