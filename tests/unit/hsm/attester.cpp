// A TPM's word about its keys, taken by the verifier that judges it: nothing here knows both sides' secrets.

#include "hsm/tpm/attester.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "attest/evidence/tpm_codec.hpp"
#include "attest/verify/credential.hpp"
#include "attest/verify/endorsement.hpp"
#include "attest/verify/gated_evidence.hpp"
#include "attest/verify/key_evidence.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/hsm/gate_fixture.hpp"

namespace chancery::hsm {
namespace {

using attest::Check;
using attest::EnrolledHost;
using attest::Hash;
using attest::PublicArea;

const Hash kSha256 = Hash::of(TPM2_ALG_SHA256).value();
const Bytes kNonce(32, 0x17);

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

PublicArea area(const Bytes& octets) { return PublicArea::parse(octets, PublicArea::Form::kBare).value(); }

/// A host with a TPM of its own, and what a verifier that enrolled it knows.
struct Host {
  explicit Host(std::optional<EkKind> ek = {}, simulators::SwtpmOptions made = {})
      : swtpm(must(simulators::Swtpm::start(made))) {
    open(ek);
  }

  void open(std::optional<EkKind> ek = {}) {
    backend.reset();
    TpmOptions options = options_for(swtpm.tcti());
    options.attestation_key = {ek, blob, [this](ByteView kept) -> Status {
                                 blob.assign(kept.begin(), kept.end());
                                 return {};
                               }};
    backend = open_backend(std::move(options));
  }

  [[nodiscard]] Attester& attester() const { return *backend->attester(); }

  [[nodiscard]] EnrolledHost enrolled() const {
    const HostIdentity identity = must(attester().identity(far_away()));
    return {area(identity.ek_public),
            area(identity.ak_public),
            area(identity.srk_public),
            Custody::kTpmCertifiedEmulated,
            {},
            {}};
  }

  [[nodiscard]] attest::KeyEvidence evidence(const StoredKey& key, ByteView nonce) const {
    const SignedAttest certified = must(attester().certify(key, nonce, far_away()));
    return {must(attester().public_area(key)), {certified.attest, certified.signature}, {}, std::nullopt};
  }

  simulators::Swtpm swtpm;
  Bytes blob;
  std::unique_ptr<TpmBackend> backend;
};

// What the verifier sends and gets back, for the EK and AK that the host shows.
Result<SecretBytes> activated(const Host& host, const Bytes& secret) {
  const HostIdentity identity = must(host.attester().identity(far_away()));
  const auto credential =
      must(attest::make_credential(area(identity.ek_public), area(identity.ak_public).name(), secret));
  return host.attester().activate(credential.id_object, credential.encrypted_secret, far_away());
}

std::vector<attest::Certificate> roots_of(const simulators::Swtpm& swtpm) {
  const auto folder = swtpm.certificates().parent_path();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename() != "issuercert.pem") continue;
    std::ifstream in(entry.path());
    return must(attest::read_certificates(std::string(std::istreambuf_iterator<char>(in), {})));
  }
  return {};
}

/// What a verifier has before it when it judges a key.
struct Judgement {
  attest::KeyEvidence evidence;
  EnrolledHost host;
  attest::Policy policy;
  Bytes nonce;

  [[nodiscard]] attest::Judged<attest::AttestedKey> judged() const {
    return attest::verify_evidence(evidence, host, policy, nonce);
  }
};

// A crypto agile log of one event, which goes into PCR 7.
const Bytes kForeignLog = hex_decode(
                              "0000000003000000"
                              "0000000000000000000000000000000000000000"
                              "21000000"
                              "53706563204944204576656e74303300"
                              "0000000000020002"
                              "01000000"
                              "0b002000"
                              "00"
                              "0700000001000080"
                              "01000000"
                              "0b00"
                              "abababababababababababababababababababababababababababababababab"
                              "00000000")
                              .value();

struct Fault {
  const char* name;
  Check check;
  void (*spoil)(Judgement& judgement, const EnrolledHost& other);
};
std::ostream& operator<<(std::ostream& out, const Fault& row) { return out << row.name; }

constexpr std::array kFaults{
    Fault{"the AK of another host", Check::kSignature,
          [](Judgement& judgement, const EnrolledHost& other) { judgement.host.ak = other.ak; }},
    Fault{"the EK of another host", Check::kAkName,
          [](Judgement& judgement, const EnrolledHost& other) { judgement.host.ek = other.ek; }},
    Fault{"a key below another parent", Check::kKeyParent,
          [](Judgement& judgement, const EnrolledHost& other) { judgement.host.srk = other.srk; }},
    Fault{"an AK that is not restricted", Check::kAkAttributes,
          [](Judgement& judgement, const EnrolledHost&) { judgement.host.ak = judgement.host.srk; }},
    Fault{"the nonce of another challenge", Check::kNonce,
          [](Judgement& judgement, const EnrolledHost&) { judgement.nonce = Bytes(32, 0x18); }},
    Fault{"a quote in place of the certification", Check::kType,
          [](Judgement& judgement, const EnrolledHost&) {
            judgement.evidence.certification = judgement.evidence.quote->statement;
          }},
    Fault{"a certification in place of the quote", Check::kType,
          [](Judgement& judgement, const EnrolledHost&) {
            judgement.evidence.quote->statement = judgement.evidence.certification;
          }},
    Fault{"an octet behind the statement", Check::kSignature,
          [](Judgement& judgement, const EnrolledHost&) {
            judgement.evidence.certification.attest.push_back(0);
          }},
    Fault{"an octet behind the signature", Check::kMalformed,
          [](Judgement& judgement, const EnrolledHost&) {
            judgement.evidence.certification.signature.push_back(0);
          }},
    Fault{"an octet behind the key", Check::kMalformed,
          [](Judgement& judgement, const EnrolledHost&) { judgement.evidence.key_public.push_back(0); }},
    Fault{"a key that says other attributes", Check::kName,
          [](Judgement& judgement, const EnrolledHost&) { judgement.evidence.key_public[7] ^= 0x02; }},
    Fault{"a state that was seen later already", Check::kRollback,
          [](Judgement& judgement, const EnrolledHost&) { judgement.host.last_seen.reset_count += 1000; }},
    Fault{"other PCRs than were quoted", Check::kPcrSelection,
          [](Judgement& judgement, const EnrolledHost&) { judgement.policy.pcrs[kSha256][0] = {Bytes(32)}; }},
    Fault{"a log that leads elsewhere", Check::kLogReplay,
          [](Judgement& judgement, const EnrolledHost&) { judgement.evidence.quote->log = kForeignLog; }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tpm_attester)

BOOST_AUTO_TEST_CASE(a_credential_is_opened_by_eks_of_every_kind) {
  const Bytes secret(32, 0x42);
  for (const EkKind kind : {EkKind::kEccP256, EkKind::kEccP384, EkKind::kRsa2048}) {
    const Host host(kind);
    const SecretBytes opened = must(activated(host, secret));
    BOOST_TEST(equal_constant_time(opened.view(), secret), static_cast<int>(kind));
  }
}

BOOST_AUTO_TEST_CASE(a_credential_for_another_tpm_or_key_is_not_opened) {
  const Host host;
  const Host other;
  const HostIdentity mine = must(host.attester().identity(far_away()));
  const HostIdentity others = must(other.attester().identity(far_away()));
  const std::array wrong{
      must(attest::make_credential(area(others.ek_public), area(mine.ak_public).name(), kNonce)),
      must(attest::make_credential(area(mine.ek_public), area(others.ak_public).name(), kNonce))};
  for (const attest::Credential& credential : wrong) {
    const auto opened =
        host.attester().activate(credential.id_object, credential.encrypted_secret, far_away());
    BOOST_REQUIRE(!opened);
    BOOST_TEST((opened.error().code == ErrorCode::kForbidden));
  }
  BOOST_TEST((host.attester().activate(kNonce, kNonce, far_away()).error().code == ErrorCode::kMalformed));
  BOOST_TEST(activated(host, kNonce).has_value());  // and is well after all that
}

BOOST_AUTO_TEST_CASE(a_key_is_certified_for_a_verifier_that_knows_the_host) {
  const Host host;
  const StoredKey key = create_key(*host.backend);
  const auto attested =
      attest::verify_evidence(host.evidence(key, kNonce), host.enrolled(), attest::Policy{"test"}, kNonce);
  BOOST_REQUIRE_MESSAGE(attested, (attested ? "" : attested.error().what));
  BOOST_TEST((attested->key == key.public_key.thumbprint()));
  BOOST_TEST((attested->custody == Custody::kTpmCertifiedEmulated));
  BOOST_TEST(attested->state.firmware != 0u);
  BOOST_TEST(!sign_error(*host.backend, key).has_value());
}

// What an approver's tool sees when a gate's key is enrolled.
BOOST_AUTO_TEST_CASE(a_gated_key_is_certified_by_how_it_was_made) {
  const Host host;
  const Host other;
  const Gate gate(3, 2);
  const StoredKey key = gate.create(*host.backend);
  GatedKeys& gated = *host.backend->gated_keys();
  const CreationStatement made = must(gated.certify(key, kNonce, far_away()));
  const Sha256Digest digest = must(attest::gate_policy_digest(gate.policy));
  const attest::KeyEvidence evidence{must(gated.public_area(key)),
                                     {made.statement.attest, made.statement.signature},
                                     {digest.begin(), digest.end()},
                                     std::nullopt,
                                     made.creation_data};
  const auto outcome = [](const attest::KeyEvidence& shown, const EnrolledHost& enrolled) {
    const auto judged = attest::verify_evidence(shown, enrolled, attest::Policy{"test"}, kNonce);
    return judged ? judged->key.text() : std::string(attest::check_name(judged.error().check));
  };
  BOOST_TEST(outcome(evidence, host.enrolled()) == key.public_key.thumbprint().text());
  BOOST_TEST(outcome(evidence, other.enrolled()) == "signature");
  attest::KeyEvidence wrong = evidence;
  wrong.creation_data.clear();
  BOOST_TEST(outcome(wrong, host.enrolled()) == "type");
  wrong = evidence;
  wrong.creation_data.back() ^= 1;
  BOOST_TEST(outcome(wrong, host.enrolled()) == "creation_hash");
  wrong = evidence;
  wrong.policy_digest.clear();
  BOOST_TEST(outcome(wrong, host.enrolled()) == "key_policy");
  EnrolledHost elsewhere = host.enrolled();
  elsewhere.srk = other.enrolled().srk;
  BOOST_TEST(outcome(evidence, elsewhere) == "key_parent");
  BOOST_TEST((gated.certify(key, Bytes(65), far_away()).error().code == ErrorCode::kInvalidArgument));
}

// The policy is the approver's own: what the evidence says of it is not looked at.
BOOST_AUTO_TEST_CASE(a_gated_key_is_believed_behind_the_policy_that_the_approver_computes) {
  const Host host;
  const Gate gate(3, 2);
  const StoredKey key = gate.create(*host.backend);
  GatedKeys& gated = *host.backend->gated_keys();
  const CreationStatement made = must(gated.certify(key, kNonce, far_away()));
  const attest::KeyEvidence evidence{must(gated.public_area(key)),
                                     {made.statement.attest, made.statement.signature},
                                     Bytes(32, 0x01),
                                     std::nullopt,
                                     made.creation_data};
  const auto outcome = [&](const attest::KeyEvidence& shown, const attest::GatePolicy& policy,
                           const Bytes& nonce = kNonce) {
    const auto judged = attest::verify_gated_evidence(shown, host.enrolled(), policy, nonce);
    return judged ? judged->key.key.thumbprint().text()
                  : std::string(attest::check_name(judged.error().check));
  };
  BOOST_TEST(outcome(evidence, gate.policy) == key.public_key.thumbprint().text());
  BOOST_TEST(outcome(evidence, gate.policy, Bytes(32, 0x18)) == "nonce");
  for (const attest::GatePolicy& other :
       {attest::GatePolicy{gate.policy.approvers, 1, gate.policy.gate},
        attest::GatePolicy{gate.policy.approvers, 2, "payouts"}, Gate(3, 2).policy})
    BOOST_TEST(outcome(evidence, other) == "key_policy");

  // A key in software, in the clothes of a gated one: what the TPM says is about another.
  const SigningKey software = must(SigningKey::generate(Algorithm::kES256));
  attest::KeyEvidence dressed = evidence;
  dressed.key_public =
      attest::write_public(
          attest::with_point(attest::gated_key_area(must(attest::gate_policy_digest(gate.policy))),
                             software.public_key()))
          .value();
  BOOST_TEST(outcome(dressed, gate.policy) == "name");

  // An agent's key of the same TPM is well certified, and opens without anybody.
  const StoredKey agents = create_key(*host.backend);
  BOOST_TEST(outcome(host.evidence(agents, kNonce), gate.policy) == "key_attributes");
}

BOOST_AUTO_TEST_CASE(the_word_of_another_tpm_is_not_taken) {
  const Host host;
  const Host other;
  const StoredKey key = create_key(*other.backend);
  const auto refused =
      attest::verify_evidence(other.evidence(key, kNonce), host.enrolled(), attest::Policy{"test"}, kNonce);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().check == Check::kSignature));
}

BOOST_AUTO_TEST_CASE(a_quote_meets_the_policy_of_what_the_pcrs_are_and_no_other) {
  const Host host;
  const StoredKey key = create_key(*host.backend);
  attest::KeyEvidence evidence = host.evidence(key, kNonce);
  const attest::PcrSelection selection{{kSha256, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 23}}};
  const PcrQuote quote = must(host.attester().quote(selection, kNonce, far_away()));
  evidence.quote = {{quote.statement.attest, quote.statement.signature}, quote.values, std::nullopt};
  attest::Policy policy{"test"};
  for (const auto& [index, value] : quote.values.at(kSha256)) policy.pcrs[kSha256][index] = {value};
  BOOST_TEST(policy.pcrs.at(kSha256).size() == 13u);
  BOOST_TEST(attest::verify_evidence(evidence, host.enrolled(), policy, kNonce).has_value());
  policy.pcrs[kSha256][7] = {Bytes(32, 0xEE)};
  const auto refused = attest::verify_evidence(evidence, host.enrolled(), policy, kNonce);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().check == Check::kPcrPolicy));
}

BOOST_AUTO_TEST_CASE(the_attestation_key_is_the_same_after_a_restart_and_lost_with_a_clear) {
  Host host;
  const Bytes name = host.enrolled().ak.name();
  const StoredKey key = create_key(*host.backend);
  BOOST_REQUIRE(host.swtpm.restart());
  host.open();
  BOOST_TEST((host.enrolled().ak.name() == name));
  BOOST_TEST(
      attest::verify_evidence(host.evidence(key, kNonce), host.enrolled(), attest::Policy{"test"}, kNonce)
          .has_value());
  host.swtpm.replace_state();
  BOOST_REQUIRE(host.swtpm.restart());
  host.open();
  const auto identity = host.attester().certify(key, kNonce, far_away());
  BOOST_REQUIRE(!identity);
  BOOST_TEST((identity.error().code == ErrorCode::kKeyLost));
}

BOOST_AUTO_TEST_CASE(the_manufacturers_certificate_is_for_this_ek_and_leads_to_its_root) {
  const Host host({}, {.folder = {}, .certificates = true});
  const HostIdentity identity = must(host.attester().identity(far_away()));
  const PublicArea ek = area(identity.ek_public);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  attest::Endorsers endorsers;
  const auto outcome = [&](std::chrono::sys_seconds at) {
    const auto judged = attest::judge_ek(ek, identity.ek_certificate, endorsers, at);
    if (!judged) return std::string(attest::check_name(judged.error().check));
    return std::string(judged->worth ? custody_name(*judged->worth) : attest::endorsement_name(judged->by));
  };
  BOOST_TEST(outcome(now) == "chain");
  endorsers.first_use = true;
  BOOST_TEST(outcome(now) == "first-use");
  endorsers.emulator_roots = roots_of(host.swtpm);
  BOOST_TEST(outcome(now) == "tpm-certified-emulated");
  BOOST_TEST(outcome(now - std::chrono::hours(1)) == "time");
  BOOST_TEST(attest::judge_ek(ek, identity.ek_certificate, endorsers, now)->identity.manufacturer != "");
  const Host other;
  const PublicArea others = area(must(other.attester().identity(far_away())).ek_public);
  BOOST_TEST((attest::judge_ek(others, identity.ek_certificate, endorsers, now).error().check ==
              Check::kKeyMismatch));
  BOOST_TEST(must(activated(host, kNonce)).size() == kNonce.size());
}

BOOST_DATA_TEST_CASE(a_tpms_own_word_is_refused_when_one_thing_is_wrong_with_it,
                     boost::unit_test::data::make(kFaults), row) {
  const Host host;
  const Host other;
  const StoredKey key = create_key(*host.backend);
  attest::KeyEvidence evidence = host.evidence(key, kNonce);
  const PcrQuote quote = must(host.attester().quote({{kSha256, {7}}}, kNonce, far_away()));
  evidence.quote = {{quote.statement.attest, quote.statement.signature}, quote.values, std::nullopt};
  Judgement judgement{evidence, host.enrolled(), attest::Policy{"test"}, kNonce};
  judgement.policy.pcrs[kSha256][7] = {quote.values.at(kSha256).at(7)};
  BOOST_REQUIRE(judgement.judged());
  row.spoil(judgement, other.enrolled());
  const auto refused = judgement.judged();
  BOOST_REQUIRE(!refused);
  BOOST_TEST(attest::check_name(refused.error().check) == attest::check_name(row.check));
}

BOOST_AUTO_TEST_CASE(nothing_stays_in_the_tpm_or_in_its_sessions) {
  const Host host;
  const StoredKey key = create_key(*host.backend);
  for (int i = 0; i < 8; ++i) {
    must(host.attester().certify(key, kNonce, far_away()));
    must(host.attester().quote({{kSha256, {0}}}, kNonce, far_away()));
    BOOST_REQUIRE(activated(host, kNonce));
  }
  BOOST_TEST(!sign_error(*host.backend, key).has_value());
  const BackendLoad load = host.backend->load();
  BOOST_TEST(load.live_sessions == 1u);
  BOOST_TEST(load.live_objects <= 1u);
}

BOOST_AUTO_TEST_CASE(a_nonce_or_selection_that_no_tpm_takes_is_refused) {
  const Host host;
  const StoredKey key = create_key(*host.backend);
  BOOST_TEST(
      (host.attester().certify(key, Bytes(65), far_away()).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((host.attester().quote({}, kNonce, far_away()).error().code == ErrorCode::kInvalidArgument));
  BOOST_TEST((host.attester().quote({{kSha256, {24}}}, kNonce, far_away()).error().code ==
              ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::hsm
