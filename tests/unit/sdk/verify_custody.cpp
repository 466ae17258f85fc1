#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using std::chrono::minutes;
using std::chrono::seconds;

SigningKey new_key() { return SigningKey::generate(Algorithm::kES256).value(); }

/// What one call is given.
struct Scene {
  VouchedChain vouched = vouched_chain(3);
  TrustAnchor anchor = vouched.anchor();
  std::vector<std::string> results = vouched.signed_results();
  std::vector<ProvedCustody> proved{};
  VerifyOptions options = requiring(CustodyRequirement::kHardware);

  static VerifyOptions requiring(CustodyRequirement requirement) {
    VerifyOptions out;
    out.custody = requirement;
    return out;
  }
  // Signs the result about a hop again after a change.
  void change(std::size_t hop, const std::function<void(AttestationResult&)>& how) {
    how(vouched.results[hop]);
    results[hop] = sign_result(vouched.results[hop], vouched.verifier);
  }
  void sign_by(std::size_t hop, const SigningKey& signer) {
    results[hop] = sign_result(vouched.results[hop], signer);
  }
  [[nodiscard]] Verdict verify(std::chrono::sys_seconds now = kIssuedNow) const {
    TrustConfig trust;
    trust.anchors.push_back(anchor);
    const std::vector<std::string_view> given = views(results);
    VerifyOptions with = options;
    with.attestation_results = given;
    with.proved_keys = proved;
    return verify_chain(vouched.chain.views(), TrustSnapshot(std::move(trust)), now, with);
  }
};

constexpr const char* kPlainHeader = R"({"alg":"ES256","typ":"eat+jwt"})";

std::string with_header(const std::string& compact, const std::string& header, const SigningKey& signer) {
  const std::string payload = compact.substr(compact.find('.') + 1);
  const std::string signing_input =
      base64url_encode(as_bytes(header)) + "." + payload.substr(0, payload.find('.'));
  return signing_input + "." + base64url_encode(signer.sign(as_bytes(signing_input)).value());
}

// Within the signature, which stays base64url.
void damage(std::string& compact) {
  char& letter = compact[compact.size() - 10];
  letter = letter == 'A' ? 'B' : 'A';
}

struct Refused {
  const char* name;
  void (*spoil)(Scene&);
  int hop;
  const char* reason;   ///< is in the denial's
  const char* ignored;  ///< is in the reason why the first that was ignored was; "": none was
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }

constexpr const char* kNothing = "nothing proves where";

const std::array kRefused{
    Refused{"no result at all", [](Scene& s) { s.results.clear(); }, 0, kNothing, ""},
    Refused{"none for the root's holder", [](Scene& s) { s.results.erase(s.results.begin()); }, 0, kNothing,
            ""},
    Refused{"none for the leaf's", [](Scene& s) { s.results.pop_back(); }, 2, kNothing, ""},
    Refused{"expired this second", [](Scene& s) { s.change(1, [](auto& r) { r.expires_at = kIssuedNow; }); },
            1, kNothing, "expired"},
    Refused{"issued a second from now",
            [](Scene& s) { s.change(1, [](auto& r) { r.issued_at = kIssuedNow + seconds(1); }); }, 1,
            kNothing, "`iat` is to come"},
    Refused{"evidence of a second from now",
            [](Scene& s) { s.change(1, [](auto& r) { r.evidence_at = kIssuedNow + seconds(1); }); }, 1,
            kNothing, "evidence is of a time to come"},
    Refused{"signed by somebody", [](Scene& s) { s.sign_by(1, new_key()); }, 1, kNothing,
            "no attestation verifier"},
    Refused{"signed by the anchor's key", [](Scene& s) { s.sign_by(1, s.vouched.chain.keys[0]); }, 1,
            kNothing, "no attestation verifier"},
    Refused{"signed by the key that it is about", [](Scene& s) { s.sign_by(1, s.vouched.chain.keys[2]); }, 1,
            kNothing, "no attestation verifier"},
    Refused{"signed by the anchor's status key",
            [](Scene& s) {
              const SigningKey status = new_key();
              s.anchor.status_keys = {status.public_key()};
              s.sign_by(1, status);
            },
            1, kNothing, "no attestation verifier"},
    Refused{"another typ",
            [](Scene& s) {
              s.results[1] =
                  with_header(s.results[1], R"({"alg":"ES256","typ":"at+jwt"})", s.vouched.verifier);
            },
            1, kNothing, "`typ`"},
    Refused{"changed", [](Scene& s) { damage(s.results[1]); }, 1, kNothing, "signature does not verify"},
    Refused{"no verifier named",
            [](Scene& s) { s.results[1] = with_header(s.results[1], kPlainHeader, s.vouched.verifier); }, 1,
            kNothing, "no attestation verifier"},
    Refused{"four others about its key come first",
            [](Scene& s) {
              std::string changed = s.results[1];
              damage(changed);
              s.results.insert(s.results.begin(), 4, changed);
            },
            1, kNothing, "signature does not verify"},
    Refused{"no token at all", [](Scene& s) { s.results[1] = "x"; }, 1, kNothing, "three parts"},
    Refused{"longer than a result is", [](Scene& s) { s.results[1].resize(kMaxAttestationResult + 1, 'A'); },
            1, kNothing, "longer"},
    Refused{"about another key",
            [](Scene& s) { s.change(1, [](auto& r) { r.key = new_key().public_key().thumbprint(); }); }, 1,
            kNothing, "none of these keys"},
    Refused{"a level that is lower",
            [](Scene& s) { s.change(1, [](auto& r) { r.custody = Custody::kPkcs11Claimed; }); }, 1,
            "less is proved", ""},
    Refused{"software", [](Scene& s) { s.change(2, [](auto& r) { r.custody = Custody::kSoftware; }); }, 2,
            "less is proved", ""},
    Refused{"a simulator where hardware is asked for",
            [](Scene& s) { s.change(1, [](auto& r) { r.custody = Custody::kTpmCertifiedEmulated; }); }, 1,
            "in a simulator", ""},
    Refused{"no quote where one is asked for",
            [](Scene& s) { s.options.custody = CustodyRequirement::kTpmQuoted; }, 0, "less is proved", ""},
    Refused{"the anchor names no verifiers", [](Scene& s) { s.anchor.attestation_verifiers.clear(); }, 0,
            "names no attestation verifiers", "no attestation verifier"},
    Refused{"the algorithm is not accepted",
            [](Scene& s) {
              const SigningKey other = SigningKey::generate(Algorithm::kEd25519).value();
              s.anchor.attestation_verifiers.push_back(other.public_key());
              s.sign_by(1, other);
              s.options.accept_ed25519 = false;
            },
            1, kNothing, "not accepted"},
    Refused{"the evidence is a second too old",
            [](Scene& s) {
              s.options.custody_max_age = minutes(2) - seconds(1);
              for (const std::size_t hop : {0, 2}) s.change(hop, [](auto& r) { r.evidence_at = kIssuedNow; });
            },
            1, "too old", ""},
    Refused{"a newer result is worse",
            [](Scene& s) {
              AttestationResult newer = s.vouched.results[1];
              newer.issued_at += seconds(1);
              newer.custody = Custody::kTpmCertifiedEmulated;
              s.results.push_back(sign_result(newer, s.vouched.verifier));
            },
            1, "in a simulator", "newer one"},
    Refused{
        "more results than are read come first",
        [](Scene& s) { s.results.insert(s.results.begin(), kMaxAttestationResults - 2, std::string("x")); },
        2, kNothing, "three parts"},
    Refused{"what the caller proved is less, whatever others say",
            [](Scene& s) {
              s.proved = {{s.vouched.results[1].key, {}}};
            },
            1, "less is proved", ""},
};

// A chain whose last token is a session of the agent that holds the second.
struct SessionScene : Scene {
  SessionScene() {
    claims = child_claims(vouched.chain.leaf(), session_key.public_key());
    claims.client_id = vouched.chain.leaf().claims().client_id;
    claims.iat = static_cast<double>(kIssuedNow.time_since_epoch().count());
    claims.exp = claims.iat + 600;
    claims.del_max_depth = claims.del_depth + 1;
    claims.is_session = true;
  }
  Verdict open(bool by_holder = true) {
    const SigningKey& signer = by_holder ? vouched.chain.leaf_key() : vouched.chain.keys[0];
    vouched.chain.tokens.push_back(sign_token(claims, signer, by_holder));
    options.issuer_signed = !by_holder;
    return verify();
  }
  SigningKey session_key = new_key();
  Claims claims;
};

struct BadSession {
  const char* name;
  void (*spoil)(SessionScene&);
  const char* reason;
};
std::ostream& operator<<(std::ostream& out, const BadSession& row) { return out << row.name; }

const std::array kBadSessions{
    BadSession{"it does not say that it is one", [](SessionScene& s) { s.claims.is_session = false; },
               kNothing},
    BadSession{"a second too long", [](SessionScene& s) { s.claims.exp += 1; }, "ten minutes"},
    BadSession{"it begins later than a clock may differ",
               [](SessionScene& s) {
                 s.claims.iat += 61;
                 s.claims.exp += 61;
               },
               "begin later"},
    BadSession{"another agent", [](SessionScene& s) { s.claims.client_id += "x"; }, "same agent"},
    BadSession{"it may delegate", [](SessionScene& s) { *s.claims.del_max_depth += 1; },
               "delegates to nobody"},
    BadSession{"it inherits its depth", [](SessionScene& s) { s.claims.del_max_depth.reset(); },
               "delegates to nobody"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(verification_of_custody)

BOOST_AUTO_TEST_CASE(a_chain_proves_its_custody_hop_by_hop) {
  const Scene scene;
  const Verdict verdict = scene.verify();
  BOOST_TEST_REQUIRE(verdict.valid());
  BOOST_TEST(verdict.not_performed() == (std::vector<std::string_view>{"holder_binding", "action"}),
             boost::test_tools::per_element());
  BOOST_TEST_REQUIRE(verdict.custody().size() == 3U);
  BOOST_TEST(verdict.ignored_results().empty());
  for (const HopCustody& hop : verdict.custody()) {
    BOOST_TEST((hop.how == CustodyBasis::kVouched && hop.found.level == Custody::kTpmCertified));
    BOOST_TEST(hop.verifier == "https://verifier.example");
    BOOST_TEST(
        (hop.found.evidence_at == kIssuedNow - minutes(2) && hop.expires_at == kIssuedNow + minutes(59)));
    BOOST_TEST((hop.found.reset_count == 7 && hop.found.restart_count == 2 && hop.found.is_clock_safe));
    BOOST_TEST((hop.found.firmware == 0x0001000200030004 && hop.found.ek == std::string(64, 'a')));
    BOOST_TEST(hop.found.endorsement == "root");
  }
}

BOOST_DATA_TEST_CASE(what_does_not_meet_the_requirement_is_denied, data::make(kRefused), row) {
  Scene scene;
  row.spoil(scene);
  const Verdict verdict = scene.verify();
  BOOST_TEST_REQUIRE(!verdict.valid());
  BOOST_TEST((verdict.outcome() == Outcome::kCustodyUnproven && verdict.denial().step == Step::kCustody));
  BOOST_TEST(verdict.denial().hop == row.hop);
  BOOST_TEST(std::string(verdict.denial().reason).find(row.reason) != std::string::npos,
             verdict.denial().reason);
  BOOST_TEST((!verdict.denial().expected.empty() && !verdict.denial().found.empty()));
  BOOST_TEST(!verdict.denial().remedy.empty());
  const auto& ignored = verdict.ignored_results();
  BOOST_TEST(ignored.empty() == std::string_view(row.ignored).empty());
  if (ignored.empty()) return;
  const std::string reason = ignored.front().reason;
  BOOST_TEST(reason.find(row.ignored) != std::string::npos, reason);
}

BOOST_DATA_TEST_CASE(without_a_requirement_nothing_is_denied_for_it, data::make(kRefused), row) {
  Scene scene;
  row.spoil(scene);
  scene.options.custody.reset();
  const Verdict verdict = scene.verify();
  BOOST_TEST(verdict.valid());
  BOOST_TEST(verdict.not_performed().back() == "custody");
  const bool was_given = !scene.results.empty() || !scene.proved.empty();
  BOOST_TEST(verdict.custody().size() == (was_given ? 3U : 0U));
}

BOOST_AUTO_TEST_CASE(the_newest_of_several_results_counts_wherever_it_stands) {
  for (const bool first : {true, false}) {
    Scene scene;
    AttestationResult older = scene.vouched.results[1];
    older.issued_at -= seconds(1);
    older.custody = Custody::kSoftware;
    scene.results.insert(first ? scene.results.begin() : scene.results.end(),
                         sign_result(older, scene.vouched.verifier));
    const Verdict verdict = scene.verify();
    BOOST_TEST(verdict.valid());
    BOOST_TEST_REQUIRE(verdict.ignored_results().size() == 1U);
    BOOST_TEST(verdict.ignored_results().front().index == (first ? 0U : 3U));
  }
}

BOOST_AUTO_TEST_CASE(the_last_result_that_is_read_is_the_sixty_fourth) {
  Scene scene;
  scene.results.insert(scene.results.begin(), kMaxAttestationResults - 3, "x");
  BOOST_TEST(scene.verify().valid());
  scene.results.push_back("x");
  const Verdict verdict = scene.verify();
  BOOST_TEST(verdict.valid());
  BOOST_TEST(verdict.ignored_results().back().index == kMaxAttestationResults);
}

BOOST_AUTO_TEST_CASE(the_last_result_about_a_key_that_is_read_is_the_fourth) {
  Scene scene;
  std::string changed = scene.results[1];
  damage(changed);
  const std::string unnamed = sign_result(scene.vouched.results[1], new_key());
  scene.results.insert(scene.results.begin(), 3, changed);
  scene.results.insert(scene.results.begin(), 9, unnamed);  // cost nothing, and take nobody's place
  BOOST_TEST(scene.verify().valid());
  scene.results.insert(scene.results.begin(), changed);
  const Verdict verdict = scene.verify();
  BOOST_TEST((verdict.outcome() == Outcome::kCustodyUnproven));
  BOOST_TEST(verdict.ignored_results().back().index == 14U);
  BOOST_TEST(std::string(verdict.ignored_results().back().reason).find("than are read") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(evidence_may_be_as_old_as_is_accepted) {
  Scene scene;
  scene.options.custody_max_age = minutes(2);
  BOOST_TEST(scene.verify().valid());
  BOOST_TEST((scene.verify(kIssuedNow + seconds(1)).outcome() == Outcome::kCustodyUnproven));
}

BOOST_AUTO_TEST_CASE(an_emulated_level_meets_a_requirement_for_it_and_says_what_it_is_worth) {
  Scene scene;
  for (std::size_t hop = 0; hop < 3; ++hop)
    scene.change(hop, [](AttestationResult& r) { r.custody = Custody::kTpmCertifiedEmulated; });
  BOOST_TEST((scene.verify().outcome() == Outcome::kCustodyUnproven));
  scene.options.custody = CustodyRequirement::kTpmCertifiedEmulated;
  const Verdict verdict = scene.verify();
  BOOST_TEST_REQUIRE(verdict.valid());
  BOOST_TEST(verdict.custody()[0].text().find("proves nothing about hardware") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_the_caller_proved_itself_needs_no_verifier) {
  Scene scene;
  scene.anchor.attestation_verifiers.clear();
  scene.results.clear();
  for (const AttestationResult& result : scene.vouched.results) {
    KeyCustody custody;
    custody.level = Custody::kTpmQuoted;
    custody.evidence_at = kIssuedNow;
    scene.proved.push_back({result.key, custody});
  }
  scene.options.custody = CustodyRequirement::kTpmQuoted;
  scene.options.custody_max_age = seconds(0);
  const Verdict verdict = scene.verify();
  BOOST_TEST_REQUIRE(verdict.valid());
  BOOST_TEST((verdict.custody()[1].how == CustodyBasis::kProved && !verdict.custody()[1].expires_at));
  scene.proved.pop_back();
  BOOST_TEST(scene.verify().denial().hop == 2);
}

BOOST_AUTO_TEST_CASE(custody_is_judged_after_what_the_chain_itself_says) {
  Scene scene;
  scene.results.clear();
  const auto late = kIssuedNow + std::chrono::hours(2);
  BOOST_TEST((scene.verify(late).outcome() == Outcome::kExpired));
  BOOST_TEST(scene.verify(late).custody().empty());
}

BOOST_AUTO_TEST_CASE(custody_is_judged_before_who_presents_the_chain) {
  Scene scene;
  const ActionRequest request;
  scene.options.request = &request;
  BOOST_TEST((scene.verify().outcome() == Outcome::kHolderBindingFailed));
  scene.results.clear();
  BOOST_TEST((scene.verify().outcome() == Outcome::kCustodyUnproven));
}

BOOST_AUTO_TEST_CASE(another_anchors_verifiers_do_not_count) {
  const Scene scene;
  TrustConfig trust;
  trust.anchors = {scene.anchor, scene.anchor};
  trust.anchors[0].attestation_verifiers.clear();
  const auto results = views(scene.results);
  VerifyOptions options = scene.options;
  options.attestation_results = results;
  const auto outcome = [&] {
    return verify_chain(scene.vouched.chain.views(), TrustSnapshot(trust), kIssuedNow, options).outcome();
  };
  BOOST_TEST((outcome() == Outcome::kCustodyUnproven));
  std::swap(trust.anchors[0], trust.anchors[1]);
  BOOST_TEST((outcome() == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(a_remembered_result_is_judged_like_any_other) {
  Scene scene;
  VerificationCache cache(64);
  scene.options.cache = &cache;
  for (int round = 0; round < 2; ++round) BOOST_TEST(scene.verify().valid());
  BOOST_TEST(cache.find_result(scene.results[1]).has_value());
  BOOST_TEST((scene.verify(kIssuedNow + minutes(59)).outcome() == Outcome::kCustodyUnproven));
  Scene other;  // remembered, but about none of its keys
  other.options.cache = &cache;
  other.anchor.attestation_verifiers.push_back(scene.vouched.verifier.public_key());
  other.results.insert(other.results.begin(), scene.results[1]);
  BOOST_TEST(other.verify().valid());
  BOOST_TEST(other.verify().ignored_results().size() == 1U);
  scene.anchor.attestation_verifiers = {new_key().public_key()};
  BOOST_TEST((scene.verify().outcome() == Outcome::kCustodyUnproven));
}

BOOST_AUTO_TEST_CASE(a_session_is_met_through_its_parent) {
  SessionScene scene;
  const Verdict verdict = scene.open();
  BOOST_TEST_REQUIRE(verdict.valid());
  BOOST_TEST((verdict.custody().back().how == CustodyBasis::kSession));
  BOOST_TEST((verdict.custody().back().found.level == Custody::kSoftware));
}

BOOST_DATA_TEST_CASE(a_session_that_breaks_a_rule_is_none, data::make(kBadSessions), row) {
  SessionScene scene;
  row.spoil(scene);
  const Verdict verdict = scene.open();
  BOOST_TEST_REQUIRE((verdict.outcome() == Outcome::kCustodyUnproven));
  BOOST_TEST(verdict.denial().hop == 3);
  BOOST_TEST(std::string(verdict.denial().reason).find(row.reason) != std::string::npos,
             verdict.denial().reason);
  BOOST_TEST((verdict.custody().back().how == CustodyBasis::kUnproven));
}

BOOST_AUTO_TEST_CASE(a_session_that_its_agent_did_not_sign_is_none) {
  SessionScene scene;
  const Verdict verdict = scene.open(false);
  BOOST_TEST_REQUIRE((verdict.outcome() == Outcome::kCustodyUnproven));
  BOOST_TEST(verdict.denial().hop == 3);
}

BOOST_AUTO_TEST_CASE(a_session_below_a_key_that_proves_nothing_proves_nothing) {
  SessionScene scene;
  scene.results.pop_back();
  const Verdict verdict = scene.open();
  BOOST_TEST_REQUIRE((verdict.outcome() == Outcome::kCustodyUnproven));
  BOOST_TEST(verdict.denial().hop == 2);
}

BOOST_AUTO_TEST_CASE(a_root_is_no_session) {
  Claims claims = root_claims(new_key().public_key());
  claims.is_session = true;
  claims.exp = claims.iat + 600;
  claims.del_max_depth = 1;
  const IssuedChain chain = issue_root(claims);
  const VerifyOptions options = Scene::requiring(CustodyRequirement::kHardware);
  const Verdict verdict = verify_chain(chain.views(), chain.trust(), kIssuedNow, options);
  BOOST_TEST((verdict.outcome() == Outcome::kCustodyUnproven));
}

BOOST_AUTO_TEST_CASE(a_session_in_the_middle_counts_as_any_token) {
  SessionScene scene;
  scene.claims.del_max_depth = scene.claims.del_depth + 2;
  scene.vouched.chain.extend(scene.claims, std::move(scene.session_key));
  Claims claims = child_claims(scene.vouched.chain.leaf(), new_key().public_key());
  claims.is_session = false;
  scene.vouched.chain.extend(claims, new_key());
  const Verdict verdict = scene.verify();
  BOOST_TEST_REQUIRE((verdict.outcome() == Outcome::kCustodyUnproven));
  BOOST_TEST(verdict.denial().hop == 3);
}

BOOST_AUTO_TEST_CASE(an_explanation_says_what_is_proved_and_what_was_ignored) {
  Scene scene;
  scene.results.push_back("x");
  scene.change(2, [](AttestationResult& r) { r.custody = Custody::kTpmCertifiedEmulated; });
  scene.change(0, [](AttestationResult& r) { r.issuer = "https://v\x1b[2J"; });
  const auto results = views(scene.results);
  VerifyOptions options = scene.options;
  options.attestation_results = results;
  const std::string text =
      explain(scene.vouched.chain.views(), scene.vouched.trust(), kIssuedNow, options).text();
  BOOST_TEST_CONTEXT(text) {
    BOOST_TEST(text.find("DENIED, custody_unproven, at step custody, where the keys live, token 2") !=
               std::string::npos);
    BOOST_TEST(text.find("tpm-certified, vouched for by https://verifier.example") != std::string::npos);
    BOOST_TEST(text.find("Attestation result 3 (the first is 0) was ignored") != std::string::npos);
    BOOST_TEST(text.find("this proves nothing about hardware") != std::string::npos);
    BOOST_TEST(text.find('\x1b') == std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
