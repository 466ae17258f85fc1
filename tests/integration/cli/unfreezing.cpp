// The operator's signature for a kill switch by the real program: what it shows, what it asks, and what it does not sign. The
// daemon's answers are a script's.

#include <array>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/freeze_messages.hpp"
#include "tests/integration/cli/stage.hpp"
#include "tests/integration/cli/terminal.hpp"

namespace chancery::tests {
namespace {

using testing::contains;
using testing::http_answer;
using testing::kJson;
using testing::Run;
using testing::Stage;
using testing::Terminal;

constexpr const char* kUnfreeze = "POST /v1/agents/guard/unfreeze";
constexpr const char* kLift = "POST /v1/freeze/lift";
constexpr const char* kArm = "POST /v1/freeze/arm";

api::SwitchSetting to_write(std::uint32_t index, std::uint64_t frozen) {
  return {"tpm", index, frozen, Bytes(32, 7)};
}

/// A daemon of two banks at 100 and 101: in the first slots 3 and 5 are frozen, in the second slot 66, and the third at 102 is not
/// armed. It answers nothing else: no other right is needed.
struct Switchboard : Stage {
  Switchboard() {
    const Run made = run({"freeze", "key", key});
    BOOST_REQUIRE_MESSAGE(made.exit == 0, made.err);
    state.enforcement = "tpm";
    state.agents = {"guard", "other"};
    state.banks = {{"tpm", 0, 100, true, 0x28}, {"tpm", 1, 101, true, 4}, {"tpm", 2, 102, false, 0}};
  }

  /// What the daemon asks to be signed for a command, and that it is done once that was.
  void wants(const std::string& route, const std::vector<api::SwitchSetting>& settings) {
    api::FreezeState asked = state;
    asked.to_sign = settings;
    const auto text = [&](const std::vector<api::SwitchSetting>& left) {
      if (route == kUnfreeze)
        return wire::write(api::AgentFreeze{"guard", !left.empty(), "tpm", left, state.banks});
      asked.to_sign = left;
      return wire::write(asked);
    };
    answer_in_turn(route, {http_answer(200, kJson, text(settings)), http_answer(200, kJson, text({}))});
  }
  [[nodiscard]] bool was_signed(const std::string& route) {
    return contains(request(route), R"("signature")");
  }

  api::FreezeState state;
  const std::string key = (chancery().folder() / "operator.pem").string();
};

struct Asked {
  const char* name;
  const char* route;
  std::vector<std::string> command;
  std::vector<api::SwitchSetting> settings;
  bool is_signed;
};
std::ostream& operator<<(std::ostream& out, const Asked& row) { return out << row.name; }

const std::vector<std::string> kUnfreezeGuard{"agent", "unfreeze", "guard"};
const std::vector<std::string> kLiftAll{"freeze", "lift"};
const std::vector<std::string> kArmNext{"freeze", "arm"};

const std::array kAsked{
    Asked{"one slot", kUnfreeze, kUnfreezeGuard, {to_write(100, 0x20)}, true},
    Asked{"one slot of the second bank", kUnfreeze, kUnfreezeGuard, {to_write(101, 0)}, true},
    Asked{"two slots", kUnfreeze, kUnfreezeGuard, {to_write(100, 0)}, false},
    Asked{"no slot", kUnfreeze, kUnfreezeGuard, {to_write(100, 0x28)}, false},
    Asked{"two settings of one backend",
          kUnfreeze,
          kUnfreezeGuard,
          {to_write(100, 0x20), to_write(101, 0)},
          false},
    Asked{"a bank that is not shown", kUnfreeze, kUnfreezeGuard, {to_write(103, 0)}, false},
    Asked{"a bank that is not armed", kUnfreeze, kUnfreezeGuard, {to_write(102, 0)}, false},
    Asked{"an agent's slot in place of all", kLift, kLiftAll, {to_write(100, 0x20)}, false},
    Asked{"the first slot of another bank in place of all", kLift, kLiftAll, {to_write(101, 0)}, false},
    Asked{"a bank that is to be armed", kArm, kArmNext, {to_write(102, 1)}, true},
    Asked{"a bank that is armed already", kArm, kArmNext, {to_write(100, 0)}, false},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(unfreezing)

BOOST_DATA_TEST_CASE(what_a_command_is_not_for_is_not_signed_whatever_the_daemon_wants,
                     boost::unit_test::data::make(kAsked), row) {
  Switchboard board;
  board.wants(row.route, row.settings);
  std::vector<std::string> command = row.command;
  command.insert(command.end(), {"--key", board.key, "--yes"});
  const Run done = board.run(command);
  BOOST_TEST((done.exit == 0) == row.is_signed, done.err);
  BOOST_TEST(board.was_signed(row.route) == row.is_signed);
  if (!row.is_signed) BOOST_TEST(contains(done.err, "it was not signed"), done.err);
}

// Which bank is the first is the daemon's word: another one's first slot may be that of all.
BOOST_FIXTURE_TEST_CASE(the_first_slot_of_no_bank_is_one_agents, Switchboard) {
  state.banks[1].frozen = 5;
  wants(kUnfreeze, {to_write(101, 4)});
  const Run done = run({"agent", "unfreeze", "guard", "--key", key, "--yes"});
  BOOST_TEST(done.exit == 2, done.err);
  BOOST_TEST(!was_signed(kUnfreeze));
}

BOOST_FIXTURE_TEST_CASE(of_each_bank_it_is_shown_what_becomes_of_all_agents, Switchboard) {
  struct Row {
    std::uint64_t held;  // by the second bank
    std::uint64_t stays;
    const char* shown;
  };
  for (const Row& row : {Row{5, 4, "are not frozen from then on"}, Row{5, 5, "all agents   stay frozen"},
                         Row{4, 4, "unless this is bank 0"}}) {
    state.banks[1].is_armed = false;  // it is armed anew, so that all of this is signed
    state.banks[1].frozen = row.held;
    wants(kArm, {to_write(101, row.stays)});
    const Run done = run({"freeze", "arm", "--key", key, "--yes"});
    BOOST_TEST(done.exit == 0, done.err);
    BOOST_TEST(contains(done.out, row.shown), done.out);
  }
}

BOOST_FIXTURE_TEST_CASE(slot_0_is_lifted_with_all_and_with_no_agent, Switchboard) {
  state.banks[0].frozen = 0x29;
  wants(kUnfreeze, {to_write(100, 0x28)});
  BOOST_TEST(run({"agent", "unfreeze", "guard", "--key", key, "--yes"}).exit == 2);
  BOOST_TEST(!was_signed(kUnfreeze));
  wants(kLift, {to_write(100, 0x28)});
  const Run lifted = run({"freeze", "lift", "--key", key, "--yes"});
  BOOST_TEST(lifted.exit == 0, lifted.err);
  BOOST_TEST(contains(lifted.out, "are not frozen from then on"), lifted.out);
  BOOST_TEST(was_signed(kLift));
}

// A TPM that was away when the agent was frozen is told of it while the operator signs for the other.
BOOST_FIXTURE_TEST_CASE(a_device_that_was_told_meanwhile_is_signed_for_in_a_second_round, Switchboard) {
  state.banks.push_back({"tpm2", 0, 200, true, 0x20});
  const auto asks = [&](const std::vector<api::SwitchSetting>& settings) {
    return http_answer(
        200, kJson, wire::write(api::AgentFreeze{"guard", !settings.empty(), "tpm", settings, state.banks}));
  };
  const std::string first = asks({to_write(100, 8)});
  const std::string both = asks({to_write(100, 8), {"tpm2", 200, 0, Bytes(32, 8)}});
  const std::vector<std::string> command{"agent", "unfreeze", "guard", "--key", key, "--yes"};
  answer_in_turn(kUnfreeze, {first, both, asks({})});
  const Run done = run(command);
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(contains(request(kUnfreeze), R"("tpm2")"));

  answer_in_turn(kUnfreeze, {first, both});  // and so on
  BOOST_TEST(contains(run(command).err, "signature after signature"));

  // One slot in the first round, another in the second.
  for (const api::SwitchSetting& other : {to_write(100, 0x20), to_write(101, 0)}) {
    answer_in_turn(kUnfreeze, {first, asks({other}), asks({})});
    const Run refused = run(command);
    BOOST_TEST(refused.exit == 2, refused.err);
    BOOST_TEST(contains(refused.err, "it was not signed"), refused.err);
  }
}

BOOST_FIXTURE_TEST_CASE(the_operator_sees_what_stays_frozen_and_says_yes, Switchboard) {
  const std::map<std::string, std::string> environment{
      {"CHANCERY_SOCKET", socket()}, {"XDG_CONFIG_HOME", (chancery().folder() / "config").string()}};
  wants(kUnfreeze, {to_write(100, 0x20)});
  const std::vector<std::string> command{"agent", "unfreeze", "guard", "--key", key};
  {
    Terminal terminal(command, environment);
    terminal.expect("Type yes:");
    for (const char* said : {"tpm, bank 0", "slots 3", "slots 5"})
      BOOST_TEST(contains(terminal.shown(), said), terminal.shown());
    terminal.type("no\n");
    BOOST_TEST(terminal.end() == 2, terminal.shown());
    BOOST_TEST(!was_signed(kUnfreeze));
  }
  wants(kUnfreeze, {to_write(100, 0x20)});
  BOOST_TEST(run(command).exit == 2);  // there is nobody to ask
  BOOST_TEST(!was_signed(kUnfreeze));
  wants(kUnfreeze, {to_write(100, 0x20)});
  Terminal terminal(command, environment);
  terminal.expect("Type yes:");
  terminal.type("yes\n");
  BOOST_TEST(terminal.end() == 0, terminal.shown());
  BOOST_TEST(was_signed(kUnfreeze));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
