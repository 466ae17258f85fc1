// What the edge tells the operator's log of requests, and what it keeps out of it.
#include <algorithm>
#include <fstream>
#include <utility>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "tests/integration/edge/scene.hpp"

namespace chancery::testing {
namespace {

using namespace std::chrono_literals;
using telemetry::Level;

/// A log into a file, and a server that writes to it.
class LoggedScene {
 public:
  explicit LoggedScene(Level level, const edge::Limits& limits = {})
      : descriptor_(::open(file().c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600)),
        log_({.level = level, .descriptor = descriptor_.get()}),
        scene_([&] {
          edge::ServerOptions options;
          options.blocking_threads = 1;
          options.limits = limits;
          options.log = &log_;
          return options;
        }()) {}

  Scene& scene() { return scene_; }

  Answer ask(Wire wire, const std::string& request) {
    RawClient client = scene_.connect(wire);
    client.send(request);
    const auto answer = client.receive();
    BOOST_REQUIRE(answer);
    return *answer;
  }

  /// The lines that have `part` in them.
  [[nodiscard]] std::string lines_with(std::string_view part) const {
    std::ifstream log(file());
    std::string found;
    for (std::string line; std::getline(log, line);) {
      if (line.find(part) != std::string::npos) found += line + "\n";
    }
    return found;
  }

 private:
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "log"; }

  TemporaryFolder folder_;
  Descriptor descriptor_;
  telemetry::Log log_;
  Scene scene_;
};

void check_has(const std::string& text, std::string_view part) {
  BOOST_TEST(text.find(part) != std::string::npos, '"' << text << "\" has no " << part);
}

BOOST_AUTO_TEST_CASE(failure_is_logged_with_the_code_of_the_device_and_not_sent) {
  LoggedScene logged(Level::kInfo);
  const Answer answer = logged.ask(Wire::kPlain, post("/broken?secret", "the body"));
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.body.find("2338") == std::string::npos);
  const std::string line = logged.lines_with("a request failed");
  check_has(line, "warning");
  check_has(line, "error=device_error");
  check_has(line, "native=2338");
  check_has(line, "request_id=" + answer.field("Request-Id").value_or("?") +
                      " method=POST path=/broken status=503");
  BOOST_TEST(logged.lines_with("secret").empty());
  BOOST_TEST(logged.lines_with("the body").empty());
}

BOOST_AUTO_TEST_CASE(exception_is_logged_as_an_error_with_its_request) {
  LoggedScene logged(Level::kInfo);
  const Answer answer = logged.ask(Wire::kTls, get("/throw"));
  BOOST_TEST(answer.status == 500);
  const std::string line = logged.lines_with("a request failed");
  check_has(line, "error");
  const std::string id = "request_id=" + answer.field("Request-Id").value_or("?");
  check_has(line, id + " method=GET path=/throw status=500");
  check_has(logged.lines_with("a handler failed"), id + " exception=\"a bug\"");
}

BOOST_AUTO_TEST_CASE(lines_and_answers_carry_the_callers_trace_and_task) {
  LoggedScene logged(Level::kInfo);
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const Answer answer = logged.ask(Wire::kUnix,
                                   "POST /device HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                                   "Chancery-Task: refund 17\r\ntraceparent: 00-" +
                                       trace + "-00f067aa0ba902b7-01\r\n\r\n");
  check_has(answer.field("traceresponse").value_or(""), "00-" + trace + "-");
  check_has(logged.lines_with("path=/device"), " trace_id=" + trace + " task=\"refund 17\" ");
  const Answer refused = logged.ask(Wire::kUnix,
                                    "POST /peer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                                    "Chancery-Task: \r\ntraceparent: 00-" +
                                        trace + "\r\n\r\n");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(!refused.field("traceresponse").has_value());
}

BOOST_AUTO_TEST_CASE(request_that_was_given_up_is_logged) {
  edge::Limits limits;
  limits.handler_time = 3s;
  LoggedScene logged(Level::kInfo, limits);
  BOOST_TEST(logged.ask(Wire::kPlain, get("/wait")).status == 504);
  BOOST_TEST(logged.ask(Wire::kPlain, post("/device", "")).status == 503);
  check_has(logged.lines_with("path=/wait"), "status=504");
  check_has(logged.lines_with("path=/device"), "status=503");
}

BOOST_AUTO_TEST_CASE(every_changing_request_of_a_local_process_is_logged) {
  LoggedScene logged(Level::kInfo);
  for (const char* path : {"/device", "/peer"}) {
    const Answer answer = logged.ask(Wire::kUnix, post(path, "the body"));
    const std::string line = logged.lines_with("path=" + std::string(path));
    check_has(line, "info");
    check_has(line, "method=POST path=" + std::string(path) + " status=" + std::to_string(answer.status) +
                        " uid=" + std::to_string(::geteuid()) + " pid=" + std::to_string(::getpid()) +
                        " ms=");
    check_has(line, " request_id=" + answer.field("Request-Id").value_or("?"));
  }
  BOOST_TEST(logged.lines_with("the body").empty());
}

BOOST_AUTO_TEST_CASE(what_only_reads_or_comes_from_elsewhere_is_logged_for_debugging_alone) {
  for (const auto& [level, lines] : {std::pair{Level::kInfo, 0}, std::pair{Level::kDebug, 4}}) {
    LoggedScene logged(level);
    logged.ask(Wire::kUnix, get("/device"));
    logged.ask(Wire::kUnix, post("/echo", ""));
    logged.ask(Wire::kPlain, post("/echo", ""));
    logged.ask(Wire::kTls, post("/nowhere", ""));
    const std::string text = logged.lines_with("status=");
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == lines);
  }
}

}  // namespace
}  // namespace chancery::testing
