#include "sdk/cli/attestation_results.hpp"

#include <functional>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/cli/key_set_input.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"

namespace chancery::tests {
namespace {

using cli::ExitCode;
using cli::JudgedResult;
using std::chrono::seconds;

SigningKey new_key() { return SigningKey::generate(Algorithm::kES256).value(); }

/// A good result, and what is changed about it or asked of it.
struct JudgedCase {
  const char* what;
  std::function<void(AttestationResult& result)> change;
  std::optional<CustodyRequirement> required;
  std::chrono::sys_seconds now;
  const char* outcome;
  ExitCode exit;
};
std::ostream& operator<<(std::ostream& out, const JudgedCase& row) { return out << row.what; }

const auto kAsItIs = [](AttestationResult&) {};
const auto kEmulated = [](AttestationResult& result) { result.custody = Custody::kTpmCertifiedEmulated; };
const AttestationResult kGood = result_about({});

const JudgedCase kCases[] = {
    {"a good one", kAsItIs, {}, kIssuedNow, "valid", ExitCode::kSuccess},
    {"of what is required", kAsItIs, CustodyRequirement::kHardware, kIssuedNow, "valid", ExitCode::kSuccess},
    {"of less", kAsItIs, CustodyRequirement::kTpmQuoted, kIssuedNow, "custody_unproven",
     ExitCode::kUndecided},
    {"emulation", kEmulated, {}, kIssuedNow, "valid", ExitCode::kSuccess},
    {"emulation for hardware", kEmulated, CustodyRequirement::kHardware, kIssuedNow, "custody_unproven",
     ExitCode::kUndecided},
    {"its first second", kAsItIs, {}, kGood.issued_at, "valid", ExitCode::kSuccess},
    {"a second before it", kAsItIs, {}, kGood.issued_at - seconds(1), "not_yet_valid", ExitCode::kDenied},
    {"its last second", kAsItIs, {}, kGood.expires_at - seconds(1), "valid", ExitCode::kSuccess},
    {"a second after it", kAsItIs, {}, kGood.expires_at, "expired", ExitCode::kDenied},
    {"evidence of this second",
     [](AttestationResult& result) { result.evidence_at = kIssuedNow; },
     {},
     kIssuedNow,
     "valid",
     ExitCode::kSuccess},
    {"evidence of a second from now",
     [](AttestationResult& result) { result.evidence_at = kIssuedNow + seconds(1); },
     {},
     kIssuedNow,
     "not_yet_valid",
     ExitCode::kDenied},
    {"out of date and too little", kEmulated, CustodyRequirement::kHardware, kGood.expires_at, "expired",
     ExitCode::kDenied},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attestation_results)

BOOST_DATA_TEST_CASE(a_result_is_judged_by_its_times_and_level, boost::unit_test::data::make(kCases)) {
  const SigningKey verifier = new_key();
  const auto keys =
      cli::verify_keys(std::vector{new_key().public_key(), verifier.public_key()}, "keys").value();
  AttestationResult result = result_about(new_key().public_key().thumbprint());
  sample.change(result);
  const std::vector<JudgedResult> judged{
      cli::judge_result(sign_result(result, verifier), keys, sample.required, sample.now)};
  BOOST_TEST(judged.front().outcome == sample.outcome);
  BOOST_TEST(judged.front().reason.empty() == judged.front().is_valid());
  BOOST_TEST((judged.front().claims->key == result.key));
  BOOST_TEST((cli::exit_code(judged) == sample.exit));
}

BOOST_AUTO_TEST_CASE(another_verifiers_word_and_no_result_at_all_are_denied) {
  const auto keys = cli::verify_keys(std::vector{new_key().public_key()}, "keys").value();
  const JudgedResult strange =
      cli::judge_result(sign_result(result_about({}), new_key()), keys, std::nullopt, kIssuedNow);
  BOOST_TEST(strange.outcome == "signature_invalid");
  BOOST_TEST(!strange.claims.has_value());
  const JudgedResult none = cli::judge_result("x", keys, std::nullopt, kIssuedNow);
  BOOST_TEST(none.outcome == "malformed");
  const JudgedResult longer =
      cli::judge_result(std::string(kMaxAttestationResult + 1, 'A'), keys, std::nullopt, kIssuedNow);
  BOOST_TEST(longer.outcome == "malformed");
  BOOST_TEST(longer.reason.find("longer") != std::string::npos);
  BOOST_TEST((cli::exit_code(std::vector{strange}) == ExitCode::kDenied));
  BOOST_TEST((cli::exit_code(std::vector{none}) == ExitCode::kDenied));
}

BOOST_AUTO_TEST_CASE(what_was_fetched_may_have_been_issued_while_it_was_waited_for) {
  const SigningKey verifier = new_key();
  const auto keys = cli::verify_keys(std::vector{verifier.public_key()}, "keys").value();
  const std::string fetched = sign_result(kGood, verifier);
  const auto outcome = [&](std::chrono::sys_seconds now) {
    return cli::judge_fetched_result(fetched, keys, now).outcome;
  };
  BOOST_TEST(outcome(kGood.issued_at) == "valid");
  BOOST_TEST(outcome(kGood.issued_at - seconds(1)) == "valid");
  BOOST_TEST(outcome(kGood.issued_at - seconds(60)) == "valid");
  BOOST_TEST(outcome(kGood.issued_at - seconds(61)) == "not_yet_valid");
  BOOST_TEST(outcome(kGood.expires_at) == "expired");
}

BOOST_AUTO_TEST_CASE(of_several_a_bad_one_decides) {
  const JudgedResult good{"", "valid", "", std::nullopt};
  const JudgedResult less{"", "custody_unproven", "", std::nullopt};
  const JudgedResult bad{"", "expired", "", std::nullopt};
  BOOST_TEST((cli::exit_code(std::vector{good, less}) == ExitCode::kUndecided));
  BOOST_TEST((cli::exit_code(std::vector{less, bad, good}) == ExitCode::kDenied));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
