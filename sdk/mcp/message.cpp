#include "sdk/mcp/message.hpp"

#include <utility>

namespace chancery::mcp {
namespace {

using json::Node;
using json::Value;

constexpr std::size_t kMaxIdOctets = 128;
constexpr std::size_t kMaxMethodOctets = 128;

constexpr const char* kTooLong = "the message is too long: send less in one message";
constexpr const char* kBatch = "batches are no part of this protocol: send each message by itself";
constexpr const char* kNoObject = "a message is a JSON object";
constexpr const char* kVersion = R"(a message has "jsonrpc": "2.0")";
constexpr const char* kBadId = "an id is a text of at most 128 octets or an integer, and not null";
constexpr const char* kNoMethod = "a message has a method, a result or an error, and one of them alone";
constexpr const char* kBadMethod = "a method is a text of 1 to 128 octets";
constexpr const char* kBadParams = "params is an object: give parameters by name";
constexpr const char* kUnknownMember = "a message has no members but those of JSON-RPC 2.0";
constexpr const char* kBadError = "an error has an integer as code and a text as message";

Node envelope() { return Node::object({{"jsonrpc", "2.0"}}); }

}  // namespace

std::optional<Id> read_id(const Value& value) {
  if (const auto number = value.integer()) return Id(*number);
  const auto text = value.string();
  if (!text || text->size() > kMaxIdOctets) return std::nullopt;
  return Id(std::string(*text));
}

Node id_node(const Id& id) {
  if (const auto* number = std::get_if<std::int64_t>(&id)) return Node(*number);
  return Node(std::get<std::string>(id));
}

Result<Message, Fault> Message::read(std::string text, const MessageLimits& limits) {
  if (text.size() > limits.max_octets) return Fault{Code::kParseError, kTooLong, {}};
  auto document = json::Document::parse(std::move(text), limits.json);
  if (!document) return Fault{Code::kParseError, document.error().what, {}};
  if (document->root().is(Value::Kind::kArray)) return Fault{Code::kInvalidRequest, kBatch, {}};
  if (!document->root().is(Value::Kind::kObject)) return Fault{Code::kInvalidRequest, kNoObject, {}};
  Message message(*std::move(document));
  if (const char* wrong = message.take_members()) return Fault{Code::kInvalidRequest, wrong, message.id_};
  return message;
}

const char* Message::take_members() {
  const Value& root = document_.root();
  const Value* id = root.find("id");
  // JSON-RPC's own servers say null in the error about a message whose id they could not read; MCP leaves it out.
  const bool unread = id != nullptr && id->is(Value::Kind::kNull) && root.find("error") != nullptr;
  if (id != nullptr && !unread) {
    id_ = read_id(*id);
    if (!id_) return kBadId;
  }
  const Value* version = root.find("jsonrpc");
  if (version == nullptr || version->string() != "2.0") return kVersion;
  const Value* method = root.find("method");
  return method != nullptr ? take_call(*method) : take_response();
}

const char* Message::take_call(const Value& method) {
  const Value& root = document_.root();
  if (root.find("result") != nullptr || root.find("error") != nullptr) return kNoMethod;
  if (!root.has_only({"jsonrpc", "id", "method", "params"})) return kUnknownMember;
  kind_ = id_ ? Kind::kRequest : Kind::kNotification;
  method_ = method.string().value_or("");
  if (method_.empty() || method_.size() > kMaxMethodOctets) return kBadMethod;
  params_ = root.find("params");
  if (params_ != nullptr && !params_->is(Value::Kind::kObject)) return kBadParams;
  return nullptr;
}

const char* Message::take_response() {
  const Value& root = document_.root();
  kind_ = Kind::kResponse;
  result_ = root.find("result");
  const Value* error = root.find("error");
  if ((result_ == nullptr) == (error == nullptr)) return kNoMethod;
  if (!root.has_only({"jsonrpc", "id", "result", "error"})) return kUnknownMember;
  if (error == nullptr) return id_ ? nullptr : kBadId;
  const Value* code = error->find("code");
  const Value* message = error->find("message");
  if (code == nullptr || !code->integer() || message == nullptr || !message->string()) return kBadError;
  error_ = ErrorView{*code->integer(), *message->string()};
  return nullptr;
}

const Value* Message::param(std::string_view name) const noexcept {
  return params_ == nullptr ? nullptr : params_->find(name);
}

std::string request_text(const Id& id, std::string_view method, Node params) {
  Node node = envelope();
  node.set("id", id_node(id));
  node.set("method", method);
  node.set("params", std::move(params));
  return json::to_jcs(node);
}

std::string notification_text(std::string_view method, std::optional<Node> params) {
  Node node = envelope();
  node.set("method", method);
  if (params) node.set("params", *std::move(params));
  return json::to_jcs(node);
}

std::string result_text(const Id& id, Node result) {
  Node node = envelope();
  node.set("id", id_node(id));
  node.set("result", std::move(result));
  return json::to_jcs(node);
}

std::string error_text(const std::optional<Id>& id, Code code, std::string_view message,
                       std::optional<Node> data) {
  Node error = Node::object({{"code", static_cast<std::int32_t>(code)}, {"message", message}});
  if (data) error.set("data", *std::move(data));
  Node node = envelope();
  if (id) node.set("id", id_node(*id));
  node.set("error", std::move(error));
  return json::to_jcs(node);
}

}  // namespace chancery::mcp
