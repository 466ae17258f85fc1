// The endpoint of Streamable HTTP, as requests and answers.

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <ostream>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/mcp/http_endpoint.hpp"
#include "tests/unit/mcp/fixed_host.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using mcp::Headers;
using mcp::HttpAnswer;
using mcp::HttpEndpoint;

const std::string kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}})";
const std::string kList = R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})";
const std::string kEcho = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}})";
const std::string kMeta =
    R"("_meta":{"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/protocolVersion":"2026-07-28"})";
const std::string kStatelessList =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{)" + kMeta + "}}";
const std::string kStatelessEcho =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",)" + kMeta + "}}";

mcp::HttpOptions usual_options() {
  mcp::HttpOptions options;
  options.rules.port = 8123;
  options.rules.origins = {"https://console.example"};
  options.server.version = "1";
  options.sessions = 4;
  options.sessions_of_caller = 3;
  options.idle = std::chrono::seconds(100);
  return options;
}

// Random octets that count, so that ids differ and are known.
HttpEndpoint::Random counting() {
  return [count = std::uint8_t{0}](std::span<std::uint8_t> out) mutable {
    std::ranges::fill(out, count++);
    return Status();
  };
}

std::string header(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return "";
}

struct Scene {
  Scene() { add_usual_tools(host); }

  HttpAnswer send(std::string_view method, const Headers& headers, std::string_view body,
                  const char* caller = "agent") {
    const mcp::Caller who{caller};
    return endpoint.handle({method, headers, body}, {who, host, outlet, gone.get_token()}, now);
  }

  // A POST with the headers that each has, and these.
  HttpAnswer post(const std::string& body, Headers more = {}, const char* caller = "agent") {
    Headers headers{{"host", "localhost:8123"},
                    {"content-type", "application/json"},
                    {"accept", "application/json, text/event-stream"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return send("POST", headers, body, caller);
  }

  std::string open(const char* caller = "agent") {
    const HttpAnswer answer = post(kInitialize, {}, caller);
    BOOST_REQUIRE(answer.status == 200U);
    return header(answer, "Mcp-Session-Id");
  }

  FixedHost host;
  KeptOutlet outlet;
  std::stop_source gone;
  HttpEndpoint::Instant now{};
  HttpEndpoint endpoint{usual_options(), counting()};
};

struct Source {
  const char* what;
  Headers headers;
  unsigned status;
};

std::ostream& operator<<(std::ostream& out, const Source& row) { return out << row.what; }

const std::vector<Source>& sources() {
  static const std::vector<Source> kRows{
      {"by name", {{"Host", "localhost:8123"}}, 200},
      {"by address", {{"host", "127.0.0.1:8123"}}, 200},
      {"by the newer address", {{"host", "[::1]:8123"}}, 200},
      {"in capitals", {{"HOST", "LOCALHOST:8123"}}, 200},
      {"a page of this endpoint", {{"host", "localhost:8123"}, {"origin", "http://localhost:8123"}}, 200},
      {"a page that may", {{"host", "localhost:8123"}, {"origin", "https://console.example"}}, 200},
      {"nothing", {}, 400},
      {"two names", {{"host", "localhost:8123"}, {"Host", "localhost:8123"}}, 400},
      {"another name", {{"host", "evil.example.com"}}, 403},
      {"another name with the port", {{"host", "evil.example.com:8123"}}, 403},
      {"a name that begins alike", {{"host", "localhost.evil.example:8123"}}, 403},
      {"a name that ends alike", {{"host", "evil-localhost:8123"}}, 403},
      {"another port", {{"host", "localhost:8124"}}, 403},
      {"no port", {{"host", "localhost"}}, 403},
      {"another address of this machine", {{"host", "127.0.0.2:8123"}}, 403},
      {"any address", {{"host", "0.0.0.0:8123"}}, 403},
      {"an address in other words", {{"host", "2130706433:8123"}}, 403},
      {"someone in front", {{"host", "localhost:8123@evil.example"}}, 403},
      {"a page of somebody", {{"host", "localhost:8123"}, {"origin", "http://evil.example.com"}}, 403},
      {"a page that hides where it is from", {{"host", "localhost:8123"}, {"origin", "null"}}, 403},
      {"no page at all", {{"host", "localhost:8123"}, {"origin", ""}}, 403},
      {"a page of another port", {{"host", "localhost:8123"}, {"origin", "http://localhost:3000"}}, 403},
      {"a page under another scheme",
       {{"host", "localhost:8123"}, {"origin", "https://localhost:8123"}},
       403},
      {"a page like one that may",
       {{"host", "localhost:8123"}, {"origin", "https://console.example.evil"}},
       403},
      {"two pages",
       {{"host", "localhost:8123"}, {"origin", "http://localhost:8123"}, {"origin", "http://evil.example"}},
       400}};
  return kRows;
}

struct Posted {
  const char* what;
  std::string body;
  Headers headers;  // besides Host
  unsigned status;
  int code = 0;  // of the JSON-RPC error
};

std::ostream& operator<<(std::ostream& out, const Posted& row) { return out << row.what; }

Headers typed(Headers more = {}) {
  Headers out{{"content-type", "application/json"}, {"accept", "application/json, text/event-stream"}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

Headers stateless(const char* method, Headers more = {}) {
  more.emplace_back("mcp-protocol-version", "2026-07-28");
  more.emplace_back("mcp-method", method);
  return typed(std::move(more));
}

const std::vector<Posted>& posts() {
  static const std::vector<Posted> kRows{
      {"other words for the same types",
       kInitialize,
       {{"Content-Type", "Application/JSON; charset=utf-8"},
        {"Accept", "text/event-stream;q=0.5 , application/*"}},
       200},
      {"types in two lines",
       kInitialize,
       {{"content-type", "application/json"},
        {"accept", "application/json"},
        {"accept", "text/event-stream"}},
       200},
      {"any type", kInitialize, {{"content-type", "application/json"}, {"accept", "*/*"}}, 200},
      {"no type", kInitialize, {{"accept", "*/*"}}, 415, -32600},
      {"a form",
       kInitialize,
       {{"content-type", "application/x-www-form-urlencoded"}, {"accept", "*/*"}},
       415,
       -32600},
      {"text, as pages may send it",
       kInitialize,
       {{"content-type", "text/plain"}, {"accept", "*/*"}},
       415,
       -32600},
      {"two types",
       kInitialize,
       {{"content-type", "application/json"}, {"content-type", "text/plain"}, {"accept", "*/*"}},
       400,
       -32600},
      {"no answer is taken", kInitialize, {{"content-type", "application/json"}}, 406, -32600},
      {"no stream is taken",
       kInitialize,
       {{"content-type", "application/json"}, {"accept", "application/json"}},
       406,
       -32600},
      {"only a stream is taken",
       kInitialize,
       {{"content-type", "application/json"}, {"accept", "text/event-stream"}},
       406,
       -32600},
      {"a stream is not wanted",
       kInitialize,
       {{"content-type", "application/json"}, {"accept", "application/json, text/event-stream;q=0.0"}},
       406,
       -32600},
      {"no JSON", "{", typed(), 400, -32700},
      {"nothing", "", typed(), 400, -32700},
      {"a batch", "[" + kInitialize + "]", typed(), 400, -32600},
      {"an answer", R"({"jsonrpc":"2.0","id":1,"result":{}})", typed(), 400, -32600},
      {"no session", kList, typed(), 400, -32600},
      {"a session that is none", kList, typed({{"mcp-session-id", "00000000000000000000000000000000"}}), 404,
       -32600},
      {"a version that nobody knows", kList, typed({{"mcp-protocol-version", "1999-01-01"}}), 400, -32022},
      {"a version that is not served", kInitialize, typed({{"mcp-protocol-version", "2025-06-18"}}), 400,
       -32022},
      {"two versions", kInitialize,
       typed({{"mcp-protocol-version", "2025-11-25"}, {"mcp-protocol-version", "2025-11-25"}}), 400, -32600},
      {"a list", kStatelessList, stateless("tools/list"), 200},
      {"a call", kStatelessEcho, stateless("tools/call", {{"Mcp-Name", "echo"}}), 200},
      {"a call with its name encoded", kStatelessEcho,
       stateless("tools/call", {{"Mcp-Name", "=?base64?ZWNobw==?="}}), 200},
      {"a session does not matter", kStatelessList, stateless("tools/list", {{"mcp-session-id", "x"}}), 200},
      {"mirrored arguments do not matter", kStatelessEcho,
       stateless("tools/call", {{"Mcp-Name", "echo"}, {"Mcp-Param-A", "\x01"}}), 200},
      {"the version is in the message alone", kStatelessList, typed({{"mcp-method", "tools/list"}}), 400,
       -32020},
      {"another version is in the header", kStatelessList,
       typed({{"mcp-method", "tools/list"}, {"mcp-protocol-version", "2025-11-25"}}), 400, -32020},
      {"no method is in a header", kStatelessList, typed({{"mcp-protocol-version", "2026-07-28"}}), 400,
       -32020},
      {"another method is", kStatelessEcho, stateless("tools/list", {{"mcp-name", "echo"}}), 400, -32020},
      {"the method is in capitals", kStatelessList, stateless("Tools/List"), 400, -32020},
      {"no name is in a header", kStatelessEcho, stateless("tools/call"), 400, -32020},
      {"another name is", kStatelessEcho, stateless("tools/call", {{"mcp-name", "sum"}}), 400, -32020},
      {"another name is, encoded", kStatelessEcho, stateless("tools/call", {{"mcp-name", "=?base64?c3Vt?="}}),
       400, -32020},
      {"a name that is badly encoded", kStatelessEcho,
       stateless("tools/call", {{"mcp-name", "=?base64?ZWNob!==?="}}), 400, -32020},
      {"a name with a character that no header has", kStatelessEcho,
       stateless("tools/call", {{"mcp-name", "echo\x7F"}}), 400, -32020},
      {"two names", kStatelessEcho, stateless("tools/call", {{"mcp-name", "echo"}, {"mcp-name", "echo"}}),
       400, -32600},
      {"the version is in the header alone", kList, stateless("tools/list"), 400, -32602},
      {"no capabilities",
       R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})",
       stateless("tools/list"), 400, -32602},
      {"a version to come",
       R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2027-01-01"}}})",
       typed({{"mcp-protocol-version", "2027-01-01"}, {"mcp-method", "tools/list"}}), 400, -32022},
      {"what is not there is not found",
       R"({"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{)" + kMeta + "}}",
       stateless("prompts/list"), 404, -32601},
      {"a tool that is not there is no wrong path",
       R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x",)" + kMeta + "}}",
       stateless("tools/call", {{"mcp-name", "x"}}), 200, -32602},
      {"a notification", R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
       typed({{"mcp-protocol-version", "2026-07-28"}}), 202}};
  return kRows;
}

int code_in(const HttpAnswer& answer) {
  const auto message = mcp::Message::read(answer.body);
  return message && message->error() ? static_cast<int>(message->error()->code) : 0;
}

}  // namespace

BOOST_DATA_TEST_CASE(only_this_machine_under_its_own_name_and_port_may, data::make(sources()), row) {
  Scene scene;
  Headers headers = typed();
  headers.insert(headers.end(), row.headers.begin(), row.headers.end());
  const HttpAnswer answer = scene.send("POST", headers, kInitialize);
  BOOST_TEST(answer.status == row.status);
  BOOST_TEST(scene.endpoint.session_count() == (row.status == 200 ? 1U : 0U));
  // The same before anything else is looked at.
  const unsigned other = scene.send("GET", row.headers, "").status;
  BOOST_TEST(other == (row.status == 200 ? 405U : row.status));
}

BOOST_AUTO_TEST_CASE(the_port_that_goes_without_saying_may_be_left_out) {
  const Headers bare{{"host", "localhost"}, {"origin", "http://localhost"}};
  BOOST_TEST(bool(mcp::check_source({"GET", bare, ""}, {80, {}})));
  BOOST_TEST(!mcp::check_source({"GET", bare, ""}, {81, {}}));
}

BOOST_DATA_TEST_CASE(a_post_is_what_it_must_be_or_is_refused, data::make(posts()), row) {
  Scene scene;
  Headers headers = row.headers;
  headers.emplace_back("Host", "localhost:8123");
  const HttpAnswer answer = scene.send("POST", headers, row.body);
  BOOST_TEST(answer.status == row.status, answer.body);
  BOOST_TEST(code_in(answer) == row.code, answer.body);
  if (!answer.body.empty()) BOOST_TEST(header(answer, "Content-Type") == "application/json");
}

BOOST_FIXTURE_TEST_CASE(other_methods_are_refused_with_those_that_there_are, Scene) {
  for (const char* method : {"GET", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "post", ""}) {
    const HttpAnswer answer = send(method, {{"host", "localhost:8123"}, {"accept", "text/event-stream"}}, "");
    BOOST_TEST(answer.status == 405U);
    BOOST_TEST(header(answer, "Allow") == "POST, DELETE");
    BOOST_TEST(header(answer, "Access-Control-Allow-Origin") == "");
  }
}

BOOST_FIXTURE_TEST_CASE(a_session_goes_from_initialize_to_delete, Scene) {
  const std::string id = open();
  BOOST_TEST(id == "00000000000000000000000000000000");
  const Headers in_it{{"Mcp-Session-Id", id}, {"MCP-Protocol-Version", "2025-11-25"}};
  const HttpAnswer noted = post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", in_it);
  BOOST_TEST((noted.status == 202U && noted.body.empty() && header(noted, "Content-Type").empty()));
  BOOST_TEST(post(kEcho, in_it).status == 200U);
  BOOST_TEST(post(kEcho, {{"Mcp-Session-Id", id}}).status == 200U);  // its version is known
  const HttpAnswer unknown = post(R"({"jsonrpc":"2.0","id":1,"method":"prompts/list"})", in_it);
  BOOST_TEST((unknown.status == 200U && code_in(unknown) == -32601));

  Headers end = in_it;
  end.emplace_back("host", "localhost:8123");
  const HttpAnswer ended = send("DELETE", end, "");
  BOOST_TEST((ended.status == 204U && ended.body.empty()));
  BOOST_TEST(post(kEcho, in_it).status == 404U);
  BOOST_TEST(send("DELETE", end, "").status == 404U);
  BOOST_TEST(send("DELETE", {{"host", "localhost:8123"}}, "").status == 400U);
  BOOST_TEST(
      send("DELETE",
           {{"host", "localhost:8123"}, {"mcp-protocol-version", "2026-07-28"}, {"mcp-session-id", id}}, "")
          .status == 405U);
}

BOOST_FIXTURE_TEST_CASE(a_session_is_its_callers_alone, Scene) {
  const Headers in_it{{"Mcp-Session-Id", open()}};
  BOOST_TEST(post(kEcho, in_it, "another").status == 404U);
  Headers end = in_it;
  end.emplace_back("host", "localhost:8123");
  BOOST_TEST(send("DELETE", end, "", "another").status == 404U);
  BOOST_TEST(post(kEcho, in_it).status == 200U);
}

BOOST_FIXTURE_TEST_CASE(an_initialize_that_fails_leaves_no_session, Scene) {
  const HttpAnswer answer = post(R"({"jsonrpc":"2.0","id":1,"method":"initialize"})");
  BOOST_TEST(code_in(answer) == -32602);
  BOOST_TEST(header(answer, "Mcp-Session-Id") == "");
  BOOST_TEST(endpoint.session_count() == 0U);
}

BOOST_AUTO_TEST_CASE(without_random_octets_there_is_no_session) {
  HttpEndpoint endpoint(usual_options(), [](std::span<std::uint8_t>) {
    return Status(Error{ErrorCode::kCryptoFailure, "planted"});
  });
  FixedHost host;
  KeptOutlet outlet;
  const mcp::Caller caller{"agent"};
  Headers headers = typed({{"host", "localhost:8123"}});
  BOOST_TEST(endpoint.handle({"POST", headers, kInitialize}, {caller, host, outlet}, {}).status == 503U);
  BOOST_TEST(endpoint.session_count() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_session_that_is_idle_ends, Scene) {
  const Headers in_it{{"Mcp-Session-Id", open()}};
  now += std::chrono::seconds(100);
  BOOST_TEST(post(kEcho, in_it).status == 200U);
  now += std::chrono::seconds(100);
  BOOST_TEST(post(kEcho, in_it).status == 200U);
  now += std::chrono::seconds(101);
  BOOST_TEST(post(kEcho, in_it).status == 404U);
  BOOST_TEST(!open().empty());
  BOOST_TEST(endpoint.session_count() == 1U);
}

BOOST_FIXTURE_TEST_CASE(one_caller_has_so_many_sessions_and_all_so_many, Scene) {
  std::vector<Headers> own;
  for (int i = 0; i < 3; ++i) {
    own.push_back({{"Mcp-Session-Id", open()}});
    now += std::chrono::seconds(1);
  }
  BOOST_TEST(post(kEcho, own[0]).status == 200U);  // so that the second was idle for longest
  now += std::chrono::seconds(1);
  BOOST_TEST(!open().empty());
  BOOST_TEST(post(kEcho, own[0]).status == 200U);
  BOOST_TEST(post(kEcho, own[1]).status == 404U);
  BOOST_TEST(post(kEcho, own[2]).status == 200U);
  BOOST_TEST(!open("another").empty());
  BOOST_TEST(post(kInitialize, {}, "a third").status == 503U);
  BOOST_TEST(endpoint.session_count() == 4U);
}

BOOST_FIXTURE_TEST_CASE(what_a_call_says_goes_ahead_of_its_answer, Scene) {
  const HttpAnswer answer = post(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"steps","_meta":{"progressToken":1}}})",
      {{"Mcp-Session-Id", open()}});
  BOOST_TEST(answer.status == 200U);
  BOOST_TEST(outlet.sent().size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_call_is_an_answer_without_a_message, Scene) {
  std::atomic<bool> begun = false, cancelled = false;
  host.add("wait", [&](const mcp::ToolCall&, mcp::CallProgress& progress) {
    begun = true;
    cancelled = wait_for_cancellation(progress);
    return text_answer("too late");
  });
  HttpAnswer answer;
  std::thread call([&] {
    answer =
        post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait",)" + kMeta + "}}",
             {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "tools/call"}, {"mcp-name", "wait"}});
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!begun && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  gone.request_stop();
  call.join();
  BOOST_TEST(cancelled);
  BOOST_TEST((answer.status == 200U && answer.body.empty()));
  BOOST_TEST(header(answer, "Content-Type") == "text/event-stream");
}

BOOST_AUTO_TEST_CASE(values_in_headers_are_plain_or_encoded) {
  BOOST_TEST(mcp::decode_header_value("us-west1").value() == "us-west1");
  BOOST_TEST(mcp::decode_header_value("").value() == "");
  BOOST_TEST(mcp::decode_header_value("=?base64?SGVsbG8sIOS4lueVjA==?=").value() ==
             "Hello, \xE4\xB8\x96\xE7\x95\x8C");
  BOOST_TEST(mcp::decode_header_value("=?base64?IHBhZGRlZCA=?=").value() == " padded ");
  BOOST_TEST(mcp::decode_header_value("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=").value() == "=?base64?literal?=");
  BOOST_TEST(mcp::decode_header_value("=?BASE64?SGk=?=").value() == "=?BASE64?SGk=?=");
  BOOST_TEST(mcp::decode_header_value("=?base64?=").value() == "=?base64?=");  // no room for a value
  BOOST_TEST(!mcp::decode_header_value("=?base64?SGk?="));
  BOOST_TEST(!mcp::decode_header_value("a\nb"));
  BOOST_TEST(!mcp::decode_header_value("\xC3\xA9"));
}

}  // namespace chancery::tests
