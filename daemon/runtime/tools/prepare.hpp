#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/runtime/tools/tool.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::tools {

/// A request as it goes to an upstream over HTTP, but for the credential.
struct HttpRequest {
  std::string method;
  Url url;
  std::vector<std::pair<std::string, std::string>>
      headers;  ///< names in lower case; values without control characters
  std::string body;
};

/// A call of an MCP server's tool.
struct McpRequest {
  std::string tool;
  std::string arguments;  ///< JCS
};

/// A call that is ready to be authorized, and then made.
struct PreparedCall {
  std::string arguments;          ///< as the tool gets them, each in its one spelling; JCS
  Sha256Digest arguments_sha256;  ///< of these octets
  std::string params;             ///< of the action to authorize: an object in JCS
  std::variant<HttpRequest, McpRequest> request;
};

/// Why a call cannot be made.
struct CallRefusal {
  Error error;           ///< kInvalidArgument, or kTooLarge when checking takes too much work
  std::string argument;  ///< JSON pointer to the argument at fault; empty when it is all of them
  std::vector<schema::Finding> findings;  ///< what the schema says; empty when it was something else
};

/// Makes a call of a tool of an agent's arguments: holds them against the schema, brings what constraints look at into its one
/// spelling, holds the result against the schema again, and composes the request from that result alone. So what is
/// authorized, what is recorded and what is sent are the same values.
///
/// Pure. Thread-safe.
/// \param arguments  of whoever calls; borrowed for the call only
[[nodiscard]] Result<PreparedCall, CallRefusal> prepare(const Tool& tool, const json::Value& arguments);

}  // namespace chancery::tools
