// What `facts` says of a TPM: judged from made-up conditions, and asked of a real one (swtpm).

#include "hsm/tpm/condition.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include <boost/test/data/test_case.hpp>

#include "tests/unit/hsm/fact_named.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::hsm {
namespace {

using enum Fact::Severity;
using Severity = Fact::Severity;

TpmCondition healthy() {
  TpmCondition condition;
  condition.identity = {"STM", "00010002.00030004", false};
  condition.max_tries = 32;
  condition.recovery_seconds = 7200;
  condition.free_objects = 3;
  condition.free_loaded_sessions = 2;
  condition.free_active_sessions = 63;
  condition.has_rsa_2048 = true;
  condition.clock_ms = 5000;
  condition.is_clock_safe = true;
  return condition;
}

struct Case {
  const char* fact;
  const char* value;  ///< a part of it
  Severity severity;
  void (*change)(TpmCondition&);
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.fact << ": " << c.value; }

const std::vector<Case> kCases{
    {"vendor", "STM, firmware 00010002.00030004", kOk, [](TpmCondition&) {}},
    {"vendor", "a simulator", kWarn, [](TpmCondition& c) { c.identity.emulated = true; }},
    {"lockout", "0 of 32", kOk, [](TpmCondition&) {}},
    {"lockout", "1 of 32", kWarn, [](TpmCondition& c) { c.failed_tries = 1; }},
    {"lockout", "forgotten every 7200 s", kOk, [](TpmCondition&) {}},
    {"lockout", "locked", kBad,
     [](TpmCondition& c) {
       c.failed_tries = 32;
       c.is_locked_out = true;
     }},
    {"object slots", "3 free", kOk, [](TpmCondition&) {}},
    {"object slots", "2 free", kOk, [](TpmCondition& c) { c.free_objects = 2; }},
    {"object slots", "1 free", kWarn, [](TpmCondition& c) { c.free_objects = 1; }},
    {"object slots", "0 free", kBad, [](TpmCondition& c) { c.free_objects = 0; }},
    {"session slots", "2 loadable, 63 active", kOk, [](TpmCondition&) {}},
    {"session slots", "4 active", kOk, [](TpmCondition& c) { c.free_active_sessions = 4; }},
    {"session slots", "3 active", kWarn, [](TpmCondition& c) { c.free_active_sessions = 3; }},
    {"session slots", "0 active", kBad, [](TpmCondition& c) { c.free_active_sessions = 0; }},
    {"session slots", "0 loadable", kBad, [](TpmCondition& c) { c.free_loaded_sessions = 0; }},
    {"EK certificates", "RSA 2048", kOk, [](TpmCondition&) {}},
    {"EK certificates", "RSA 2048, ECC P-256, ECC P-384", kOk,
     [](TpmCondition& c) { c.has_ecc_p256 = c.has_ecc_p384 = true; }},
    {"EK certificates", "none", kWarn, [](TpmCondition& c) { c.has_rsa_2048 = false; }},
    {"TPM clock", "5 s with power, 0 resets, 0 restarts, safe", kOk, [](TpmCondition&) {}},
    {"TPM clock", "not safe", kWarn, [](TpmCondition& c) { c.is_clock_safe = false; }},
};

constexpr TPM2_ALG_ID kHash = TPM2_ALG_SHA256;

// An object that dictionary-attack protection is for: sealed data whose auth value is not what is presented.
ESYS_TR protected_object(ESYS_CONTEXT* esys) {
  TPM2B_PUBLIC wanted{};
  wanted.publicArea.type = TPM2_ALG_ECC;
  wanted.publicArea.nameAlg = kHash;
  wanted.publicArea.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT |
                                       TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                       TPMA_OBJECT_SENSITIVEDATAORIGIN;
  TPMS_ECC_PARMS& ecc = wanted.publicArea.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = TPM2_ECC_NIST_P256;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth.size = 4;
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  ESYS_TR object = ESYS_TR_NONE;
  BOOST_REQUIRE(Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &sensitive, &wanted, &outside, &pcrs, &object, nullptr, nullptr, nullptr,
                                   nullptr) == TSS2_RC_SUCCESS);
  return object;
}

TSS2_RC sign_with_wrong_auth(ESYS_CONTEXT* esys, ESYS_TR object) {
  TPM2B_AUTH wrong{};
  wrong.size = 4;
  wrong.buffer[0] = 1;
  TPM2B_DIGEST digest{};
  digest.size = 32;
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {kHash}}};
  const TPMT_TK_HASHCHECK ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
  TPMT_SIGNATURE* signature = nullptr;
  BOOST_REQUIRE(Esys_TR_SetAuth(esys, object, &wrong) == TSS2_RC_SUCCESS);
  const TSS2_RC rc = Esys_Sign(esys, object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
                               &ticket, &signature);
  Esys_Free(signature);
  return rc;
}

/// Presents wrong authorizations, as another program would, until `tries` have counted.
void fail_authorizations(TpmBackend& backend, int tries, std::uint32_t most) {
  BOOST_REQUIRE(backend.device().run("other", far_away(), [=](OpenTpm& tpm) -> Status {
    tpm.keys.make_room();
    ESYS_CONTEXT* const esys = tpm.connection->esys();
    BOOST_REQUIRE(Esys_DictionaryAttackParameters(esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                                  ESYS_TR_NONE, most, 1000, 1000) == TSS2_RC_SUCCESS);
    const ESYS_TR object = protected_object(esys);
    for (int i = 0; i < tries; ++i) BOOST_TEST(sign_with_wrong_auth(esys, object) != TSS2_RC_SUCCESS);
    BOOST_REQUIRE(Esys_FlushContext(esys, object) == TSS2_RC_SUCCESS);
    return {};
  }));
}

std::vector<Fact> facts_of(TpmBackend& backend) {
  auto facts = backend.facts(far_away());
  BOOST_REQUIRE_MESSAGE(facts, (facts ? "" : facts.error().what));
  return *std::move(facts);
}

}  // namespace

BOOST_DATA_TEST_CASE(a_condition_is_judged, boost::unit_test::data::make(kCases), c) {
  TpmCondition condition = healthy();
  c.change(condition);
  const Fact fact = fact_named(judge(condition), c.fact);
  BOOST_TEST(fact.value.find(c.value) != std::string::npos, fact.value);
  BOOST_TEST((fact.severity == c.severity), fact.value);
  BOOST_TEST(std::string_view(fact.advice).empty() == (c.severity == kOk));
}

BOOST_AUTO_TEST_CASE(a_tpm_of_a_vendor_tells_its_certificates_and_its_room) {
  auto tpm = simulators::Swtpm::start({.folder = {}, .certificates = true});
  BOOST_REQUIRE_MESSAGE(tpm, (tpm ? "" : tpm.error().what));
  const auto backend = open_backend(options_for(tpm->tcti()));
  create_key(*backend);
  const std::vector<Fact> facts = facts_of(*backend);
  BOOST_TEST(facts.size() == 6u);
  BOOST_TEST(fact_named(facts, "EK certificates").value == "RSA 2048, ECC P-384");
  BOOST_TEST(fact_named(facts, "object slots").value == "3 free");
  BOOST_TEST(fact_named(facts, "session slots").value == "2 loadable, 63 active free");
  BOOST_TEST((fact_named(facts, "lockout").severity == kOk), fact_named(facts, "lockout").value);
  BOOST_TEST((fact_named(facts, "vendor").severity == kWarn));
}

BOOST_AUTO_TEST_CASE(a_tpm_without_certificates_says_so) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_TEST(fact_named(facts_of(*backend), "EK certificates").value == "none");
}

BOOST_AUTO_TEST_CASE(a_lockout_is_told_and_leaves_our_keys_alone) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const StoredKey key = create_key(*backend);
  fail_authorizations(*backend, 2, 3);
  const Fact before = fact_named(facts_of(*backend), "lockout");
  BOOST_TEST(before.value.starts_with("2 of 3 failed"), before.value);
  BOOST_TEST((before.severity == kWarn));
  fail_authorizations(*backend, 1, 3);
  const Fact locked = fact_named(facts_of(*backend), "lockout");
  BOOST_TEST(locked.value.ends_with(": locked"), locked.value);
  BOOST_TEST((locked.severity == kBad));
  BOOST_TEST((sign_error(*backend, key) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(a_tpm_that_lost_power_has_a_clock_that_is_not_safe) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  tpm.kill();
  BOOST_REQUIRE(tpm.restart());
  eventually([&] { return !check_error(*backend); });
  const Fact clock = fact_named(facts_of(*backend), "TPM clock");
  BOOST_TEST((clock.severity == kWarn), clock.value);
}

BOOST_AUTO_TEST_CASE(a_tpm_that_is_away_has_no_facts) {
  simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  BOOST_TEST(backend->load().is_up);
  tpm.kill();
  const auto facts = backend->facts(far_away());
  BOOST_REQUIRE(!facts);
  BOOST_TEST((facts.error().code == ErrorCode::kDeviceUnavailable));
  BOOST_TEST(!backend->load().is_up);
  BOOST_REQUIRE(tpm.restart());
  eventually([&] { return backend->load().is_up; });
}

}  // namespace chancery::hsm
