#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/runtime/schema/schema.hpp"
#include "daemon/runtime/tools/url_template.hpp"

namespace chancery::tools {

/// A JSON pointer (RFC 6901) and its tokens, unescaped.
struct Pointer {
  std::string text;
  std::vector<std::string> tokens;
};

enum class Risk : std::uint8_t { kLow, kMedium, kHigh };
enum class Approval : std::uint8_t { kNone, kRequired };

/// How an argument is read before a constraint is held against it.
enum class ValueForm : std::uint8_t { kNumber, kString, kPath, kUrl, kHost };

/// "low", "none", "number": as declarations have them.
[[nodiscard]] std::string_view risk_name(Risk risk) noexcept;
[[nodiscard]] std::string_view approval_name(Approval approval) noexcept;
[[nodiscard]] std::string_view value_form_name(ValueForm form) noexcept;

/// An argument that decides: what it is, in its one spelling, is a parameter of the action that is authorized.
struct ConstraintSource {
  Pointer argument;
  std::string parameter;
  ValueForm form = ValueForm::kString;
};

/// Where a credential goes in a request. Who puts it there escapes it, and refuses one with control characters.
struct CredentialPlace {
  enum class Kind : std::uint8_t { kHeader, kQuery, kBasic };
  Kind kind = Kind::kHeader;
  std::string name;    ///< of the header, in lower case; of the query parameter; of the user for kBasic
  std::string before;  ///< in the header's value, "Bearer "
  std::string after;
};

enum class BodyForm : std::uint8_t { kNone, kJson, kForm };
enum class Redirects : std::uint8_t { kNone, kSameOrigin };

/// A name of the request and the argument whose value it gets.
using NamedPointer = std::pair<std::string, Pointer>;

/// What holds for every upstream that is reached over HTTP.
struct HttpLimits {
  std::vector<std::string>
      allow_addresses;  ///< "127.0.0.1/32": those beside the public ones that may be connected to
  std::uint64_t max_response = 1024 * 1024;  ///< octets
  std::chrono::milliseconds timeout{10'000};
  Redirects redirects = Redirects::kNone;
};

struct HttpUpstream {
  std::string method;
  UrlTemplate url;
  std::vector<NamedPointer> query;
  std::vector<NamedPointer> headers;  ///< names in lower case
  BodyForm body = BodyForm::kNone;
  std::vector<NamedPointer> body_members;  ///< of the body, from arguments
  std::optional<Pointer> body_value;       ///< the argument that is the body
  std::optional<CredentialPlace> credential_in;
  HttpLimits limits;
};

/// A tool of an MCP server that the runtime starts.
struct McpStdioUpstream {
  std::vector<std::string> command;  ///< an absolute path, then arguments; none of them is an agent's
  std::string tool;
  std::optional<std::string>
      description_sha256;  ///< hexadecimal; without it nobody has reviewed the tool, and it is not served
  bool network = false;
  std::optional<std::string> credential_in;  ///< the variable of its environment that gets the credential
  HttpLimits limits;                         ///< of these, max_response and timeout
};

/// A tool of an MCP server elsewhere.
struct McpHttpUpstream {
  Url url;
  std::string tool;
  std::optional<std::string> description_sha256;
  std::optional<CredentialPlace> credential_in;
  HttpLimits limits;
};

struct ResponseRules {
  std::vector<Pointer> allow;  ///< `*` stands for every item of a list
  std::vector<Pointer> pii;    ///< what is redacted of it
};

/// One tool, as its file declares it. A value; immutable once loaded.
struct Tool {
  std::string name;
  std::string description;
  std::string scope;
  Risk risk = Risk::kHigh;
  Approval approval = Approval::kNone;
  std::string credential;  ///< name of the vault's record; empty when it needs none
  schema::Schema arguments;
  std::vector<ConstraintSource> constraints;
  std::variant<HttpUpstream, McpStdioUpstream, McpHttpUpstream> upstream;
  ResponseRules response;
  std::string file;  ///< that declares it
};

/// What bounds a call of the tool, whatever its upstream speaks.
[[nodiscard]] const HttpLimits& limits_of(const Tool& tool);

/// Whether the tool is one of an MCP server.
[[nodiscard]] bool speaks_mcp(const Tool& tool) noexcept;

/// The name of a tool at its MCP server. Only for one that speaks_mcp().
[[nodiscard]] const std::string& name_at_server(const Tool& tool);

/// The digest of the server's description that was reviewed: nullopt where nobody has, and for what is no tool of an MCP server.
[[nodiscard]] std::optional<std::string> reviewed_digest(const Tool& tool);

/// Whether agents may have the tool: one of an MCP server must have been reviewed.
[[nodiscard]] bool may_be_served(const Tool& tool);

}  // namespace chancery::tools
