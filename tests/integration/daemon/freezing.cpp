// The kill switch by the real programs: the operator's key on another machine, the daemon with a TPM.

#include <fstream>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/freeze_client.hpp>
#include <chancery/session.hpp>

#include "simulators/swtpm/swtpm.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/two_devices.hpp"

namespace chancery::tests {
namespace {

using testing::Run;
using Words = std::vector<std::string>;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// An operator with a key in a file, and a daemon that was given its public half.
struct Site {
  Site() {
    const Run printed = chancery.run({"freeze", "key", key});
    BOOST_REQUIRE_MESSAGE(printed.exit == 0, printed.err);
    const std::string jwk = chancery.file("operator.jwk", printed.out);
    BOOST_TEST(chancery.run({"freeze", "key", key}).out == printed.out);  // of the key that is there
    daemon.emplace(DaemonSettings{
        .tcti = tpm.tcti(),
        .extra = "[freeze]\noperator_key = \"" + jwk + "\"\nbanks = 2\n[keys]\noverlap = \"1h\"\n"});
    daemon->start();
    chancery.set("CHANCERY_SOCKET", daemon->socket().string());
  }

  [[nodiscard]] Run run(const Words& words) const { return chancery.run(words); }
  void must_run(const Words& words) const {
    const Run done = run(words);
    BOOST_REQUIRE_MESSAGE(done.exit == 0, words[0] << " " << words[1] << ": " << done.err);
  }
  [[nodiscard]] int proof_status(const std::vector<std::string>& chain) const {
    const auto proof = daemon->client().prove({chain, "GET", "https://api.example.org/x", {}});
    return proof ? 201 : static_cast<int>(proof.error().status);
  }
  /// What an enforcement point is told of an action by the session: "permit", or the denial's outcome.
  [[nodiscard]] std::string outcome_by(const Session& session) const {
    constexpr const char* kUri = "https://api.example.org/customers";
    const Presented shown = required(session.present("GET", kUri, std::nullopt));
    api::Authorize request;
    request.chain = shown.chain;
    request.proof = shown.proof;
    request.method = "GET";
    request.uri = kUri;
    request.audience = "https://api.example.org";
    request.scope = "crm.read";
    request.params = "{}";
    const api::Decision decision = answered(daemon->client().authorize(request));
    return decision.permitted ? "permit" : decision.outcome;
  }
  [[nodiscard]] std::string key_of(const std::string& agent) const {
    return answered(daemon->client().agent(agent)).jkt;
  }

  testing::Chancery chancery;
  const std::string key = (chancery.folder() / "operator.pem").string();
  simulators::Swtpm tpm = required(simulators::Swtpm::start());
  std::optional<DaemonProcess> daemon;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_the_operator_froze_nobody_else_unfreezes, Site) {
  must_run({"freeze", "arm", "--key", key, "--yes"});
  BOOST_TEST(contains(run({"freeze", "show"}).out, "armed"));
  answered(daemon->client().create_agent(agent_of("guard", ::getuid())));
  const auto chain = answered(daemon->client().grant(grant_to("guard"))).chain;
  BOOST_TEST(proof_status(chain) == 201);

  must_run({"agent", "freeze", "guard", "--reason", "odd calls"});
  BOOST_TEST(proof_status(chain) == 403);
  const Run shown = run({"agent", "show", "guard"});
  BOOST_TEST(contains(shown.out, "odd calls"), shown.out);
  BOOST_TEST(contains(shown.out, "by tpm"), shown.out);

  daemon->kill();
  daemon->start();
  BOOST_TEST(proof_status(chain) == 403);

  BOOST_TEST(run({"agent", "unfreeze", "guard"}).exit == 2);  // by nobody's key
  const std::string stranger = (chancery.folder() / "stranger.pem").string();
  must_run({"freeze", "key", stranger});
  const Run refused = run({"agent", "unfreeze", "guard", "--key", stranger, "--yes"});
  BOOST_TEST(refused.exit == 1, refused.err);
  BOOST_TEST(proof_status(chain) == 403);

  const Run unasked = run({"agent", "unfreeze", "guard", "--key", key});  // nobody has looked
  BOOST_TEST(unasked.exit == 2, unasked.err);
  BOOST_TEST(proof_status(chain) == 403);
  const Run ended = run({"agent", "unfreeze", "guard", "--key", key, "--yes"});
  BOOST_TEST(ended.exit == 0, ended.err);
  BOOST_TEST(contains(ended.out, "slots 1\n"), ended.out);
  BOOST_TEST(contains(ended.out, "slots none\n"), ended.out);
  BOOST_TEST(contains(ended.out, "are not frozen from then on"), ended.out);
  BOOST_TEST(proof_status(chain) == 201);
}

BOOST_FIXTURE_TEST_CASE(all_are_frozen_at_once_and_lifted_by_the_operator, Site) {
  must_run({"freeze", "arm", "--key", key, "--yes"});
  answered(daemon->client().create_agent(agent_of("one", ::getuid())));
  const auto chain = answered(daemon->client().grant(grant_to("one"))).chain;
  BOOST_TEST(run({"freeze"}).exit == 2);  // says what there is
  must_run({"freeze", "--all", "--reason", "leak"});
  BOOST_TEST(proof_status(chain) == 403);
  BOOST_TEST((answered(FreezeClient(daemon->client()).state()).enforcement == "tpm"));
  BOOST_TEST(run({"freeze", "lift"}).exit == 2);
  must_run({"freeze", "lift", "--key", key, "--yes"});
  BOOST_TEST(proof_status(chain) == 201);
}

// Its key is in the memory of the agent's process, where no device and no daemon reaches it.
BOOST_FIXTURE_TEST_CASE(a_session_of_before_is_permitted_nothing_while_its_agent_is_frozen, Site) {
  must_run({"freeze", "arm", "--key", key, "--yes"});
  answered(daemon->client().create_agent(agent_of("guard", ::getuid())));
  const auto chain = answered(daemon->client().grant(grant_to("guard"))).chain;
  SessionOptions options;
  options.daemon.socket = daemon->socket().string();
  const auto session = answered(Session::open(options, chain));
  BOOST_TEST(outcome_by(*session) == "permit");

  must_run({"agent", "freeze", "guard"});
  BOOST_TEST(outcome_by(*session) == "agent_frozen");
  daemon->kill();
  daemon->start();
  BOOST_TEST(outcome_by(*session) == "agent_frozen");
  must_run({"agent", "unfreeze", "guard", "--key", key, "--yes"});
  BOOST_TEST(outcome_by(*session) == "permit");

  must_run({"freeze", "--all"});
  BOOST_TEST(outcome_by(*session) == "agent_frozen");
  must_run({"freeze", "lift", "--key", key, "--yes"});
  BOOST_TEST(outcome_by(*session) == "permit");
}

BOOST_FIXTURE_TEST_CASE(keys_of_before_are_followed_by_ones_that_hang_on_the_switch, Site) {
  answered(daemon->client().create_agent(agent_of("early", ::getuid())));
  const std::string before = key_of("early");
  const auto chain = answered(daemon->client().grant(grant_to("early"))).chain;
  must_run({"freeze", "arm", "--key", key, "--yes"});
  BOOST_TEST(eventually([&] { return key_of("early") != before; }));
  BOOST_TEST(proof_status(chain) == 201);  // the former serves what it holds
  must_run({"agent", "freeze", "early"});
  BOOST_TEST(proof_status(chain) == 403);
  must_run({"agent", "unfreeze", "early", "--key", key, "--yes"});
  BOOST_TEST(proof_status(chain) == 201);
}

BOOST_AUTO_TEST_CASE(an_operators_key_that_is_none_is_refused_at_the_start) {
  const testing::Chancery chancery;
  const simulators::Swtpm tpm = required(simulators::Swtpm::start());
  for (const std::string& text : {std::string(), std::string("{}"), std::string(R"({"kty":"OKP"})")}) {
    const std::string jwk = chancery.file("operator.jwk", text);
    DaemonProcess daemon({.tcti = tpm.tcti(), .extra = "[freeze]\noperator_key = \"" + jwk + "\"\n"});
    const auto checked = daemon.check();
    BOOST_TEST(checked.exit_status != 0);
    BOOST_TEST(contains(checked.output, "[freeze] operator_key"), checked.output);
  }
}

}  // namespace chancery::tests
