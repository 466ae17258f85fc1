#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "daemon/store/sqlite_store.hpp"
#include "sdk/base/hex.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/entries_of_issuing.hpp"
#include "tests/integration/drills/size.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

// The daemon is killed at random moments of its work, with a TPM that goes on and keeps whatever is in it.

namespace chancery::drills {
namespace {

using namespace std::chrono_literals;
using namespace tests;

constexpr int kCallers = 3;

std::string id_of(const std::string& compact) {
  const auto token = Token::parse(compact);
  BOOST_REQUIRE(token);
  return hex_encode(token->digest());
}

/// What was answered to callers, and so must be there for good.
class Acknowledged {
 public:
  void add(const std::string& token) {
    const std::lock_guard lock(mutex_);
    tokens_.push_back(token);
  }
  /// Those since the last call.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(tokens_, {});
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock(mutex_);
    return tokens_.size();
  }

  void add_failure(const ClientError& error) {
    const std::lock_guard lock(mutex_);
    failures_.insert(error.refused() ? error.code : std::string(error_name(error.error.code)));
  }
  /// What callers were told, or found, who were not answered.
  std::set<std::string> failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> tokens_;
  std::set<std::string> failures_;
};

/// Callers that grant, delegate and register agents until the daemon is gone.
class Load {
 public:
  Load(const DaemonProcess& daemon, std::size_t round, Acknowledged& acknowledged)
      : client_(daemon.client()), acknowledged_(acknowledged) {
    for (int i = 0; i < kCallers; ++i)
      callers_.emplace_back([this](const std::stop_token& stop) { issue_until(stop); });
    callers_.emplace_back([this, round](const std::stop_token& stop) { register_until(stop, round); });
  }

 private:
  void issue_until(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto granted = client_.grant(grant_to("orchestrator"));
      if (!granted) {
        acknowledged_.add_failure(granted.error());
        continue;
      }
      acknowledged_.add(granted->chain.front());
      const auto delegated = client_.delegate(delegation_of(granted->chain, "support"));
      if (!delegated) {
        acknowledged_.add_failure(delegated.error());
        continue;
      }
      acknowledged_.add(delegated->chain.back());
    }
  }

  void register_until(const std::stop_token& stop, std::size_t round) {
    for (int i = 0; !stop.stop_requested() && i < 3; ++i) {
      const std::string name = "round-" + std::to_string(round) + "-" + std::to_string(i);
      static_cast<void>(client_.create_agent(agent_of(name, ::geteuid())));
    }
  }

  const Client client_;
  Acknowledged& acknowledged_;
  std::vector<std::jthread> callers_;
};

/// Checks what the store holds while no daemon runs.
void expect_in_store(const DaemonProcess& daemon, const std::vector<std::string>& tokens) {
  const auto store = store::open_sqlite_store(daemon.state());
  BOOST_REQUIRE(store);
  for (const std::string& token : tokens) BOOST_TEST((*store)->token(id_of(token)).has_value());
  const auto counts = (*store)->counts();
  BOOST_REQUIRE(counts);
  // Nothing without its entry: the agents, the keys of issuer and status lists, both pins and the tokens.
  BOOST_TEST(entries_of_issuing(**store) == counts->tokens + counts->active_agents + 4);
  BOOST_TEST(counts->lost_agents == 0u);
}

/// Has agents sign, each once.
class Roll {
 public:
  /// Calls those who have not been called before.
  void call(const Client& client) {
    for (;;) {
      const auto page = client.agents(after_);
      BOOST_REQUIRE_MESSAGE(page, (page ? "" : page.error().detail));
      for (const api::Agent& agent : page->agents) {
        if (called_.insert(agent.name).second) expect_usable(client, agent.name);
      }
      if (page->next.empty()) return;
      after_ = page->next;
    }
  }
  [[nodiscard]] std::size_t size() const { return called_.size(); }

 private:
  static void expect_usable(const Client& client, const std::string& name) {
    const auto granted = client.grant(grant_to(name));
    BOOST_REQUIRE_MESSAGE(granted, (granted ? "" : granted.error().detail));
    const auto delegated = client.delegate(delegation_of(granted->chain, "support"));
    BOOST_TEST(delegated.has_value(), name << ": " << (delegated ? "" : delegated.error().detail));
  }

  std::string after_;
  std::set<std::string> called_;
};

std::uint32_t lockout_counter(hsm::TpmBackend& backend) {
  const auto counter = std::make_shared<std::uint32_t>(0);
  const Status asked = backend.device().run("test", hsm::far_away(), [counter](hsm::OpenTpm& tpm) {
    TPMS_CAPABILITY_DATA* data = nullptr;
    const Status done = tpm.connection->command("no properties", [&] {
      return Esys_GetCapability(tpm.connection->esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                TPM2_CAP_TPM_PROPERTIES, TPM2_PT_LOCKOUT_COUNTER, 1, nullptr, &data);
    });
    const hsm::EsysOwned<TPMS_CAPABILITY_DATA> owned(data);
    if (done) *counter = data->data.tpmProperties.tpmProperty[0].value;
    return done;
  });
  BOOST_REQUIRE(asked);
  return *counter;
}

void expect_clean_device(const simulators::Swtpm& tpm) {
  const auto backend = hsm::open_backend(hsm::options_for(tpm.tcti()));
  BOOST_TEST(lockout_counter(*backend) == 0u);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_TRANSIENT_FIRST) == 0u);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_LOADED_SESSION_FIRST) == 1u);
  BOOST_TEST(hsm::count_handles(*backend, TPM2_ACTIVE_SESSION_FIRST) == 0u);
}

// Full of objects, full of sessions, or locked, as the log would have it.
void expect_no_device_error(const std::string& log) {
  for (const TSS2_RC rc : {TPM2_RC_OBJECT_MEMORY, TPM2_RC_SESSION_MEMORY, TPM2_RC_LOCKOUT}) {
    BOOST_TEST(log.find("native=" + std::to_string(rc)) == std::string::npos, rc);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_daemon_that_is_killed_under_load_loses_nothing_that_it_answered) {
  simulators::Swtpm tpm = hsm::start_swtpm();
  DaemonProcess daemon({.tcti = tpm.tcti(), .sessions = "encrypted"});
  daemon.start();
  for (const char* name : {"orchestrator", "support"})
    BOOST_REQUIRE(daemon.client().create_agent(agent_of(name, ::geteuid())));
  BOOST_REQUIRE(daemon.client().grant(grant_to("orchestrator")));  // makes the issuer key

  std::mt19937 random(std::random_device{}());
  std::size_t answered = 0;
  Roll newcomers;
  const std::size_t kills = size(20, 1000);
  for (std::size_t round = 0; round < kills; ++round) {
    Acknowledged acknowledged;
    {
      const Load load(daemon, round, acknowledged);
      // After so many answers that calls are under way, and at another point of them each time.
      const std::size_t wanted = 1 + random() % 25;
      BOOST_REQUIRE(eventually([&] { return acknowledged.count() >= wanted; }));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      daemon.kill();
    }
    const std::vector<std::string> tokens = acknowledged.take();
    answered += tokens.size();
    expect_in_store(daemon, tokens);
    daemon.start();
    BOOST_REQUIRE(eventually([&] { return daemon.client().readiness()->ready; }));
    newcomers.call(daemon.client());
  }

  Roll all;
  all.call(daemon.client());
  BOOST_TEST(all.size() == newcomers.size());
  BOOST_TEST_MESSAGE(kills << " kills, " << answered << " answers, " << all.size() << " agents");
  BOOST_TEST(daemon.stop() == 0);
  expect_clean_device(tpm);
  expect_no_device_error(daemon.output());
}

// Every connection gets a whole answer or none: half of one would be a bad response.
BOOST_AUTO_TEST_CASE(a_daemon_that_is_stopped_under_load_answers_whole_and_keeps_what_it_answered) {
  simulators::Swtpm tpm = hsm::start_swtpm();
  DaemonProcess daemon({.tcti = tpm.tcti()});
  daemon.start();
  for (const char* name : {"orchestrator", "support"})
    BOOST_REQUIRE(daemon.client().create_agent(agent_of(name, ::geteuid())));

  std::mt19937 random(std::random_device{}());
  std::size_t answered = 0;
  const std::size_t stops = size(20, 200);
  for (std::size_t round = 0; round < stops; ++round) {
    Acknowledged acknowledged;
    {
      const Load load(daemon, round, acknowledged);
      const std::size_t wanted = 1 + random() % 25;
      BOOST_REQUIRE(eventually([&] { return acknowledged.count() >= wanted; }));
      BOOST_TEST(daemon.stop() == 0);
    }
    for (const std::string& failure : acknowledged.failures()) BOOST_TEST(failure == "connect_failed");
    const std::vector<std::string> tokens = acknowledged.take();
    answered += tokens.size();
    expect_in_store(daemon, tokens);
    daemon.start();
  }
  BOOST_TEST_MESSAGE(stops << " stops, " << answered << " answers");
  BOOST_TEST(daemon.stop() == 0);
  expect_clean_device(tpm);
}

}  // namespace chancery::drills
