#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "sdk/mcp/http_endpoint.hpp"
#include "sdk/mcp/sse.hpp"
#include "sdk/mcp/upstream_client.hpp"
#include "tests/fuzz/target.hpp"

// The first octet of an input says what the rest is. S: what an agent sends, by lines. H: a request to the endpoint, its
// headers as lines and then, behind an empty one, its body. U: what an upstream sends, by lines. E: a stream of events.
// Whatever it is, there is an answer, which is a message itself, or an error.

namespace chancery::fuzz {
namespace {

using mcp::Message;

constexpr std::size_t kMostLines = 64;

// Answers in each way that there is, with what the agent wrote in it.
class EveryAnswer final : public mcp::ToolHost {
 public:
  Result<std::vector<mcp::Tool>> list(const mcp::Caller&, const std::stop_token&) override {
    return std::vector<mcp::Tool>{{"done", {}, "d", R"({"type":"object"})", {}, {}},
                                  {"wait", {}, {}, R"({"type":"object"})", R"({"type":"array"})", {}}};
  }
  mcp::ToolAnswer call(const mcp::Caller&, const mcp::ToolCall& call, mcp::CallProgress& progress) override {
    require(json::Document::parse(call.arguments).has_value());
    progress.advance(1, 2, call.name);
    if (call.name == "wait")
      return mcp::ToolPending{call.resumes.value_or("r"), "https://a/b", call.arguments};
    if (call.name == "refuse") return mcp::ToolRefused{mcp::RefusalKind::kDenied, "no", call.arguments};
    // What it is given may be content, and mostly is not.
    return mcp::ToolDone{call.arguments, call.arguments, false};
  }
};

void require_message(std::string_view text) {
  require(text.find_first_of("\r\n") == std::string_view::npos);
  require(Message::read(std::string(text), {.max_octets = std::size_t{1} << 26, .json = {}}).has_value());
}

class CheckedOutlet final : public mcp::Outlet {
 public:
  void send(std::string message) override { require_message(message); }
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < kMostLines) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

void agent(std::string_view text) {
  mcp::ServerOptions options;
  options.logging = true;
  mcp::ServerSession session(options);
  EveryAnswer host;
  CheckedOutlet outlet;
  const mcp::Caller caller{"a"};
  for (const std::string& line : lines_of(text)) {
    const mcp::Reply reply = session.receive(line, {caller, host, outlet});
    if (!reply.text.empty()) require_message(reply.text);
    const auto message = Message::read(line, options.limits);
    if (message && message->kind() == Message::Kind::kRequest) require(!reply.text.empty());
  }
}

void request(std::string_view text) {
  const auto body_at = text.find("\n\n");
  mcp::Headers headers;
  for (const std::string& line : lines_of(text.substr(0, body_at))) {
    const auto colon = line.find(':');
    if (colon != std::string::npos) headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
  const std::string_view body = body_at == std::string_view::npos ? "" : text.substr(body_at + 2);
  mcp::HttpOptions options;
  options.rules.port = 80;
  mcp::HttpEndpoint endpoint(options, [](std::span<std::uint8_t>) { return Status(); });
  EveryAnswer host;
  CheckedOutlet outlet;
  const mcp::Caller caller{"a"};
  for (const char* method : {"POST", "DELETE", "GET"}) {
    const mcp::HttpAnswer answer = endpoint.handle({method, headers, body}, {caller, host, outlet}, {});
    require(answer.status >= 200 && answer.status < 600);
    if (!answer.body.empty()) require_message(answer.body);
  }
}

// Says what the input has, in turn, whatever it is asked.
class SaidUpstream final : public mcp::UpstreamTransport {
 public:
  explicit SaidUpstream(const std::vector<std::string>& lines) : lines_(lines.begin(), lines.end()) {}
  Status send(const mcp::Outgoing& message, mcp::Deadline) override {
    require_message(message.text);
    return {};
  }
  Result<std::string> receive(mcp::Deadline) override {
    if (lines_.empty()) return Error{ErrorCode::kTimeout, "nothing is left"};
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }

 private:
  std::deque<std::string> lines_;
};

void upstream(std::string_view text) {
  SaidUpstream transport(lines_of(text));
  mcp::UpstreamClient client(transport, {});
  if (!client.open({})) return;
  const auto tools = client.list_tools({});
  if (!tools) return;
  for (const mcp::Tool& tool : tools->usable) {
    require(mcp::description_digest(tool).has_value());
    const auto answer = client.call(tool.name, "{}", {});
    if (!answer) continue;
    if (const auto* done = std::get_if<mcp::ToolDone>(&*answer))
      require(json::Document::parse(done->content).has_value());
  }
}

// Pieces make no difference.
void events(std::string_view text) {
  mcp::SseReader whole(256), single(256);
  const auto at_once = whole.feed(text);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto some = single.feed(text.substr(i, 1));
    if (!some) return require(!at_once);
    messages.insert(messages.end(), some->begin(), some->end());
  }
  require(at_once && *at_once == messages);
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const std::string_view text = fuzz::text_of(data, size);
  if (text.empty()) return 0;
  const std::string_view rest = text.substr(1);
  switch (text.front()) {
    case 'H':
      fuzz::request(rest);
      break;
    case 'U':
      fuzz::upstream(rest);
      break;
    case 'E':
      fuzz::events(rest);
      break;
    default:
      fuzz::agent(rest);
      break;
  }
  return 0;
}
