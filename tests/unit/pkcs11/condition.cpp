// What `facts` says of a token: judged from made-up conditions, and asked of SoftHSM.

#include "hsm/pkcs11/condition.hpp"

#include <algorithm>
#include <string>

#include <boost/test/data/test_case.hpp>

#include "tests/unit/hsm/fact_named.hpp"
#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::hsm {
namespace {

using enum Fact::Severity;

constexpr CK_FLAGS kGood = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED;

TokenCondition healthy() { return {kGood, 2, 8, {CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_SHA256}}; }

struct Case {
  const char* fact;
  const char* value;  ///< a part of it
  Fact::Severity severity;
  void (*change)(TokenCondition&);
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.fact << ": " << c.value; }

const std::vector<Case> kCases{
    {"token", "initialized, login required", kOk, [](TokenCondition&) {}},
    {"token", "not initialized", kBad, [](TokenCondition& c) { c.flags &= ~CKF_TOKEN_INITIALIZED; }},
    {"token", "error state", kBad, [](TokenCondition& c) { c.flags |= 0x01000000; }},
    {"token", "write-protected", kBad, [](TokenCondition& c) { c.flags |= CKF_WRITE_PROTECTED; }},
    {"token", "no login", kWarn, [](TokenCondition& c) { c.flags &= ~CKF_LOGIN_REQUIRED; }},
    {"PIN", "all tries left", kOk, [](TokenCondition&) {}},
    {"PIN", "not set", kBad, [](TokenCondition& c) { c.flags &= ~CKF_USER_PIN_INITIALIZED; }},
    {"PIN", "wrong one", kWarn, [](TokenCondition& c) { c.flags |= CKF_USER_PIN_COUNT_LOW; }},
    {"PIN", "one try left", kBad,
     [](TokenCondition& c) { c.flags |= CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY; }},
    {"PIN", "locked", kBad,
     [](TokenCondition& c) { c.flags |= CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED; }},
    {"PIN", "to be changed", kWarn, [](TokenCondition& c) { c.flags |= CKF_USER_PIN_TO_BE_CHANGED; }},
    {"sessions", "2 of 8", kOk, [](TokenCondition&) {}},
    {"sessions", "8 of 8", kWarn, [](TokenCondition& c) { c.sessions = 8; }},
    {"sessions", "does not say", kOk, [](TokenCondition& c) { c.sessions = CK_UNAVAILABLE_INFORMATION; }},
    {"sessions", "does not say", kOk, [](TokenCondition& c) { c.max_sessions = CK_EFFECTIVELY_INFINITE; }},
    {"mechanisms", "EC_KEY_PAIR_GEN, ECDSA", kOk, [](TokenCondition&) {}},
    {"mechanisms", "ECDSA", kBad, [](TokenCondition& c) { c.mechanisms = {CKM_ECDSA}; }},
    {"mechanisms", "none", kBad, [](TokenCondition& c) { c.mechanisms.clear(); }},
};

std::vector<Fact> facts_of(KeyBackend& backend) { return required(backend.facts(far_away())); }

}  // namespace

BOOST_DATA_TEST_CASE(a_tokens_condition_is_judged, boost::unit_test::data::make(kCases), c) {
  TokenCondition condition = healthy();
  c.change(condition);
  const Fact fact = fact_named(judge(condition, {}), c.fact);
  BOOST_TEST(fact.value.find(c.value) != std::string::npos, fact.value);
  BOOST_TEST((fact.severity == c.severity), fact.value);
  BOOST_TEST(std::string_view(fact.advice).empty() == (c.severity == kOk));
}

BOOST_FIXTURE_TEST_CASE(a_token_tells_its_state, SimulatedToken) {
  const auto backend = open();
  const std::vector<Fact> facts = facts_of(*backend);
  BOOST_TEST(facts.size() == 5u);
  BOOST_TEST(fact_named(facts, "vendor").value.find("SoftHSM") != std::string::npos);
  BOOST_TEST((fact_named(facts, "vendor").severity == kWarn));
  for (const char* name : {"token", "PIN", "mechanisms"}) {
    BOOST_TEST((fact_named(facts, name).severity == kOk), name << ": " << fact_named(facts, name).value);
  }
}

// SoftHSM never locks a PIN by itself.
BOOST_FIXTURE_TEST_CASE(a_token_that_locked_the_pin_tells_its_state_all_the_same, SimulatedToken) {
  faults.plan().token_flags = CKF_USER_PIN_LOCKED;
  const auto backend = open();
  BOOST_TEST(!backend->check(far_away()));
  BOOST_TEST(!backend->load().is_up);
  const std::vector<Fact> facts = facts_of(*backend);
  BOOST_TEST(fact_named(facts, "PIN").value == "locked");
  BOOST_TEST((fact_named(facts, "PIN").severity == kBad));
  BOOST_TEST(faults.calls(simulators::Pkcs11Call::kLogin) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_token_that_is_away_has_no_facts, SimulatedToken) {
  const auto backend = open();
  BOOST_TEST(backend->load().is_up);
  faults.remove_token();
  const auto facts = backend->facts(far_away());
  BOOST_REQUIRE(!facts);
  BOOST_TEST((facts.error().code == ErrorCode::kDeviceUnavailable));
}

}  // namespace chancery::hsm
