// The messages around freezing, both ways, and what they refuse.

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/wire/freeze_messages.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::tests {
namespace {

api::SwitchSetting setting() { return {"tpm", 0x01812345, 0x8000'0000'0000'0003, Bytes(32, 7)}; }

constexpr const char* kSetting = R"("backend":"tpm","index":1,"frozen":"0000000000000001","nonce":"AAAA")";

std::string signed_settings(const std::string& members) { return R"({"settings":[{)" + members + "}]}"; }

}  // namespace

BOOST_AUTO_TEST_SUITE(wire_freeze)

BOOST_AUTO_TEST_CASE(each_message_comes_back) {
  const auto reason = wire::read_freeze_reason(wire::write(api::FreezeReason{"odd"}));
  BOOST_REQUIRE(reason);
  BOOST_TEST(reason->reason == "odd");

  const auto settings =
      wire::read_signed_settings(wire::write(api::SignedSettings{{{setting(), Bytes(64, 9)}}}));
  BOOST_REQUIRE(settings);
  BOOST_REQUIRE(settings->settings.size() == 1u);
  BOOST_TEST((settings->settings[0].setting == setting()));
  BOOST_TEST((settings->settings[0].signature == Bytes(64, 9)));

  const auto agent = wire::read_agent_freeze(
      wire::write(api::AgentFreeze{"a", true, "tpm", {setting()}, {{"tpm", 1, 0x01812345, true, 5}}}));
  BOOST_REQUIRE(agent);
  BOOST_TEST(agent->agent == "a");
  BOOST_TEST(agent->is_frozen);
  BOOST_TEST(agent->enforcement == "tpm");
  BOOST_TEST((agent->to_sign == std::vector<api::SwitchSetting>{setting()}));
  BOOST_TEST((agent->banks == std::vector<api::SwitchBank>{{"tpm", 1, 0x01812345, true, 5}}));

  api::FreezeState whole{true, "software", 17,   "leak",      {"a", "b"},
                         3,    4,          true, {setting()}, {{"tpm", 1, 0x01812345, true, 5}}};
  const auto state = wire::read_freeze_state(wire::write(whole));
  BOOST_REQUIRE(state);
  BOOST_TEST(state->is_frozen);
  BOOST_TEST(state->enforcement == "software");
  BOOST_TEST((state->since == 17));
  BOOST_TEST(state->reason == "leak");
  BOOST_TEST((state->agents == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(state->switched_keys == 3u);
  BOOST_TEST(state->other_keys == 4u);
  BOOST_TEST(state->is_armed);
  BOOST_TEST((state->to_sign == whole.to_sign));
  BOOST_TEST((state->banks == whole.banks));
}

BOOST_AUTO_TEST_CASE(an_agents_keys_come_back_with_their_places_and_without) {
  api::Agent whole{.name = "a",
                   .id = "spiffe://example.org/agent/a",
                   .backend = "tpm",
                   .state = "rotating",
                   .reason = "",
                   .jwk = "{}",
                   .jkt = "k1",
                   .selectors = {},
                   .created_at = 1,
                   .retired_at = {}};
  whole.selectors.uid = 7;
  BOOST_TEST(wire::read_agent(wire::write(whole))->kill_switch.empty());
  whole.kill_switch = {{"k1", "tpm", "active", 1, 5}, {"k0", "tpm", "rotating", {}, {}}};
  const auto agent = wire::read_agent(wire::write(whole));
  BOOST_REQUIRE_MESSAGE(agent, (agent ? "" : agent.error().what));
  BOOST_REQUIRE(agent->kill_switch.size() == 2u);
  BOOST_TEST(agent->kill_switch[0].jkt == "k1");
  BOOST_TEST(agent->kill_switch[0].backend == "tpm");
  BOOST_TEST(agent->kill_switch[0].state == "active");
  BOOST_TEST((agent->kill_switch[0].bank == 1));
  BOOST_TEST((agent->kill_switch[0].bit == 5));
  BOOST_TEST(agent->kill_switch[1].jkt == "k0");
  BOOST_TEST(!agent->kill_switch[1].bank.has_value());
  BOOST_TEST(!agent->kill_switch[1].bit.has_value());

  whole.kill_switch = {{"k1", "tpm", "active", 1, {}}};
  BOOST_TEST(!wire::read_agent(wire::write(whole)).has_value());
  whole.kill_switch = {{"k1", "tpm", "active", 15, 5}};
  BOOST_TEST(!wire::read_agent(wire::write(whole)).has_value());
  whole.kill_switch = {{"k1", "tpm", "active", 14, 64}};
  BOOST_TEST(!wire::read_agent(wire::write(whole)).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_said_where_there_is_nothing) {
  BOOST_TEST(wire::write(api::FreezeReason{}) == "{}");
  BOOST_TEST(wire::write(api::SignedSettings{}) == "{}");
  BOOST_TEST(wire::read_signed_settings("{}")->settings.empty());
  const auto agent = wire::read_agent_freeze(wire::write(api::AgentFreeze{"a", false, "software", {}}));
  BOOST_REQUIRE(agent);
  BOOST_TEST(!agent->is_frozen);
  BOOST_TEST(agent->to_sign.empty());
  BOOST_TEST(agent->banks.empty());
}

BOOST_AUTO_TEST_CASE(a_setting_is_whole_or_refused) {
  const std::string signature = R"("signature":")" + std::string(86, 'A') + "\"";
  BOOST_TEST(wire::read_signed_settings(signed_settings(kSetting + ("," + signature))).has_value());
  const std::array<std::string, 6> wrong{
      kSetting,                                                  // without a signature
      std::string(kSetting) + R"(,"signature":"AAAA")",          // too short
      signature,                                                 // of nothing
      std::string(kSetting) + "," + signature + R"(,"more":1)",  // with something else
      R"("backend":"tpm","index":-1,"frozen":"0000000000000001","nonce":"AAAA",)" + signature,
      R"("backend":"tpm","index":1,"frozen":"1","nonce":"AAAA",)" + signature,
  };
  for (const std::string& members : wrong)
    BOOST_TEST(!wire::read_signed_settings(signed_settings(members)).has_value(), members);
  BOOST_TEST(!wire::read_signed_settings(R"({"settings":{}})").has_value());
  BOOST_TEST(!wire::read_freeze_reason(R"({"reason":1})").has_value());
  BOOST_TEST(!wire::read_freeze_reason(R"({"why":"x"})").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
