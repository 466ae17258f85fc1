#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/edge/framing_rules.hpp"
#include "daemon/rest/http.hpp"

namespace chancery::edge {

/// What a head says of the message around it.
struct RequestHead {
  std::uint64_t content_length = 0;  ///< 0 when chunked
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = false;
  int version = 11;  ///< 10 or 11
};

/// Reads a whole head that HeadScan has found, by Beast's parser and then the stricter FieldRules. Pure.
/// \param octets   from the request line to the empty line
/// \param request  method, path, query and headers are replaced
Result<RequestHead, Refusal> read_head(std::string_view octets, rest::Request& request);

}  // namespace chancery::edge
