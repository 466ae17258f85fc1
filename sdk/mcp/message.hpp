#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::mcp {

/// What a request is answered under: a text of at most 128 octets, or an integer within ±(2^53-1).
using Id = std::variant<std::int64_t, std::string>;

/// Error codes of JSON-RPC 2.0 (section 5.1) and those that MCP 2026-07-28 adds (Overview, "Error Codes").
enum class Code : std::int32_t {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kHeaderMismatch = -32020,
  kUnsupportedVersion = -32022,
};

/// Why a text is no message. `what` is a literal; `id` is the request's, where it could be read.
struct Fault {
  Code code = Code::kInvalidRequest;
  const char* what = "";
  std::optional<Id> id;
};

struct MessageLimits {
  std::size_t max_octets = std::size_t{1} << 20;
  json::Limits json{.max_depth = 32, .max_values = std::size_t{1} << 16};
};

/// An answer's error as the other side wrote it: borrowed from the message, and not to be trusted.
struct ErrorView {
  std::int64_t code = 0;
  std::string_view message;
};

/// One JSON-RPC 2.0 message, read strictly: no batch, no member that JSON-RPC does not know, `params` an object.
/// Move-only; owns its text. What it hands out is borrowed from it.
class Message {
 public:
  enum class Kind : std::uint8_t { kRequest, kNotification, kResponse };

  /// \return the message; a Fault with kParseError (not JSON, or beyond the limits) or kInvalidRequest
  [[nodiscard]] static Result<Message, Fault> read(std::string text, const MessageLimits& limits = {});

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// A request's; a response's, unless that is an error about a message whose id could not be read.
  [[nodiscard]] const std::optional<Id>& id() const noexcept { return id_; }
  /// Empty for a response; else 1 to 128 octets.
  [[nodiscard]] std::string_view method() const noexcept { return method_; }
  /// The member of `params` with that name; nullptr when there is none.
  [[nodiscard]] const json::Value* param(std::string_view name) const noexcept;
  /// A response's result, any value; nullptr when it is an error.
  [[nodiscard]] const json::Value* result() const noexcept { return result_; }
  [[nodiscard]] const std::optional<ErrorView>& error() const noexcept { return error_; }

 private:
  explicit Message(json::Document document) : document_(std::move(document)) {}
  [[nodiscard]] const char* take_members();
  [[nodiscard]] const char* take_call(const json::Value& method);
  [[nodiscard]] const char* take_response();

  json::Document document_;
  Kind kind_ = Kind::kRequest;
  std::optional<Id> id_;
  std::string_view method_;
  const json::Value* params_ = nullptr;
  const json::Value* result_ = nullptr;
  std::optional<ErrorView> error_;
};

/// The id that a value stands for; nullopt for null, a fraction, a text that is too long, and any other kind.
[[nodiscard]] std::optional<Id> read_id(const json::Value& value);
[[nodiscard]] json::Node id_node(const Id& id);

/// Each of these is one line of JCS without its end: neither stdio's framing nor an event's can be broken by it.
[[nodiscard]] std::string request_text(const Id& id, std::string_view method, json::Node params);
[[nodiscard]] std::string notification_text(std::string_view method, std::optional<json::Node> params = {});
[[nodiscard]] std::string result_text(const Id& id, json::Node result);
/// \param id  nullopt when the request's could not be read: the member is left out then
[[nodiscard]] std::string error_text(const std::optional<Id>& id, Code code, std::string_view message,
                                     std::optional<json::Node> data = {});

}  // namespace chancery::mcp
