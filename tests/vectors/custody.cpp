#include <boost/test/unit_test.hpp>

#include "tests/unit/sdk/vouched_chain.hpp"
#include "tests/vectors/source_files.hpp"
#include "tests/vectors/vector_reader.hpp"

// What is true of every chain: attestation results can meet a requirement on custody, and change nothing else.

namespace chancery::tests {
namespace {

using std::chrono::minutes;

const SigningKey& verifier() {
  static const SigningKey key = SigningKey::generate(Algorithm::kES256).value();
  return key;
}

// A good result about the holder's key of every token that can be read, and some that are worth nothing.
std::vector<std::string> results_for(const ReadVector& vector) {
  std::vector<std::string> results{"", "x.y.z", sign_result(result_about({}), verifier())};
  for (const std::string& compact : vector.tokens) {
    const auto token = Token::parse(compact);
    if (!token) continue;
    AttestationResult result = result_about(token->claims().holder);
    result.issued_at = result.evidence_at = vector.now - minutes(1);
    result.expires_at = vector.now + minutes(1);
    results.push_back(sign_result(result, verifier()));
    result.custody = Custody::kSoftware;
    result.issued_at -= minutes(1);
    results.push_back(sign_result(result, verifier()));
  }
  return results;
}

struct Judged {
  Outcome outcome;
  std::optional<Step> step;
  bool operator==(const Judged&) const = default;
};

Judged judged(const ReadVector& vector, const TrustSnapshot& trust, const std::vector<std::string>& results,
              std::optional<CustodyRequirement> requirement) {
  VerifyOptions options = vector.options_with(nullptr);
  const std::vector<std::string_view> given = views(results);
  options.attestation_results = given;
  options.custody = requirement;
  const Verdict verdict = verify_chain(vector.chain(), trust, vector.now, options);
  return {verdict.outcome(), verdict.valid() ? std::nullopt : std::optional(verdict.denial().step)};
}

bool comes_before_custody(const Judged& judged) { return judged.step && *judged.step < Step::kCustody; }

}  // namespace

BOOST_AUTO_TEST_SUITE(custody_of_vectors)

BOOST_AUTO_TEST_CASE(results_change_no_outcome_but_custody_unproven) {
  constexpr json::Limits kFile{.max_depth = 64, .max_values = 1U << 24, .allow_unsafe_integers = true};
  const std::string text = read_source_file("tests/vectors/data/vectors/delegation-chain.json");
  const auto document = json::Document::parse_borrowed(text, kFile).value();
  constexpr auto kHardware = CustodyRequirement::kHardware;
  const Judged unproven{Outcome::kCustodyUnproven, Step::kCustody};
  std::size_t met = 0;
  for (const json::Value& item : document.root().find("vectors")->items()) {
    ReadVector vector = read_vector(item);
    for (TrustAnchor& anchor : vector.trust.anchors) anchor.attestation_verifiers = {verifier().public_key()};
    const TrustSnapshot trust(vector.trust);
    const std::vector<std::string> results = results_for(vector);
    const Judged bare = judged(vector, trust, {}, std::nullopt);
    BOOST_TEST_CONTEXT(vector.id) {
      BOOST_TEST((judged(vector, trust, results, std::nullopt) == bare));
      const Judged required = judged(vector, trust, {}, kHardware);
      BOOST_TEST((required == (comes_before_custody(bare) ? bare : unproven)));
      const Judged proved = judged(vector, trust, results, kHardware);
      BOOST_TEST((proved == bare || (vector.options.accept_es256 ? false : proved == unproven)));
      met += proved == bare && !comes_before_custody(bare) ? 1 : 0;
    }
  }
  BOOST_TEST(met > 50U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
