// A daemon as the verifier of hosts, and of its own devices; every TPM is a process of its own.

#include "daemon/service/attestation.hpp"

#include <filesystem>
#include <functional>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_books.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/token/bound_nonce.hpp"
#include "sdk/verify/attestation_result.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using attest::Check;
using service::CallContext;

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

template <typename T>
Error error_of(const Result<T>& result) {
  BOOST_REQUIRE(!result);
  return result.error();
}

CallContext by_operator(std::chrono::sys_seconds now = kNow) {
  CallContext context;
  context.caller.process = service::Process{};
  context.caller.process->uid = kOperatorUid;
  context.now = now;
  context.deadline = hsm::far_away();
  return context;
}

service::AttestationOptions first_use() {
  service::AttestationOptions options;
  options.endorsers.first_use = true;
  options.policy.id = "test";
  return options;
}

/// Another machine, with a TPM and a key in it.
struct Machine {
  explicit Machine(std::filesystem::path folder = {})
      : swtpm(must(simulators::Swtpm::start({std::move(folder)}))) {
    open();
  }
  Machine(const Machine& copied, const std::filesystem::path& folder)
      : blob(copied.blob), swtpm(must(simulators::Swtpm::start({folder}))) {
    open();
    key = copied.key;
  }

  void open() {
    backend.reset();
    hsm::TpmOptions options = hsm::options_for(swtpm.tcti());
    options.attestation_key = {{}, blob, [this](ByteView kept) -> Status {
                                 blob.assign(kept.begin(), kept.end());
                                 return {};
                               }};
    backend = hsm::open_backend(std::move(options));
  }

  void restart() {
    BOOST_REQUIRE(swtpm.restart());
    open();
  }

  [[nodiscard]] hsm::Attester& attester() const { return *backend->attester(); }

  [[nodiscard]] api::HostIdentity identity() const {
    const hsm::HostIdentity shown = must(attester().identity(hsm::far_away()));
    return {shown.ek_certificate, shown.ek_public, shown.ak_public, shown.srk_public};
  }

  [[nodiscard]] api::Activation answer(const api::AttestationChallenge& challenge) const {
    return must(service::make_activation(attester(), challenge, hsm::far_away()));
  }

  [[nodiscard]] api::KeyEvidence evidence(const api::AttestationChallenge& challenge) const {
    return {must(attester().public_area(key)),
            service::write_statement(must(attester().certify(key, challenge.nonce, hsm::far_away()))),
            {}};
  }

  Bytes blob;
  simulators::Swtpm swtpm;
  std::unique_ptr<hsm::TpmBackend> backend;
  hsm::StoredKey key;
};

struct Verifier : OfficeFixture {
  explicit Verifier(service::AttestationOptions options = first_use())
      : OfficeFixture(Extension{{}, std::move(options)}) {}

  api::AttestationChallenge begin(const Machine& machine, const std::string& name = "build-7") {
    return must(service::enroll_host(office(), by_operator(), {name, machine.identity()}));
  }

  api::AttestedHost enrol(Machine& machine, const std::string& name = "build-7") {
    if (machine.key.blob.empty()) machine.key = hsm::create_key(*machine.backend);
    const api::AttestationChallenge challenge = begin(machine, name);
    must(service::take_evidence(office(), by_operator(), {challenge.id, machine.answer(challenge), {}}));
    return must(service::approve_host(office(), by_operator(), name, {Custody::kTpmCertifiedEmulated}));
  }

  Result<api::Attested> attest(const Machine& machine, const std::string& name = "build-7",
                               std::chrono::sys_seconds now = kNow) {
    const auto challenge = service::ask_challenge(office(), by_operator(now), {name});
    if (!challenge) return challenge.error();
    return service::take_evidence(office(), by_operator(now),
                                  {challenge->id, {}, machine.evidence(*challenge)});
  }

  AttestationResult opened(const std::string& compact) {
    std::vector<VerifyKey> keys;
    for (const PublicKey& key : office().trust.keys(store::kAttestation))
      keys.push_back(must(VerifyKey::from(key)));
    return must(open_attestation_result(compact, keys));
  }

  Result<api::AttestationResults> results(const hsm::StoredKey& key, std::chrono::sys_seconds now = kNow) {
    return service::show_results(office(), by_operator(now), key.public_key.thumbprint().text());
  }

  std::string last_audit() { return must(store().audit_tail(1)).back().json; }
};

// A copy of a TPM's state as it is on the disk now, at a place of its own.
class CopiedState {
 public:
  explicit CopiedState(const Machine& machine) {
    std::string name = (std::filesystem::temp_directory_path() / "clone-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    std::filesystem::copy(machine.swtpm.folder() / "state", folder_ / "state",
                          std::filesystem::copy_options::recursive);
  }
  ~CopiedState() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  CopiedState(const CopiedState&) = delete;
  CopiedState& operator=(const CopiedState&) = delete;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attestation)

BOOST_AUTO_TEST_CASE(a_host_enrols_by_opening_a_credential_and_what_it_says_of_its_keys_is_signed) {
  Verifier verifier;
  Machine machine;
  machine.key = hsm::create_key(*machine.backend);
  const auto challenge = verifier.begin(machine);
  const auto attested = must(service::take_evidence(verifier.office(), by_operator(),
                                                    {challenge.id, machine.answer(challenge), {}}));
  BOOST_TEST(attested.host.state == "waiting");
  BOOST_TEST(attested.host.endorsement == "first-use");
  BOOST_TEST(attested.result.empty());
  BOOST_TEST((error_of(verifier.attest(machine)).code == ErrorCode::kForbidden));

  const auto approved = must(
      service::approve_host(verifier.office(), by_operator(), "build-7", {Custody::kTpmCertifiedEmulated}));
  BOOST_TEST(approved.state == "enrolled");
  BOOST_TEST((error_of(service::approve_host(verifier.office(), by_operator(), "build-7", {})).code ==
              ErrorCode::kConflict));
  const auto about_key = must(verifier.attest(machine));
  const AttestationResult result = verifier.opened(about_key.result);
  BOOST_TEST((result.key == machine.key.public_key.thumbprint()));
  BOOST_TEST((result.custody == Custody::kTpmCertifiedEmulated));
  BOOST_TEST(result.issuer == kIssuerUrl);
  BOOST_TEST(result.policy == "test");
  BOOST_TEST((result.expires_at == kNow + 1h));
  BOOST_TEST(must(verifier.results(machine.key)).results == std::vector{about_key.result},
             boost::test_tools::per_element());
  BOOST_TEST((error_of(verifier.results(machine.key, kNow + 1h)).code == ErrorCode::kNotFound));
}

/// A right answer that is about to become a wrong one.
struct Spoiling {
  api::Activation& answer;
  const api::AttestationChallenge& challenge;
  const Machine& machine;
};

struct WrongAnswer {
  const char* what;
  Check check;
  std::function<void(const Spoiling& it)> spoil;
};
std::ostream& operator<<(std::ostream& out, const WrongAnswer& wrong) { return out << wrong.what; }

api::PcrQuote quote_of(const Machine& machine, std::set<attest::PcrIndex> pcrs, const Bytes& nonce) {
  return service::write_quote(must(
      machine.attester().quote({{*attest::Hash::named("sha256"), std::move(pcrs)}}, nonce, hsm::far_away())));
}

const WrongAnswer kWrongAnswers[] = {
    {"a secret that was not in the credential", Check::kSecret,
     [](const Spoiling& it) { it.answer.secret.back() ^= 1; }},
    {"a quote over another nonce", Check::kNonce,
     [](const Spoiling& it) {
       it.answer.quote = quote_of(it.machine, {0, 1, 2, 3, 4, 5, 6, 7}, Bytes(32, 1));
     }},
    {"a quote of other PCRs", Check::kPcrSelection,
     [](const Spoiling& it) {
       it.answer.quote = quote_of(it.machine, {0, 1}, it.challenge.nonce);
     }},
    {"values that are not all there", Check::kPcrMissing,
     [](const Spoiling& it) { it.answer.quote.values["sha256"].erase(3); }},
    {"values that were not quoted", Check::kPcrDigest,
     [](const Spoiling& it) { it.answer.quote.values["sha256"][0] = Bytes(32, 7); }},
    {"a statement with a bit flipped", Check::kSignature,
     [](const Spoiling& it) { it.answer.quote.statement.attest.back() ^= 1; }},
};

BOOST_DATA_TEST_CASE(a_host_that_answers_wrongly_is_not_enrolled,
                     boost::unit_test::data::make(kWrongAnswers)) {
  Verifier verifier;
  const Machine machine;
  const auto challenge = verifier.begin(machine);
  api::Evidence evidence{challenge.id, machine.answer(challenge), {}};
  sample.spoil({*evidence.activation, challenge, machine});
  const Error error = error_of(service::take_evidence(verifier.office(), by_operator(), evidence));
  BOOST_TEST((error.code == ErrorCode::kEvidenceRefused));
  BOOST_TEST(service::refused_check(error) == attest::check_name(sample.check));
  BOOST_TEST(must(service::list_hosts(verifier.office(), by_operator(), 10, "")).hosts.empty());
  // And the challenge is used up.
  const api::Evidence good{challenge.id, machine.answer(challenge), {}};
  BOOST_TEST((error_of(service::take_evidence(verifier.office(), by_operator(), good)).code ==
              ErrorCode::kNotFound));
}

BOOST_AUTO_TEST_CASE(an_ek_that_nothing_speaks_for_is_refused_unless_first_use_is_allowed) {
  Verifier verifier{service::AttestationOptions{}};
  const Machine machine;
  const Error error =
      error_of(service::enroll_host(verifier.office(), by_operator(), {"build-7", machine.identity()}));
  BOOST_TEST(service::refused_check(error) == attest::check_name(Check::kNoEndorsement));
}

BOOST_AUTO_TEST_CASE(the_names_of_the_daemons_own_devices_are_not_taken) {
  Verifier verifier;
  const Machine machine;
  const Error error =
      error_of(service::enroll_host(verifier.office(), by_operator(), {"local.tpm", machine.identity()}));
  BOOST_TEST((error.code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(an_attestation_key_that_could_sign_anything_is_refused) {
  Verifier verifier;
  const Machine machine;
  api::HostIdentity identity = machine.identity();
  const hsm::StoredKey key = hsm::create_key(*machine.backend);
  identity.ak_public = must(machine.attester().public_area(key));
  const Error error = error_of(service::enroll_host(verifier.office(), by_operator(), {"build-7", identity}));
  BOOST_TEST(service::refused_check(error) == attest::check_name(Check::kAkAttributes));
}

BOOST_AUTO_TEST_CASE(one_ek_enrols_once_and_the_second_try_is_reported) {
  Verifier verifier;
  Machine machine;
  const api::AttestedHost enrolled = verifier.enrol(machine);
  const auto again = verifier.begin(machine, "other");
  const auto second =
      service::take_evidence(verifier.office(), by_operator(), {again.id, machine.answer(again), {}});
  BOOST_TEST((error_of(second).code == ErrorCode::kConflict));
  BOOST_TEST(verifier.last_audit().find("host.duplicate_ek") != std::string::npos);
  const Machine stranger;
  const auto named = service::enroll_host(verifier.office(), by_operator(), {"build-7", stranger.identity()});
  BOOST_TEST((error_of(named).code == ErrorCode::kConflict));
  BOOST_TEST((must(service::show_host(verifier.office(), by_operator(), "build-7")) == enrolled));
}

BOOST_AUTO_TEST_CASE(two_enrolments_of_one_ek_that_race_leave_one_host) {
  Verifier verifier;
  const Machine machine;
  const auto first = verifier.begin(machine, "first");
  const auto second = verifier.begin(machine, "second");
  must(service::take_evidence(verifier.office(), by_operator(), {second.id, machine.answer(second), {}}));
  const auto late =
      service::take_evidence(verifier.office(), by_operator(), {first.id, machine.answer(first), {}});
  BOOST_TEST((error_of(late).code == ErrorCode::kConflict));
  BOOST_TEST(must(service::list_hosts(verifier.office(), by_operator(), 10, "")).hosts.size() == 1U);
}

// A token whose holder is that key, signed by somebody: who signed it is for the verification of its chain.
std::string token_held_by(const hsm::StoredKey& key) {
  const SigningKey signer = must(SigningKey::generate(Algorithm::kES256));
  Claims claims;
  claims.iss = claims.sub = claims.client_id = "https://issuer.example";
  claims.aud = {"https://crm.example"};
  claims.jti = "1";
  claims.iat = 1;
  claims.exp = 2;
  claims.holder = key.public_key.thumbprint();
  claims.del_max_depth = 1;
  claims.authority.scopes = {"crm.read"};
  const UnsignedToken unsigned_token = UnsignedToken::encode(claims, signer.public_key(), false);
  return unsigned_token.with(must(signer.sign(as_bytes(unsigned_token.signing_input()))));
}

// The verifier's nonce alone says that the machine is there; with a token in it, that the key was used for that token.
BOOST_AUTO_TEST_CASE(evidence_can_be_bound_to_the_use_of_a_token) {
  Verifier verifier;
  Machine machine;
  verifier.enrol(machine);
  const hsm::StoredKey other =
      must(machine.backend->create({"other", "k2"}, Algorithm::kES256, hsm::far_away()));
  const auto answer = [&](const std::string& signed_for, const std::string& said) {
    const auto challenge = must(service::ask_challenge(verifier.office(), by_operator(), {"build-7"}));
    auto bound = challenge;
    bound.nonce = bound_nonce(signed_for, challenge.nonce);
    return service::take_evidence(verifier.office(), by_operator(),
                                  {challenge.id, {}, machine.evidence(bound), {}, said});
  };
  const std::string own = token_held_by(machine.key);
  const auto attested = must(answer(own, own));
  BOOST_TEST(attested.host.is_clock_safe);
  BOOST_TEST(verifier.opened(attested.result).reset_count == attested.host.reset_count);
  const std::string others = token_held_by(other);
  BOOST_TEST(service::refused_check(error_of(answer(own, others))) == attest::check_name(Check::kNonce));
  BOOST_TEST(service::refused_check(error_of(answer(own, ""))) == attest::check_name(Check::kNonce));
  BOOST_TEST(service::refused_check(error_of(answer(others, others))) == attest::check_name(Check::kName));
  BOOST_TEST((error_of(answer("no token", "no token")).code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(a_challenge_is_no_other_machines_that_has_the_name_by_now) {
  Verifier verifier;
  Machine machine;
  verifier.enrol(machine);
  for (int resets = 0; resets < 3; ++resets) machine.restart();
  BOOST_TEST(verifier.attest(machine).has_value());
  const auto challenge = must(service::ask_challenge(verifier.office(), by_operator(), {"build-7"}));
  must(service::remove_host(verifier.office(), by_operator(), "build-7"));
  Machine next;
  verifier.enrol(next);
  const auto answered =
      service::take_evidence(verifier.office(), by_operator(), {challenge.id, {}, next.evidence(challenge)});
  BOOST_TEST((error_of(answered).code == ErrorCode::kNotFound));
  BOOST_TEST(must(service::show_host(verifier.office(), by_operator(), "build-7")).state == "enrolled");
}

BOOST_AUTO_TEST_CASE(evidence_of_another_machine_is_refused_and_quarantines_nobody) {
  Verifier verifier;
  Machine machine;
  verifier.enrol(machine);
  Machine stranger;
  stranger.key = hsm::create_key(*stranger.backend);
  const Error error = error_of(verifier.attest(stranger));
  BOOST_TEST(service::refused_check(error) == attest::check_name(Check::kSignature));
  BOOST_TEST(verifier.attest(machine).has_value());
}

BOOST_AUTO_TEST_CASE(an_old_copy_of_a_hosts_state_quarantines_it_and_what_it_proved_counts_no_more) {
  Verifier verifier;
  Machine machine;
  verifier.enrol(machine);
  const CopiedState copy(machine);
  for (int resets = 0; resets < 3; ++resets) machine.restart();
  BOOST_TEST(verifier.attest(machine).has_value());
  BOOST_TEST(verifier.results(machine.key).has_value());

  const Machine clone(machine, copy.folder());
  const Error error = error_of(verifier.attest(clone));
  BOOST_TEST(service::refused_check(error) == attest::check_name(Check::kRollback));
  const auto host = must(service::show_host(verifier.office(), by_operator(), "build-7"));
  BOOST_TEST(host.state == "quarantined");
  BOOST_TEST(!host.reason.empty());
  BOOST_TEST(verifier.last_audit().find("host.quarantine") != std::string::npos);
  BOOST_TEST((error_of(verifier.results(machine.key)).code == ErrorCode::kNotFound));
  BOOST_TEST((error_of(verifier.attest(machine)).code == ErrorCode::kForbidden));
  // Until the operator has looked into it.
  must(service::remove_host(verifier.office(), by_operator(), "build-7"));
  verifier.enrol(machine);
  BOOST_TEST(verifier.attest(machine).has_value());
}

BOOST_AUTO_TEST_CASE(two_machines_that_are_one_tpm_are_found_out_whichever_speaks_first) {
  Verifier verifier;
  Machine machine;
  verifier.enrol(machine);
  const CopiedState copy(machine);
  const Machine clone(machine, copy.folder());
  // The copy was started later, so that its TPM was reset once more: it is the first that is behind then.
  BOOST_TEST(verifier.attest(clone).has_value());
  const Error error = error_of(verifier.attest(machine));
  BOOST_TEST(service::refused_check(error) == attest::check_name(Check::kRollback));
  BOOST_TEST(must(service::show_host(verifier.office(), by_operator(), "build-7")).state == "quarantined");
}

BOOST_AUTO_TEST_CASE(answers_that_overtake_each_other_are_no_rollback) {
  Verifier verifier;
  Machine machine;
  verifier.enrol(machine);
  const auto first = must(service::ask_challenge(verifier.office(), by_operator(), {"build-7"}));
  const auto second = must(service::ask_challenge(verifier.office(), by_operator(), {"build-7"}));
  const api::KeyEvidence early = machine.evidence(first);
  const api::KeyEvidence late = machine.evidence(second);
  BOOST_TEST(service::take_evidence(verifier.office(), by_operator(), {second.id, {}, late}).has_value());
  BOOST_TEST(service::take_evidence(verifier.office(), by_operator(), {first.id, {}, early}).has_value());
}

// --- a daemon's own keys

/// A daemon whose agents live in a TPM.
struct OwnTpm {
  explicit OwnTpm(std::optional<CustodyRequirement> required = {}, attest::Policy policy = {.id = "test"},
                  bool allows_first_use = false)
      : swtpm(hsm::start_swtpm()) {
    service::AttestationOptions options;
    options.endorsers.first_use = allows_first_use;
    options.policy = std::move(policy);
    options.required = required;
    auto backend = hsm::open_backend(hsm::options_for(swtpm.tcti()));
    office.emplace(OfficeFixture::Extension{std::move(backend), std::move(options)});
    const auto made = office->call(
        "POST", "/v1/agents", R"({"name":"support","backend":"tpm","selectors":{"uid":2002}})", kOperatorUid);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    jkt = OfficeFixture::member(made, "jkt");
  }

  rest::Response grant() {
    return office->call("POST", "/v1/grants",
                        R"({"principal":"user:ada","agent":"support","audience":"https://crm.example",)"
                        R"("scopes":["crm.read"],"lifetime_s":600,"depth":1})",
                        kOperatorUid);
  }

  std::vector<std::string> results(std::chrono::sys_seconds now = kNow) {
    return must(service::show_results(office->office(), by_operator(now), jkt)).results;
  }

  simulators::Swtpm swtpm;
  std::optional<OfficeFixture> office;
  std::string jkt;
};

BOOST_AUTO_TEST_CASE(
    a_result_about_an_own_key_is_made_when_it_is_asked_for_and_again_when_half_its_life_is_over) {
  OwnTpm own;
  const auto first = own.results();
  BOOST_REQUIRE(first.size() == 1U);
  BOOST_TEST(own.results(kNow + 29min) == first, boost::test_tools::per_element());
  const auto later = own.results(kNow + 31min);
  BOOST_REQUIRE(later.size() == 1U);
  BOOST_TEST(later.front() != first.front());
  const auto host = must(service::show_host(own.office->office(), by_operator(), "local.tpm"));
  BOOST_TEST(host.state == "enrolled");
  BOOST_TEST(host.backend == "tpm");
  BOOST_TEST(host.custody == "tpm-certified-emulated");
}

BOOST_AUTO_TEST_CASE(a_device_whose_attestation_key_is_lost_has_another_once_its_host_is_removed) {
  OwnTpm own;
  own.results();
  auto& hosts = own.office->office().attestation.hosts;
  const auto before = must(hosts.host("local.tpm"));
  must(service::remove_host(own.office->office(), by_operator(), "local.tpm"));
  own.results(kNow + 31min);
  BOOST_TEST((must(hosts.host("local.tpm")).ak_public != before.ak_public));
}

// Whoever enrols it from outside does not make hardware of it.
BOOST_AUTO_TEST_CASE(a_simulator_of_the_daemons_own_stays_one_under_whatever_name) {
  OwnTpm own({}, {.id = "test"}, true);
  service::Office& office = own.office->office();
  const auto identity = must(service::show_identity(office, by_operator(), "tpm"));
  const auto challenge = must(service::enroll_host(office, by_operator(), {"outside", identity}));
  const auto answer = must(service::activate_credential(office, by_operator(), "tpm", challenge));
  must(service::take_evidence(office, by_operator(), {challenge.id, answer, {}}));
  must(service::approve_host(office, by_operator(), "outside", {Custody::kTpmCertified}));
  const auto results = service::show_results(office, by_operator(), own.jkt);
  BOOST_TEST((error_of(results).code == ErrorCode::kForbidden));
  must(service::remove_host(office, by_operator(), "outside"));
  BOOST_TEST(own.results().size() == 1U);
}

// What the operator has to do is said to everybody who asks, and the device is left alone meanwhile.
BOOST_AUTO_TEST_CASE(a_refusal_is_repeated_for_a_while_and_asks_no_device) {
  const attest::Hash sha256 = *attest::Hash::named("sha256");
  OwnTpm own({}, {.id = "strict", .pcrs = {{sha256, {{7, {Bytes(32, 0xab)}}}}}});
  const auto ask = [&](std::chrono::sys_seconds now) {
    return service::refused_check(
        error_of(service::show_results(own.office->office(), by_operator(now), own.jkt)));
  };
  BOOST_TEST(ask(kNow) == attest::check_name(Check::kPcrPolicy));
  own.swtpm.stop();
  BOOST_TEST(ask(kNow + 29s) == attest::check_name(Check::kPcrPolicy));
  BOOST_TEST(ask(kNow + 30s).empty());
}

BOOST_AUTO_TEST_CASE(a_device_that_can_prove_nothing_says_so) {
  OfficeFixture office;
  office.create_agent("support", kSupportUid);
  const auto agent = must(office.store().agent_by_name("support"));
  const auto results =
      service::show_results(office.office(), by_operator(), agent.key.stored.public_key.thumbprint().text());
  BOOST_TEST((error_of(results).code == ErrorCode::kNoAttester));
}

struct Requirement {
  CustodyRequirement required;
  int status;
};
std::ostream& operator<<(std::ostream& out, const Requirement& row) {
  return out << requirement_name(row.required);
}
const Requirement kRequirements[] = {
    {CustodyRequirement::kTpmCertifiedEmulated, 201},
    {CustodyRequirement::kHardware, 403},
    {CustodyRequirement::kTpmQuoted, 403},
};

BOOST_DATA_TEST_CASE(authority_is_granted_only_to_keys_that_prove_what_is_required,
                     boost::unit_test::data::make(kRequirements)) {
  OwnTpm own(sample.required);
  const auto granted = own.grant();
  BOOST_TEST(granted.status == sample.status, granted.body);
  if (sample.status != 201) BOOST_TEST(OfficeFixture::member(granted, "code") == "custody_unproven");
}

BOOST_AUTO_TEST_CASE(a_host_out_of_policy_gets_no_new_authority) {
  const attest::Hash sha256 = *attest::Hash::named("sha256");
  // After a start without firmware, this PCR is zero: the policy wants something else there.
  OwnTpm own(CustodyRequirement::kTpmCertifiedEmulated,
             {.id = "strict", .pcrs = {{sha256, {{7, {Bytes(32, 0xab)}}}}}});
  const auto granted = own.grant();
  BOOST_TEST(granted.status == 403);
  BOOST_TEST(OfficeFixture::member(granted, "code") == "custody_unproven");
  BOOST_TEST(OfficeFixture::member(granted, "detail").find("PCR") != std::string::npos);
  OwnTpm good(CustodyRequirement::kTpmCertifiedEmulated,
              {.id = "as it is", .pcrs = {{sha256, {{7, {Bytes(32, 0)}}}}}});
  BOOST_TEST(good.grant().status == 201);
}

BOOST_AUTO_TEST_CASE(an_agent_has_its_own_key_certified_and_no_other) {
  OwnTpm own;
  const std::string body = R"({"nonce":"AAECAwQFBgcICQoLDA0ODw"})";
  const auto ask = [&](std::uint32_t uid) {
    return own.office->call("POST", "/v1/keys/" + own.jkt + "/certify", body, uid);
  };
  BOOST_TEST(ask(kSupportUid).status == 200);
  BOOST_TEST(ask(kOperatorUid).status == 200);
  BOOST_TEST(ask(kLookupUid).status == 403);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
