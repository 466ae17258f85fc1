#include "sdk/mcp/upstream_client.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "sdk/mcp/content.hpp"
#include "sdk/mcp/text_rules.hpp"
#include "sdk/mcp/version.hpp"

namespace chancery::mcp {
namespace {

using json::Node;
using json::Value;

constexpr std::size_t kMaxEvents = 64;
constexpr std::size_t kMaxCursor = 4096;
constexpr std::size_t kMaxName = 1024;

constexpr Error kBroken{ErrorCode::kConflict, "this upstream broke the protocol before: start it anew"};
constexpr Error kNotOpen{ErrorCode::kConflict, "no version is agreed with this upstream: open it first"};
constexpr Error kNoMessage{ErrorCode::kBadResponse, "the upstream sent something that is no message of MCP"};
constexpr Error kTooMany{ErrorCode::kTooLarge, "the upstream sends too many messages without the answer"};
constexpr Error kTooManyTools{ErrorCode::kTooLarge, "the upstream lists more tools or pages than may be"};
constexpr Error kSameCursor{ErrorCode::kBadResponse, "the upstream's list does not end: it repeats a cursor"};
constexpr Error kBadList{ErrorCode::kBadResponse,
                         "the upstream's answer to tools/list is not a list of tools"};
constexpr Error kListRefused{ErrorCode::kBadResponse, "the upstream refuses to list its tools"};
constexpr Error kNoVersion{ErrorCode::kBadResponse,
                           "the upstream speaks neither 2026-07-28 nor 2025-11-25: use one that does"};
constexpr Error kNoTools{ErrorCode::kBadResponse, "the upstream does not offer tools"};
constexpr Error kNotListed{ErrorCode::kNotFound, "the upstream's last list does not have this tool"};
constexpr Error kStale{ErrorCode::kConflict,
                       "the upstream says that its tools changed: list and review them first"};
constexpr Error kBadResult{ErrorCode::kBadResponse,
                           "the upstream's answer to tools/call is not a tool's result"};
constexpr Error kWantsInput{
    ErrorCode::kBadResponse,
    "the upstream wants input from a human or a model before it answers: that is refused"};

constexpr Error kBadArguments{ErrorCode::kInvalidArgument, "a tool's arguments are a JSON object"};

constexpr const char* kTwice = "a tool of this name is listed twice";
constexpr const char* kMirrors =
    "it has arguments mirrored into HTTP headers, which this gateway does not do";

bool is_object(const Value* value) { return value != nullptr && value->is(Value::Kind::kObject); }

bool has_text(const Value* array, std::string_view text) {
  return array != nullptr &&
         std::ranges::any_of(array->items(), [&](const Value& item) { return item.string() == text; });
}

UpstreamEvent event_of(std::string_view method) {
  if (method == "sampling/createMessage") return UpstreamEvent::kAskedForSampling;
  if (method == "elicitation/create") return UpstreamEvent::kAskedForInput;
  if (method == "roots/list") return UpstreamEvent::kAskedForRoots;
  return UpstreamEvent::kAskedForOther;
}

// Which of 2026-07-28's kinds of results it is; one that does not say is whole.
std::string_view result_type(const Value& result) {
  const Value* type = result.find("resultType");
  return type == nullptr ? "complete" : type->string().value_or("");
}

Result<ToolDone> read_result(const Value& result, bool any_value) {
  const Value* content = result.find("content");
  const Value* structured = result.find("structuredContent");
  const Value* is_error = result.find("isError");
  if (content == nullptr || (is_error != nullptr && !is_error->boolean())) return kBadResult;
  if (structured != nullptr && !any_value && !is_object(structured)) return kBadResult;
  const auto blocks = content_node(*content);
  if (!blocks) return kBadResult;
  ToolDone done{json::to_jcs(*blocks), {}, is_error != nullptr && *is_error->boolean()};
  if (structured != nullptr) done.structured = json::to_jcs(*structured);
  return done;
}

// One page's tools, apart as they may be used or not.
void sort_out(const Value& page, const UpstreamOptions& options, bool stateless, UpstreamTools& out) {
  for (const Value& value : page.items()) {
    auto tool = read_tool(value);
    if (!tool) {
      const Value* name = value.find("name");
      const auto text = name == nullptr ? std::nullopt : name->string();
      out.rejected.push_back({printable_text(text.value_or(""), kMaxName), tool.error().what});
      continue;
    }
    const auto mirrors = asks_for_headers(*tool);
    if (options.over_http && stateless && (!mirrors || *mirrors)) {
      out.rejected.push_back({tool->name, kMirrors});
    } else {
      out.usable.push_back(*std::move(tool));
    }
  }
}

// Of two with one name neither can be meant.
void reject_doubles(UpstreamTools& tools) {
  std::map<std::string, std::size_t> count;
  for (const Tool& tool : tools.usable) ++count[tool.name];
  std::erase_if(tools.usable, [&](const Tool& tool) { return count[tool.name] > 1; });
  for (const auto& [name, times] : count) {
    if (times > 1) tools.rejected.push_back({name, kTwice});
  }
}

}  // namespace

UpstreamClient::UpstreamClient(UpstreamTransport& transport, UpstreamOptions options)
    : transport_(transport), options_(std::move(options)) {}

Status UpstreamClient::open(Deadline deadline) {
  if (broken_) return kBroken;
  if (options_.speaks != UpstreamVersion::kSession) {
    stateless_ = true;
    const auto known = discover(deadline);
    if (!known && (broken_ || known.error().code != ErrorCode::kRequestRefused)) return known.error();
    stateless_ = known && *known;
    if (!stateless_ && options_.speaks == UpstreamVersion::kStateless) return kNoVersion;
  }
  if (!stateless_) CHANCERY_TRY(begin_session(deadline));
  open_ = true;
  return {};
}

// Whether the upstream speaks 2026-07-28. Any error says that it does not (stdio, "Backward Compatibility").
Result<bool> UpstreamClient::discover(Deadline deadline) {
  CHANCERY_ASSIGN(const Message answer, ask("server/discover", Node::object(), {}, deadline));
  if (answer.result() == nullptr) return false;
  if (!has_text(answer.result()->find("supportedVersions"), kStatelessVersion)) return false;
  const Value* capabilities = answer.result()->find("capabilities");
  if (!is_object(capabilities) || !is_object(capabilities->find("tools"))) return kNoTools;
  return true;
}

Status UpstreamClient::begin_session(Deadline deadline) {
  Node params =
      Node::object({{"protocolVersion", kSessionVersion},
                    {"capabilities", Node::object()},
                    {"clientInfo", Node::object({{"name", options_.name}, {"version", options_.version}})}});
  CHANCERY_ASSIGN(const Message answer, ask("initialize", std::move(params), {}, deadline));
  const Value* result = answer.result();
  const Value* version = result == nullptr ? nullptr : result->find("protocolVersion");
  if (version == nullptr || version->string() != kSessionVersion) return kNoVersion;
  const Value* capabilities = result->find("capabilities");
  if (!is_object(capabilities) || !is_object(capabilities->find("tools"))) return kNoTools;
  return tell("notifications/initialized", std::nullopt, deadline);
}

Result<UpstreamTools> UpstreamClient::list_tools(Deadline deadline) {
  if (!open_) return kNotOpen;
  stale_ = false;  // unless it says so while it lists
  callable_.clear();
  UpstreamTools tools;
  std::string cursor;
  for (std::size_t page = 0; page < options_.pages; ++page) {
    Node params = Node::object();
    if (page > 0) params.set("cursor", cursor);
    CHANCERY_ASSIGN(const Message answer, ask("tools/list", std::move(params), {}, deadline));
    if (answer.result() == nullptr) return kListRefused;
    const Value* list = answer.result()->find("tools");
    if (list == nullptr || !list->is(Value::Kind::kArray) || result_type(*answer.result()) != "complete") {
      return kBadList;
    }
    if (list->items().size() > options_.tools - tools.usable.size() - tools.rejected.size())
      return kTooManyTools;
    sort_out(*list, options_, stateless_, tools);
    const Value* next_cursor = answer.result()->find("nextCursor");
    if (next_cursor == nullptr) {
      reject_doubles(tools);
      for (const Tool& tool : tools.usable) callable_.insert(tool.name);
      return tools;
    }
    const auto text = next_cursor->string();
    if (!text || text->size() > kMaxCursor) return kBadList;
    if (page > 0 && *text == cursor) return kSameCursor;
    cursor = std::string(*text);
  }
  return kTooManyTools;
}

Result<UpstreamAnswer> UpstreamClient::call(const std::string& name, const std::string& arguments,
                                            Deadline deadline) {
  if (!open_) return kNotOpen;
  if (stale_) return kStale;
  if (!callable_.contains(name)) return kNotListed;
  CHANCERY_ASSIGN(const json::Document given, json::Document::parse_borrowed(arguments));
  if (!given.root().is(Value::Kind::kObject)) return kBadArguments;
  Node params = Node::object({{"name", name}, {"arguments", Node::copy(given.root())}});
  CHANCERY_ASSIGN(const Message answer, ask("tools/call", std::move(params), name, deadline));
  if (answer.result() == nullptr) {
    return UpstreamAnswer(UpstreamError{answer.error()->code, std::string(answer.error()->message)});
  }
  const std::string_view type = result_type(*answer.result());
  if (type == "input_required") {
    note(UpstreamEvent::kAskedForInput);
    return kWantsInput;
  }
  if (type != "complete") return kBadResult;
  CHANCERY_ASSIGN(ToolDone done, read_result(*answer.result(), stateless_));
  return UpstreamAnswer(std::move(done));
}

Result<Message> UpstreamClient::ask(std::string_view method, Node params, std::string_view name,
                                    Deadline deadline) {
  if (broken_) return kBroken;
  if (stateless_) {
    Node meta = Node::object();
    meta.set(std::string(kMetaVersion), kStatelessVersion);
    meta.set(std::string(kMetaCapabilities), Node::object());
    meta.set(std::string(kMetaClient),
             Node::object({{"name", options_.name}, {"version", options_.version}}));
    params.set("_meta", std::move(meta));
  }
  const Id id = ++last_id_;
  Outgoing message = outgoing(request_text(id, method, std::move(params)), method, name);
  message.has_answer = true;
  CHANCERY_TRY(transport_.send(message, deadline));
  return wait_for(id, deadline);
}

Result<Message> UpstreamClient::wait_for(const Id& id, Deadline deadline) {
  for (std::size_t count = 0; count < options_.messages; ++count) {
    CHANCERY_ASSIGN(std::string text, next(id, deadline));
    auto message = Message::read(std::move(text), options_.limits);
    if (!message) return end(kNoMessage);
    switch (message->kind()) {
      case Message::Kind::kRequest:
        CHANCERY_TRY(refuse(*message, deadline));
        break;
      case Message::Kind::kNotification:
        take_notification(*message);
        break;
      case Message::Kind::kResponse:
        // One question at a time: an error that names none is about it.
        if (!message->id() || *message->id() == id) return *std::move(message);
        note(UpstreamEvent::kStrayAnswer);
        break;
    }
  }
  return end(kTooMany);
}

Result<std::string> UpstreamClient::next(const Id& id, Deadline deadline) {
  auto text = transport_.receive(deadline);
  if (text) return text;
  if (text.error().code == ErrorCode::kTooLarge) return end(text.error());
  // Cancellation: who waits no longer says so. Whether it arrives is not waited for.
  if (text.error().code == ErrorCode::kTimeout && open_) {
    const Status told = tell("notifications/cancelled", Node::object({{"requestId", id_node(id)}}), deadline);
    if (!told) return end(text.error());
  }
  return text.error();
}

Status UpstreamClient::tell(std::string_view method, std::optional<Node> params, Deadline deadline) {
  return transport_.send(outgoing(notification_text(method, std::move(params)), method, {}), deadline);
}

Status UpstreamClient::refuse(const Message& request, Deadline deadline) {
  const Id& id = *request.id();
  if (request.method() == "ping" && !stateless_) {
    return transport_.send(outgoing(result_text(id, Node::object()), {}, {}), deadline);
  }
  note(event_of(request.method()));
  return transport_.send(
      outgoing(error_text(id, Code::kMethodNotFound, "this gateway answers no requests of servers"), {}, {}),
      deadline);
}

Outgoing UpstreamClient::outgoing(std::string text, std::string_view method, std::string_view name) const {
  Outgoing message{std::move(text),
                   {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}}};
  if (method != "initialize") {
    message.headers.emplace_back("MCP-Protocol-Version", stateless_ ? kStatelessVersion : kSessionVersion);
  }
  if (stateless_ && !method.empty()) message.headers.emplace_back("Mcp-Method", method);
  if (stateless_ && !name.empty())
    message.headers.emplace_back("Mcp-Name", name);  // is_tool_name(): as it is
  return message;
}

void UpstreamClient::take_notification(const Message& message) {
  if (message.method() != "notifications/tools/list_changed") return;
  stale_ = true;
  note(UpstreamEvent::kToolsChanged);
}

void UpstreamClient::note(UpstreamEvent event) {
  if (events_.size() < kMaxEvents) events_.push_back(event);
}

Error UpstreamClient::end(const Error& error) {
  broken_ = true;
  return error;
}

std::vector<UpstreamEvent> UpstreamClient::take_events() { return std::exchange(events_, {}); }

}  // namespace chancery::mcp
