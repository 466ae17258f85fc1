// What a daemon takes over of its configuration while it serves, and that nobody who asks meanwhile notices.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/edge/dev_certificate.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTaken = "the configuration was read again";
constexpr const char* kRefused = "the configuration is as it was";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Reloading {
  Reloading() {
    daemon->start();
    for (const char* name : {"orchestrator", "support"})
      BOOST_REQUIRE(daemon->client().create_agent(agent_of(name, ::geteuid())));
  }

  std::filesystem::path file() const { return daemon->folder() / "chancery.toml"; }

  std::string config() const { return text_of(file()); }
  // As a careful editor does: in place of the former at once.
  void write(const std::string& text) const {
    const auto next = daemon->folder() / "next.toml";
    std::ofstream(next) << text;
    ::chmod(next.c_str(), 0600);
    std::filesystem::rename(next, file());
  }
  void add(const std::string& text) const { write(config() + text); }

  std::size_t said(std::string_view what) const {
    const std::string output = daemon->output();
    std::size_t count = 0;
    for (std::size_t at = output.find(what); at != std::string::npos; at = output.find(what, at + 1)) ++count;
    return count;
  }
  // Asks it to read again, and waits until it has said what came of that.
  void hang_up(std::string_view outcome) const {
    const std::size_t before = said(outcome);
    BOOST_REQUIRE(::kill(daemon->pid(), SIGHUP) == 0);
    BOOST_REQUIRE_MESSAGE(eventually([&] { return said(outcome) > before; }), daemon->output());
  }

  Client over_tls(const std::string& ca_file) const {
    auto client = Client::connect(
        {.address = "https://localhost:" + std::to_string(kept.port), .ca_file = ca_file, .timeout = 20s});
    BOOST_REQUIRE(client);
    return *std::move(client);
  }

  // \return the folder of a certificate that the daemon could serve with
  std::filesystem::path make_certificate() {
    const auto folder = daemon->folder() / ("certificate-" + std::to_string(++certificates));
    std::filesystem::create_directory(folder);
    const edge::DevCertificateFiles files{folder / "ca.pem", folder / "tls.pem", folder / "tls.key"};
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    BOOST_REQUIRE(edge::make_dev_certificate(files, now));
    return folder;
  }
  // In place of what it serves with, as a certificate is renewed: the key first, which nobody reads alone.
  void put_in_place(const std::filesystem::path& certificate) const {
    for (const char* name : {"tls.key", "tls.pem"})
      std::filesystem::rename(certificate / name, daemon->folder() / name);
  }

  KeptDaemon kept;
  std::unique_ptr<DaemonProcess> daemon = std::make_unique<DaemonProcess>(kept.settings());
  int certificates = 0;
};

bool is_answered(const ClientResult<api::Grant>& result) { return result.has_value(); }

BOOST_FIXTURE_TEST_CASE(a_live_option_counts_from_then_on_and_the_rest_is_named, Reloading) {
  const Client client = daemon->client();
  BOOST_TEST(is_answered(client.grant(grant_to("orchestrator"))));
  add("[grants]\nmax_depth = 2\n[log]\nformat = \"json\"\n[keys]\nmax_key_age = \"90d\"\n");
  hang_up("the configuration was read again\",\"changed\":\"grants.max_depth log.format\"");
  const auto refused = client.grant(grant_to("orchestrator"));  // depth 3
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "limit_exceeded");
  BOOST_TEST(eventually(
      [&] { return said("some changes take a restart\",\"options\":\"keys.max_key_age\"") == 1; }));
  BOOST_TEST(daemon->stop() == 0);
  const auto store = store::open_sqlite_store(daemon->state());
  BOOST_REQUIRE(store);
  const auto tail = (*store)->audit_tail(store::kMaxPage);
  BOOST_REQUIRE(tail);
  const bool is_recorded = std::ranges::any_of(*tail, [](const store::AuditRecord& entry) {
    return entry.json.find(R"("action":"config.change")") != std::string::npos &&
           entry.json.find(R"("changed":["grants.max_depth","log.format"])") != std::string::npos &&
           entry.json.find(R"("need_restart":["keys.max_key_age"])") != std::string::npos;
  });
  BOOST_TEST(is_recorded);
}

// What each entry `config.change` says under that name, oldest first.
std::vector<std::string> said_of_changes(const std::filesystem::path& state, const std::string& member) {
  const auto store = store::open_sqlite_store(state);
  BOOST_REQUIRE(store);
  const auto tail = (*store)->audit_tail(store::kMaxPage);
  BOOST_REQUIRE(tail);
  const std::string before = "\"" + member + "\":\"";
  std::vector<std::string> out;
  for (const store::AuditRecord& entry : *tail) {
    if (entry.json.find(R"("action":"config.change")") == std::string::npos) continue;
    const std::size_t at = entry.json.find(before) + before.size();
    out.push_back(entry.json.substr(at, entry.json.find('"', at) - at));
  }
  return out;
}

BOOST_FIXTURE_TEST_CASE(a_vendor_root_that_is_exchanged_is_named_and_another_configuration, Reloading) {
  const auto roots = daemon->folder() / "roots.pem";
  const auto take = [&](const std::filesystem::path& certificate) {
    std::filesystem::copy_file(certificate, roots, std::filesystem::copy_options::overwrite_existing);
    hang_up(kTaken);
    return said("changed=attestation.ek_roots");
  };
  const auto other = make_certificate() / "ca.pem";
  add("[attestation]\nek_roots = \"" + roots.string() + "\"\n");
  BOOST_TEST(take(daemon->folder() / "ca.pem") == 1U);
  BOOST_TEST(take(other) == 2U, daemon->output());
  BOOST_TEST(take(other) == 2U);
  BOOST_TEST(daemon->stop() == 0);
  const auto former = said_of_changes(daemon->state(), "former");
  const auto present = said_of_changes(daemon->state(), "present");
  BOOST_REQUIRE(present.size() == 3U);
  BOOST_TEST(present[0] != former[0]);
  BOOST_TEST(present[1] != former[1]);
  BOOST_TEST(former[1] == present[0]);
  BOOST_TEST(former[2] == present[1]);
  BOOST_TEST(present[2] == present[1]);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_wrong_changes_nothing_and_is_named_with_its_line, Reloading) {
  const std::string good = config();
  write("# a line\n" + good + "[grants]\nmax_depth = 2\nmax_deptth = 3\n");
  hang_up(kRefused);
  const auto lines = static_cast<std::size_t>(std::ranges::count(good, '\n'));
  BOOST_TEST(said("line=" + std::to_string(lines + 4)) == 1U, daemon->output());
  BOOST_TEST(said("max_deptth") == 1U);
  BOOST_TEST(is_answered(daemon->client().grant(grant_to("orchestrator"))));
  write(good + "[grants]\nmax_depth = 15\n[verify]\nmax_tokens = 15\n");  // each by itself would do
  hang_up(kRefused);
  write(good + "[grants]\nmax_depth = 2\n[verify]\ntrust_anchors = \"/nonexistent/anchors.json\"\n");
  hang_up(kRefused);
  write(good + "[verify]\ntrust_anchors = \"" + daemon->folder().string() + "\"\n");  // a folder
  hang_up(kRefused);
  BOOST_TEST(is_answered(daemon->client().grant(grant_to("orchestrator"))));
  write(good);
  hang_up(kTaken);
}

BOOST_FIXTURE_TEST_CASE(a_certificate_without_its_key_is_not_taken, Reloading) {
  const std::string served = (daemon->folder() / "ca.pem").string();
  put_in_place(make_certificate());
  std::filesystem::remove(daemon->folder() / "tls.key");
  hang_up(kRefused);
  BOOST_TEST(over_tls(served).metadata().has_value());
}

// Whoever asks without end: how many answers, and how many that were none.
struct Load {
  explicit Load(std::function<bool()> request)
      : thread([this, ask = std::move(request)] {
          while (!over) ++(ask() ? answered : lost);
        }) {}
  ~Load() {
    over = true;
    thread.join();
  }
  std::atomic<bool> over = false;
  std::atomic<std::size_t> answered = 0, lost = 0;
  std::thread thread;
};

BOOST_FIXTURE_TEST_CASE(no_request_is_lost_while_the_configuration_is_read_again_fifty_times, Reloading) {
  constexpr int kReloads = 50, kCertificates = 5;
  const std::string first = (daemon->folder() / "ca.pem").string();
  const std::string good = config();
  std::vector<std::filesystem::path> renewed;
  const auto all = daemon->folder() / "all-authorities.pem";
  std::ofstream(all) << text_of(first);
  for (int i = 0; i < kCertificates; ++i) {
    renewed.push_back(make_certificate());
    std::ofstream(all, std::ios::app) << text_of(renewed.back() / "ca.pem");
  }
  {
    const Client local = daemon->client(), delegator = daemon->client(), remote = over_tls(all.string());
    const auto root = daemon->client().grant(grant_to("orchestrator"));
    BOOST_REQUIRE(root);
    Load granting([&] { return is_answered(local.grant(grant_to("orchestrator"))); });
    Load delegating([&] { return delegator.delegate(delegation_of(root->chain, "support")).has_value(); });
    Load verifying([&] {
      api::VerifyChain message;
      message.chain = root->chain;
      return remote.verify(message).has_value();
    });
    for (int i = 0; i < kReloads; ++i) {
      if (i % 10 == 9) put_in_place(renewed[static_cast<std::size_t>(i / 10)]);
      write(good + "[grants]\nmax_depth = " + std::to_string(3 + i % 2) + "\n[log]\nlevel = \"" +
            (i % 2 == 0 ? "info" : "debug") + "\"\n");
      hang_up(kTaken);
    }
    for (Load* load : {&granting, &delegating, &verifying}) {
      BOOST_TEST(eventually([&] { return load->answered > 0; }));
      BOOST_TEST(load->lost == 0U);
    }
  }
  BOOST_TEST(over_tls((renewed.back() / "ca.pem").string()).metadata().has_value());
  BOOST_TEST(!over_tls(first).metadata().has_value());
  BOOST_TEST(daemon->stop() == 0);
}

}  // namespace
}  // namespace chancery::tests
