// Whole conversations with agents, as lines: what comes in, and what must go out. `%` in a line of 2026-07-28 stands for
// the `_meta` of an agent that has no capabilities, `^` for one whose human can open a page; `&` in an answer for ours.

#include <algorithm>
#include <atomic>
#include <future>
#include <ostream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/mcp/fixed_host.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using mcp::Caller;
using mcp::ServerOptions;
using mcp::ServerSession;

struct Turn {
  std::string in;
  std::string out;  // empty when nothing comes
};

struct Conversation {
  const char* what;
  std::vector<Turn> turns;
  const char* caller = "agent";
};

std::ostream& operator<<(std::ostream& out, const Conversation& row) { return out << row.what; }

constexpr const char* kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";
constexpr const char* kPageMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}})";
constexpr const char* kOwnMeta =
    R"("_meta":{"io.modelcontextprotocol/serverInfo":{"name":"chancery","version":"1"}})";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string written_out(const std::string& text) {
  return replaced(replaced(replaced(text, "%", kMeta), "^", kPageMeta), "&", kOwnMeta);
}

constexpr const char* kInitialize =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}})";
constexpr const char* kInitialized =
    R"({"id":0,"jsonrpc":"2.0","result":{"capabilities":{"tools":{}},"protocolVersion":"2025-11-25","serverInfo":{"name":"chancery","version":"1"}}})";

// A line of a session that is open.
std::vector<Turn> in_session(std::vector<Turn> turns) {
  turns.insert(turns.begin(), {{kInitialize, kInitialized},
                               {R"({"jsonrpc":"2.0","method":"notifications/initialized"})", ""}});
  return turns;
}

std::string error(int code, const std::string& text, const std::string& id = "1") {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" + text + R"("},"id":)" + id +
         R"(,"jsonrpc":"2.0"})";
}

const std::string kNoMethod = error(-32601, "there is no such method here: this gateway offers tools alone");
const std::string kNoTool =
    error(-32602, "there is no such tool for this caller: tools/list has those that there are");
const std::string kBadCall =
    error(-32602, "tools/call needs the name of a tool, and arguments that are an object");
const std::string kBadCursor = error(-32602, "this cursor is not one that tools/list gave");
const std::string kBadMeta = error(-32602, "_meta is an object, and its progressToken a text or an integer");
const std::string kBadResume =
    error(-32602, "requestState is the text that came with input_required, inputResponses an object");
const std::string kNoVersion =
    error(-32602,
          "this request says no version: send initialize first (2025-11-25), or name the "
          "version in _meta (2026-07-28)");
const std::string kBadInitialize =
    error(-32602, "initialize needs protocolVersion, capabilities, and clientInfo with name and version");

std::string call(const std::string& rest) {
  return R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{)" + rest + "}}";
}

std::string result(const std::string& members) {
  return R"({"id":1,"jsonrpc":"2.0","result":{)" + members + "}}";
}

constexpr const char* kWaits =
    R"("content":[{"text":"This call was not made: it waits for an approval (request req-7). Somebody who may decides at https://approve.example/req-7. When it is approved, make the same call with the same arguments again.","type":"text"}],"isError":true)";
constexpr const char* kPending =
    R"("chancery/pending":{"document":{"tool":"approval"},"request":"req-7","url":"https://approve.example/req-7"})";
constexpr const char* kOwnServer =
    R"("io.modelcontextprotocol/serverInfo":{"name":"chancery","version":"1"})";

const std::vector<Conversation>& session_conversations() {
  static const std::vector<Conversation> kRows{
      {"a session is initialized once",
       in_session({{replaced(kInitialize, R"("id":0)", R"("id":1)"),
                    error(-32600, "this session has been initialized: begin another one")}})},
      {"another version is answered with the one that begins like this",
       {{replaced(kInitialize, "2025-11-25", "2024-11-05"), kInitialized}}},
      {"a version that has no sessions is, too",
       {{replaced(kInitialize, "2025-11-25", "2026-07-28"), kInitialized}}},
      {"a version that nobody knows is, too",
       {{replaced(kInitialize, "2025-11-25", "9999-99-99"), kInitialized}}},
      {"initialize without a version",
       {{R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"clientInfo":{"name":"a","version":"1"}}})",
         kBadInitialize}}},
      {"initialize without parameters",
       {{R"({"jsonrpc":"2.0","id":1,"method":"initialize"})", kBadInitialize}}},
      {"initialize with a client that has no name",
       {{R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"version":"1"}}})",
         kBadInitialize}}},
      {"ping before and after",
       {{R"({"jsonrpc":"2.0","id":1,"method":"ping"})", R"({"id":1,"jsonrpc":"2.0","result":{}})"},
        {kInitialize, kInitialized},
        {R"({"jsonrpc":"2.0","id":"p","method":"ping"})", R"({"id":"p","jsonrpc":"2.0","result":{}})"}}},
      {"nothing is listed or called before a version is agreed",
       {{R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})", kNoVersion},
        {call(R"("name":"echo")"), kNoVersion},
        {R"({"jsonrpc":"2.0","id":1,"method":"nonsense"})", kNoVersion}}},
      {"a call with arguments, which come to the host in canonical form",
       in_session({{call(R"("name":"echo","arguments":{"b": 1.0, "a": "x"})"),
                    result(R"("content":[{"text":"{\"a\":\"x\",\"b\":1}","type":"text"}])")}})},
      {"a call without arguments",
       in_session({{call(R"("name":"echo")"), result(R"("content":[{"text":"{}","type":"text"}])")}})},
      {"what tasks are is not known, and does not matter",
       in_session({{call(R"("name":"echo","task":{"ttl":5})"),
                    result(R"("content":[{"text":"{}","type":"text"}])")}})},
      {"a structured result is text as well",
       in_session(
           {{call(R"("name":"sum","arguments":{"a":1})"),
             result(R"("content":[{"text":"{\"sum\":3}","type":"text"}],"structuredContent":{"sum":3})")}})},
      {"a structured result that is no object is text alone",
       in_session({{call(R"("name":"numbers")"), result(R"("content":[{"text":"[1,2]","type":"text"}])")}})},
      {"a tool that fails says so",
       in_session({{call(R"("name":"broken")"),
                    result(R"("content":[{"text":"no such row","type":"text"}],"isError":true)")}})},
      {"a refusal is for the model to read, with its code for programs",
       in_session(
           {{call(R"("name":"denied")"),
             result(
                 R"("_meta":{"chancery/refusal":{"code":"budget_exhausted","kind":"denied"}},)"
                 R"("content":[{"text":"The budget of today is used up.","type":"text"}],"isError":true)")}})},
      {"content of another kind does not pass",
       in_session(
           {{call(R"("name":"wild")"), error(-32603, "the tool answered something that may not pass")}})},
      {"a call that waits for approval is an answer that says so",
       in_session(
           {{call(R"("name":"approval")"), result(std::string(R"("_meta":{)") + kPending + "}," + kWaits)}})},
      {"also where there is no page to go to",
       in_session(
           {{call(R"("name":"approval_nowhere")"),
             result(
                 R"("_meta":{"chancery/pending":{"document":{"tool":"x"},"request":"req-8"}},"content":[{"text":)"
                 R"("This call was not made: it waits for an approval (request req-8). When it is approved, )"
                 R"(make the same call with the same arguments again.","type":"text"}],"isError":true)")}})},
      {"calls that are none", in_session({{call(R"("name":"nothing")"), kNoTool},
                                          {call(R"("name":"no such\u202etool")"), kNoTool},
                                          {call(R"("name":"")"), kNoTool},
                                          {call(R"("arguments":{})"), kBadCall},
                                          {call(R"("name":5)"), kBadCall},
                                          {call(R"("name":"echo","arguments":[1])"), kBadCall},
                                          {call(R"("name":"echo","arguments":"{}")"), kBadCall},
                                          {call(R"("name":"echo","_meta":[])"), kBadMeta},
                                          {call(R"("name":"echo","_meta":{"progressToken":{}})"), kBadMeta},
                                          {R"({"jsonrpc":"2.0","id":1,"method":"tools/call"})", kBadCall}})},
      {"what others' tools may do is not known to a guest",
       in_session(
           {{call(R"("name":"sum")"), kNoTool},
            {R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})",
             result(
                 R"("tools":[{"description":"What echo does","inputSchema":{"type":"object"},"name":"echo"}])")}}),
       "guest"},
      {"everything but tools is not there",
       in_session(
           {{R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///etc/passwd"}})",
             kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"resources/templates/list"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"prompts/list"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x"}})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"completion/complete"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"elicitation/create"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"roots/list"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"tasks/list"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"server/discover"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"tools/List"})", kNoMethod},
            {R"({"jsonrpc":"2.0","id":1,"method":"notifications/initialized"})", kNoMethod}})},
      {"notifications and answers have none",
       in_session({{R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}})", ""},
                   {R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}})", ""},
                   {R"({"jsonrpc":"2.0","method":"notifications/cancelled"})", ""},
                   {R"({"jsonrpc":"2.0","method":"notifications/roots/list_changed"})", ""},
                   {R"({"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}})", ""},
                   {R"({"jsonrpc":"2.0","id":1,"result":{}})", ""},
                   {R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}})", ""}})},
      {"an error without an id for what cannot be read",
       in_session(
           {{"{",
             R"({"error":{"code":-32700,"message":"not JSON (RFC 8259): fix the syntax"},"jsonrpc":"2.0"})"},
            {"[]",
             R"({"error":{"code":-32600,"message":"batches are no part of this protocol: send each message by itself"},"jsonrpc":"2.0"})"}})},
      {"cursors that were made up",
       in_session(
           {{R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"??"}})", kBadCursor},
            {R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}})", kBadCursor},
            {R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":3}})", kBadCursor},
            {R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"AAAA"}})", kBadCursor}})},
  };
  return kRows;
}

std::string complete(const std::string& members) { return result("&," + members); }

const std::vector<Conversation>& stateless_conversations() {
  static const std::vector<Conversation> kRows{
      {"a server says what it is without being initialized",
       {{R"({"jsonrpc":"2.0","id":1,"method":"server/discover","params":{%}})",
         complete(R"("cacheScope":"private","capabilities":{"tools":{}},"resultType":"complete",)"
                  R"("supportedVersions":["2026-07-28","2025-11-25"],"ttlMs":0)")}}},
      {"a call is whole by itself",
       {{call(R"("name":"echo","arguments":{"n":2},%)"),
         complete(R"("content":[{"text":"{\"n\":2}","type":"text"}],"resultType":"complete")")}}},
      {"a structured result may be any value",
       {{call(R"("name":"numbers",%)"),
         complete(
             R"("content":[{"text":"[1,2]","type":"text"}],"resultType":"complete","structuredContent":[1,2])")}}},
      {"a refusal",
       {{call(R"("name":"denied",%)"),
         result(
             std::string(R"("_meta":{"chancery/refusal":{"code":"budget_exhausted","kind":"denied"},)") +
             kOwnServer +
             R"(},"content":[{"text":"The budget of today is used up.","type":"text"}],"isError":true,"resultType":"complete")")}}},
      {"an unknown tool is an error of the protocol", {{call(R"("name":"nothing",%)"), kNoTool}}},
      {"an approval is asked for by its page, where the agent can show it",
       {{call(R"("name":"approval",^)"),
         result(
             std::string(R"("_meta":{)") + kPending + "," + kOwnServer +
             R"(},"inputRequests":{"approval":{"method":"elicitation/create","params":{"message":"A call of this agent waits for )"
             R"(an approval (request req-7).","mode":"url","url":"https://approve.example/req-7"}}},)"
             R"("requestState":"req-7","resultType":"input_required")")}}},
      {"and once: who comes back too early reads that it waits",
       {{call(
             R"("name":"approval","requestState":"req-7","inputResponses":{"approval":{"action":"accept"}},^)"),
         result(std::string(R"("_meta":{)") + kPending + "," + kOwnServer + "}," + kWaits +
                R"(,"resultType":"complete")")}}},
      {"an agent that cannot show a page reads it at once",
       {{call(R"("name":"approval",%)"), result(std::string(R"("_meta":{)") + kPending + "," + kOwnServer +
                                                "}," + kWaits + R"(,"resultType":"complete")")}}},
      {"an agent whose human fills in forms alone does, too",
       {{replaced(call(R"("name":"approval",^)"), "^", replaced(kPageMeta, R"("url")", R"("form")")),
         result(std::string(R"("_meta":{)") + kPending + "," + kOwnServer + "}," + kWaits +
                R"(,"resultType":"complete")")}}},
      {"states that are none",
       {{call(R"("name":"echo","requestState":7,%)"), kBadResume},
        {call(R"("name":"echo","requestState":"",%)"), kBadResume},
        {call(R"("name":"echo","requestState":"a b",%)"), kBadResume},
        {call(R"("name":"echo","requestState":")" + std::string(257, 'x') + R"(",%)"), kBadResume},
        {call(R"("name":"echo","inputResponses":[],%)"), kBadResume}}},
      {"another version is refused with those that there are",
       {{replaced(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})", "%",
                  replaced(kMeta, "2026-07-28", "2027-01-01")),
         R"({"error":{"code":-32022,"data":{"requested":"2027-01-01","supported":["2026-07-28","2025-11-25"]},)"
         R"("message":"this version is not served this way: choose another of those that are supported"},"id":1,"jsonrpc":"2.0"})"}}},
      {"the version that has sessions is not served without one",
       {{replaced(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})", "%",
                  replaced(kMeta, "2026-07-28", "2025-11-25")),
         R"({"error":{"code":-32022,"data":{"requested":"2025-11-25","supported":["2026-07-28","2025-11-25"]},)"
         R"("message":"this version is not served this way: choose another of those that are supported"},"id":1,"jsonrpc":"2.0"})"}}},
      {"capabilities must be said each time",
       {{R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})",
         error(-32602, "_meta lacks io.modelcontextprotocol/clientCapabilities, an object")}}},
      {"a version is a text",
       {{R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":1}}})",
         kBadMeta}}},
      {"what this version has no more, or we have not",
       {{R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{%}})", kNoMethod},
        {R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{%}})", kNoMethod},
        {R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{%}})", kNoMethod},
        {R"({"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{%}})", kNoMethod},
        {R"({"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{%}})", kNoMethod},
        {R"({"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{%}})", kNoMethod},
        {R"({"jsonrpc":"2.0","id":1,"method":"resources/list","params":{%}})", kNoMethod}}},
      {"both versions come through one pipe",
       {{call(R"("name":"echo",%)"),
         complete(R"("content":[{"text":"{}","type":"text"}],"resultType":"complete")")},
        {call(R"("name":"echo")"), kNoVersion},
        {kInitialize, kInitialized},
        {call(R"("name":"echo")"), result(R"("content":[{"text":"{}","type":"text"}])")},
        {call(R"("name":"echo",%)"),
         complete(R"("content":[{"text":"{}","type":"text"}],"resultType":"complete")")}}},
  };
  return kRows;
}

ServerOptions usual_options() {
  ServerOptions options;
  options.version = "1";
  return options;
}

void hold(const Conversation& row) {
  const ServerOptions options = usual_options();
  FixedHost host;
  add_usual_tools(host);
  KeptOutlet outlet;
  const Caller caller{row.caller};
  ServerSession session(options);
  for (const Turn& turn : row.turns) {
    const std::string in = written_out(turn.in);
    BOOST_TEST_CONTEXT(in) {
      BOOST_TEST(session.receive(in, {caller, host, outlet}).text == written_out(turn.out));
    }
  }
  BOOST_TEST(outlet.sent().empty());
}

// One message to a session that is open, or to none.
struct Scene {
  Scene() { add_usual_tools(host); }

  mcp::Reply say(const std::string& text) {
    return session.receive(written_out(text), {caller, host, outlet});
  }

  ServerOptions options = usual_options();
  FixedHost host;
  KeptOutlet outlet;
  Caller caller{"agent"};
  ServerSession session{options};
};

// A tool that runs until it is cancelled, and says that it does.
struct WaitingScene : Scene {
  WaitingScene() {
    host.add("wait", [this](const mcp::ToolCall&, mcp::CallProgress& progress) {
      ++begun;
      if (wait_for_cancellation(progress)) ++cancelled;
      return text_answer("too late");
    });
    BOOST_REQUIRE(!say(kInitialize).text.empty());
  }

  void await_calls(int count) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (begun < count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    BOOST_REQUIRE(begun == count);
  }

  std::atomic<int> begun = 0;
  std::atomic<int> cancelled = 0;
};

std::vector<std::string> names_in(const std::string& answer) {
  std::vector<std::string> names;
  const auto document = json::Document::parse(answer);
  BOOST_REQUIRE(document);
  const json::Value* list = document->root().find("result")->find("tools");
  for (const json::Value& tool : list->items()) names.emplace_back(*tool.find("name")->string());
  return names;
}

}  // namespace

BOOST_DATA_TEST_CASE(sessions_of_2025_11_25_go_as_they_must, data::make(session_conversations()), row) {
  hold(row);
}

BOOST_DATA_TEST_CASE(requests_of_2026_07_28_go_as_they_must, data::make(stateless_conversations()), row) {
  hold(row);
}

BOOST_FIXTURE_TEST_CASE(a_list_comes_in_pages_in_one_order, Scene) {
  options.page_size = 4;
  const std::string first = say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})").text;
  const std::vector<std::string> begin{"approval", "approval_nowhere", "broken", "denied"};
  BOOST_TEST(names_in(first) == begin, boost::test_tools::per_element());
  const auto document = json::Document::parse(first);
  const std::string cursor(*document->root().find("result")->find("nextCursor")->string());
  host.add("brand_new",
           [](const mcp::ToolCall&, mcp::CallProgress&) { return text_answer(""); });  // on the first page
  const std::string second =
      say(R"({"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":")" + cursor + R"(",%}})").text;
  const std::vector<std::string> next{"echo", "numbers", "steps", "sum"};
  BOOST_TEST(names_in(second) == next, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(the_last_page_has_no_cursor, Scene) {
  options.page_size = 9;
  const std::string answer = say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})").text;
  BOOST_TEST(names_in(answer).size() == 9U);
  BOOST_TEST(answer.find("nextCursor") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_list_describes_a_tool_as_its_version_may, Scene) {
  BOOST_REQUIRE(!say(kInitialize).text.empty());
  const std::string sessions = say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").text;
  const std::string sum =
      R"({"annotations":{"readOnlyHint":true},"description":"Adds two numbers","inputSchema":{"properties":{"a":{"type":"number"}},"type":"object"},"name":"sum","outputSchema":{"properties":{"sum":{"type":"number"}},"required":["sum"],"type":"object"},"title":"Sum"})";
  BOOST_TEST(sessions.find(sum) != std::string::npos, sessions);
  const std::string array = R"("outputSchema":{"type":"array"})";
  BOOST_TEST(sessions.find(array) == std::string::npos);
  const std::string stateless = say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})").text;
  BOOST_TEST(stateless.find(sum) != std::string::npos);
  BOOST_TEST(stateless.find(array) != std::string::npos);
  BOOST_TEST(stateless.find(R"("cacheScope":"private")") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_tool_that_may_not_be_described_does_not_take_the_others_with_it, Scene) {
  host.add(mcp::Tool{"hidden", {}, "See \xE2\x80\xAEnothing", R"({"type":"object"})", {}, {}},
           [](const mcp::ToolCall&, mcp::CallProgress&) { return text_answer(""); });
  host.add(mcp::Tool{"text", {}, {}, R"({"type":"string"})", {}, {}},
           [](const mcp::ToolCall&, mcp::CallProgress&) { return text_answer(""); });
  const auto names = names_in(say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})").text);
  BOOST_TEST(names.size() == 9U);
  BOOST_TEST(
      (std::ranges::find(names, "hidden") == names.end() && std::ranges::find(names, "text") == names.end()));
}

BOOST_FIXTURE_TEST_CASE(a_list_that_cannot_be_had_is_an_error, Scene) {
  host.fails = true;
  BOOST_TEST(say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{%}})").text ==
             error(-32603, "the tools cannot be listed now: try again later"));
}

BOOST_FIXTURE_TEST_CASE(progress_passes_for_a_token_and_grows, Scene) {
  const auto answer = say(call(
      R"("name":"steps","_meta":{"progressToken":"t","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})"));
  BOOST_TEST(answer.text.find("\"done\"") != std::string::npos);
  const std::vector<std::string> sent{
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"message":"begun","progress":1,"progressToken":"t","total":4}})",
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":4,"progressToken":"t"}})"};
  BOOST_TEST(outlet.sent() == sent, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(nothing_is_sent_ahead_of_an_answer_unasked, Scene) {
  options.logging = true;
  BOOST_TEST(!say(call(R"("name":"steps",%)")).text.empty());
  BOOST_TEST(!say(kInitialize).text.empty());
  BOOST_TEST(!say(call(R"("name":"steps")")).text.empty());
  BOOST_TEST(outlet.sent().empty());
}

BOOST_FIXTURE_TEST_CASE(log_messages_pass_from_the_level_that_was_asked_for, Scene) {
  options.logging = true;
  const std::string alarm =
      R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"alarm","level":"error","logger":"chancery"}})";
  BOOST_TEST(say(kInitialize).text.find(R"("capabilities":{"logging":{},"tools":{}})") != std::string::npos);
  BOOST_TEST(say(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}})").text ==
             R"({"id":1,"jsonrpc":"2.0","result":{}})");
  BOOST_TEST(!say(call(R"("name":"steps")")).text.empty());
  BOOST_TEST(outlet.sent() == std::vector<std::string>{alarm}, boost::test_tools::per_element());
  const std::string bad =
      error(-32602, "a log level is debug, info, notice, warning, error, critical, alert or emergency");
  BOOST_TEST(say(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}})").text ==
             bad);
  BOOST_TEST(say(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel"})").text == bad);

  const std::string meta =
      R"("_meta":{"io.modelcontextprotocol/logLevel":"LEVEL","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";
  BOOST_TEST(!say(call(R"("name":"steps",)" + replaced(meta, "LEVEL", "debug"))).text.empty());
  BOOST_TEST(outlet.sent().size() == 3U);
  BOOST_TEST(!say(call(R"("name":"steps",)" + replaced(meta, "LEVEL", "critical"))).text.empty());
  BOOST_TEST(outlet.sent().size() == 3U);
  BOOST_TEST(say(call(R"("name":"steps",)" + replaced(meta, "LEVEL", "loud"))).text == bad);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_call_ends_and_is_not_answered, WaitingScene) {
  mcp::Reply reply{"unset"};
  std::thread caller_thread(
      [&] { reply = say(replaced(call(R"("name":"wait")"), R"("id":1)", R"("id":"w")")); });
  await_calls(1);
  BOOST_TEST(
      say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})").text.empty());
  BOOST_TEST(cancelled == 0);  // another id
  BOOST_TEST(
      say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"w"}})").text.empty());
  caller_thread.join();
  BOOST_TEST(reply.text.empty());
  BOOST_TEST(cancelled == 1);
}

BOOST_FIXTURE_TEST_CASE(ids_in_use_and_too_many_calls_are_refused, WaitingScene) {
  options.calls_at_once = 2;
  mcp::Reply first, second;
  std::thread one([&] { first = say(replaced(call(R"("name":"wait")"), R"("id":1)", R"("id":11)")); });
  await_calls(1);
  BOOST_TEST(say(replaced(call(R"("name":"echo")"), R"("id":1)", R"("id":11)")).text ==
             error(-32600, "a request with this id is being answered: give each its own", "11"));
  std::thread two([&] { second = say(replaced(call(R"("name":"wait",%)"), R"("id":1)", R"("id":12)")); });
  await_calls(2);
  BOOST_TEST(say(call(R"("name":"echo")")).text ==
             error(-32603, "too many calls run at once: wait for one of them to end"));
  BOOST_TEST(!say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").text.empty());  // is no call
  BOOST_TEST(
      say(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":11}})").text.empty());
  one.join();
  BOOST_TEST(say(call(R"("name":"echo")")).text == result(R"("content":[{"text":"{}","type":"text"}])"));
  session.cancel_all();
  two.join();
  BOOST_TEST(cancelled == 2);
  BOOST_TEST(say(call(R"("name":"echo")")).text.empty());  // none is begun any more
}

BOOST_FIXTURE_TEST_CASE(who_has_gone_cancels_a_call_of_2026_07_28_alone, WaitingScene) {
  std::stop_source gone;
  mcp::Reply reply{"unset"};
  std::thread stateless([&] {
    reply =
        session.receive(written_out(call(R"("name":"wait",%)")), {caller, host, outlet, gone.get_token()});
  });
  await_calls(1);
  gone.request_stop();
  stateless.join();
  BOOST_TEST(reply.text.empty());
  BOOST_TEST(cancelled == 1);
  // The connection of a session's request may break; whoever wants it cancelled says so.
  BOOST_TEST(
      !session.receive(call(R"("name":"echo")"), {caller, host, outlet, gone.get_token()}).text.empty());
}

namespace {

// What ends a list that its host is at.
struct ListEnd {
  const char* name;
  const char* params;
  void (*end)(Scene& scene, std::stop_source& gone);
};

const std::vector<ListEnd> kListEnds{
    {"a cancellation by its id in a session", "",
     [](Scene& scene, std::stop_source&) {
       const std::string none =
           R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":6}})";
       const std::string own =
           R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}})";
       BOOST_TEST(scene.say(none).text.empty());
       BOOST_TEST(scene.say(own).text.empty());
     }},
    {"the end of all", "", [](Scene& scene, std::stop_source&) { scene.session.cancel_all(); }},
    {"that a sender without a session has gone", R"(,"params":{%})",
     [](Scene&, std::stop_source& gone) { gone.request_stop(); }},
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_list_that_is_cancelled_ends_and_is_not_answered) {
  for (const ListEnd& row : kListEnds) {
    Scene scene;
    BOOST_REQUIRE(!scene.say(kInitialize).text.empty());
    std::promise<void> begun;
    bool was_cancelled = false;
    scene.host.before_list = [&](const std::stop_token& cancelled) {
      begun.set_value();
      was_cancelled = wait_for_cancellation(cancelled);
    };
    std::stop_source gone;
    mcp::Reply reply{"unset"};
    std::thread listing([&] {
      const std::string text =
          R"({"jsonrpc":"2.0","id":5,"method":"tools/list")" + std::string(row.params) + "}";
      reply = scene.session.receive(written_out(text),
                                    {scene.caller, scene.host, scene.outlet, gone.get_token()});
    });
    begun.get_future().wait();
    row.end(scene, gone);
    listing.join();
    BOOST_TEST(was_cancelled, row.name);
    BOOST_TEST(reply.text.empty(), row.name);
  }
}

BOOST_FIXTURE_TEST_CASE(no_list_is_begun_after_the_end_of_all, Scene) {
  BOOST_REQUIRE(!say(kInitialize).text.empty());
  bool was_asked = false;
  host.before_list = [&](const std::stop_token&) { was_asked = true; };
  BOOST_TEST(!say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").text.empty());
  BOOST_TEST(was_asked);
  was_asked = false;
  session.cancel_all();
  BOOST_TEST(say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").text.empty());
  BOOST_TEST(!was_asked);
}

}  // namespace chancery::tests
