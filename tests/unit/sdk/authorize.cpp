#include <array>
#include <ostream>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/authorize.hpp>

#include "sdk/wire/messages.hpp"
#include "tests/unit/sdk/presented_action.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

struct Asked {
  const char* name;
  void (*change)(ActionRequest&);
  Ruling ruling;
  Outcome outcome = Outcome::kValid;
};
std::ostream& operator<<(std::ostream& out, const Asked& row) { return out << row.name; }

const std::array kAsked{
    Asked{"as it is granted", [](ActionRequest&) {}, Ruling::kPermit},
    Asked{"nobody looked for a replay", [](ActionRequest& r) { r.seen = nullptr; }, Ruling::kIncomplete},
    Asked{"the proof was seen before",
          [](ActionRequest& r) { r.seen = [](const Thumbprint&, std::string_view) { return true; }; },
          Ruling::kDeny, Outcome::kHolderBindingFailed},
    Asked{"no proof", [](ActionRequest& r) { r.dpop.reset(); }, Ruling::kDeny, Outcome::kHolderBindingFailed},
    Asked{"no proof, and nobody looked for a replay",
          [](ActionRequest& r) {
            r.dpop.reset();
            r.seen = nullptr;
          },
          Ruling::kDeny, Outcome::kHolderBindingFailed},
    Asked{"a proof for another method", [](ActionRequest& r) { r.dpop->htm = "GET"; }, Ruling::kDeny,
          Outcome::kHolderBindingFailed},
    Asked{"another audience", [](ActionRequest& r) { r.audience = "https://x.example"; }, Ruling::kDeny,
          Outcome::kAudienceMismatch},
    Asked{"another scope", [](ActionRequest& r) { r.scope = "hr.read"; }, Ruling::kDeny,
          Outcome::kScopeNotGranted},
    Asked{"a parameter out of bounds",
          [](ActionRequest& r) { r.parameters["amount"] = ParameterValue::of(501); }, Ruling::kDeny,
          Outcome::kCeilingExceeded},
    Asked{"a proof that names no action, though one must be named",
          [](ActionRequest& r) { r.ada_required = true; }, Ruling::kDeny, Outcome::kHolderBindingFailed},
};

Decision decide(const IssuedChain& chain, const ActionRequest& action) {
  return authorize(chain.views(), chain.trust(), kIssuedNow, action);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(authorization)

BOOST_DATA_TEST_CASE(an_action_is_permitted_when_every_check_was_made_and_passed, data::make(kAsked), row) {
  const IssuedChain chain = issue_chain(3);
  ActionRequest action = action_for(chain);
  row.change(action);
  const Decision decision = decide(chain, action);
  BOOST_TEST((decision.ruling == row.ruling));
  BOOST_TEST(decision.permitted() == (row.ruling == Ruling::kPermit));
  BOOST_TEST((decision.explanation.verdict.outcome() == row.outcome));
  BOOST_TEST(decision.explanation.hops.size() == 3);
  BOOST_TEST(decision.missing.empty() == (row.ruling != Ruling::kIncomplete));
  const std::string json = wire::write(decision);
  BOOST_TEST(json.find("\"decision\":\"" + std::string(ruling_name(row.ruling)) + '"') != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
  const IssuedChain chain = issue_chain(1);
  ActionRequest action = action_for(chain);
  BOOST_TEST(decide(chain, action).text().starts_with("PERMITTED\n"));
  action.seen = nullptr;
  const Decision decision = decide(chain, action);
  BOOST_TEST((decision.missing == std::vector<std::string_view>{"replay"}));
  BOOST_TEST(decision.text().starts_with("NOT DECIDED: check first replay\n"));
  action.scope = "hr.read";
  BOOST_TEST(decide(chain, action).text().starts_with("DENIED\n"));
}

BOOST_AUTO_TEST_CASE(nothing_is_permitted_before_the_totals_of_all_ancestors_are_known) {
  Claims root = root_claims({});
  root.authority.constraints = {{"calls", NumberBound{NumberBound::Type::kMaxSubtree, 10}}};
  IssuedChain chain = issue_root(root);
  SigningKey holder = SigningKey::generate(Algorithm::kES256).value();
  const Claims child = child_claims(chain.leaf(), holder.public_key());
  chain.extend(child, std::move(holder));

  ActionRequest action = action_for(chain);
  BOOST_TEST((decide(chain, action).explanation.verdict.outcome() == Outcome::kCeilingExceeded));
  action.totals.emplace_back().max_subtree["calls"] = 1;
  const Decision unknown = decide(chain, action);
  BOOST_TEST((unknown.ruling == Ruling::kIncomplete));
  BOOST_TEST((unknown.missing == std::vector<std::string_view>{"ancestor_totals"}));
  action.totals.emplace_back().max_subtree["calls"] = 10;
  const Decision known = decide(chain, action);
  BOOST_TEST(known.permitted());
  BOOST_TEST((known.explanation.verdict.not_performed() == std::vector<std::string_view>{"custody"}));
}

BOOST_AUTO_TEST_CASE(a_proof_is_asked_for_once) {
  const IssuedChain chain = issue_chain(2);
  ActionRequest action = action_for(chain);
  int asked = 0;
  action.seen = [&](const Thumbprint&, std::string_view) { return asked++ > 0; };
  BOOST_TEST(decide(chain, action).permitted());
  BOOST_TEST(asked == 1);
  BOOST_TEST(!decide(chain, action).permitted());
}

BOOST_AUTO_TEST_CASE(a_request_among_the_options_is_not_looked_at) {
  const IssuedChain chain = issue_chain(1);
  const ActionRequest action = action_for(chain);
  ActionRequest other = action;
  other.scope = "hr.read";
  VerifyOptions options;
  options.request = &other;
  BOOST_TEST(authorize(chain.views(), chain.trust(), kIssuedNow, action, options).permitted());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
