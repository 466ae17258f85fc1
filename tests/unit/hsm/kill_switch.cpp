// The kill switch of a TPM: what is frozen signs nothing, whatever this process does, until the operator has signed.

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <boost/test/data/test_case.hpp>

#include "attest/evidence/tpm_codec.hpp"
#include "hsm/attester.hpp"
#include "hsm/binding_octets.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "simulators/faults/tcti_proxy.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::hsm {
namespace {

using enum ErrorCode;
using attest::BankSetting;
using simulators::TctiFault;
using Slot = KillSwitch::Slot;
namespace data = boost::unit_test::data;

constexpr Slot kInSecondBank = attest::kSlotsOfBank + 6;
constexpr std::uint32_t kNoPolicy = 0x12F;      // TPM_RC_AUTH_UNAVAILABLE: its auth value alone opens nothing
constexpr std::uint32_t kPolicyFailed = 0x99D;  // TPM_RC_POLICY_FAIL, of the first session

SigningKey new_key() {
  auto key = SigningKey::generate(Algorithm::kES256);
  BOOST_REQUIRE(key);
  return *std::move(key);
}

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

void must(const Status& status) { BOOST_REQUIRE_MESSAGE(status, (status ? "" : status.error().what)); }

std::optional<ErrorCode> code_of(const Status& status) {
  return status ? std::nullopt : std::optional(status.error().code);
}

/// A TPM with a switch of two banks, and its operator.
struct Guarded {
  explicit Guarded(SessionKind sessions = SessionKind::kEncrypted) : sessions_kind(sessions) {
    open(tpm.tcti());
  }

  void open(const std::string& tcti) {
    backend.reset();
    TpmOptions options = options_for(tcti);
    options.sessions = sessions_kind;
    options.kill_switch = KillSwitchOptions{operator_key.public_key(), 2};
    backend = open_backend(std::move(options));
  }

  [[nodiscard]] KillSwitch& kill_switch() const { return *backend->kill_switch(); }
  [[nodiscard]] SwitchState state() const { return must(kill_switch().state(far_away())); }

  [[nodiscard]] BankSetting ask(std::size_t bank, std::uint64_t frozen) const {
    return must(kill_switch().ask(bank, frozen, far_away()));
  }
  [[nodiscard]] Signature signed_by(const SigningKey& key, const BankSetting& setting) const {
    return must(key.sign(must(attest::setting_message(setting, operator_key.public_key()))));
  }
  [[nodiscard]] Status set(const BankSetting& setting) const {
    return kill_switch().set(setting, signed_by(operator_key, setting), far_away());
  }
  void arm() const {
    for (const std::size_t bank : {0U, 1U}) must(set(ask(bank, 0)));
  }

  [[nodiscard]] StoredKey key_in(Slot slot) const {
    return must(kill_switch().create({"agent " + std::to_string(slot), "k1"}, slot, far_away()));
  }
  [[nodiscard]] std::optional<ErrorCode> sign(const StoredKey& key) const {
    return sign_error(*backend, key);
  }

  const SessionKind sessions_kind;
  SigningKey operator_key = new_key();
  simulators::Swtpm tpm = start_swtpm();
  std::unique_ptr<TpmBackend> backend;
};

constexpr std::array kSessions{SessionKind::kEncrypted, SessionKind::kPlain};
const char* name_of(SessionKind kind) { return kind == SessionKind::kPlain ? "plain" : "encrypted"; }

/// What whoever has taken the daemon over knows: where a bank is, and its auth value.
NvPlace place_of(const Guarded& guarded, std::size_t bank) {
  const SecretBytes master(Bytes(32, 0x5a));
  const auto banks = must(SwitchBanks::of({guarded.operator_key.public_key(), 2}, master));
  const NvPlace& place = banks->places.at(bank);
  return {place.index, place.attributes, place.size, SecretBytes(place.auth.view()), place.policy};
}

TSS2_RC set_bits_as_the_daemon(TpmConnection& tpm, const NvPlace& place, const NvIndex& index,
                               const attest::BankPolicy& policy) {
  auto session = tpm.start_policy_session();
  BOOST_REQUIRE(session);
  TPML_DIGEST branches{};
  for (const Sha256Digest& branch : {policy.by_operator, policy.by_daemon})
    branches.digests[branches.count++] = attest::sized(branch);
  ESYS_CONTEXT* const esys = tpm.esys();
  const TpmAuth auth(place.auth);
  BOOST_REQUIRE(Esys_TR_SetAuth(esys, index.handle(), &auth.value()) == TSS2_RC_SUCCESS);
  BOOST_REQUIRE(Esys_PolicyNvWritten(esys, session->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                     TPM2_YES) == TSS2_RC_SUCCESS);
  BOOST_REQUIRE(Esys_PolicyAuthValue(esys, session->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE) ==
                TSS2_RC_SUCCESS);
  BOOST_REQUIRE(Esys_PolicyOR(esys, session->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &branches) ==
                TSS2_RC_SUCCESS);
  return Esys_NV_SetBits(esys, index.handle(), index.handle(), session->get(), ESYS_TR_NONE, ESYS_TR_NONE, 0);
}

SecretBytes auth_of(const StoredKey& key) {
  return hkdf_sha256(Bytes(32, 0x5a), {}, "chancery tpm key auth" + binding_octets(key.binding), 32);
}

/// TPM2_Sign by the key's auth value, without its policy: what the daemon's code never sends.
TSS2_RC sign_by_auth_value(TpmBackend& backend, const StoredKey& key) {
  const auto parts = must(unmarshal(key.blob));
  const auto auth = std::make_shared<const SecretBytes>(auth_of(key));
  const auto rc = std::make_shared<TSS2_RC>(TSS2_RC_SUCCESS);
  must(backend.device().run("test", far_away(), [=](OpenTpm& tpm) -> Status {
    CHANCERY_ASSIGN(const TransientHandle object, tpm.keys.load_blob(parts));
    ESYS_CONTEXT* const esys = tpm.connection->esys();
    const TpmAuth value(*auth);
    Esys_TR_SetAuth(esys, object.get(), &value.value());
    TPM2B_DIGEST digest{};
    digest.size = 32;
    const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {TPM2_ALG_SHA256}}};
    const TPMT_TK_HASHCHECK no_ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
    TPMT_SIGNATURE* signature = nullptr;
    *rc = Esys_Sign(esys, object.get(), tpm.connection->session(), ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                    &scheme, &no_ticket, &signature);
    const EsysOwned<TPMT_SIGNATURE> owned(signature);
    return {};
  }));
  return *rc;
}

}  // namespace

BOOST_DATA_TEST_CASE(one_write_freezes_every_agents_key_and_no_other, data::xrange(kSessions.size()), i) {
  BOOST_TEST_CONTEXT(name_of(kSessions[i])) {
    const Guarded guarded(kSessions[i]);
    guarded.arm();
    std::vector<StoredKey> keys;
    for (const Slot slot : {Slot{0}, Slot{1}, Slot{2}, Slot{63}, kInSecondBank, Slot{127}})
      keys.push_back(guarded.key_in(slot));
    const StoredKey daemons = create_key(*guarded.backend, "daemon");
    for (const StoredKey& key : keys) BOOST_TEST(!guarded.sign(key).has_value());

    must(guarded.kill_switch().freeze(KillSwitch::kAll, far_away()));
    for (const StoredKey& key : keys) BOOST_TEST((guarded.sign(key) == kForbidden));
    BOOST_TEST(!guarded.sign(daemons).has_value());
    BOOST_TEST(guarded.state().is_frozen(KillSwitch::kAll));

    must(guarded.set(guarded.ask(0, 0)));
    for (const StoredKey& key : keys) BOOST_TEST(!guarded.sign(key).has_value());
  }
}

BOOST_DATA_TEST_CASE(one_agent_is_frozen_and_the_others_go_on, data::xrange(kSessions.size()), i) {
  BOOST_TEST_CONTEXT(name_of(kSessions[i])) {
    const Guarded guarded(kSessions[i]);
    guarded.arm();
    const std::array slots{Slot{1}, Slot{2}, kInSecondBank, Slot{kInSecondBank + 1}};
    std::vector<StoredKey> keys;
    for (const Slot slot : slots) keys.push_back(guarded.key_in(slot));

    std::set<Slot> frozen;
    for (const Slot slot : {Slot{2}, kInSecondBank}) {
      must(guarded.kill_switch().freeze(slot, far_away()));
      must(guarded.kill_switch().freeze(slot, far_away()));  // again: nothing more
      frozen.insert(slot);
      for (std::size_t k = 0; k < keys.size(); ++k) {
        const bool signs = !guarded.sign(keys[k]).has_value();
        BOOST_TEST(signs == !frozen.contains(slots[k]), "slot " << slots[k]);
      }
    }
    BOOST_TEST(!guarded.state().is_frozen(KillSwitch::kAll));
  }
}

BOOST_AUTO_TEST_CASE(unfreezing_one_agent_leaves_what_else_is_frozen) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey one = guarded.key_in(3);
  const StoredKey two = guarded.key_in(4);
  must(guarded.kill_switch().freeze(3, far_away()));
  must(guarded.kill_switch().freeze(4, far_away()));
  const std::uint64_t now = guarded.state().banks[0].frozen;
  must(guarded.set(guarded.ask(0, now & ~attest::bit_of_slot(3))));
  BOOST_TEST(!guarded.sign(one).has_value());
  BOOST_TEST((guarded.sign(two) == kForbidden));
}

BOOST_AUTO_TEST_CASE(the_tpm_unfreezes_under_the_operators_signature_over_this_very_write_alone) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  must(guarded.kill_switch().freeze(3, far_away()));
  const auto refused = [&](const BankSetting& answer, const Signature& signature) {
    const Status done = guarded.kill_switch().set(answer, signature, far_away());
    BOOST_TEST((guarded.sign(key) == kForbidden));
    BOOST_TEST(guarded.state().is_frozen(3));
    return code_of(done);
  };

  const BankSetting first = guarded.ask(0, 0);
  BOOST_TEST((refused(first, guarded.signed_by(new_key(), first)) == kForbidden));  // somebody else's
  BOOST_TEST((refused(first, guarded.signed_by(guarded.operator_key, first)) == kConflict));  // it is used up
  BOOST_TEST((refused(guarded.ask(0, 0), Signature{}) == kForbidden));
  const BankSetting second = guarded.ask(0, 0);
  BOOST_TEST((refused(second, guarded.signed_by(guarded.operator_key, first)) == kForbidden));  // of before
  const BankSetting third = guarded.ask(0, 0);
  const BankSetting other{third.index, attest::bit_of_slot(9), third.nonce};
  const Signature of_other = guarded.signed_by(guarded.operator_key, other);
  BOOST_TEST((refused(third, of_other) == kForbidden));  // what else was signed
  const BankSetting endless = guarded.ask(0, 0);
  Bytes message = must(attest::setting_message(endless, guarded.operator_key.public_key()));
  const auto expiration = message.begin() + static_cast<std::ptrdiff_t>(endless.nonce.size());
  BOOST_TEST((Bytes(expiration, expiration + 4) == Bytes{0, 0, 0x02, 0x58}));
  std::fill_n(expiration, 4, std::uint8_t{0});
  BOOST_TEST((refused(endless, must(guarded.operator_key.sign(message))) == kForbidden));  // without an end
  const BankSetting fourth = guarded.ask(0, 0);
  static_cast<void>(guarded.ask(1, 0));
  BOOST_TEST((refused(fourth, guarded.signed_by(guarded.operator_key, fourth)) == kConflict));  // asked anew

  must(guarded.set(guarded.ask(0, 0)));
  BOOST_TEST(!guarded.sign(key).has_value());
}

BOOST_AUTO_TEST_CASE(a_signature_of_before_does_not_unfreeze_again) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  must(guarded.kill_switch().freeze(3, far_away()));
  const BankSetting answered = guarded.ask(0, 0);
  const Signature signature = guarded.signed_by(guarded.operator_key, answered);
  must(guarded.kill_switch().set(answered, signature, far_away()));
  must(guarded.kill_switch().freeze(3, far_away()));
  const BankSetting asked = guarded.ask(0, 0);
  BOOST_TEST((code_of(guarded.kill_switch().set(asked, signature, far_away())) == kForbidden));
  BOOST_TEST((guarded.sign(key) == kForbidden));
}

BOOST_AUTO_TEST_CASE(what_is_frozen_while_the_operator_signs_stays_frozen) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(5);
  const BankSetting asked = guarded.ask(0, 0);
  must(guarded.kill_switch().freeze(5, far_away()));
  BOOST_TEST((code_of(guarded.set(asked)) == kConflict));
  BOOST_TEST((guarded.sign(key) == kForbidden));
}

// Who has the daemon has the owner hierarchy too, and so can remove a bank. It gains nothing.
BOOST_AUTO_TEST_CASE(a_bank_that_is_removed_and_made_again_freezes_until_the_operator_signs) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  const StoredKey in_second = guarded.key_in(kInSecondBank);
  must(guarded.kill_switch().freeze(3, far_away()));
  const auto place = std::make_shared<const NvPlace>(place_of(guarded, 0));
  must(guarded.backend->device().run("test", far_away(), [place](OpenTpm& tpm) -> Status {
    NvIndex index(*tpm.connection, *place);
    CHANCERY_TRY(index.open());
    return index.remove();
  }));
  BOOST_TEST((guarded.sign(key) == kForbidden));
  BOOST_TEST((guarded.sign(in_second) == kForbidden));  // the bit of all is not there
  BOOST_TEST(!guarded.state().is_armed(3));
  BOOST_TEST((code_of(guarded.kill_switch().freeze(3, far_away())) == kConflict));

  const auto policy = must(attest::BankPolicy::of(guarded.operator_key.public_key()));
  const auto rc = std::make_shared<TSS2_RC>(TSS2_RC_SUCCESS);
  must(guarded.backend->device().run("test", far_away(), [=](OpenTpm& tpm) -> Status {
    NvIndex index(*tpm.connection, *place);
    CHANCERY_TRY(index.define());
    CHANCERY_TRY(index.open());
    *rc = set_bits_as_the_daemon(*tpm.connection, *place, index, policy);
    return {};
  }));
  BOOST_TEST(*rc == kPolicyFailed);
  BOOST_TEST((guarded.sign(key) == kForbidden));

  must(guarded.set(guarded.ask(0, attest::bit_of_slot(3))));
  BOOST_TEST((guarded.sign(key) == kForbidden));
  BOOST_TEST(!guarded.sign(in_second).has_value());
}

BOOST_AUTO_TEST_CASE(the_auth_value_alone_opens_no_key_that_hangs_on_the_switch) {
  const Guarded guarded;
  guarded.arm();
  BOOST_TEST(sign_by_auth_value(*guarded.backend, guarded.key_in(3)) == kNoPolicy);
  const StoredKey plain = create_key(*guarded.backend);
  BOOST_TEST(sign_by_auth_value(*guarded.backend, plain) == TSS2_RC_SUCCESS);
}

BOOST_AUTO_TEST_CASE(what_is_frozen_stays_so_through_restarts_of_tpm_and_daemon) {
  Guarded guarded;
  guarded.arm();
  const StoredKey frozen = guarded.key_in(3);
  const StoredKey other = guarded.key_in(4);
  must(guarded.kill_switch().freeze(3, far_away()));
  guarded.tpm.kill();
  must(guarded.tpm.restart());
  BOOST_TEST((guarded.sign(frozen) == kForbidden));
  BOOST_TEST(!guarded.sign(other).has_value());
  guarded.open(guarded.tpm.tcti());
  BOOST_TEST((guarded.sign(frozen) == kForbidden));
  BOOST_TEST(!guarded.sign(other).has_value());
}

BOOST_AUTO_TEST_CASE(what_was_asked_before_the_tpm_restarted_is_to_be_asked_again) {
  Guarded guarded;
  guarded.arm();
  must(guarded.kill_switch().freeze(3, far_away()));
  const BankSetting asked = guarded.ask(0, 0);
  guarded.tpm.kill();
  must(guarded.tpm.restart());
  BOOST_TEST((code_of(guarded.set(asked)) == kConflict));
  BOOST_TEST(guarded.state().is_frozen(3));
  must(guarded.set(guarded.ask(0, 0)));
  BOOST_TEST(!guarded.state().is_frozen(3));
}

BOOST_AUTO_TEST_CASE(no_key_is_made_that_could_never_sign) {
  const Guarded guarded;
  BOOST_TEST(guarded.kill_switch().last_slot() == 127);
  BOOST_TEST((guarded.kill_switch().create({"a", "k"}, 1, far_away()).error().code == kConflict));
  must(guarded.set(guarded.ask(0, 0)));
  BOOST_TEST(guarded.kill_switch().create({"a", "k"}, 1, far_away()).has_value());
  BOOST_TEST((guarded.kill_switch().create({"a", "k"}, kInSecondBank, far_away()).error().code == kConflict));
  BOOST_TEST((guarded.kill_switch().create({"a", "k"}, 128, far_away()).error().code == kInvalidArgument));
  BOOST_TEST((code_of(guarded.kill_switch().freeze(128, far_away())) == kInvalidArgument));
  BOOST_TEST((guarded.kill_switch().ask(2, 0, far_away()).error().code == kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(a_key_says_on_which_slot_it_hangs) {
  const Guarded guarded;
  guarded.arm();
  BOOST_TEST((guarded.kill_switch().slot_of(guarded.key_in(0)) == Slot{0}));
  BOOST_TEST((guarded.kill_switch().slot_of(guarded.key_in(kInSecondBank)) == kInSecondBank));
  BOOST_TEST(!guarded.kill_switch().slot_of(create_key(*guarded.backend)).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_cannot_be_moved_to_another_slot) {
  const Guarded guarded;
  guarded.arm();
  StoredKey key = guarded.key_in(3);
  must(guarded.kill_switch().freeze(3, far_away()));
  key.blob.back() = 4;
  BOOST_TEST((guarded.sign(key) == kKeyLost));
  key.blob.resize(key.blob.size() - 2);
  BOOST_TEST((guarded.sign(key) == kKeyLost));
}

BOOST_AUTO_TEST_CASE(keys_hang_on_the_switch_of_one_operator) {
  Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  const StoredKey earlier = create_key(*guarded.backend);
  guarded.operator_key = new_key();
  guarded.open(guarded.tpm.tcti());
  BOOST_TEST((guarded.sign(key) == kKeyLost));
  BOOST_TEST(!guarded.sign(earlier).has_value());
  BOOST_TEST(!guarded.state().is_armed(KillSwitch::kAll));
  guarded.arm();  // in place of the former's
  BOOST_TEST(!guarded.sign(guarded.key_in(3)).has_value());

  guarded.backend.reset();  // a TPM's socket takes one connection
  guarded.backend = open_backend(options_for(guarded.tpm.tcti()));
  BOOST_TEST(guarded.backend->kill_switch() == nullptr);
  BOOST_TEST((guarded.sign(key) == kKeyLost));
  BOOST_TEST(!guarded.sign(earlier).has_value());
}

BOOST_AUTO_TEST_CASE(a_switch_is_of_p256_and_of_some_banks) {
  const SigningKey ed25519 = must(SigningKey::generate(Algorithm::kEd25519));
  const SigningKey p256 = new_key();
  const auto refused = [](const PublicKey& key, unsigned banks) {
    TpmOptions options = options_for("swtpm:path=/nowhere");
    options.kill_switch = KillSwitchOptions{key, banks};
    return code_of(TpmBackend::check_options(options));
  };
  BOOST_TEST((refused(ed25519.public_key(), 1) == kInvalidKey));
  BOOST_TEST((refused(p256.public_key(), 0) == kInvalidArgument));
  BOOST_TEST((refused(p256.public_key(), 16) == kInvalidArgument));
  BOOST_TEST(!refused(p256.public_key(), 15).has_value());
}

BOOST_AUTO_TEST_CASE(a_frozen_key_is_certified_and_destroyed_as_any_other) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  must(guarded.kill_switch().freeze(3, far_away()));
  Attester& attester = *guarded.backend->attester();
  BOOST_TEST(attester.certify(key, Bytes(16, 1), far_away()).has_value());
  const Bytes area = must(attester.public_area(key));
  const auto read = attest::read_public(area);
  BOOST_REQUIRE(read);
  BOOST_TEST(read->authPolicy.size == 32);
  must(guarded.backend->destroy(key, far_away()));
  BOOST_TEST((guarded.sign(key) == kKeyLost));
}

// Sessions are few: a question that nobody answers must not keep one.
BOOST_AUTO_TEST_CASE(questions_leave_one_session_at_most_in_the_tpm) {
  const Guarded guarded;
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  for (int i = 0; i < 70; ++i) static_cast<void>(guarded.ask(0, 0));  // a TPM has 64
  BOOST_TEST(!guarded.sign(key).has_value());
  BOOST_TEST(count_handles(*guarded.backend, TPM2_ACTIVE_SESSION_FIRST) <= 1u);
  BOOST_TEST(count_handles(*guarded.backend, TPM2_LOADED_SESSION_FIRST) <= 2u);
  BOOST_TEST(guarded.backend->load().live_sessions <= 2u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_lost_is_known_by_what_the_bank_holds) {
  Guarded guarded;
  guarded.arm();
  simulators::TpmProxy proxy(guarded.tpm.socket());
  guarded.open(proxy.tcti());
  const StoredKey key = guarded.key_in(3);
  proxy.inject(TPM2_CC_NV_SetBits, {TctiFault::Kind::kCut});
  must(guarded.kill_switch().freeze(3, far_away()));
  BOOST_TEST(proxy.struck() == 1);
  BOOST_TEST((guarded.sign(key) == kForbidden));

  const BankSetting asked = guarded.ask(0, 0);
  proxy.inject(TPM2_CC_NV_SetBits, {TctiFault::Kind::kCut});
  must(guarded.set(asked));
  BOOST_TEST(proxy.struck() == 2);
  BOOST_TEST(!guarded.sign(key).has_value());
}

BOOST_AUTO_TEST_CASE(an_interrupted_setting_freezes_until_it_is_signed_for_again) {
  Guarded guarded;
  guarded.arm();
  simulators::TpmProxy proxy(guarded.tpm.socket());
  guarded.open(proxy.tcti());
  const StoredKey key = guarded.key_in(3);
  const BankSetting asked = guarded.ask(0, 0);
  proxy.inject(TPM2_CC_NV_DefineSpace, {TctiFault::Kind::kCut});
  BOOST_TEST((code_of(guarded.set(asked)) == kConflict));
  BOOST_TEST((guarded.sign(key) == kForbidden));
  must(guarded.set(guarded.ask(0, 0)));
  BOOST_TEST(!guarded.sign(key).has_value());
}

BOOST_AUTO_TEST_CASE(no_auth_value_is_seen_on_the_bus) {
  Guarded guarded;
  simulators::TpmProxy proxy(guarded.tpm.socket());
  guarded.open(proxy.tcti());
  guarded.arm();
  const StoredKey key = guarded.key_in(3);
  BOOST_TEST(!guarded.sign(key).has_value());
  must(guarded.kill_switch().freeze(3, far_away()));
  BOOST_TEST(!proxy.has_seen(auth_of(key).view()));
  for (const std::size_t bank : {0U, 1U}) BOOST_TEST(!proxy.has_seen(place_of(guarded, bank).auth.view()));
  BOOST_TEST(proxy.has_seen(as_bytes("chancery kill switch 1")));  // the proxy does see what passes
}

}  // namespace chancery::hsm
