#include "daemon/runtime/upstreams/stdio_transport.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "tests/unit/runtime/containment/scripted_tool.hpp"

// Messages as lines of a process that need not take them.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using namespace chancery::testing;

}  // namespace

BOOST_AUTO_TEST_SUITE(stdio_transport)

BOOST_AUTO_TEST_CASE(whoever_stops_waits_no_longer_for_a_server_that_does_not_read) {
  const ScriptedTool tool("say('ready')\nwhile True: time.sleep(1000)\n");
  auto process = start(tool.command());
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  std::stop_source stop;
  StdioTransport transport(*std::move(process), stop.get_token());
  const auto ready = transport.receive(in_a_minute());
  BOOST_REQUIRE(ready.has_value());
  std::thread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds{500});  // most often it waits by then
    stop.request_stop();
  });
  const Status sent = transport.send({std::string(std::size_t{1} << 20, 'a'), {}, true},
                                     in_a_minute());  // more than a pipe holds
  stopper.join();
  BOOST_REQUIRE(!sent);
  BOOST_TEST((sent.error().code == ErrorCode::kShuttingDown), sent.error().what);
}

// It reads after some slices of the wait are over: what they did not write is not lost.
BOOST_AUTO_TEST_CASE(a_line_that_takes_its_time_arrives_whole) {
  const ScriptedTool tool("time.sleep(1)\nfor line in sys.stdin: say(len(line))\n");
  auto process = start(tool.command());
  BOOST_REQUIRE_MESSAGE(process.has_value(), why_not(process));
  StdioTransport transport(*std::move(process), {});
  BOOST_REQUIRE(
      transport.send({std::string(std::size_t{1} << 20, 'a'), {}, true}, in_a_minute()).has_value());
  BOOST_REQUIRE(transport.send({"b", {}, true}, in_a_minute()).has_value());
  BOOST_TEST(transport.receive(in_a_minute()).value_or("") == "1048577");
  BOOST_TEST(transport.receive(in_a_minute()).value_or("") == "2");
}

BOOST_AUTO_TEST_SUITE_END()
