// The gateway on a pipe.

#include "sdk/cli/mcp_stdio.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <unistd.h>

#include "sdk/base/descriptor.hpp"
#include "tests/unit/mcp/fixed_host.hpp"

namespace chancery::cli {
namespace {

using tests::FixedHost;
using tests::text_answer;

constexpr const char* kInitialize =
    R"({"jsonrpc":"2.0","id":"begin","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},)"
    R"("clientInfo":{"name":"x","version":"1"}}})";

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
    out = Descriptor(ends[0]);
    in = Descriptor(ends[1]);
  }
  Descriptor out, in;
};

/// A server on two pipes, and the agent at their other ends.
struct Agent {
  explicit Agent(std::size_t calls_at_once = 16) {
    ::signal(SIGPIPE, SIG_IGN);
    options.calls_at_once = calls_at_once;
    host.add("echo",
             [](const mcp::ToolCall& call, mcp::CallProgress&) { return text_answer(call.arguments); });
    host.add("meet", [this](const mcp::ToolCall&, mcp::CallProgress&) {
      both.arrive_and_wait();
      return text_answer("met");
    });
    host.add("wait", [this](const mcp::ToolCall&, mcp::CallProgress& progress) {
      begun.set_value();
      was_cancelled = tests::wait_for_cancellation(progress);
      return text_answer("late");
    });
  }
  ~Agent() {
    requests.in = Descriptor();
    if (thread.joinable()) thread.join();
  }

  void start(std::chrono::milliseconds grace = std::chrono::seconds(20)) {
    thread = std::thread([this, grace] {
      StdioServer server(options, host, requests.out.get(), answers.in.get());
      status = server.serve(grace);
      answers.in = Descriptor();
    });
  }
  // What cannot be sent has no answer: no assertion, since another thread may be at it.
  void send(const std::string& text) const {
    const ssize_t size = ::write(requests.in.get(), text.data(), text.size());
    static_cast<void>(size);
  }
  void call(int id, const std::string& tool) {
    send(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":"tools/call","params":{"name":")" +
         tool + "\"}}\n");
  }
  std::string line() {
    std::string out;
    char octet = 0;
    while (::read(answers.out.get(), &octet, 1) == 1 && octet != '\n') out += octet;
    return out;
  }
  Status end() {
    requests.in = Descriptor();
    thread.join();
    return status;
  }

  mcp::ServerOptions options;
  FixedHost host;
  Pipe requests, answers;
  std::barrier<> both{2};
  std::promise<void> begun;
  std::atomic<bool> was_cancelled = false;
  Status status;
  std::thread thread;
};

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(mcp_stdio)

BOOST_AUTO_TEST_CASE(messages_are_answered_a_line_each) {
  Agent agent;
  agent.start();
  agent.send(std::string(kInitialize) + "\r\n\n  \n");
  BOOST_TEST(has(agent.line(), R"("id":"begin")"));
  agent.send(R"({"jsonrpc":"2.0","id":1,"method")");  // in two pieces
  agent.send(":\"ping\"}\n");
  BOOST_TEST(agent.line() == R"({"id":1,"jsonrpc":"2.0","result":{}})");
  agent.send("no JSON\n[]\n");
  BOOST_TEST(has(agent.line(), "-32700"));
  BOOST_TEST(has(agent.line(), "-32600"));
  agent.send(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");  // no line end
  BOOST_TEST(bool(agent.end()));
  BOOST_TEST(has(agent.line(), R"("id":2)"));
  BOOST_TEST(agent.line().empty());
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_refused_and_those_behind_it_are_read) {
  Agent agent;
  agent.options.limits.max_octets = 100'000;
  agent.start();
  std::thread writing([&] {
    const std::string part(1000, 'x');
    for (int i = 0; i < 300; ++i) agent.send(part);
    agent.send("\n" + std::string(R"({"jsonrpc":"2.0","id":1,"method":"ping"})") + "\n");
  });
  BOOST_TEST(has(agent.line(), "too long"));
  BOOST_TEST(has(agent.line(), R"("id":1)"));
  writing.join();
}

BOOST_AUTO_TEST_CASE(calls_run_beside_one_another) {
  Agent agent;
  agent.start();
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  agent.call(1, "meet");  // neither ends before the other has begun
  agent.call(2, "meet");
  const std::set<std::string> got{agent.line(), agent.line()};
  BOOST_TEST(got.size() == 2u);
  for (const std::string& answer : got) BOOST_TEST(has(answer, "met"), answer);
}

BOOST_AUTO_TEST_CASE(a_call_that_is_cancelled_is_not_answered) {
  Agent agent;
  agent.start();
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  agent.call(7, "wait");
  agent.begun.get_future().wait();
  agent.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})"
             "\n");
  agent.call(8, "echo");
  BOOST_TEST(has(agent.line(), R"("id":8)"));
  BOOST_TEST(bool(agent.end()));
  BOOST_TEST(agent.line().empty());
  BOOST_TEST(agent.was_cancelled);
}

// The end of the input waits for what is under way, and a call that is not cancelled gets its answer.
BOOST_AUTO_TEST_CASE(a_cancellation_right_behind_its_call_finds_it) {
  Agent agent;
  agent.host.add("hang", [](const mcp::ToolCall&, mcp::CallProgress& progress) {
    return text_answer(tests::wait_for_cancellation(progress) ? "cancelled" : "late");
  });
  agent.start(std::chrono::hours(1));
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  std::string text;
  for (int id = 1; id <= 8; ++id) {
    const std::string number = std::to_string(id);
    text += R"({"jsonrpc":"2.0","id":)" + number +
            R"(,"method":"tools/call","params":{"name":"hang"}})"
            "\n"
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
            number + "}}\n";
  }
  agent.send(text);
  agent.call(9, "echo");
  BOOST_TEST(has(agent.line(), R"("id":9)"));
  BOOST_TEST(bool(agent.end()));
  BOOST_TEST(agent.line().empty());
}

BOOST_AUTO_TEST_CASE(more_calls_than_may_run_are_refused) {
  Agent agent(1);
  agent.start();
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  agent.call(1, "wait");
  agent.begun.get_future().wait();
  agent.call(2, "echo");
  const std::string refused = agent.line();
  BOOST_TEST(has(refused, "-32603"), refused);
  agent.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})"
             "\n");
}

BOOST_AUTO_TEST_CASE(the_end_of_the_input_gives_up_what_takes_longer_than_the_grace) {
  Agent agent;
  agent.start(std::chrono::milliseconds(1));
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  agent.call(1, "wait");
  agent.begun.get_future().wait();
  BOOST_TEST(bool(agent.end()));
  BOOST_TEST(agent.was_cancelled);
  BOOST_TEST(agent.line().empty());
}

BOOST_AUTO_TEST_CASE(the_end_of_the_input_gives_up_a_list_as_well) {
  Agent agent;
  agent.host.before_list = [&](const std::stop_token& cancelled) {
    agent.begun.set_value();
    agent.was_cancelled = tests::wait_for_cancellation(cancelled);
  };
  agent.start(std::chrono::milliseconds(1));
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  agent.send(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})"
             "\n");
  agent.begun.get_future().wait();
  BOOST_TEST(bool(agent.end()));
  BOOST_TEST(agent.was_cancelled);
  BOOST_TEST(agent.line().empty());
}

// The end of the input waits for what is under way: one that was not cancelled would be answered.
BOOST_AUTO_TEST_CASE(a_cancellation_right_behind_its_list_finds_it) {
  Agent agent;
  agent.host.before_list = [](const std::stop_token& cancelled) {
    static_cast<void>(tests::wait_for_cancellation(cancelled));
  };
  agent.start(std::chrono::hours(1));
  agent.send(std::string(kInitialize) + "\n");
  agent.line();
  for (int id = 1; id <= 8; ++id) {
    const std::string number = std::to_string(id);
    agent.send(R"({"jsonrpc":"2.0","id":)" + number +
               R"(,"method":"tools/list"})"
               "\n"
               R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
               number + "}}\n");
  }
  BOOST_TEST(bool(agent.end()));
  BOOST_TEST(agent.line().empty());
}

BOOST_AUTO_TEST_CASE(an_agent_that_takes_no_answers_is_served_no_more) {
  Agent agent;
  agent.answers.out = Descriptor();
  agent.start();
  agent.send(std::string(kInitialize) + "\n");
  agent.thread.join();
  BOOST_REQUIRE(!agent.status);
  BOOST_TEST((agent.status.error().code == ErrorCode::kFileUnwritable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::cli
