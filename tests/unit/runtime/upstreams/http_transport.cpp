#include "daemon/runtime/upstreams/http_transport.hpp"

#include <array>
#include <atomic>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/mcp/message.hpp"
#include "tests/unit/runtime/outbound/upstream.hpp"
#include "tests/unit/runtime/upstreams/declared_tool.hpp"

// Messages of MCP by HTTP: a message for an answer, a stream of them, and what is none.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;
namespace data = boost::unit_test::data;

constexpr const char* kAnswer = R"({"jsonrpc":"2.0","id":1,"result":{}})";
constexpr const char* kAsks = R"({"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}})";
constexpr const char* kError =
    R"({"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Server not initialized"}})";

mcp::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::minutes{1}; }

std::string event(const std::string& message) { return "event: message\ndata: " + message + "\n\n"; }

/// A connection to a server that a test scripts.
struct Line {
  explicit Line(const Upstream& upstream, const SecretBytes* credential = nullptr)
      : tool(mcp_tool("[tool.mcp_http]\nurl = \"" + upstream.origin() +
                          "/mcp\"\nallow_addresses = [\"127.0.0.0/8\"]\ntimeout = \"60s\"\n"
                          "credential_in = \"header:Authorization: Bearer {}\"\n",
                      "allow = [\"\"]", "credential = \"psp\"\n")),
        transport({outbound, std::get<tools::McpHttpUpstream>(tool.upstream), credential},
                  upstream.request().ca_file, {}) {}

  static mcp::Outgoing message(std::string text, bool has_answer = true) {
    return {std::move(text), {{"Content-Type", "application/json"}}, has_answer};
  }
  Result<std::string> ask(const std::string& question = "{}") {
    CHANCERY_TRY(transport.send(message(question), soon()));
    return transport.receive(soon());
  }

  OutboundCaller outbound;
  const tools::Tool tool;
  HttpTransport transport;
};

struct Answered {
  const char* name;
  std::string octets;
  std::variant<const char*, Error> want;
};
std::ostream& operator<<(std::ostream& out, const Answered& row) { return out << row.name; }

const std::array kAnswered{
    Answered{"a message", http_answer(200, "application/json", kAnswer), kAnswer},
    Answered{"a message with a charset", http_answer(200, "application/json; charset=utf-8", kAnswer),
             kAnswer},
    Answered{"a stream of one", http_answer(200, "Text/Event-Stream", event(kAnswer)), kAnswer},
    Answered{"an error of JSON-RPC", http_answer(400, "application/json", kError), kError},
    Answered{"an error of HTTP", http_answer(400, "text/plain", "no"),
             Error{ErrorCode::kRequestRefused, "", 400}},
    Answered{"no credential, in JSON-RPC's words", http_answer(401, "application/json", kError),
             Error{ErrorCode::kRequestRefused, "", 401}},
    Answered{"nothing", http_answer(202, "application/json", ""), Error{ErrorCode::kBadResponse, ""}},
    Answered{"a stream without a message", http_answer(200, "text/event-stream", ": nobody\n\n"),
             Error{ErrorCode::kBadResponse, ""}},
    Answered{"a redirect",
             http_answer(307, "application/json", kAnswer, "Location: https://127.0.0.1:1/\r\n"),
             Error{ErrorCode::kBadResponse, "", 307}},
    Answered{"too much",
             http_answer(200, "text/event-stream", "data: " + std::string(2u << 20, 'a') + "\n\n"),
             Error{ErrorCode::kTooLarge, ""}},
    Answered{"a session that is no name",
             http_answer(200, "application/json", kAnswer, "Mcp-Session-Id: \xc3\xa4\r\n"),
             Error{ErrorCode::kBadResponse, ""}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_transport)

BOOST_DATA_TEST_CASE(an_answer_is_a_message_or_says_what_is_wrong, data::make(kAnswered), row) {
  const Upstream upstream(row.octets);
  Line line(upstream);
  const auto got = line.ask();
  if (const auto* const error = std::get_if<Error>(&row.want)) {
    BOOST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code == error->code), got.error().what);
    if (error->native != 0) BOOST_TEST(got.error().native == error->native);
  } else {
    BOOST_REQUIRE_MESSAGE(got.has_value(), (got ? "" : got.error().what));
    BOOST_TEST(*got == std::get<const char*>(row.want));
  }
}

BOOST_AUTO_TEST_CASE(what_a_server_asks_in_a_stream_is_answered_while_the_stream_waits) {
  std::atomic<bool> was_refused{false};
  const Upstream upstream([&](Connection& connection, const std::string& request) {
    if (request.find("-32601") != std::string::npos) {
      connection.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
      was_refused = true;
      return true;
    }
    const std::string first = event(kAsks);
    const std::string second = event(kAnswer);
    connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " +
                     std::to_string(first.size() + second.size()) + "\r\n\r\n" + first);
    while (!was_refused) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    connection.write(second);
    return true;
  });
  Line line(upstream);
  const auto asked = line.ask();
  BOOST_REQUIRE_MESSAGE(asked.has_value(), (asked ? "" : asked.error().what));
  BOOST_TEST(*asked == kAsks);
  const std::string refusal = mcp::error_text(mcp::Id("s"), mcp::Code::kMethodNotFound, "no");
  BOOST_TEST(line.transport.send(Line::message(refusal, false), soon()).has_value());
  const auto answer = line.transport.receive(soon());
  BOOST_REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().what));
  BOOST_TEST(*answer == kAnswer);
}

BOOST_AUTO_TEST_CASE(a_session_is_kept_and_ended) {
  const Upstream upstream(http_answer(200, "application/json", kAnswer, "Mcp-Session-Id: s-1\r\n"));
  {
    Line line(upstream);
    BOOST_TEST(line.ask().has_value());
    BOOST_TEST(line.ask().has_value());
  }
  const auto seen = upstream.requests();
  BOOST_REQUIRE(seen.size() == 3u);
  BOOST_TEST(seen[0].find("mcp-session-id") == std::string::npos);
  BOOST_TEST(seen[1].find("mcp-session-id: s-1") != std::string::npos);
  BOOST_TEST(seen[2].starts_with("DELETE /mcp"), seen[2]);
}

BOOST_AUTO_TEST_CASE(a_call_whose_time_is_over_says_no_goodbye) {
  const Upstream upstream(http_answer(200, "application/json", kAnswer, "Mcp-Session-Id: s-1\r\n"));
  {
    Line line(upstream);
    BOOST_TEST(line.ask().has_value());
    const Status late = line.transport.send(Line::message("{}", false), std::chrono::steady_clock::now());
    BOOST_TEST(!late.has_value());
  }
  BOOST_TEST(upstream.requests().size() == 1u);
}

BOOST_AUTO_TEST_CASE(each_request_has_the_credential_and_no_other_host_gets_it) {
  const Upstream elsewhere(http_answer(200, "application/json", kAnswer));
  const Upstream upstream([&](Connection& connection, const std::string& request) {
    const bool is_first = request.find("first") != std::string::npos;
    connection.write(
        is_first ? http_answer(200, "application/json", kAnswer)
                 : http_answer(307, "application/json", "", "Location: " + elsewhere.origin() + "/mcp\r\n"));
    return true;
  });
  const SecretBytes credential(as_bytes("canary-4711"));
  Line line(upstream, &credential);
  BOOST_TEST(line.ask("first").has_value());
  BOOST_TEST(!line.ask("second").has_value());
  for (const std::string& request : upstream.requests())
    BOOST_TEST(request.find("uthorization: Bearer canary-4711") != std::string::npos, request);
  BOOST_TEST(elsewhere.requests().empty());
}

BOOST_AUTO_TEST_CASE(an_address_that_is_not_declared_is_not_reached) {
  const Upstream upstream(http_answer(200, "application/json", kAnswer));
  OutboundCaller outbound;
  const tools::Tool tool = mcp_tool("[tool.mcp_http]\nurl = \"" + upstream.origin() + "/mcp\"\n");
  HttpTransport transport({outbound, std::get<tools::McpHttpUpstream>(tool.upstream), nullptr},
                          upstream.request().ca_file, {});
  BOOST_REQUIRE(transport.send(Line::message("{}"), soon()).has_value());
  const auto got = transport.receive(soon());
  BOOST_REQUIRE(!got.has_value());
  BOOST_TEST((got.error().code == ErrorCode::kForbidden));
  BOOST_TEST(upstream.requests().empty());
}

BOOST_AUTO_TEST_CASE(whoever_stops_waits_no_longer) {
  std::atomic<bool> is_over{false};
  const Upstream upstream([&](Connection&, const std::string&) {
    while (!is_over) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return false;
  });
  {
    std::stop_source stop;
    OutboundCaller outbound;
    const tools::Tool tool = mcp_tool("[tool.mcp_http]\nurl = \"" + upstream.origin() +
                                      "/mcp\"\nallow_addresses = [\"127.0.0.0/8\"]\ntimeout = \"60s\"\n");
    HttpTransport transport({outbound, std::get<tools::McpHttpUpstream>(tool.upstream), nullptr},
                            upstream.request().ca_file, stop.get_token());
    BOOST_REQUIRE(transport.send(Line::message("{}"), soon()).has_value());
    stop.request_stop();
    const auto got = transport.receive(soon());
    BOOST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code == ErrorCode::kShuttingDown));
    BOOST_TEST(!transport.send(Line::message("{}"), soon()).has_value());
  }
  is_over = true;
}

BOOST_AUTO_TEST_SUITE_END()
