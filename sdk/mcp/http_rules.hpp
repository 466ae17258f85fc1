#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/mcp/message.hpp"

namespace chancery::mcp {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request to the endpoint, whole: its path has led here already. Borrowed.
struct HttpRequest {
  std::string_view method;
  std::span<const Headers::value_type> headers;
  std::string_view body;
};

struct HttpAnswer {
  unsigned status = 200;
  Headers headers;
  std::string body;  ///< one message, or nothing
};

/// Who may come, for an endpoint on loopback: pages of others must not reach it through a name that they made resolve
/// to this machine (Streamable HTTP, "Security").
struct HttpRules {
  std::uint16_t port = 0;            ///< where the endpoint listens
  std::vector<std::string> origins;  ///< further origins that may, each as `Origin` has it; usually none
};

/// Checks `Host`, which names this machine and the endpoint's port, and `Origin`, which is absent, the same, or one of
/// the rules'. \return 400 for a `Host` that is missing or there twice, else 403
[[nodiscard]] Result<void, HttpAnswer> check_source(const HttpRequest& request, const HttpRules& rules);

/// A POST whose headers are what they must be, and agree with its body.
struct Post {
  Message message;
  bool stateless = false;  ///< of 2026-07-28: sessions do not concern it
};

/// Reads a POST: `Content-Type`, `Accept`, the message, `MCP-Protocol-Version` and, in 2026-07-28, `Mcp-Method` and
/// `Mcp-Name` against the message.
/// \return 400, 406 or 415, with a JSON-RPC error
[[nodiscard]] Result<Post, HttpAnswer> read_post(const HttpRequest& request, const MessageLimits& limits);

/// The value of a header that is there once. \return nullopt when it is not there; 400 when it is there twice
[[nodiscard]] Result<std::optional<std::string_view>, HttpAnswer> single_header(const HttpRequest& request,
                                                                                std::string_view name);

/// The value that `Mcp-Name` stands for: as it is, or base64 between `=?base64?` and `?=`.
/// \return nullopt for one that is badly encoded or has other characters than a header may
[[nodiscard]] std::optional<std::string> decode_header_value(std::string_view value);

/// An answer that refuses with a JSON-RPC error. \param what  a literal
[[nodiscard]] HttpAnswer http_refusal(unsigned status, Code code, const char* what,
                                      const std::optional<Id>& id = {});

}  // namespace chancery::mcp
