#include "daemon/telemetry/log.hpp"

#include <array>
#include <fstream>
#include <regex>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/telemetry/request_scope.hpp"
#include "sdk/json/reader.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::telemetry {
namespace {

using chancery::testing::TemporaryFolder;

/// A log into a file, and the lines that are in it.
class Recorded {
 public:
  explicit Recorded(LogOptions options) {
    options.descriptor = descriptor_;
    log_ = std::make_unique<Log>(options);
  }
  ~Recorded() { ::close(descriptor_); }
  const Log* operator->() const { return log_.get(); }

  std::vector<std::string> lines() const {
    std::ifstream in(file_);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  /// The only line, without its time.
  std::string line() const {
    const std::vector<std::string> all = lines();
    BOOST_TEST_REQUIRE(all.size() == 1U);
    return std::regex_replace(all[0], std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"), "TIME");
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "log";
  int descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::unique_ptr<Log> log_;
};

BOOST_AUTO_TEST_CASE(a_text_line_has_level_message_and_fields) {
  Recorded log({});
  log->info("agent registered", {{"name", "support"}, {"uid", 1000}, {"first", true}, {"note", "two words"}});
  BOOST_TEST(log.line() ==
             R"(TIME info    agent registered name=support uid=1000 first=true note="two words")");
}

BOOST_AUTO_TEST_CASE(a_json_line_is_an_object) {
  Recorded log({.format = Format::kJson});
  log->warning("slow \"device\"", {{"backend", "tpm0"}, {"waiting", -3}, {"emulated", false}, {"note", ""}});
  const std::string line = log.line();
  BOOST_TEST(line == R"({"time":"TIME","level":"warning","message":"slow \"device\"","backend":"tpm0",)"
                     R"("waiting":-3,"emulated":false,"note":""})");
  BOOST_TEST(json::Document::parse(line).has_value());
}

BOOST_AUTO_TEST_CASE(a_failure_is_named_with_its_native_code) {
  Recorded log({});
  log->error("cannot sign", Error{ErrorCode::kDeviceError, "look at it", 0x921}, {{"agent", "support"}});
  BOOST_TEST(log.line() ==
             R"(TIME error   cannot sign error=device_error what="look at it" native=2337 agent=support)");
}

BOOST_AUTO_TEST_CASE(messages_below_the_level_are_not_written) {
  Recorded log({.level = Level::kWarning});
  log->trace("trace");
  log->debug("debug");
  log->info("info");
  log->warning("warning");
  log->error("error");
  BOOST_TEST(log.lines().size() == 2U);
}

const std::array kFormats{Format::kText, Format::kJson};

BOOST_AUTO_TEST_CASE(nothing_that_is_written_shows_a_token) {
  for (const Format format : kFormats) {
    Recorded log({.format = format});
    const std::string token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
    log->info("message " + token, {{"field", token}});
    log->error("x", Error{ErrorCode::kInternal, "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"});
    for (const std::string& line : log.lines()) {
      BOOST_TEST(line.find("eyJ") == std::string::npos, line);
      BOOST_TEST(line.find("[redacted]") != std::string::npos, line);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_cannot_forge_a_line_or_a_terminal) {
  for (const Format format : kFormats) {
    Recorded log({.format = format});
    log->info("request", {{"path", "/x\n2026-01-01T00:00:00.000Z info forged \x1b[2J \x80\xff"}});
    const std::string line = log.line();
    BOOST_TEST(line.find('\x1b') == std::string::npos);
    BOOST_TEST(line.find('\xff') == std::string::npos);
    if (format == Format::kJson) BOOST_TEST(json::Document::parse(line).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_long_value_is_cut_after_redaction) {
  Recorded log({.format = Format::kJson});
  const std::string token = "eyJ" + std::string(4000, 'a') + ".eyJ" + std::string(4000, 'b') + ".c2ln";
  std::string umlauts;
  while (umlauts.size() < 5000) umlauts += "aä";
  log->info("request", {{"token", token}, {"name", umlauts}});
  const std::string line = log.line();
  BOOST_TEST(line.find("\"token\":\"[redacted]\"") != std::string::npos);
  BOOST_TEST(line.size() < 3000U);
  BOOST_TEST(json::Document::parse(line).has_value());  // cut between characters
}

BOOST_AUTO_TEST_CASE(a_line_is_bounded_however_many_long_fields_it_has) {
  for (const Format format : kFormats) {
    Recorded log({.format = format});
    const std::string most(2048, '"');
    log->info("request", {{"a", most}, {"b", most}, {"c", most}, {"d", most}, {"e", most}, {"last", "seen"}});
    const std::string line = log.line();
    BOOST_TEST(line.size() < 17'000U);
    BOOST_TEST(line.find("seen") != std::string::npos);
    if (format == Format::kJson) BOOST_TEST(json::Document::parse(line).has_value());
  }
}

BOOST_AUTO_TEST_CASE(what_is_too_long_to_be_searched_shows_nothing_of_a_secret_that_is_cut) {
  Recorded log({});
  const std::string tokens = std::string(64 * 1024 - 10, 'a') + "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
  log->info("x", {{"value", "eyJh." + tokens}});
  BOOST_TEST(log.line().find("eyJhbG") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_within_a_request_carry_its_marks) {
  Recorded log({});
  {
    const RequestMark outer{"r1", "4bf92f3577b34da6a3ce929d0e0e4736", "refund 17"};
    const RequestScope scope(outer);
    log->info("a");
    const RequestMark inner{.id = "r2"};
    const RequestScope inner_scope(inner);
    log->info("b");
  }
  log->info("c");
  const std::vector<std::string> lines = log.lines();
  BOOST_REQUIRE(lines.size() == 3U);
  BOOST_TEST(
      lines[0].ends_with(R"( a request_id=r1 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 task="refund 17")"));
  BOOST_TEST(lines[1].ends_with(" b request_id=r2"));
  BOOST_TEST(lines[2].ends_with(" c"));
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_written_is_lost_silently) {
  std::array<int, 2> pipe{};
  BOOST_REQUIRE(::pipe(pipe.data()) == 0);
  ::close(pipe[1]);
  const Log log({.descriptor = pipe[0]});  // a reading end
  log.info("lost");
  ::close(pipe[0]);
}

BOOST_AUTO_TEST_CASE(threads_write_whole_lines) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 100;
  Recorded log({.format = Format::kJson});
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < kEach; ++i) log->info("event", {{"value", std::string(500, 'x')}});
      });
    }
  }
  const std::vector<std::string> lines = log.lines();
  BOOST_TEST(lines.size() == kThreads * kEach);
  for (const std::string& line : lines) BOOST_TEST_REQUIRE(json::Document::parse(line).has_value());
}

}  // namespace
}  // namespace chancery::telemetry
