// The gateway on a loopback port: what is bounded, who is served, what is told of an agent that has gone.

#include "sdk/cli/mcp_listener.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/cli/loopback_peer.hpp"
#include "tests/unit/mcp/fixed_host.hpp"

namespace chancery::cli {
namespace {

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
namespace http = boost::beast::http;
using asio::ip::tcp;
using tests::FixedHost;
using tests::text_answer;

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

constexpr const char* kMeta =
    R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}})";

/// A connection of an agent's. Reading ends after what the other side sends, never by a clock.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  void send(const std::string& octets) {
    boost::system::error_code ignored;  // who refuses may have closed before all of it is there
    asio::write(socket_, asio::buffer(octets), ignored);
  }
  // \return status and body; 0 when the connection ended without an answer
  std::pair<unsigned, std::string> answer() {
    http::response_parser<http::string_body> parser;
    boost::system::error_code failed;
    http::read(socket_, buffer_, parser, failed);
    if (failed) return {0, {}};
    const auto given = parser.get()["Mcp-Session-Id"];
    session = std::string(given.data(), given.size());
    return {parser.get().result_int(), parser.get().body()};
  }
  bool is_closed() {
    std::array<char, 1> octet{};
    boost::system::error_code failed;
    socket_.read_some(asio::buffer(octet), failed);
    return bool(failed);
  }
  void close() { socket_.close(); }
  [[nodiscard]] std::uint16_t port() const { return socket_.local_endpoint().port(); }

  std::string session;  ///< that the last answer gave

 private:
  asio::io_context io_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

struct Scene {
  explicit Scene(std::size_t connections = 32) {
    host.add("echo",
             [](const mcp::ToolCall& call, mcp::CallProgress&) { return text_answer(call.arguments); });
    host.add("count", [this](const mcp::ToolCall&, mcp::CallProgress&) {
      ++counted;
      return text_answer("counted");
    });
    host.add("steps", [](const mcp::ToolCall&, mcp::CallProgress& progress) {
      for (const int done : {1, 2, 3}) progress.advance(done, {}, {});
      return text_answer("done");
    });
    host.add("wait", [this](const mcp::ToolCall&, mcp::CallProgress& progress) {
      begun.set_value();
      was_cancelled = tests::wait_for_cancellation(progress);
      ended.set_value();
      return text_answer("late");
    });
    host.before_list = [this](const std::stop_token& cancelled) {
      if (!holds_lists) return;
      begun.set_value();
      was_cancelled = tests::wait_for_cancellation(cancelled);
    };
    ListenerOptions options;
    options.address = "127.0.0.1:0";
    options.connections = connections;
    options.http.server.limits.max_octets = 64 * 1024;
    auto started = McpListener::start(std::move(options), host);
    BOOST_REQUIRE(started);
    listener.emplace(*std::move(started));
    const std::string url = listener->url();
    port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }

  [[nodiscard]] std::string head(const std::string& begin, std::size_t length) const {
    return begin + "\r\nHost: 127.0.0.1:" + std::to_string(port) +
           "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: " +
           std::to_string(length) + "\r\n";
  }
  [[nodiscard]] std::string call(const std::string& tool, const std::string& more = {}) const {
    const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool +
                             "\"," + kMeta + more + "}}";
    return head("POST /mcp HTTP/1.1", body.size()) +
           "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " + tool + "\r\n\r\n" +
           body;
  }

  FixedHost host;
  std::promise<void> begun, ended;
  std::atomic<bool> was_cancelled = false;
  std::atomic<bool> holds_lists = false;
  std::atomic<int> counted = 0;
  std::uint16_t port = 0;
  std::optional<McpListener> listener;
};

constexpr std::array kNotLoopback{
    "0.0.0.0:0",  "[::]:0",      "192.0.2.1:0",     "127.0.0.2:0", "example.org:0", "",     "127.0.0.1",
    "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", ":8080",       "127.0.0.1:1 ",  "::1:0"};

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_listener)

BOOST_DATA_TEST_CASE(what_is_not_loopback_is_not_listened_on, data::make(kNotLoopback), address) {
  FixedHost host;
  ListenerOptions options;
  options.address = address;
  const auto started = McpListener::start(std::move(options), host);
  BOOST_REQUIRE(!started);
  BOOST_TEST((started.error().code == ErrorCode::kInvalidArgument));
}

BOOST_FIXTURE_TEST_CASE(a_port_that_is_taken_is_said_to_be, Scene) {
  ListenerOptions options;
  options.address = "localhost:" + std::to_string(port);
  const auto started = McpListener::start(std::move(options), host);
  BOOST_REQUIRE(!started);
  BOOST_TEST((started.error().code == ErrorCode::kConnectFailed));
}

BOOST_FIXTURE_TEST_CASE(requests_of_a_connection_are_answered_one_after_the_other, Scene) {
  Connection agent(port);
  agent.send(call("echo", R"(,"arguments":{"n":1})") + call("echo", R"(,"arguments":{"n":2})"));
  BOOST_TEST(has(agent.answer().second, R"({\"n\":1})"));
  BOOST_TEST(has(agent.answer().second, R"({\"n\":2})"));
  agent.send(call("steps"));
  BOOST_TEST(has(agent.answer().second, "done"));
}

BOOST_FIXTURE_TEST_CASE(notifications_are_events_ahead_of_the_answer, Scene) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"steps","_meta":{"progressToken":"t",)"
      R"("io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})";
  Connection agent(port);
  for (int i = 0; i < 2; ++i) {  // the connection goes on
    agent.send(head("POST /mcp HTTP/1.1", body.size()) +
               "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: steps\r\n\r\n" +
               body);
    const auto [status, text] = agent.answer();
    BOOST_TEST(status == 200u);
    std::size_t at = 0;
    for (const char* part : {R"("progress":1)", R"("progress":2)", R"("progress":3)", R"("result":)"}) {
      at = text.find(part, at);
      BOOST_TEST((at != std::string::npos), part << " is not in its place in " << text);
    }
  }
}

namespace {

struct Refused {
  const char* name;
  const char* begin;
  std::size_t header;  // octets besides
  std::size_t body;
  unsigned status;
};
constexpr std::array kRefused{
    Refused{"another path", "POST / HTTP/1.1", 0, 2, 404},
    Refused{"an older HTTP", "POST /mcp HTTP/1.0", 0, 2, 505},
    Refused{"a long body", "POST /mcp HTTP/1.1", 0, 64 * 1024 + 1, 413},
    Refused{"long headers", "POST /mcp HTTP/1.1", 20'000, 2, 431},
    Refused{"no HTTP", "\x16\x03\x01\x02 x", 0, 2, 400},
    Refused{"a stream that nobody has", "GET /mcp HTTP/1.1", 0, 0, 405},
    Refused{"no message", "POST /mcp HTTP/1.1", 0, 2, 400},
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_no_request_of_the_protocol_is_refused, Scene) {
  for (const Refused& row : kRefused) {
    Connection agent(port);
    agent.send(head(row.begin, row.body) + "X-Long: " + std::string(row.header, 'x') + "\r\n\r\n" +
               std::string(row.body, ' '));
    BOOST_TEST(agent.answer().first == row.status, row.name);
  }
}

BOOST_FIXTURE_TEST_CASE(a_page_of_somebody_is_not_served, Scene) {
  Connection agent(port);
  std::string request = call("echo");
  request.insert(request.find("Accept"), "Origin: http://evil.example\r\n");
  agent.send(request);
  BOOST_TEST(agent.answer().first == 403u);
}

BOOST_FIXTURE_TEST_CASE(an_agent_that_has_gone_cancels_its_call, Scene) {
  Connection agent(port);
  agent.send(call("wait"));
  begun.get_future().wait();
  agent.close();
  ended.get_future().wait();
  BOOST_TEST(was_cancelled);
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_listener_gives_up_what_is_under_way, Scene) {
  Connection agent(port);
  agent.send(call("wait"));
  begun.get_future().wait();
  listener.reset();
  BOOST_TEST(was_cancelled);
  BOOST_TEST(agent.is_closed());
}

BOOST_FIXTURE_TEST_CASE(a_call_of_a_session_ends_with_the_listener_and_not_with_its_connection, Scene) {
  const std::string begin =
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},)"
      R"("clientInfo":{"name":"x","version":"1"}}})";
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait"}})";
  Connection agent(port), other(port);
  agent.send(head("POST /mcp HTTP/1.1", begin.size()) + "\r\n" + begin);
  BOOST_TEST(agent.answer().first == 200u);
  agent.send(head("POST /mcp HTTP/1.1", body.size()) + "Mcp-Session-Id: " + agent.session + "\r\n\r\n" +
             body);
  begun.get_future().wait();
  agent.close();
  other.send(call("echo"));
  BOOST_TEST(other.answer().first == 200u);
  BOOST_TEST(!was_cancelled);
  listener.reset();
  BOOST_TEST(was_cancelled);
}

BOOST_FIXTURE_TEST_CASE(the_end_of_the_listener_gives_up_a_list_as_well, Scene) {
  holds_lists = true;
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"tools/list","params":{)" + std::string(kMeta) + "}}";
  Connection agent(port);
  agent.send(head("POST /mcp HTTP/1.1", body.size()) +
             "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n\r\n" + body);
  begun.get_future().wait();
  listener.reset();
  BOOST_TEST(was_cancelled);
}

BOOST_AUTO_TEST_CASE(who_comes_when_there_are_as_many_as_may_be_waits) {
  Scene scene(2);
  Connection first(scene.port), second(scene.port), third(scene.port);
  for (Connection* agent : {&first, &second}) {
    agent->send(scene.call("echo"));
    BOOST_TEST(agent->answer().first == 200u);
  }
  third.send(scene.call("echo"));
  first.close();
  BOOST_TEST(third.answer().first == 200u);
}

// --- whose socket it is

namespace {

LoopbackEnd v4(std::uint8_t last, std::uint16_t port) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, last}, port};
}
LoopbackEnd v6(std::uint16_t port) { return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, port}; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_table_of_connections_says_whose_an_end_is) {
  constexpr const char* kTable =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n"
      "   1: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0\n"
      "   2: 0100007F:C002 0100007F:1F90 01 00000000:00000000\n"
      "   3: 0200007F:C003 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0\n"
      "   5: 0100007F:C003 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 2 1 0\n"
      "   6: 0100007F:C005 0100007F:1F90 04 00000000:00000000 00:00000000 00000000     0        0 0 1 0\n"
      "   7: 0100007F:C007 0100007F:1F90 06 00000000:00000000 03:00001762 00000000     0        0 0 3 0\n"
      "   8: 0000000000000000FFFF00000100007F:C006 0000000000000000FFFF00000100007F:1F90 01 0:0 00:0 0  1004 0 2 1 0\n"
      "   4: 00000000000000000000000001000000:C004 00000000000000000000000001000000:1F90 01 0:0 00:0 0  1002 0 2 1 0\n";
  const LoopbackEnd own = v4(1, 0x1F90), own6 = v6(0x1F90);
  BOOST_TEST((user_in_table(kTable, v4(1, 0xC001), own) == 1000u));
  BOOST_TEST((user_in_table(kTable, own, v4(1, 0xC001)) == 0u));
  BOOST_TEST((user_in_table(kTable, v6(0xC004), own6) == 1002u));
  BOOST_TEST((user_in_table(kTable, v4(2, 0xC003), own) == 1001u));
  BOOST_TEST((user_in_table(kTable, v4(1, 0xC003), own) == 1003u));
  BOOST_TEST((user_in_table(kTable, v4(1, 0xC006), own) == 1004u));  // from a socket for both IPv4 and IPv6
  for (const std::uint16_t unknown : std::array<std::uint16_t, 5>{0xC000, 0xC002, 0xC004, 0xC005, 0xC007})
    BOOST_TEST(!user_in_table(kTable, v4(1, unknown), own).has_value(), unknown);
  BOOST_TEST(!user_in_table(kTable, v4(2, 0xC001), own).has_value());
  BOOST_TEST(!user_in_table(kTable, v4(1, 0xC001), v4(2, 0x1F90)).has_value());
  BOOST_TEST(!user_in_table("", v4(1, 1), own).has_value());
}

namespace {

constexpr uid_t kSomebodyElse = 65534;

/// Another user's process. What it does there holds until it is let go.
class Stranger {
 public:
  explicit Stranger(const std::function<void()>& work) {
    std::array<int, 2> done{}, leave{};
    BOOST_REQUIRE(::pipe(done.data()) == 0);
    BOOST_REQUIRE(::pipe(leave.data()) == 0);
    child_ = ::fork();
    BOOST_REQUIRE(child_ >= 0);
    char octet = 0;
    if (child_ == 0) {
      ::close(leave[1]);
      if (::setresuid(kSomebodyElse, kSomebodyElse, kSomebodyElse) != 0) ::_exit(1);
      work();
      if (::write(done[1], &octet, 1) != 1) ::_exit(1);
      ::_exit(::read(leave[0], &octet, 1) == 0 ? 0 : 1);
    }
    ::close(done[1]);
    ::close(leave[0]);
    leave_ = leave[1];
    BOOST_REQUIRE(::read(done[0], &octet, 1) == 1);
    ::close(done[0]);
  }
  ~Stranger() {
    ::close(leave_);
    ::waitpid(child_, nullptr, 0);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

 private:
  pid_t child_ = -1;
  int leave_ = -1;
};

// Of a child of a program with threads: nothing but system calls. \return the socket
int connect_from(in_addr_t address, std::uint16_t own_port, std::uint16_t port) {
  const int file = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in end{};
  end.sin_family = AF_INET;
  end.sin_addr.s_addr = htonl(address);
  end.sin_port = htons(own_port);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&end);
  if (::bind(file, generic, sizeof end) != 0) return -1;
  end.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  end.sin_port = htons(port);
  return ::connect(file, generic, sizeof end) == 0 ? file : -1;
}

const auto kByRoot = boost::unit_test::precondition([](auto) {
  boost::test_tools::assertion_result can(::geteuid() == 0);
  can.message() << "only root can become another user";
  return can;
});

}  // namespace

BOOST_AUTO_TEST_CASE(another_user_is_not_served_from_the_port_of_an_agent_at_another_address, *kByRoot) {
  Scene scene;
  Connection agent(scene.port);
  agent.send(scene.call("echo"));
  BOOST_TEST(agent.answer().first == 200u);
  const std::string request = scene.call("count");
  std::array<int, 2> told{};
  BOOST_REQUIRE(::pipe(told.data()) == 0);
  {
    const Stranger stranger([&] {
      const int file = connect_from(INADDR_LOOPBACK + 1, agent.port(), scene.port);
      static_cast<void>(!::write(file, request.data(), request.size()));
      std::array<char, 12> status{};
      static_cast<void>(!::recv(file, status.data(), status.size(), MSG_WAITALL));
      static_cast<void>(!::write(told[1], status.data(), status.size()));
    });
    std::string status(12, '\0');
    BOOST_REQUIRE(::read(told[0], status.data(), status.size()) == 12);
    BOOST_TEST(status == "HTTP/1.1 403");
  }
  ::close(told[0]);
  ::close(told[1]);
  BOOST_TEST(scene.counted == 0);
  agent.send(scene.call("count"));
  BOOST_TEST(agent.answer().first == 200u);
  BOOST_TEST(scene.counted == 1);
}

// The kernel has a closed socket as user 0's.
BOOST_AUTO_TEST_CASE(another_user_is_not_served_who_has_hung_up_already, *kByRoot) {
  Scene scene(1);
  Connection agent(scene.port);
  agent.send(scene.call("echo"));
  BOOST_TEST(agent.answer().first == 200u);
  const std::string request = scene.call("count");
  {
    // There is no place, so that the connections are accepted when they are closed already.
    const Stranger stranger([&] {
      for (int i = 0; i < 8; ++i) {
        const int file = connect_from(INADDR_LOOPBACK, 0, scene.port);
        static_cast<void>(!::write(file, request.data(), request.size()));
        ::close(file);
      }
    });
  }
  agent.close();
  Connection later(scene.port);
  later.send(scene.call("echo"));
  BOOST_TEST(later.answer().first == 200u);
  BOOST_TEST(scene.counted == 0);
}

BOOST_AUTO_TEST_CASE(connections_of_another_user_take_no_place, *kByRoot) {
  Scene scene(2);
  const Stranger stranger([&] {
    for (int i = 0; i < 40; ++i) connect_from(INADDR_LOOPBACK, 0, scene.port);
  });
  Connection agent(scene.port);
  agent.send(scene.call("echo"));
  BOOST_TEST(agent.answer().first == 200u);
}

BOOST_AUTO_TEST_CASE(an_agent_may_connect_from_a_socket_for_both_families) {
  const Scene scene;
  asio::io_context io;
  tcp::socket socket(io);
  socket.open(tcp::v6());
  const int no = 0;
  BOOST_REQUIRE(::setsockopt(socket.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0);
  socket.connect(
      {asio::ip::make_address_v6(asio::ip::v4_mapped, asio::ip::address_v4::loopback()), scene.port});
  asio::write(socket, asio::buffer(scene.call("echo")));
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> answer;
  http::read(socket, buffer, answer);
  BOOST_TEST(answer.result_int() == 200u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli
