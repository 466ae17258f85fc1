#include "sdk/mcp/server_session.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "sdk/base/base64url.hpp"
#include "sdk/mcp/text_rules.hpp"
#include "sdk/mcp/tool_result.hpp"
#include "sdk/mcp/version.hpp"

namespace chancery::mcp {
namespace {

using json::Node;
using json::Value;

constexpr const char* kNoVersion =
    "this request says no version: send initialize first (2025-11-25), or name the version in _meta (2026-07-28)";
constexpr const char* kNoCapabilities = "_meta lacks io.modelcontextprotocol/clientCapabilities, an object";
constexpr const char* kBadMeta = "_meta is an object, and its progressToken a text or an integer";
constexpr const char* kBadLevel =
    "a log level is debug, info, notice, warning, error, critical, alert or emergency";
constexpr const char* kBadInitialize =
    "initialize needs protocolVersion, capabilities, and clientInfo with name and version";
constexpr const char* kOpenAlready = "this session has been initialized: begin another one";
constexpr const char* kBadCursor = "this cursor is not one that tools/list gave";
constexpr const char* kBadCall = "tools/call needs the name of a tool, and arguments that are an object";
constexpr const char* kNoSuchTool =
    "there is no such tool for this caller: tools/list has those that there are";
constexpr const char* kBadResume =
    "requestState is the text that came with input_required, inputResponses an object";
constexpr const char* kListFailed = "the tools cannot be listed now: try again later";
constexpr const char* kBadAnswer = "the tool answered something that may not pass";
constexpr const char* kBusy = "too many calls run at once: wait for one of them to end";
constexpr const char* kIdInUse = "a request with this id is being answered: give each its own";

constexpr std::size_t kMaxRequestState = 256;

constexpr std::array<std::string_view, 8> kLevels{"debug", "info",     "notice", "warning",
                                                  "error", "critical", "alert",  "emergency"};

std::optional<LogLevel> level_of(const Value& value) {
  const auto found = std::ranges::find(kLevels, value.string().value_or(""));
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevels.begin());
}

bool is_text(const Value* value) { return value != nullptr && value->string(); }
bool is_object(const Value* value) { return value != nullptr && value->is(Value::Kind::kObject); }

// Whether an agent said that it can have somebody open a page (Elicitation, "Capabilities").
bool elicits_url(const Value& capabilities) {
  const Value* elicitation = capabilities.find("elicitation");
  return elicitation != nullptr && is_object(elicitation->find("url"));
}

// A cursor names the last tool of the page before: it stays good when tools come and go, and nothing can be had by
// making one up.
std::string cursor_behind(const std::string& name) { return base64url_encode(as_bytes(name)); }

std::optional<std::string> name_in_cursor(const Value& cursor) {
  const auto text = cursor.string();
  if (!text) return std::nullopt;
  const auto octets = base64url_decode(*text);
  if (!octets || !is_tool_name(as_text(*octets))) return std::nullopt;
  return std::string(as_text(*octets));
}

}  // namespace

// What a request is answered by, besides its own members.
struct ServerSession::Turn {
  const Message& message;
  const Inbound& from;
  bool stateless = false;
  bool asks_by_page = false;
  std::optional<LogLevel> level = {};
  std::optional<Id> progress_token = {};

  [[nodiscard]] const Id& id() const { return *message.id(); }
};

// What ends a request that takes time: a cancellation by its id, which finds it also when it came first, and of one without a session
// that its sender has gone.
class ServerSession::Cancellation {
 public:
  Cancellation(const ServerSession& session, const Turn& turn) : stop(session.stop_of(turn.id())) {
    if (turn.stateless) gone_.emplace(turn.from.gone, Stop{stop});
  }

  std::stop_source stop;

 private:
  struct Stop {
    std::stop_source source;
    void operator()() noexcept { source.request_stop(); }
  };

  std::optional<std::stop_callback<Stop>> gone_;
};

// A list while it is made.
class ServerSession::Listing {
 public:
  Listing(ServerSession& session, const Turn& turn) : session_(session), cancellation_(session, turn) {
    const std::lock_guard lock(session_.mutex_);
    if (session_.is_closing_) cancellation_.stop.request_stop();  // nobody listens to it yet
    place_ = session_.listing_.emplace(turn.id(), cancellation_.stop);
  }
  ~Listing() {
    const std::lock_guard lock(session_.mutex_);
    session_.listing_.erase(place_);
  }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  [[nodiscard]] std::stop_token cancelled() const { return cancellation_.stop.get_token(); }

 private:
  ServerSession& session_;
  Cancellation cancellation_;
  std::multimap<Id, std::stop_source>::iterator place_;
};

// A call while it runs: what cancels it finds it by its id.
class ServerSession::Running final : public CallProgress {
 public:
  Running(ServerSession& session, const Turn& turn)
      : session_(session), turn_(turn), cancellation_(session, turn), stop_(cancellation_.stop) {}
  ~Running() override {
    const std::lock_guard lock(session_.mutex_);
    if (entered_) session_.running_.erase(turn_.id());
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Why the call cannot begin; nullptr when it does.
  [[nodiscard]] const char* enter() {
    const std::lock_guard lock(session_.mutex_);
    if (session_.running_.size() >= session_.options_.calls_at_once) return kBusy;
    if (session_.is_closing_) stop_.request_stop();  // nobody listens to it yet
    entered_ = session_.running_.try_emplace(turn_.id(), stop_).second;
    return entered_ ? nullptr : kIdInUse;
  }

  void advance(double done, std::optional<double> total, std::string_view message) override {
    if (!turn_.progress_token || stop_.stop_requested() || (last_ && done <= *last_)) return;
    if (!std::isfinite(done) || (total && !std::isfinite(*total))) return;  // JSON has no such numbers
    last_ = done;
    Node params = Node::object({{"progressToken", id_node(*turn_.progress_token)}, {"progress", done}});
    if (total) params.set("total", *total);
    if (!message.empty()) params.set("message", message);
    turn_.from.outlet.send(notification_text("notifications/progress", std::move(params)));
  }

  void log(LogLevel level, std::string_view message) override {
    if (!turn_.level || level < *turn_.level || stop_.stop_requested()) return;
    const std::string_view name = kLevels[static_cast<std::size_t>(level)];
    turn_.from.outlet.send(notification_text(
        "notifications/message",
        Node::object({{"level", name}, {"logger", session_.options_.name}, {"data", message}})));
  }

  [[nodiscard]] std::stop_token cancelled() const override { return stop_.get_token(); }

 private:
  ServerSession& session_;
  const Turn& turn_;
  Cancellation cancellation_;
  std::stop_source& stop_;
  std::optional<double> last_;
  bool entered_ = false;
};

namespace {

Reply failure(const Message& message, Code code, std::string_view text, unsigned status = 200) {
  return {error_text(message.id(), code, text), status};
}

Reply unknown_method(const Message& message, bool stateless) {
  // Streamable HTTP of 2026-07-28, "Protocol Version Header": 404, which the body tells from a wrong path.
  return failure(message, Code::kMethodNotFound,
                 "there is no such method here: this gateway offers tools alone", stateless ? 404 : 200);
}

}  // namespace

Reply refusal_of(const Fault& fault) { return {error_text(fault.id, fault.code, fault.what), 400}; }

Reply ServerSession::receive(std::string text, const Inbound& from) {
  const auto message = Message::read(std::move(text), options_.limits);
  return message ? receive(*message, from) : refusal_of(message.error());
}

Reply ServerSession::receive(const Message& message, const Inbound& from) {
  switch (message.kind()) {
    case Message::Kind::kNotification:
      take_notification(message);
      return {{}, 202};
    case Message::Kind::kResponse:
      return {{}, 400};  // nobody was asked anything
    case Message::Kind::kRequest:
      break;
  }
  Reply reply = receive_request(message, from);
  stop_expecting(message);
  return reply;
}

Reply ServerSession::receive_request(const Message& message, const Inbound& from) {
  Turn turn{message, from};
  const Value* meta = message.param("_meta");
  if (meta != nullptr && !is_object(meta)) return failure(message, Code::kInvalidParams, kBadMeta);
  const Value* token = meta == nullptr ? nullptr : meta->find("progressToken");
  if (token != nullptr) turn.progress_token = read_id(*token);
  if (token != nullptr && !turn.progress_token) return failure(message, Code::kInvalidParams, kBadMeta);
  turn.stateless = meta != nullptr && meta->find(kMetaVersion) != nullptr;
  return answer(turn);
}

void ServerSession::take_notification(const Message& message) {
  // `initialized` changes nothing: who was answered may ask. Whatever else there is has no answer, and no effect.
  if (message.method() != "notifications/cancelled") return;
  const Value* request = message.param("requestId");
  const auto id = request == nullptr ? std::nullopt : read_id(*request);
  if (!id) return;
  std::vector<std::stop_source> stops;
  {
    const std::lock_guard lock(mutex_);
    for (const auto* calls : {&running_, &expected_}) {
      const auto found = calls->find(*id);
      if (found != calls->end()) stops.push_back(found->second);
    }
    const auto [first, last] = listing_.equal_range(*id);
    for (auto list = first; list != last; ++list) stops.push_back(list->second);
  }
  // Without the lock: it runs what the host asked to be told by.
  for (std::stop_source& stop : stops) stop.request_stop();
}

void ServerSession::expect(const Message& message) {
  if (message.kind() != Message::Kind::kRequest) return;
  if (message.method() != "tools/call" && message.method() != "tools/list") return;
  const std::lock_guard lock(mutex_);
  expected_.try_emplace(*message.id());
}

void ServerSession::stop_expecting(const Message& message) {
  const std::lock_guard lock(mutex_);
  expected_.erase(*message.id());
}

// What ends a call or list that is about to run.
std::stop_source ServerSession::stop_of(const Id& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = expected_.find(id);
  return found == expected_.end() ? std::stop_source() : found->second;
}

void ServerSession::cancel_all() {
  std::vector<std::stop_source> stops;
  {
    const std::lock_guard lock(mutex_);
    is_closing_ = true;
    for (const auto* calls : {&running_, &expected_})
      for (const auto& [id, stop] : *calls) stops.push_back(stop);
    for (const auto& [id, stop] : listing_) stops.push_back(stop);
  }
  for (std::stop_source& stop : stops) stop.request_stop();
}

bool ServerSession::is_open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

Reply ServerSession::answer(const Turn& turn) {
  if (!turn.stateless) return answer_in_session(turn);
  const Value& meta = *turn.message.param("_meta");
  const Value* version = meta.find(kMetaVersion);
  if (!is_text(version)) return failure(turn.message, Code::kInvalidParams, kBadMeta, 400);
  if (version->string() != kStatelessVersion) {
    return {unsupported_version_text(turn.id(), *version->string()), 400};
  }
  return answer_stateless(turn);
}

Reply ServerSession::answer_stateless(const Turn& given) {
  Turn turn = given;
  const Value& meta = *turn.message.param("_meta");
  const Value* capabilities = meta.find(kMetaCapabilities);
  if (!is_object(capabilities)) return failure(turn.message, Code::kInvalidParams, kNoCapabilities, 400);
  turn.asks_by_page = elicits_url(*capabilities);
  if (const Value* level = meta.find(kMetaLogLevel); level != nullptr && options_.logging) {
    turn.level = level_of(*level);
    if (!turn.level) return failure(turn.message, Code::kInvalidParams, kBadLevel);
  }
  const std::string_view method = turn.message.method();
  if (method == "server/discover") return discover(turn);
  if (method == "tools/list") return list_tools(turn);
  if (method == "tools/call") return call_tool(turn);
  return unknown_method(turn.message, true);
}

Reply ServerSession::answer_in_session(const Turn& given) {
  Turn turn = given;
  const std::string_view method = turn.message.method();
  if (method == "initialize") return initialize(turn);
  if (method == "ping") return {result_text(turn.id(), Node::object())};
  {
    const std::lock_guard lock(mutex_);
    if (!open_) return failure(turn.message, Code::kInvalidParams, kNoVersion, 400);
    turn.level = level_;
  }
  if (method == "tools/list") return list_tools(turn);
  if (method == "tools/call") return call_tool(turn);
  if (method == "logging/setLevel" && options_.logging) return set_level(turn);
  return unknown_method(turn.message, false);
}

Node ServerSession::identity() const {
  return Node::object({{"name", options_.name}, {"version", options_.version}});
}

Node ServerSession::capabilities() const {
  Node offered = Node::object({{"tools", Node::object()}});
  if (options_.logging) offered.set("logging", Node::object());
  return offered;
}

// What `_meta` of a result has: in 2026-07-28 who answers, since nothing said so before.
Node ServerSession::own_meta(const Turn& turn) const {
  Node meta = Node::object();
  if (turn.stateless) meta.set(std::string(kMetaServer), identity());
  return meta;
}

// \param result  an object without `resultType` and `_meta`
Reply ServerSession::success(const Turn& turn, Node result) const {
  if (turn.stateless) {
    result.set("resultType", "complete");
    result.set("_meta", own_meta(turn));
  }
  return {result_text(turn.id(), std::move(result))};
}

Reply ServerSession::initialize(const Turn& turn) {
  const Message& message = turn.message;
  const Value* client = message.param("clientInfo");
  const bool well_formed = is_text(message.param("protocolVersion")) &&
                           is_object(message.param("capabilities")) && is_object(client) &&
                           is_text(client->find("name")) && is_text(client->find("version"));
  if (!well_formed) return failure(message, Code::kInvalidParams, kBadInitialize);
  {
    const std::lock_guard lock(mutex_);
    if (open_) return failure(message, Code::kInvalidRequest, kOpenAlready);
    open_ = true;
  }
  // Whatever was asked for, there is one version that begins like this.
  Node result = Node::object(
      {{"protocolVersion", kSessionVersion}, {"capabilities", capabilities()}, {"serverInfo", identity()}});
  if (!options_.instructions.empty()) result.set("instructions", options_.instructions);
  return success(turn, std::move(result));
}

Reply ServerSession::discover(const Turn& turn) const {
  Node result = Node::object({{"supportedVersions", versions_node()},
                              {"capabilities", capabilities()},
                              {"ttlMs", options_.list_ttl.count()},
                              {"cacheScope", "private"}});
  if (!options_.instructions.empty()) result.set("instructions", options_.instructions);
  return success(turn, std::move(result));
}

Reply ServerSession::set_level(const Turn& turn) {
  const Value* value = turn.message.param("level");
  const auto level = value == nullptr ? std::nullopt : level_of(*value);
  if (!level) return failure(turn.message, Code::kInvalidParams, kBadLevel);
  {
    const std::lock_guard lock(mutex_);
    level_ = level;
  }
  return success(turn, Node::object());
}

Reply ServerSession::list_tools(const Turn& turn) {
  std::string behind;
  if (const Value* cursor = turn.message.param("cursor")) {
    auto name = name_in_cursor(*cursor);
    if (!name) return failure(turn.message, Code::kInvalidParams, kBadCursor);
    behind = *std::move(name);
  }
  const Listing listing(*this, turn);
  if (listing.cancelled().stop_requested()) return {};
  auto tools = turn.from.host.list(turn.from.caller, listing.cancelled());
  if (listing.cancelled().stop_requested()) return {};
  if (!tools) return failure(turn.message, Code::kInternalError, kListFailed);
  // By name, so that a list that did not change reads the same each time.
  std::ranges::sort(*tools, {}, &Tool::name);
  auto tool = std::ranges::upper_bound(*tools, behind, {}, &Tool::name);
  Node page = Node::array();
  const SchemaScope scope = turn.stateless ? SchemaScope::kAnyValue : SchemaScope::kObjectOnly;
  std::size_t room = options_.page_size;
  for (; tool != tools->end() && room > 0; ++tool, --room) {
    behind = tool->name;
    // One that may not be described is left out, so that it does not take the others with it.
    if (auto node = tool_node(*tool, scope)) page.push_back(*std::move(node));
  }
  Node result = Node::object({{"tools", std::move(page)}});
  if (tool != tools->end()) result.set("nextCursor", cursor_behind(behind));
  if (turn.stateless) {
    result.set("ttlMs", options_.list_ttl.count());
    result.set("cacheScope", "private");  // another caller's chain allows other tools
  }
  return success(turn, std::move(result));
}

Reply ServerSession::call_tool(const Turn& turn) {
  const Message& message = turn.message;
  const Value* name = message.param("name");
  const Value* arguments = message.param("arguments");
  if (!is_text(name) || (arguments != nullptr && !is_object(arguments))) {
    return failure(message, Code::kInvalidParams, kBadCall);
  }
  if (!is_tool_name(*name->string())) return failure(message, Code::kInvalidParams, kNoSuchTool);
  ToolCall call{std::string(*name->string()), arguments == nullptr ? "{}" : json::to_jcs(*arguments), {}};
  if (turn.stateless) {
    const Value* state = message.param("requestState");
    const Value* responses = message.param("inputResponses");
    const bool resumes =
        state != nullptr && is_text(state) && is_visible_ascii(*state->string(), kMaxRequestState);
    if ((state != nullptr && !resumes) || (responses != nullptr && !is_object(responses))) {
      return failure(message, Code::kInvalidParams, kBadResume);
    }
    if (resumes) call.resumes = std::string(*state->string());
  }
  return run(turn, call);
}

Reply ServerSession::run(const Turn& turn, const ToolCall& call) {
  Running running(*this, turn);
  if (const char* busy = running.enter()) {
    return failure(turn.message, busy == kBusy ? Code::kInternalError : Code::kInvalidRequest, busy);
  }
  if (running.cancelled().stop_requested()) return {};
  const ToolAnswer answer = turn.from.host.call(turn.from.caller, call, running);
  // Cancellation, "Behavior Requirements": no answer to a request that was cancelled.
  if (running.cancelled().stop_requested()) return {};
  return reply_to_call(turn, call, answer);
}

Reply ServerSession::reply_to_call(const Turn& turn, const ToolCall& call, const ToolAnswer& answer) const {
  const auto* refused = std::get_if<ToolRefused>(&answer);
  if (refused != nullptr && refused->kind == RefusalKind::kUnknownTool) {
    return failure(turn.message, Code::kInvalidParams, kNoSuchTool);
  }
  const auto result = result_of(turn, call, answer);
  if (!result) return failure(turn.message, Code::kInternalError, kBadAnswer);
  return {result_text(turn.id(), *result)};
}

Result<Node> ServerSession::result_of(const Turn& turn, const ToolCall& call,
                                      const ToolAnswer& answer) const {
  Result<Node> result = Node::object();
  if (const auto* pending = std::get_if<ToolPending>(&answer)) {
    // Once a call: an agent whose human has been to the page and comes back too early is told so, not asked again.
    if (turn.asks_by_page && has_page(*pending) && !call.resumes) {
      return input_required_node(*pending, own_meta(turn));
    }
    result = pending_node(*pending, own_meta(turn));
  } else if (const auto* refused = std::get_if<ToolRefused>(&answer)) {
    result = refused_node(*refused, own_meta(turn));
  } else {
    const SchemaScope scope = turn.stateless ? SchemaScope::kAnyValue : SchemaScope::kObjectOnly;
    result = done_node(std::get<ToolDone>(answer), scope);
    if (result && turn.stateless) result->set("_meta", own_meta(turn));
  }
  if (result && turn.stateless) result->set("resultType", "complete");
  return result;
}

}  // namespace chancery::mcp
