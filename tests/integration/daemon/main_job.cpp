// The real daemon on a real swtpm: the main job, what it survives, and what it refuses to start with.

#include <array>
#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/store/sqlite_store.hpp"
#include "sdk/base/hex.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/entries_of_issuing.hpp"
#include "tests/integration/daemon/published_trust.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

bool is_root() { return ::geteuid() == 0; }

/// A TPM, a daemon on it, and two agents that are whoever runs the tests.
struct Running {
  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon{{.tcti = tpm.tcti()}};
  Running() {
    daemon.start();
    const Client client = daemon.client();
    for (const char* name : {"orchestrator", "support"})
      BOOST_REQUIRE(client.create_agent(agent_of(name, ::geteuid())));
  }
  std::vector<std::string> root_chain() const {
    const auto granted = daemon.client().grant(grant_to("orchestrator"));
    BOOST_REQUIRE_MESSAGE(granted, (granted ? "" : granted.error().detail));
    return granted->chain;
  }
};

std::string token_id(const std::string& compact) {
  const auto token = Token::parse(compact);
  BOOST_REQUIRE(token);
  return hex_encode(token->digest());
}

int connect_to(const std::filesystem::path& socket) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

// Asks for a proof on a connection of another process, once that process runs `program`; writes the answer's
// status.
void ask_as_impostor(int connection, pid_t peer, const std::filesystem::path& program,
                     const std::string& body, int answer) {
  const std::filesystem::path running = "/proc/" + std::to_string(peer) + "/exe";
  std::error_code failure;
  if (!eventually([&] { return std::filesystem::read_symlink(running, failure) == program; })) return;
  const std::string request =
      "POST /v1/proofs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  std::array<char, 12> text{};  // "HTTP/1.1 201"
  if (::write(connection, request.data(), request.size()) != static_cast<ssize_t>(request.size())) return;
  if (::recv(connection, text.data(), text.size(), MSG_WAITALL) != static_cast<ssize_t>(text.size())) return;
  static_cast<void>(!::write(answer, text.data() + 9, 3));
}

// A process connects, leaves the connection to its child, and becomes the program; the child asks. The status
// of the answer, or nothing.
std::string status_for_impostor(const std::filesystem::path& socket, const std::filesystem::path& program,
                                const std::string& body) {
  std::array<int, 2> answer{};
  BOOST_REQUIRE(::pipe(answer.data()) == 0);
  const pid_t peer = ::fork();
  BOOST_REQUIRE(peer >= 0);
  if (peer == 0) {
    const int connection = connect_to(socket);
    const pid_t self = ::getpid();
    const pid_t impostor = connection < 0 ? -1 : ::fork();
    if (impostor == 0) {
      ask_as_impostor(connection, self, program, body, answer[1]);
      ::_exit(0);
    }
    ::close(answer[1]);
    if (impostor > 0) ::execl(program.c_str(), program.c_str(), "60", nullptr);
    ::_exit(1);
  }
  ::close(answer[1]);
  std::array<char, 3> status{};
  const ssize_t size = ::read(answer[0], status.data(), status.size());
  ::close(answer[0]);
  ::kill(peer, SIGKILL);
  ::waitpid(peer, nullptr, 0);
  return {status.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_chain_is_issued_and_verifies_here_and_offline, Running) {
  const Client client = daemon.client();
  const auto delegated = client.delegate(delegation_of(root_chain(), "support"));
  BOOST_REQUIRE_MESSAGE(delegated, (delegated ? "" : delegated.error().detail));
  const auto remote = client.verify({delegated->chain, std::nullopt});
  BOOST_REQUIRE(remote);
  BOOST_TEST(remote->outcome == "valid");

  const TrustConfig trust = published_trust(client, delegated->chain);
  const std::vector<std::string_view> tokens(delegated->chain.begin(), delegated->chain.end());
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  BOOST_TEST(verify_chain(tokens, TrustSnapshot(trust), now).valid());
}

BOOST_FIXTURE_TEST_CASE(the_examples_delegate_and_verify, Running) {
  const auto tokens_of = [](const std::string& text) {
    const auto views = split_chain(text);
    return std::vector<std::string>(views.begin(), views.end());
  };
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(daemon.folder() / name) << text;
    return (daemon.folder() / name).string();
  };
  const std::string chain_file = write("root.chain", root_chain().front());
  const auto delegated =
      run_program({"/usr/bin/env", "CHANCERY_SOCKET=" + daemon.socket().string(),
                   CHANCERY_BINARY_DIR "/example_orchestrator", chain_file, "support", "crm.read"});
  BOOST_REQUIRE_MESSAGE(delegated.exit_status == 0, delegated.output);
  const auto keys = daemon.client().jwks();
  BOOST_REQUIRE(keys);
  const TrustConfig published = published_trust(daemon.client(), tokens_of(delegated.output));
  const std::string trust =
      write("trust.json", R"({"anchors":[{"keys":[)" + keys->keys.front().jwk() + R"(],"status":{"keys":[)" +
                              published.anchors[0].status_keys.front().jwk() + "]}}]}");
  const FetchedStatusList& list = published.status_lists.front();
  const auto verified =
      run_program({CHANCERY_BINARY_DIR "/example_verify", trust, write("support.chain", delegated.output),
                   list.uri, write("list.jwt", list.token)});
  BOOST_TEST(verified.exit_status == 0, verified.output);
  BOOST_TEST(verified.output.find(R"("outcome":"valid")") != std::string::npos, verified.output);
}

BOOST_AUTO_TEST_CASE(the_development_mode_keeps_nothing) {
  const auto daemon = DaemonProcess::development();
  const std::filesystem::path folder = daemon->socket().parent_path();
  // Other users' clients must be able to read whom to trust, and nothing else.
  const auto mode = [&](const char* file) { return std::filesystem::status(folder / file).permissions(); };
  BOOST_TEST((mode("ca.pem") == std::filesystem::perms{0644}));
  BOOST_TEST((mode("tls.key") == std::filesystem::perms{0600}));
  BOOST_TEST(daemon->client().create_agent(agent_of("orchestrator", ::geteuid())).has_value());
  BOOST_TEST(daemon->output().find("NOTHING HERE IS HARDWARE") != std::string::npos);
  BOOST_TEST(daemon->stop() == 0);
  BOOST_TEST(!std::filesystem::exists(folder));
}

BOOST_FIXTURE_TEST_CASE(a_clean_stop_answers_everything_and_removes_the_socket, Running) {
  BOOST_TEST(daemon.stop() == 0);
  BOOST_TEST(!std::filesystem::exists(daemon.socket()));
  daemon.start();
  BOOST_TEST(daemon.client().delegate(delegation_of(root_chain(), "support")).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_hangup_ends_nothing, Running) {
  BOOST_REQUIRE(::kill(daemon.pid(), SIGHUP) == 0);
  BOOST_TEST(eventually(
      [&] { return daemon.output().find("the configuration was read again") != std::string::npos; }));
  BOOST_TEST(daemon.client().metadata().has_value());
  BOOST_TEST(daemon.stop() == 0);
}

BOOST_AUTO_TEST_CASE(the_development_mode_ends_with_its_terminal) {
  const auto daemon = DaemonProcess::development();
  const std::filesystem::path folder = daemon->socket().parent_path();
  BOOST_TEST(daemon->stop(SIGHUP) == 0);
  BOOST_TEST(!std::filesystem::exists(folder));
}

BOOST_FIXTURE_TEST_CASE(what_was_answered_survives_kill_9, Running) {
  std::mutex mutex;
  std::vector<std::string> acknowledged;
  std::mt19937 random(20261121);
  const auto count_of_acknowledged = [&] {
    const std::lock_guard lock(mutex);
    return acknowledged.size();
  };
  for (int round = 0; round < 4; ++round) {
    std::atomic<bool> stop = false;
    {
      std::vector<std::jthread> callers;
      for (int i = 0; i < 3; ++i) {
        callers.emplace_back([&] {
          const Client client = daemon.client();
          while (!stop) {
            const auto granted = client.grant(grant_to("orchestrator"));
            if (!granted) continue;
            const std::lock_guard lock(mutex);
            acknowledged.push_back(granted->chain.front());
          }
        });
      }
      // Killed after so many answers that some call is under way, at another place in each round.
      const std::size_t wanted = count_of_acknowledged() + 3 + random() % 20;
      BOOST_TEST(eventually([&] { return count_of_acknowledged() >= wanted; }));
      daemon.kill();
      stop = true;
    }
    {
      const auto store = store::open_sqlite_store(daemon.state());
      BOOST_REQUIRE(store);
      for (const std::string& token : acknowledged) BOOST_TEST((*store)->token(token_id(token)).has_value());
      const auto counts = (*store)->counts();
      BOOST_REQUIRE(counts);
      // Nothing without its entry: two agents, the issuer's key, that of status lists, and the pins of the TPM and
      // of the master secret precede the tokens.
      BOOST_TEST(entries_of_issuing(**store) == counts->tokens + 6);
    }
    daemon.start();
  }
  BOOST_TEST(acknowledged.size() >= 12u);  // three in each round at least
}

BOOST_AUTO_TEST_CASE(an_absent_tpm_is_said_plainly_and_found_when_it_comes) {
  simulators::Swtpm tpm = start_tpm();
  tpm.stop();
  DaemonProcess daemon({.tcti = tpm.tcti()});
  daemon.start();
  const Client client = daemon.client();
  const auto readiness = client.readiness();
  BOOST_REQUIRE(readiness);
  BOOST_TEST(!readiness->ready);
  BOOST_REQUIRE(!readiness->missing.empty());
  BOOST_TEST(readiness->missing.front().find("backend tpm") != std::string::npos);
  const auto refused = client.create_agent(agent_of("early", ::geteuid()));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().status == 503);
  BOOST_TEST(refused.error().code == "device_unavailable");

  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST(eventually([&] { return client.create_agent(agent_of("early", ::geteuid())).has_value(); }));
  BOOST_TEST(client.grant(grant_to("early")).has_value());
  BOOST_TEST(eventually([&] { return client.readiness()->ready; }));
}

BOOST_FIXTURE_TEST_CASE(a_tpm_killed_while_signing_costs_503_at_most_and_no_wrong_signature, Running) {
  const std::vector<std::string> chain = root_chain();
  std::atomic<bool> stop = false;
  std::atomic<int> good = 0;
  std::atomic<int> unavailable = 0;
  std::atomic<int> other = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] {
        const Client client = daemon.client();
        while (!stop) {
          const auto delegated = client.delegate(delegation_of(chain, "support"));
          if (!delegated) {
            ++(delegated.error().status == 503 ? unavailable : other);
            continue;
          }
          const auto verdict = client.verify({delegated->chain, std::nullopt});
          ++(verdict && verdict->valid() ? good : other);
        }
      });
    }
    for (int kill = 0; kill < 5; ++kill) {
      const int before = good;
      BOOST_TEST(eventually([&] { return good > before + 3; }));  // calls are under way
      tpm.kill();
      BOOST_REQUIRE(tpm.restart());
    }
    const int before = good;
    BOOST_TEST(eventually([&] { return good > before + 3; }));
    stop = true;
  }
  BOOST_TEST(other == 0);
  BOOST_TEST_MESSAGE("good " << good << ", unavailable " << unavailable);
}

BOOST_FIXTURE_TEST_CASE(a_stopped_tpm_neither_hangs_callers_nor_stops_verification, Running) {
  const std::vector<std::string> chain = root_chain();
  const Client client = daemon.client();
  tpm.pause();
  const auto refused = client.delegate(delegation_of(chain, "support"));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().status == 503);
  BOOST_TEST((refused.error().code == "device_timeout" || refused.error().code == "device_unavailable"));
  BOOST_TEST(client.verify({chain, std::nullopt})->valid());
  tpm.resume();
  BOOST_TEST(eventually([&] { return client.delegate(delegation_of(chain, "support")).has_value(); }));
}

BOOST_FIXTURE_TEST_CASE(another_tpm_is_refused_and_nothing_is_made_anew, Running) {
  const std::vector<std::string> chain = root_chain();
  const std::string keys = daemon.client().jwks()->json;
  BOOST_TEST(daemon.stop() == 0);
  tpm.kill();
  tpm.replace_state();
  BOOST_REQUIRE(tpm.restart());
  daemon.start();
  const Client client = daemon.client();
  const auto refused = client.delegate(delegation_of(chain, "support"));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "wrong_device");
  BOOST_TEST(!client.readiness()->ready);
  BOOST_TEST(client.jwks()->json == keys);
  BOOST_TEST(client.verify({chain, std::nullopt})->valid());  // what was issued stays good
}

// Every key would be taken for lost, for good, though nothing is but a file.
BOOST_FIXTURE_TEST_CASE(another_master_secret_is_refused_and_the_former_one_still_serves, Running) {
  const std::vector<std::string> chain = root_chain();
  const std::filesystem::path file = daemon.state() / "master.key";
  const std::filesystem::path kept = daemon.state() / "kept.key";
  BOOST_TEST(daemon.stop() == 0);
  std::filesystem::copy_file(file, kept);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).write("another", 7);
  const auto ending = daemon.start_and_fail();
  BOOST_TEST(ending.exit_status == 1);
  BOOST_TEST(ending.output.find("the master secret is another") != std::string::npos, ending.output);
  std::filesystem::rename(kept, file);
  daemon.start();
  BOOST_TEST(daemon.client().delegate(delegation_of(chain, "support")).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_second_daemon_on_the_same_state_names_the_first, Running) {
  const auto second = run_program(
      {CHANCERY_BINARY_DIR "/chanceryd", "--config", (daemon.folder() / "chancery.toml").string()});
  BOOST_TEST(second.exit_status == 1);
  BOOST_TEST(second.output.find("(process " + std::to_string(daemon.pid()) + ")") != std::string::npos,
             second.output);
  BOOST_TEST(daemon.client().readiness()->ready);
}

BOOST_AUTO_TEST_CASE(an_agent_under_another_uid_cannot_use_this_ones_key) {
  if (!is_root()) {
    BOOST_TEST_MESSAGE("needs root: agents under several uids");
    return;
  }
  constexpr std::uint32_t kMine = 61101;
  constexpr std::uint32_t kOther = 61102;
  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon({.tcti = tpm.tcti()});
  daemon.start();
  const Client client = daemon.client();
  BOOST_REQUIRE(client.create_agent(agent_of("orchestrator", kMine)));
  BOOST_REQUIRE(client.create_agent(agent_of("support", kOther)));
  const auto granted = client.grant(grant_to("orchestrator"));
  BOOST_REQUIRE(granted);
  const auto try_it = [&] {
    const auto mine = Client::connect({.socket = daemon.socket().string(), .timeout = 20s});
    if (!mine) return 3;
    const auto delegated = mine->delegate(delegation_of(granted->chain, "support"));
    return delegated ? 0 : delegated.error().code == "not_holder" ? 1 : 2;
  };
  BOOST_TEST(run_as(kMine, try_it) == 0);
  BOOST_TEST(run_as(kOther, try_it) == 1);
  BOOST_TEST(try_it() == 1);  // nor can root, who is the operator here but not the agent
  const auto register_one = [&] {
    const auto mine = Client::connect({.socket = daemon.socket().string(), .timeout = 20s});
    if (!mine) return 3;
    const auto refused = mine->create_agent(agent_of("intruder", kOther));
    return refused ? 0 : refused.error().code == "forbidden" ? 1 : 2;
  };
  BOOST_TEST(run_as(kOther, register_one) == 1);
}

// Documented in docs/security/threat-model.md: an executable selector does not protect against the same uid.
// A process connects, hands the descriptor to a child, and runs the trusted program itself: the kernel's peer
// is then the trusted program, and the child still speaks on its connection.
BOOST_AUTO_TEST_CASE(an_executable_selector_is_fooled_by_the_same_uid_as_documented) {
  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon({.tcti = tpm.tcti()});
  daemon.start();
  const Client client = daemon.client();
  api::CreateAgent trusted = agent_of("trusted", ::geteuid());
  trusted.selectors.executable = std::filesystem::canonical("/bin/sleep").string();
  BOOST_REQUIRE(client.create_agent(trusted));
  const auto granted = client.grant(grant_to("trusted"));
  BOOST_REQUIRE(granted);
  // Without the trick the selector does its work, although we are the operator here.
  api::CreateProof proof;
  proof.chain = granted->chain;
  proof.htm = "GET";
  proof.htu = "https://api.example.org/";
  const auto refused = client.prove(proof);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "not_holder");

  const std::string body =
      R"({"chain":[")" + granted->chain.front() + R"("],"htm":"GET","htu":"https://api.example.org/"})";
  BOOST_TEST(status_for_impostor(daemon.socket(), trusted.selectors.executable, body) == "201");
}

struct BadStart {
  const char* name;
  DaemonSettings settings;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const BadStart& c) { return out << c.name; }

const std::array kBadStarts{
    BadStart{"a simulator that was not allowed",
             {.tcti = "swtpm:path=/nowhere", .allow_simulator = false},
             "[[backend]] tpm: this TPM is a simulator"},
    BadStart{"a TCTI that runs a command", {.tcti = "cmd:/bin/true"}, "device:"},
    BadStart{"plain sessions with a device", {.tcti = "device:/dev/null"}, "plain"},
    BadStart{"an option that does not exist",
             {.tcti = "swtpm:path=/nowhere", .extra = "[verify]\nmax_tokens_ = 3\n"},
             "max_tokens"},
    BadStart{"a number out of range",
             {.tcti = "swtpm:path=/nowhere", .extra = "[grants]\nmax_depth = 0\n"},
             "max_depth"},
    BadStart{"trust anchors that cannot be read",
             {.tcti = "swtpm:path=/nowhere", .extra = "[verify]\ntrust_anchors = \"/nowhere.json\"\n"},
             "trust_anchors"},
    BadStart{"an operator group that does not exist",
             {.tcti = "swtpm:path=/nowhere", .extra = "[operator]\ngroup = \"no-such-group\"\n"},
             "[operator] group"},
};

// Neither the daemon nor `--check` leaves anything behind when the configuration is bad.
BOOST_DATA_TEST_CASE(a_daemon_that_must_not_start_says_why, data::make(kBadStarts), c) {
  DaemonProcess daemon(c.settings);
  const auto checked = daemon.check();
  BOOST_TEST(checked.exit_status == 1);
  BOOST_TEST(checked.output.find(c.says) != std::string::npos, checked.output);
  const auto ending = daemon.start_and_fail();
  BOOST_TEST(ending.exit_status == 1);
  BOOST_TEST(ending.output.find(c.says) != std::string::npos, ending.output);
  BOOST_TEST(!std::filesystem::exists(daemon.state()));
}

BOOST_AUTO_TEST_CASE(a_good_configuration_is_checked_without_a_trace) {
  DaemonProcess daemon({.tcti = "swtpm:path=/nowhere"});
  const auto checked = daemon.check();
  BOOST_TEST(checked.exit_status == 0, checked.output);
  BOOST_TEST(!std::filesystem::exists(daemon.state()));
}

BOOST_AUTO_TEST_CASE(root_is_refused_unless_it_is_allowed) {
  if (!is_root()) {
    BOOST_TEST_MESSAGE("needs root");
    return;
  }
  DaemonProcess daemon({.tcti = "swtpm:path=/nowhere", .allow_root = false});
  const auto ending = daemon.start_and_fail();
  BOOST_TEST(ending.exit_status == 1);
  BOOST_TEST(ending.output.find("root") != std::string::npos, ending.output);
}

struct DevArguments {
  std::vector<std::string> arguments;
  int status;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const DevArguments& c) { return out << c.says; }

const std::array kBadArguments{
    DevArguments{{"--dev", "--listen", "0.0.0.0:0"}, 1, "loopback"},
    DevArguments{{"--dev", "--listen", "192.0.2.1:8443"}, 1, "loopback"},
    DevArguments{{"--dev", "--listen", "localhost"}, 2, "numeric address"},
    DevArguments{{"--dev", "--listen", "localhost:8443"}, 2, "numeric address"},
    DevArguments{{"--dev", "--listen", "::1:8443"}, 2, "numeric address"},
    DevArguments{{"--dev", "--listen", "127.0.0.1:99999"}, 2, "numeric address"},
    DevArguments{{"--listen", "127.0.0.1:1"}, 2, "belongs to --dev"},
    DevArguments{{"--dev", "--check"}, 2, "--check belongs to --config"},
    DevArguments{{"--config"}, 2, "needs a value"},
    DevArguments{{"--frobnicate"}, 2, "--frobnicate"},
    DevArguments{{"--config", "/nowhere/chancery.toml"}, 1, "/nowhere/chancery.toml"},
};

BOOST_DATA_TEST_CASE(bad_arguments_say_what_is_wrong, data::make(kBadArguments), c) {
  std::vector<std::string> command{CHANCERY_BINARY_DIR "/chanceryd"};
  command.insert(command.end(), c.arguments.begin(), c.arguments.end());
  const auto result = run_program(command);
  BOOST_TEST(result.exit_status == c.status);
  BOOST_TEST(result.output.find(c.says) != std::string::npos, result.output);
}

}  // namespace chancery::tests
