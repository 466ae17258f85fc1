// A key's life with the real daemon, a TPM (swtpm) and a PKCS#11 token (SoftHSM).

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/audit_client.hpp>

#include "daemon/store/sqlite_store.hpp"
#include "simulators/softhsm/softhsm.hpp"
#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

/// A daemon on both devices, with an agent on each.
struct Office {
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  simulators::SoftHsm store = required(simulators::SoftHsm::create());
  simulators::SoftToken token = required(store.add_token("production"));
  std::unique_ptr<DaemonProcess> daemon;

  Office() {
    store.use_in_this_process();
    DaemonSettings settings;
    settings.tcti = tpm.tcti();
    settings.extra = token_section(token);
    daemon = std::make_unique<DaemonProcess>(settings);
    daemon->start();
    create_agent("orchestrator", "tpm");
    create_agent("support", "hsm");
  }

  [[nodiscard]] Client client() const { return daemon->client(); }
  void create_agent(const std::string& name, const std::string& backend) const {
    answered(client().create_agent(agent_on(backend, name)));
  }
  std::vector<std::string> root_chain() const {
    return answered(client().grant(grant_to("orchestrator"))).chain;
  }
  std::vector<std::string> delegated() const {
    return answered(client().delegate(delegation_of(root_chain(), "support"))).chain;
  }
  std::string outcome(const std::vector<std::string>& chain) const {
    return answered(client().verify({chain, std::nullopt})).outcome;
  }
  [[nodiscard]] std::string state(const std::string& agent) const {
    return answered(client().agent(agent)).state;
  }
  /// Public halves in the token that are labelled as keys of this daemon. Other octets may lie beside them:
  /// SoftHSM, killed while it makes or removes an object, leaves a piece of it that has no label yet, and is
  /// none to PKCS#11.
  [[nodiscard]] std::size_t keys_in_token() const {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(store.folder())) {
      if (file.path().extension() != ".object") continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string octets{std::istreambuf_iterator<char>(in), {}};
      count += octets.find("chancery:") != std::string::npos ? 1 : 0;
    }
    return count;
  }
  [[nodiscard]] std::size_t intents() const {
    return required(required(store::open_sqlite_store(daemon->state()))->intents()).size();
  }
};

/// Clients that work all the time, and what they were not given.
class Load {
 public:
  explicit Load(const Client& client) : client_(client) {
    for (int i = 0; i < 8; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) work();
      });
    }
  }
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void stop() { threads_.clear(); }
  [[nodiscard]] std::uint64_t rounds() const { return rounds_; }
  [[nodiscard]] std::vector<std::string> refusals() {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }

 private:
  template <typename T>
  bool expect(const char* what, const ClientResult<T>& result) {
    if (result) return true;
    const std::lock_guard lock(mutex_);
    refusals_.push_back(std::string(what) + ": " + result.error().code + ": " + result.error().detail);
    return false;
  }

  void work() {
    const auto granted = client_.grant(grant_to("orchestrator"));
    if (!expect("grant", granted)) return;
    const auto delegated = client_.delegate(delegation_of(granted->chain, "support"));
    if (!expect("delegate", delegated)) return;
    api::CreateProof proof;
    proof.chain = delegated->chain;
    proof.htm = "GET";
    proof.htu = "https://api.example.org/";
    if (!expect("prove", client_.prove(proof))) return;
    const auto verified = client_.verify({delegated->chain, std::nullopt});
    if (!expect("verify", verified)) return;
    if (!verified->valid()) {
      const std::lock_guard lock(mutex_);
      refusals_.push_back("verify: " + verified->outcome + ": " + verified->reason);
    }
    ++rounds_;
  }

  const Client& client_;
  std::mutex mutex_;
  std::vector<std::string> refusals_;
  std::atomic<std::uint64_t> rounds_ = 0;
  std::vector<std::jthread> threads_;
};

bool all_ended(const std::vector<api::Key>& keys) {
  return std::all_of(keys.begin() + 1, keys.end(),
                     [](const api::Key& key) { return key.state == "retired" && key.destroyed_at; });
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(rotating_every_agent_and_the_issuer_under_load_loses_no_request, Office) {
  const Client operator_client = client();
  Load load(operator_client);
  const api::RotateKey rotation{5s, {}, {}};
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t before = load.rounds();
    answered(operator_client.rotate_agent("orchestrator", rotation));
    answered(operator_client.rotate_agent("support", rotation));
    answered(operator_client.rotate_issuer(rotation));
    BOOST_TEST(eventually([&] { return load.rounds() >= before + 16; }));
  }
  // The load goes on while the former keys end.
  BOOST_TEST(eventually([&] {
    return all_ended(answered(operator_client.agent_keys("orchestrator")).keys) &&
           all_ended(answered(operator_client.agent_keys("support")).keys) &&
           all_ended(answered(operator_client.issuer_keys()).keys);
  }));
  const std::uint64_t after = load.rounds();
  BOOST_TEST(eventually([&] { return load.rounds() >= after + 16; }));
  load.stop();
  BOOST_TEST(load.refusals() == std::vector<std::string>{}, boost::test_tools::per_element());
  BOOST_TEST(answered(operator_client.agent_keys("support")).keys.size() == 4u);
  BOOST_TEST(answered(operator_client.jwks()).keys.size() == 1u);
  BOOST_TEST(keys_in_token() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_is_killed_in_a_rotation_carries_it_on_and_leaves_nothing, Office) {
  std::minstd_rand random(20261121);
  for (int round = 0; round < 8; ++round) {
    const Client rotating = client();
    std::jthread rotations([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const char* agent : {"support", "orchestrator"}) {
          static_cast<void>(rotating.rotate_agent(agent, {0s, {}, {}}));
        }
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    daemon->kill();
    rotations.request_stop();
    rotations.join();
    daemon->start();
    // A rotation that is carried on may end the key between the grant and the delegation.
    BOOST_TEST(eventually([&] {
      const auto delegated = client().delegate(delegation_of(root_chain(), "support"));
      return delegated && outcome(delegated->chain) == "valid";
    }));
  }
  const auto settled = [&] {
    return all_ended(answered(client().agent_keys("support")).keys) &&
           all_ended(answered(client().agent_keys("orchestrator")).keys) && keys_in_token() == 1;
  };
  BOOST_TEST(eventually(settled, 60s));
  BOOST_TEST(daemon->stop() == 0);
  BOOST_TEST(intents() == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_keys_of_a_cleared_tpm_are_lost_and_made_anew_only_when_it_is_asked_for, Office) {
  const std::vector<std::string> old_chain = delegated();
  const std::string jwks = answered(client().jwks()).json;
  const std::string lost_key = answered(client().agent("orchestrator")).jkt;
  BOOST_REQUIRE(tpm.clear());
  BOOST_TEST(eventually([&] { return state("orchestrator") == "lost"; }));
  BOOST_TEST(answered(client().agent("orchestrator")).reason == "wrong_device");
  BOOST_TEST(state("support") == "active");  // on the token
  BOOST_TEST(eventually([&] { return !answered(client().readiness()).ready; }));
  BOOST_TEST(answered(client().jwks()).json == jwks);
  BOOST_TEST(answered(client().agent_keys("orchestrator")).keys.size() == 1u);
  BOOST_TEST(outcome(old_chain) == "valid");

  answered(client().adopt_backend("tpm"));
  const auto enrolled = [&] { return client().reenroll_agent("orchestrator", {}).has_value(); };
  BOOST_TEST(eventually(enrolled));  // once the device has been found again
  answered(client().rotate_issuer({}));
  BOOST_TEST(eventually([&] {
    const std::vector<std::string> missing = answered(client().readiness()).missing;
    return missing.size() == 2 && missing.front().starts_with("status key: lost") &&
           missing.back().starts_with("audit key: lost");
  }));
  answered(client().rotate_status_key());
  answered(AuditClient(client()).rotate_key());
  BOOST_TEST(state("orchestrator") == "active");
  BOOST_TEST(answered(client().agent("orchestrator")).jkt != lost_key);
  BOOST_TEST(outcome(delegated()) == "valid");
  BOOST_TEST(outcome(old_chain) == "valid");
  answered(client().revoke_key(lost_key, {"the TPM was cleared"}));
  BOOST_TEST(outcome(old_chain) == "revoked");
  BOOST_TEST(outcome(delegated()) == "valid");
  BOOST_TEST(eventually([&] { return answered(client().readiness()).ready; }));
}

BOOST_FIXTURE_TEST_CASE(the_keys_of_a_tpm_that_is_back_serve_again, Office) {
  const std::vector<std::string> chain = root_chain();
  const std::filesystem::path kept = tpm.folder() / "kept";
  tpm.stop();
  std::filesystem::copy(tpm.folder() / "state", kept, std::filesystem::copy_options::recursive);
  tpm.replace_state();
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST(eventually([&] { return state("orchestrator") == "lost"; }));
  tpm.stop();
  std::filesystem::remove_all(tpm.folder() / "state");
  std::filesystem::rename(kept, tpm.folder() / "state");
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST(eventually([&] { return state("orchestrator") == "active"; }));
  BOOST_TEST(client().delegate(delegation_of(chain, "support")).has_value());
}

BOOST_FIXTURE_TEST_CASE(an_agent_moves_to_the_other_device_with_its_next_key, Office) {
  const std::vector<std::string> chain = root_chain();
  answered(client().rotate_agent("orchestrator", {10s, "hsm", {}}));
  BOOST_TEST(answered(client().agent("orchestrator")).backend == "hsm");
  BOOST_TEST(outcome(delegated()) == "valid");
  BOOST_TEST(client().delegate(delegation_of(chain, "support")).has_value());  // by the key in the TPM
}

}  // namespace chancery::tests
