// The runtime as its operator has it: TLS, another configuration while it serves, its end under calls, and what it says of
// itself.

#include <array>
#include <condition_variable>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <unistd.h>

#include "daemon/edge/dev_certificate.hpp"
#include "tests/integration/daemon/started_tpm.hpp"
#include "tests/integration/runtime/json_answer.hpp"
#include "tests/integration/runtime/proven_call.hpp"
#include "tests/integration/runtime/runtime_process.hpp"
#include "tests/integration/runtime/tls_client.hpp"
#include "tests/integration/runtime/upstream_server.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kTaken = "the configuration was read again";
constexpr const char* kKept = "the configuration is as it was";

/// What an upstream waits at, until the test opens it.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] int arrived() const {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  bool is_open_ = false;
};

/// A daemon, a runtime that is its agent, one upstream, of which `/slow` answers when the gate is open, and an agent.
struct Operated {
  Operated() {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("tools", ::geteuid())));
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    chain = granted("tickets.*");
    declare("read");
  }
  ~Operated() {
    gate.open();
    runtime.stop();
  }

  std::vector<std::string> granted(const std::string& scope) const {
    return answered(daemon.client().grant(grant_of({.scopes = {scope}, .constraints = {}}))).chain;
  }
  void declare(const std::string& name, const std::string& timeout = "5s") const {
    runtime.declare(
        name, "[tool]\nname = \"" + name + "\"\ndescription = \"Tickets.\"\nscope = \"tickets." + name +
                  "\"\nrisk = \"low\"\n[tool.http]\nmethod = \"POST\"\nbody = \"json\"\nurl = \"" +
                  upstream.url() + "/" + name + "\"\nallow_addresses = [\"127.0.0.1/32\"]\ntimeout = \"" +
                  timeout + "\"\n[tool.response]\nallow = [\"/id\", \"/count\"]\n");
  }

  // --- TLS

  std::filesystem::path make_certificate(const std::string& name) const {
    const auto folder = runtime.folder() / name;
    std::filesystem::create_directory(folder);
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    BOOST_REQUIRE(
        edge::make_dev_certificate({folder / "ca.pem", folder / "runtime.crt", folder / "runtime.key"}, now));
    return folder;
  }
  // \return the authority of the certificate
  std::filesystem::path with_tls() const {
    const auto folder = make_certificate("tls");
    runtime.configure("tls_listen = \"127.0.0.1:0\"\ntls_certificate = \"" +
                      (folder / "runtime.crt").string() + "\"\ntls_key = \"" +
                      (folder / "runtime.key").string() + "\"\n");
    return folder / "ca.pem";
  }
  // As the runtime's log has it.
  std::uint16_t tls_port() const {
    const std::string output = runtime.output();
    const std::string name = "tls_port=";
    const std::size_t at = output.find(name);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, output);
    return static_cast<std::uint16_t>(std::stoi(output.substr(at + name.size())));
  }

  // --- calls

  HttpHeaders shown(const std::string& tool) const {
    return shown_by(chain, prove_call(daemon, chain, tool, "tickets." + tool, "{}"));
  }
  HttpReply call(const std::string& tool) const {
    return runtime.send("POST", "/v1/tools/" + tool, shown(tool), R"({"arguments":{}})");
  }
  std::future<HttpReply> call_and_wait_at_the_gate(const std::string& tool) {
    auto headers = shown(tool);
    const int before = gate.arrived();
    auto reply = std::async(std::launch::async, [this, tool, headers = std::move(headers)] {
      return runtime.send("POST", "/v1/tools/" + tool, headers, R"({"arguments":{}})");
    });
    BOOST_REQUIRE(eventually([&] { return gate.arrived() > before; }));
    return reply;
  }

  std::vector<std::string> entries(const std::string& action) const { return entries_of(daemon, action); }

  // Without what was refused: a runtime that starts asks once for a receipt that there is not, to see whether it is known.
  std::size_t signatures() const {
    std::size_t count = 0;
    for (const std::string& entry : entries("receipt.sign")) count += has(entry, R"("count":1)") ? 1u : 0u;
    return count;
  }

  // --- signals

  std::size_t said(std::string_view what) const {
    const std::string output = runtime.output();
    std::size_t count = 0;
    for (std::size_t at = output.find(what); at != std::string::npos; at = output.find(what, at + 1)) ++count;
    return count;
  }
  void hang_up(std::string_view outcome) const {
    const std::size_t before = said(outcome);
    BOOST_REQUIRE(::kill(runtime.pid(), SIGHUP) == 0);
    BOOST_REQUIRE_MESSAGE(eventually([&] { return said(outcome) > before; }), runtime.output());
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti(), .extra = kRuntimeSection}};
  std::vector<std::string> chain;
  Gate gate;
  UpstreamServer upstream{[this](const auto& request, auto& response) {
    if (request.target() == "/slow") gate.wait();
    response.body() = R"({"id":9007199254740993,"count":3,"internal":true})";
  }};
  RuntimeProcess runtime{daemon, kToolsUrl};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(runtime_operations)

// --- TLS

BOOST_FIXTURE_TEST_CASE(a_tool_is_called_over_tls, Operated) {
  const auto authority = with_tls();
  runtime.start();
  TlsClient client(tls_port(), authority);
  BOOST_REQUIRE(client.is_open());
  const HttpReply reply = client.send("POST", "/v1/tools/read", shown("read"), R"({"arguments":{}})");
  BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body << runtime.output());
  // A number that others would round arrives as it was written.
  BOOST_TEST(member(reply.body, "result") == R"({"count":3,"id":"9007199254740993"})");
  BOOST_TEST(client.send("GET", "/metrics").status == 404);
  BOOST_TEST(client.send("GET", "/healthz").status == 200);
}

BOOST_FIXTURE_TEST_CASE(who_trusts_another_authority_does_not_talk_to_it, Operated) {
  with_tls();
  runtime.start();
  TlsClient client(tls_port(), make_certificate("other") / "ca.pem");
  BOOST_TEST(!client.is_open());
}

namespace {

struct Version {
  const char* name;
  int version;
  bool is_spoken;
};
constexpr std::array kVersions{
    Version{"TLS 1.3", TLS1_3_VERSION, true}, Version{"TLS 1.2", TLS1_2_VERSION, true},
    Version{"TLS 1.1", TLS1_1_VERSION, false}, Version{"TLS 1.0", TLS1_VERSION, false}};

}  // namespace

BOOST_FIXTURE_TEST_CASE(tls_before_1_2_is_not_spoken, Operated) {
  const auto authority = with_tls();
  runtime.start();
  for (const Version& row : kVersions) {
    TlsClient client(tls_port(), authority, row.version);
    BOOST_TEST(client.is_open() == row.is_spoken, row.name);
    BOOST_TEST((client.send("GET", "/healthz").status == 200) == row.is_spoken, row.name);
  }
}

// --- another configuration

BOOST_FIXTURE_TEST_CASE(a_new_tool_is_served_and_one_that_is_gone_is_not, Operated) {
  runtime.start();
  BOOST_TEST(call("write").status == 404);
  declare("write");
  BOOST_TEST(call("write").status == 404);  // nothing is taken over of its own accord
  hang_up(kTaken);
  BOOST_TEST(call("write").status == 200);
  BOOST_TEST(call("read").status == 200);
  runtime.undeclare("read");
  hang_up(kTaken);
  BOOST_TEST(call("read").status == 404);
  BOOST_TEST(call("write").status == 200);
}

namespace {

/// A change that cannot be taken over, and what the log says of it.
struct Bad {
  const char* name;
  void (*spoil)(const Operated& scene);
  const char* told;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.name; }

void overwrite(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

const std::array kBad{
    Bad{"a declaration with a mistake",
        [](const Operated& scene) {
          scene.runtime.declare("worse", "[tool]\nname = \"worse\"\nrisk = \"none\"\n");
        },
        "worse.toml"},
    Bad{"two tools of one name",
        [](const Operated& scene) {
          std::filesystem::copy_file(scene.runtime.folder() / "tools.d/read.toml",
                                     scene.runtime.folder() / "tools.d/again.toml");
        },
        "declares the tool"},
    Bad{"an option that there is not",
        [](const Operated& scene) { scene.runtime.configure("tool = \"/x\"\n"); }, "did you mean"},
    Bad{"a file that is no TOML", [](const Operated& scene) { scene.runtime.configure("tools\n"); }, "line="},
    Bad{"a key that is another's",
        [](const Operated& scene) {
          const auto other = scene.make_certificate("other");
          std::filesystem::copy_file(other / "runtime.key", scene.runtime.folder() / "tls/runtime.key",
                                     std::filesystem::copy_options::overwrite_existing);
        },
        "config_invalid"},
    Bad{"a certificate that is none",
        [](const Operated& scene) {
          overwrite(scene.runtime.folder() / "tls/runtime.crt", "not a certificate\n");
        },
        "config_invalid"},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_is_not_good_changes_nothing, boost::unit_test::data::make(kBad), row) {
  Operated scene;
  const auto authority = scene.with_tls();
  scene.runtime.start();
  scene.declare("write");  // good, and taken over with the rest or not at all
  row.spoil(scene);
  scene.hang_up(kKept);
  BOOST_TEST(has(scene.runtime.output(), row.told), scene.runtime.output());
  BOOST_TEST(scene.call("read").status == 200);
  BOOST_TEST(scene.call("write").status == 404);
  TlsClient client(scene.tls_port(), authority);
  BOOST_TEST(client.send("GET", "/healthz").status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_new_certificate_is_served_to_new_connections, Operated) {
  const auto former = with_tls();
  runtime.start();
  TlsClient open(tls_port(), former);
  BOOST_REQUIRE(open.is_open());
  const auto next = make_certificate("next");
  for (const char* file : {"runtime.key", "runtime.crt"})
    std::filesystem::rename(next / file, runtime.folder() / "tls" / file);
  hang_up(kTaken);
  BOOST_TEST(!TlsClient(tls_port(), former).is_open());
  BOOST_TEST(TlsClient(tls_port(), next / "ca.pem").is_open());
  BOOST_TEST(open.send("GET", "/healthz").status == 200);
}

BOOST_FIXTURE_TEST_CASE(what_takes_a_restart_is_named, Operated) {
  runtime.start();
  runtime.configure("ca = \"/etc/other.pem\"\n[log]\nlevel = \"debug\"\n");
  hang_up("some changes take a restart");
  BOOST_TEST(has(runtime.output(), "runtime.ca"), runtime.output());
  BOOST_TEST(has(runtime.output(), "log.level"), runtime.output());
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_under_way_keeps_the_tool_that_it_began_with, Operated) {
  declare("slow", "60s");
  runtime.start();
  auto reply = call_and_wait_at_the_gate("slow");
  runtime.undeclare("slow");
  hang_up(kTaken);
  BOOST_TEST(call("slow").status == 404);
  gate.open();
  const HttpReply got = reply.get();
  BOOST_TEST(got.status == 200, got.body);
  BOOST_TEST(entries("tool.result").size() == 1u);
}

// --- the end

BOOST_FIXTURE_TEST_CASE(a_call_that_ends_in_time_is_answered_before_the_end, Operated) {
  declare("slow", "60s");
  runtime.configure("drain_timeout = \"5m\"\n");
  runtime.start();
  auto reply = call_and_wait_at_the_gate("slow");
  BOOST_REQUIRE(::kill(runtime.pid(), SIGTERM) == 0);
  BOOST_REQUIRE(eventually([&] { return said("stopping") > 0; }));
  gate.open();
  const HttpReply got = reply.get();
  BOOST_TEST(got.status == 200, got.body);
  BOOST_TEST(runtime.end() == 0);
  BOOST_TEST(has(runtime.output(), "receipts_unsigned=0"), runtime.output());
  BOOST_TEST(signatures() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_takes_too_long_is_cut_short_and_recorded, Operated) {
  declare("slow", "5m");
  runtime.configure("drain_timeout = \"100ms\"\n");
  runtime.start();
  auto reply = call_and_wait_at_the_gate("slow");
  BOOST_REQUIRE(::kill(runtime.pid(), SIGTERM) == 0);
  const HttpReply got = reply.get();  // while the upstream thinks still
  BOOST_TEST(got.status == 502, got.body);
  BOOST_TEST(member(got.body, "code") == "upstream_failed");
  BOOST_TEST(has(member(got.body, "message"), "whether the upstream acted is not known"), got.body);
  BOOST_TEST(runtime.end() == 0);
  const auto results = entries("tool.result");
  BOOST_REQUIRE(results.size() == 1u);
  BOOST_TEST(has(results[0], R"("status":"error")"), results[0]);  // which counts as spent
  BOOST_TEST(has(results[0], member(got.body, "permit")));
  // And it is signed for.
  BOOST_TEST(signatures() == 1u);
  BOOST_TEST(has(runtime.output(), "receipts_unsigned=0"), runtime.output());
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_is_away_does_not_hold_up_the_end, Operated) {
  runtime.start();
  BOOST_TEST(call("read").status == 200);
  daemon.stop();
  BOOST_TEST(runtime.stop() == 0);
}

// --- what it says of itself

BOOST_FIXTURE_TEST_CASE(readiness_says_what_is_missing, Operated) {
  const auto missing = [this] { return member(runtime.send("GET", "/readyz").body, "missing"); };
  runtime.start();
  BOOST_TEST(runtime.send("GET", "/readyz").body == R"({"missing":[],"ready":true,"tools":1})");
  BOOST_TEST(runtime.send("GET", "/readyz").status == 200);
  runtime.undeclare("read");
  hang_up(kTaken);
  BOOST_TEST(missing() == R"(["tools"])");
  BOOST_TEST(runtime.send("GET", "/readyz").status == 503);
  declare("read");
  hang_up(kTaken);
  BOOST_TEST(missing() == "[]");
  daemon.stop();
  BOOST_TEST(eventually([&] { return missing() == R"(["daemon"])"; }));
  BOOST_TEST(runtime.send("GET", "/healthz").status == 200);
  daemon.start();
  BOOST_TEST(eventually([&] { return missing() == "[]"; }));
}

BOOST_FIXTURE_TEST_CASE(a_runtime_that_is_not_registered_is_not_ready, Operated) {
  answered(daemon.client().retire_agent("tools"));
  runtime.start();
  BOOST_TEST(member(runtime.send("GET", "/readyz").body, "missing") == R"(["registration"])");
  BOOST_TEST(eventually([&] { return said("the daemon does not know this runtime") > 0; }), runtime.output());
}

BOOST_FIXTURE_TEST_CASE(metrics_count_calls_by_tool_and_outcome, Operated) {
  runtime.start();
  BOOST_TEST(call("read").status == 200);
  BOOST_TEST(call("read").status == 200);
  BOOST_TEST(call("absent").status == 404);
  chain = granted("mail.read");
  BOOST_TEST(call("read").status == 403);
  const HttpReply reply = runtime.send("GET", "/metrics");
  BOOST_REQUIRE(reply.status == 200);
  for (const char* line :
       {R"(chancery_runtime_calls_total{outcome="done",tool="read"} 2)",
        R"(chancery_runtime_calls_total{outcome="denied",tool="read"} 1)",
        R"(chancery_runtime_calls_total{outcome="unknown",tool=""} 1)",
        R"(chancery_runtime_call_seconds_count{tool="read"} 3)", "chancery_runtime_tools 1",
        R"(chancery_runtime_edge_refusals_total{reason="malformed"} 0)"})
    BOOST_TEST(has(reply.body, std::string("\n") + line + "\n"), "no line " << line << " in\n" << reply.body);
}

BOOST_FIXTURE_TEST_CASE(every_metric_is_in_the_documents_and_nothing_else, Operated) {
  runtime.start();
  BOOST_TEST(call("read").status == 200);
  std::set<std::string> told;
  std::istringstream body(runtime.send("GET", "/metrics").body);
  for (std::string line; std::getline(body, line);)
    if (line.starts_with("# TYPE ")) told.insert(line.substr(7, line.rfind(' ') - 7));
  std::set<std::string> documented;
  std::ifstream page(CHANCERY_SOURCE_DIR "/docs/operations/runtime.md");
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `chancery_runtime_") || line.starts_with("| `process_"))
      documented.insert(line.substr(3, line.find_first_of("{`", 3) - 3));
  }
  BOOST_TEST(told == documented, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(who_is_not_the_runtimes_user_reads_no_metrics, Operated) {
  if (::geteuid() != 0) return;  // only root is somebody else, too
  runtime.start();
  for (auto folder = runtime.folder(); folder != folder.root_path(); folder = folder.parent_path()) {
    if (folder == std::filesystem::temp_directory_path()) break;
    std::filesystem::permissions(folder, std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  }
  constexpr std::uint32_t kNobody = 65534;
  BOOST_TEST(run_as(kNobody, [&] { return runtime.send("GET", "/metrics").status - 200; }) == 203);
  BOOST_TEST(run_as(kNobody, [&] { return runtime.send("GET", "/readyz").status - 200; }) == 0);
  BOOST_TEST(runtime.send("GET", "/metrics").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
