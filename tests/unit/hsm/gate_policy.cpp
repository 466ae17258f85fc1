// What a TPM holds a gated key to, whatever the daemon does. Here the daemon was taken over: it has the TPM, the key's blob and
// authorization value, all that approvers ever signed, and sends which commands it likes. None of our checks stands between.

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include "attest/evidence/tpm_codec.hpp"
#include "hsm/tpm/gated_blob.hpp"
#include "hsm/tpm/tpm_auth.hpp"
#include "tests/unit/hsm/gate_fixture.hpp"

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;

using attest::sized;

constexpr TSS2_RC kPolicyFailed = 0x99D;      // TPM_RC_POLICY_FAIL, of the first session
constexpr TSS2_RC kAuthUnavailable = 0x12F;   // TPM_RC_AUTH_UNAVAILABLE
constexpr TSS2_RC kAuthType = 0x124;          // TPM_RC_AUTH_TYPE: the command takes a policy
constexpr TSS2_RC kNoSuchBranch = 0x1C4;      // TPM_RC_VALUE, of the first parameter
constexpr TSS2_RC kSignatureRefused = 0x5DB;  // TPM_RC_SIGNATURE, of the fifth

/// Runs commands on the device thread. \return what `work` returned
TSS2_RC on_tpm(TpmBackend& backend, const std::function<TSS2_RC(OpenTpm&)>& work) {
  const auto out = std::make_shared<TSS2_RC>(TSS2_RC_SUCCESS);
  const Status done = backend.device().run("rogue", far_away(), [work, out](OpenTpm& tpm) -> Status {
    tpm.keys.make_room();
    *out = work(tpm);
    return {};
  });
  BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().what));
  return *out;
}

/// The code of a step that failed; nothing when it succeeded.
template <typename T>
std::optional<TSS2_RC> refusal(const Result<T>& step) {
  return step ? std::nullopt : std::optional(static_cast<TSS2_RC>(step.error().native));
}

/// What a daemon that was taken over shows the TPM as an approver's word.
struct Word {
  const SigningKey* approver = nullptr;
  Bytes command{};                 ///< cpHashA
  std::string gate = "refunds";    ///< policyRef
  std::optional<Bytes> is_over{};  ///< what was signed; nothing: what the two above say
};

TSS2_RC policy_signed(TpmConnection& tpm, ESYS_TR session, const Word& word) {
  TPM2B_PUBLIC area{};
  area.publicArea = attest::signer_area(word.approver->public_key());
  ESYS_TR handle = ESYS_TR_NONE;
  TSS2_RC rc = Esys_LoadExternal(tpm.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &area,
                                 ESYS_TR_RH_NULL, &handle);
  if (rc != TSS2_RC_SUCCESS) return rc;
  const TransientHandle signer = tpm.own_object(handle);
  Bytes input(4, 0);
  input.insert(input.end(), word.command.begin(), word.command.end());
  input.insert(input.end(), word.gate.begin(), word.gate.end());
  const Signature raw = word.approver->sign(word.is_over.value_or(input)).value();
  const TPMT_SIGNATURE signature = attest::ecdsa_signature(raw);
  const TPM2B_NONCE no_nonce{};
  const TPM2B_DIGEST command = sized(word.command);
  const TPM2B_NONCE gate = sized(as_bytes(word.gate));
  return Esys_PolicySigned(tpm.esys(), signer.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                           &no_nonce, &command, &gate, 0, &signature, nullptr, nullptr);
}

TSS2_RC policy_or(TpmConnection& tpm, ESYS_TR session, const std::vector<attest::GateChoice>& choices) {
  TPML_DIGEST branches{};
  for (const auto& choice : choices) branches.digests[branches.count++] = sized(choice.digest);
  return Esys_PolicyOR(tpm.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &branches);
}

/// TPM2_Sign of kToken in these sessions.
TSS2_RC sign_token(TpmConnection& tpm, ESYS_TR key, ESYS_TR first, ESYS_TR second) {
  const TPM2B_DIGEST digest = sized(sha256(as_bytes(kToken)));
  const TPMT_SIG_SCHEME scheme{TPM2_ALG_ECDSA, {.ecdsa = {TPM2_ALG_SHA256}}};
  const TPMT_TK_HASHCHECK no_ticket{TPM2_ST_HASHCHECK, TPM2_RH_NULL, {}};
  TPMT_SIGNATURE* signature = nullptr;
  const TSS2_RC rc =
      Esys_Sign(tpm.esys(), key, first, second, ESYS_TR_NONE, &digest, &scheme, &no_ticket, &signature);
  const EsysOwned<TPMT_SIGNATURE> owned(signature);
  return rc;
}

/// Meets a policy with these words and asks for a signature of kToken.
struct Attempt {
  std::vector<Word> words;
  bool is_choice = false;     ///< TPM2_PolicyOR comes behind them
  bool is_encrypted = false;  ///< a session that encrypts parameters stands beside
};

TSS2_RC attempt(const GatedScene& scene, const Attempt& what) {
  const auto key = required(prepare_gated(scene.key));
  const auto choices = required(attest::gate_choices(scene.gate.policy));
  return on_tpm(*scene.backend, [&](OpenTpm& tpm) {
    TpmConnection& connection = *tpm.connection;
    const auto session = connection.start_gate_session();
    if (const auto rc = refusal(session)) return *rc;
    for (const Word& word : what.words) {
      const TSS2_RC rc = policy_signed(connection, session->get(), word);
      if (rc != TSS2_RC_SUCCESS) return rc;
    }
    if (what.is_choice) {
      const TSS2_RC rc = policy_or(connection, session->get(), choices);
      if (rc != TSS2_RC_SUCCESS) return rc;
    }
    const auto object = tpm.keys.load_blob(key->key.parts);
    if (const auto rc = refusal(object)) return *rc;
    const ESYS_TR beside = what.is_encrypted ? connection.session() : ESYS_TR_NONE;
    return sign_token(connection, object->get(), session->get(), beside);
  });
}

Bytes command_for(const attest::Name& key, std::string_view token) {
  const Sha256Digest hash = attest::sign_command_digest(key, sha256(as_bytes(token)));
  return {hash.begin(), hash.end()};
}

/// A word that the daemon has honestly, of an approver who signed for kToken.
Word word_of(const GatedScene& scene, std::size_t approver) {
  return {&scene.gate.keys.at(approver), command_for(scene.name, kToken)};
}

// --- one gate, two in series

struct Trick {
  const char* name;
  TSS2_RC answer;
  Attempt (*what)(const GatedScene& scene, const SigningKey& stranger);
};
std::ostream& operator<<(std::ostream& out, const Trick& row) { return out << row.name; }

constexpr std::array kTricks{
    Trick{"both approvers' words for this token", TSS2_RC_SUCCESS,
          [](const GatedScene& scene, const SigningKey&) {
            return Attempt{{word_of(scene, 0), word_of(scene, 1)}};
          }},
    Trick{"no word at all", kPolicyFailed, [](const GatedScene&, const SigningKey&) { return Attempt{}; }},
    Trick{"one word", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) { return Attempt{{word_of(scene, 0)}}; }},
    Trick{"both words in the other order", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) {
            return Attempt{{word_of(scene, 1), word_of(scene, 0)}};
          }},
    Trick{"one word twice", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) {
            return Attempt{{word_of(scene, 0), word_of(scene, 0)}};
          }},
    Trick{"a stranger's word in place of one", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey& stranger) {
            return Attempt{{word_of(scene, 0), {&stranger, command_for(scene.name, kToken)}}};
          }},
    Trick{"both words for another token", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) {
            const Bytes other = command_for(scene.name, kOtherToken);
            return Attempt{{{&scene.gate.keys[0], other}, {&scene.gate.keys[1], other}}};
          }},
    Trick{"a word for another token, said to be for this one", kSignatureRefused,
          [](const GatedScene& scene, const SigningKey&) {
            Word said{&scene.gate.keys[0], command_for(scene.name, kToken)};
            said.is_over =
                attest::policy_signature_input(scene.name, as_bytes(kOtherToken), scene.gate.policy.gate);
            return Attempt{{said, word_of(scene, 1)}};
          }},
    Trick{"both words for another gate", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) {
            Word first = word_of(scene, 0);
            Word second = word_of(scene, 1);
            first.gate = second.gate = "payouts";
            return Attempt{{first, second}};
          }},
    Trick{"both words for another key", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) {
            attest::Name other = scene.name;
            other[33] ^= 1;
            const Bytes command = command_for(other, kToken);
            return Attempt{{{&scene.gate.keys[0], command}, {&scene.gate.keys[1], command}}};
          }},
    Trick{"both words, in a session that encrypts", kPolicyFailed,
          [](const GatedScene& scene, const SigningKey&) {
            return Attempt{{word_of(scene, 0), word_of(scene, 1)}, false, true};
          }},
    // So an approver's tool signs no command that it did not compute, and never none.
    Trick{"both words for no command, which open the key to anything", TSS2_RC_SUCCESS,
          [](const GatedScene& scene, const SigningKey&) {
            return Attempt{{{&scene.gate.keys[0]}, {&scene.gate.keys[1]}}};
          }},
};

// --- keys made otherwise

/// A key of ours with other attributes, whose authorization value is known.
Result<KeyParts> make_key(OpenTpm& tpm, TPM2B_PUBLIC wanted, const SecretBytes& auth) {
  TpmConnection& connection = *tpm.connection;
  CHANCERY_ASSIGN(const TransientHandle storage_key, connection.load_storage_key());
  const TpmAuth value(auth);
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = value.value();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE* private_area = nullptr;
  TPM2B_PUBLIC* public_area = nullptr;
  CHANCERY_TRY(connection.command("no key", [&] {
    return Esys_Create(connection.esys(), storage_key.get(), connection.session(), ESYS_TR_NONE, ESYS_TR_NONE,
                       &sensitive, &wanted, &outside, &pcrs, &private_area, &public_area, nullptr, nullptr,
                       nullptr);
  }));
  const EsysOwned<TPM2B_PRIVATE> owned_private(private_area);
  const EsysOwned<TPM2B_PUBLIC> owned_public(public_area);
  return KeyParts{*public_area, *private_area};
}

/// What becomes of TPM2_Sign by the right authorization value alone, with a key of these attributes.
TSS2_RC sign_by_auth(const GatedScene& scene, TPMA_OBJECT attributes) {
  const auto policy = required(attest::gate_policy_digest(scene.gate.policy));
  return on_tpm(*scene.backend, [&](OpenTpm& tpm) {
    TPM2B_PUBLIC wanted = gated_key_template(policy);
    wanted.publicArea.objectAttributes |= attributes;
    const SecretBytes auth(Bytes(32, 0x33));
    const auto parts = make_key(tpm, wanted, auth);
    if (const auto rc = refusal(parts)) return *rc;
    const auto object = tpm.keys.load_blob(*parts);
    if (const auto rc = refusal(object)) return *rc;
    const TpmAuth value(auth);
    const TSS2_RC rc = Esys_TR_SetAuth(tpm.connection->esys(), object->get(), &value.value());
    if (rc != TSS2_RC_SUCCESS) return rc;
    return sign_token(*tpm.connection, object->get(), tpm.connection->session(), ESYS_TR_NONE);
  });
}

// --- what the TPM computes

using PolicyStep = std::function<TSS2_RC(TpmConnection& tpm, ESYS_TR session)>;

/// The digest of a policy, as the TPM has it in a trial session.
Bytes digest_by_tpm(TpmBackend& backend, const PolicyStep& step) {
  Bytes out;
  const TSS2_RC rc = on_tpm(backend, [&](OpenTpm& tpm) {
    ESYS_CONTEXT* const esys = tpm.connection->esys();
    const TPMT_SYM_DEF none{TPM2_ALG_NULL, {}, {}};
    ESYS_TR session = ESYS_TR_NONE;
    TSS2_RC code =
        Esys_StartAuthSession(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              nullptr, TPM2_SE_TRIAL, &none, TPM2_ALG_SHA256, &session);
    if (code != TSS2_RC_SUCCESS) return code;
    code = step(*tpm.connection, session);
    TPM2B_DIGEST* digest = nullptr;
    if (code == TSS2_RC_SUCCESS)
      code = Esys_PolicyGetDigest(esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest);
    const EsysOwned<TPM2B_DIGEST> owned(digest);
    if (code == TSS2_RC_SUCCESS) out.assign(digest->buffer, digest->buffer + digest->size);
    const TSS2_RC flushed = Esys_FlushContext(esys, session);
    return code == TSS2_RC_SUCCESS ? flushed : code;
  });
  BOOST_REQUIRE_EQUAL(rc, TSS2_RC_SUCCESS);
  return out;
}

const SigningKey& key_of(const Gate& gate, const PublicKey& signer) {
  return *std::ranges::find(gate.keys, signer, &SigningKey::public_key);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gate_policy)

BOOST_DATA_TEST_CASE(the_tpm_signs_for_approvers_words_alone, data::make(kTricks), row) {
  const GatedScene scene(2, 2);
  const SigningKey stranger = required(SigningKey::generate(Algorithm::kES256));
  BOOST_TEST(attempt(scene, row.what(scene, stranger)) == row.answer);
}

BOOST_AUTO_TEST_CASE(a_choice_of_approvers_is_one_that_the_policy_has) {
  const GatedScene scene(3, 2);
  const Word a = word_of(scene, 0);
  const Word b = word_of(scene, 1);
  const Word c = word_of(scene, 2);
  for (const std::vector<Word>& choice : {std::vector{a, b}, {a, c}, {b, c}})
    BOOST_TEST(attempt(scene, {choice, true}) == TSS2_RC_SUCCESS);
  BOOST_TEST(attempt(scene, {{a, b}, false}) == kPolicyFailed);
  for (const std::vector<Word>& none : {std::vector<Word>{}, {a}, {a, a}, {b, a}, {a, b, c}})
    BOOST_TEST(attempt(scene, {none, true}) == kNoSuchBranch);
}

// What approvers once signed is good for the same token only, and for that as often as somebody asks.
BOOST_AUTO_TEST_CASE(approvers_words_are_good_for_the_same_token_again) {
  const GatedScene scene(1, 1);
  for (int i = 0; i < 2; ++i) BOOST_TEST(attempt(scene, {{word_of(scene, 0)}}) == TSS2_RC_SUCCESS);
}

BOOST_AUTO_TEST_CASE(the_authorization_value_opens_a_key_only_where_its_attributes_say_so) {
  const GatedScene scene(1, 1);
  BOOST_TEST(sign_by_auth(scene, 0) == kAuthUnavailable);
  BOOST_TEST(sign_by_auth(scene, TPMA_OBJECT_USERWITHAUTH) == TSS2_RC_SUCCESS);
}

BOOST_AUTO_TEST_CASE(the_authorization_value_of_a_gated_key_neither_certifies_nor_changes_it) {
  const GatedScene scene(1, 1);
  const auto key = required(prepare_gated(scene.key));
  const TSS2_RC certified = on_tpm(*scene.backend, [&](OpenTpm& tpm) {
    const auto object = tpm.keys.load_blob(key->key.parts);
    if (const auto rc = refusal(object)) return *rc;
    const TPM2B_DATA nonce{};
    const TPMT_SIG_SCHEME none{TPM2_ALG_NULL, {}};
    TPM2B_ATTEST* attest = nullptr;
    TPMT_SIGNATURE* signature = nullptr;
    return Esys_Certify(tpm.connection->esys(), object->get(), ESYS_TR_RH_NULL, tpm.connection->session(),
                        ESYS_TR_PASSWORD, ESYS_TR_NONE, &nonce, &none, &attest, &signature);
  });
  BOOST_TEST(certified == kAuthType);
  const TSS2_RC changed = on_tpm(*scene.backend, [&](OpenTpm& tpm) {
    const auto parent = tpm.connection->load_storage_key();
    if (const auto rc = refusal(parent)) return *rc;
    const auto object = tpm.keys.load_blob(key->key.parts);
    if (const auto rc = refusal(object)) return *rc;
    const TPM2B_AUTH fresh = sized(Bytes(32, 1));
    TPM2B_PRIVATE* out = nullptr;
    return Esys_ObjectChangeAuth(tpm.connection->esys(), object->get(), parent->get(),
                                 tpm.connection->session(), ESYS_TR_NONE, ESYS_TR_NONE, &fresh, &out);
  });
  BOOST_TEST(changed == kAuthType);
}

BOOST_DATA_TEST_CASE(the_tpm_computes_the_same_digests, data::make(kGateRules), rule) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const Gate gate(rule.approvers, rule.quorum);
  const auto choices = required(attest::gate_choices(gate.policy));
  const auto meet = [&](const attest::GateChoice& choice) -> PolicyStep {
    return [&](TpmConnection& connection, ESYS_TR session) {
      for (const PublicKey& signer : choice.signers) {
        const TSS2_RC rc = policy_signed(connection, session, {&key_of(gate, signer)});
        if (rc != TSS2_RC_SUCCESS) return rc;
      }
      return TSS2_RC_SUCCESS;
    };
  };
  for (const attest::GateChoice& choice : choices)
    BOOST_TEST((digest_by_tpm(*backend, meet(choice)) == Bytes(choice.digest.begin(), choice.digest.end())));
  const PolicyStep whole =
      choices.size() == 1 ? meet(choices[0]) : [&](TpmConnection& connection, ESYS_TR session) {
        return policy_or(connection, session, choices);
      };
  const Sha256Digest ours = required(attest::gate_policy_digest(gate.policy));
  BOOST_TEST((digest_by_tpm(*backend, whole) == Bytes(ours.begin(), ours.end())));
}

BOOST_AUTO_TEST_CASE(the_tpm_gives_an_approvers_key_the_same_name) {
  const simulators::Swtpm tpm = start_swtpm();
  const auto backend = open_backend(options_for(tpm.tcti()));
  const SigningKey approver = required(SigningKey::generate(Algorithm::kES256));
  Bytes name;
  const TSS2_RC rc = on_tpm(*backend, [&](OpenTpm& open) {
    ESYS_CONTEXT* const esys = open.connection->esys();
    TPM2B_PUBLIC area{};
    area.publicArea = attest::signer_area(approver.public_key());
    ESYS_TR handle = ESYS_TR_NONE;
    TSS2_RC code = Esys_LoadExternal(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &area,
                                     ESYS_TR_RH_NULL, &handle);
    if (code != TSS2_RC_SUCCESS) return code;
    const TransientHandle object = open.connection->own_object(handle);
    TPM2B_PUBLIC* read = nullptr;
    TPM2B_NAME* found = nullptr;
    code =
        Esys_ReadPublic(esys, object.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &read, &found, nullptr);
    const EsysOwned<TPM2B_PUBLIC> owned_read(read);
    const EsysOwned<TPM2B_NAME> owned(found);
    if (code == TSS2_RC_SUCCESS) name.assign(found->name, found->name + found->size);
    return code;
  });
  BOOST_REQUIRE_EQUAL(rc, TSS2_RC_SUCCESS);
  const attest::Name ours = name_of(approver);
  BOOST_TEST((name == Bytes(ours.begin(), ours.end())));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::hsm
