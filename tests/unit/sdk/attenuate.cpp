#include <algorithm>
#include <array>
#include <functional>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/base/base64url.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using std::chrono::seconds;

constexpr std::int64_t kDepth = 16;

// A parent with a little of everything to narrow.
Claims parent_claims() {
  Claims claims = root_claims({});
  claims.aud = {"https://a.example.net", "https://b.example.net"};
  claims.authority.scopes = {"crm.*", "payments.refund"};
  claims.authority.constraints = {
      {"payments.refund#amount", NumberBound{NumberBound::Type::kMax, 500}},
      {"region", Membership{false, {R"("eu")", R"("us")"}}},
      {"blocked", Membership{true, {"1", "2"}}},
  };
  return claims;
}

DelegationRequest request(std::vector<std::string> scopes, std::vector<Constraint> constraints = {}) {
  DelegationRequest out;
  out.client_id = "spiffe://example.net/agent/1";
  out.holder.octets.fill(7);
  out.authority = {std::move(scopes), std::move(constraints)};
  out.lifetime = seconds(600);
  out.jti = "fresh";
  return out;
}

// What a request may ask to get all that it asks, so that a row narrows in one respect.
DelegationRequest modest() {
  return request({"crm.read"}, {{"payments.refund#amount", NumberBound{NumberBound::Type::kMax, 500}},
                                {"region", Membership{false, {R"("eu")"}}},
                                {"blocked", Membership{true, {"1", "2"}}}});
}

Constraint& constraint(DelegationRequest& request, std::size_t index) {
  return request.authority.constraints[index];
}

struct Given {
  const char* name;
  void (*change)(DelegationRequest&);
  std::vector<Narrowing> narrowed;  ///< what the answer must tell, exactly
};
std::ostream& operator<<(std::ostream& out, const Given& row) { return out << row.name; }

const std::array kGiven{
    Given{"nothing is narrowed", [](DelegationRequest&) {}, {}},
    Given{"a scope wider than the parent's",
          [](DelegationRequest& r) { r.authority.scopes = {"payments.*"}; },
          {{"scope", R"("payments.*")", R"(["payments.refund"])"}}},
    Given{"a scope that is refused beside one that is given",
          [](DelegationRequest& r) {
            r.authority.scopes = {"crm.read", "hr.read"};
          },
          {{"scope", R"("hr.read")", "[]"}}},
    Given{"a redundant scope is not narrowed",
          [](DelegationRequest& r) {
            r.authority.scopes = {"crm.*", "crm.read"};
          },
          {}},
    Given{"a higher bound",
          [](DelegationRequest& r) {
            r.authority.scopes = {"payments.refund"};
            constraint(r, 0).rule = NumberBound{NumberBound::Type::kMax, 900};
          },
          {{"payments.refund#amount max", "900", "500"}}},
    Given{"a lower bound is given as asked",
          [](DelegationRequest& r) {
            constraint(r, 0).rule = NumberBound{NumberBound::Type::kMax, 100};
          },
          {}},
    Given{"a bound left out",
          [](DelegationRequest& r) {
            r.authority.scopes = {"payments.refund"};
            r.authority.constraints.erase(r.authority.constraints.begin());
          },
          {{"payments.refund#amount max", "null", "500"}}},
    Given{"a bound left out that speaks of no granted action",
          [](DelegationRequest& r) { r.authority.constraints.erase(r.authority.constraints.begin()); },
          {}},
    Given{"a choice with more than the parent's",
          [](DelegationRequest& r) {
            constraint(r, 1).rule = Membership{false, {R"("eu")", R"("cn")"}};
          },
          {{"region one_of", R"(["eu","cn"])", R"(["eu"])"}}},
    Given{"a choice in another order",
          [](DelegationRequest& r) {
            constraint(r, 1).rule = Membership{false, {R"("us")", R"("eu")"}};
          },
          {}},
    Given{"a choice that repeats itself",
          [](DelegationRequest& r) {
            constraint(r, 1).rule = Membership{false, {R"("eu")", R"("eu")"}};
          },
          {}},
    Given{"an exclusion with less than the parent's",
          [](DelegationRequest& r) {
            constraint(r, 2).rule = Membership{true, {"3"}};
          },
          {{"blocked not_one_of", "[3]", "[1,2,3]"}}},
    Given{"an exclusion in another order",
          [](DelegationRequest& r) {
            constraint(r, 2).rule = Membership{true, {"2", "1"}};
          },
          {}},
    Given{"a constraint of its own",
          [](DelegationRequest& r) {
            r.authority.constraints.push_back({"path", Prefix{"/a"}});
          },
          {}},
    Given{"the parent's audience when none is asked", [](DelegationRequest& r) { r.audience.clear(); }, {}},
    Given{"one audience of two", [](DelegationRequest& r) { r.audience = {"https://b.example.net"}; }, {}},
    Given{"an audience that the parent lacks",
          [](DelegationRequest& r) {
            r.audience = {"https://b.example.net", "https://c.example.net"};
          },
          {{"audience", R"(["https://b.example.net","https://c.example.net"])",
            R"(["https://b.example.net"])"}}},
    Given{"an audience asked twice",
          [](DelegationRequest& r) {
            r.audience = {"https://b.example.net", "https://b.example.net"};
          },
          {}},
    Given{"exactly the parent's time", [](DelegationRequest& r) { r.lifetime = seconds(3600); }, {}},
    Given{"more time than the parent has",
          [](DelegationRequest& r) { r.lifetime = seconds(3601); },
          {{"lifetime_s", "3601", "3600"}}},
};

struct Refused {
  const char* name;
  void (*change)(DelegationRequest&);
  ErrorCode code;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }

const std::array kRefused{
    Refused{"no scope in common", [](DelegationRequest& r) { r.authority.scopes = {"hr.read"}; },
            ErrorCode::kNothingGranted},
    Refused{"no scope asked", [](DelegationRequest& r) { r.authority.scopes.clear(); },
            ErrorCode::kNothingGranted},
    Refused{"no audience in common", [](DelegationRequest& r) { r.audience = {"https://c.example.net"}; },
            ErrorCode::kAudienceNotGranted},
    Refused{"no lifetime", [](DelegationRequest& r) { r.lifetime = seconds(0); }, ErrorCode::kLimitExceeded},
    Refused{"a negative lifetime", [](DelegationRequest& r) { r.lifetime = seconds(-1); },
            ErrorCode::kLimitExceeded},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attenuation)

BOOST_AUTO_TEST_CASE(a_child_continues_its_parent) {
  const IssuedChain chain = issue_root(parent_claims());
  const Token parent = chain.leaf();
  const Claims child = attenuate(parent, kDepth, modest(), kIssuedNow).value().claims;
  BOOST_TEST(child.iss == parent.claims().client_id);
  BOOST_TEST(child.sub == parent.claims().sub);
  BOOST_TEST(child.client_id == "spiffe://example.net/agent/1");
  BOOST_TEST(child.jti == "fresh");
  BOOST_TEST((child.holder == modest().holder));
  BOOST_TEST(child.del_depth == 1);
  BOOST_TEST(!child.del_max_depth.has_value());
  BOOST_TEST(child.par_hash.value() == base64url_encode(parent.digest()));
  BOOST_TEST(child.iat == 1800000000);
  BOOST_TEST(child.exp == 1800000600);
  BOOST_TEST(!child.nbf.has_value());
  BOOST_TEST(!child.has_status);
  BOOST_TEST(child.aud == parent.claims().aud, boost::test_tools::per_element());
  BOOST_TEST(subsumes(parent.claims().authority, child.authority));
}

BOOST_DATA_TEST_CASE(what_is_given_smaller_is_told, data::make(kGiven), row) {
  const Token parent = issue_root(parent_claims()).leaf();
  DelegationRequest asked = modest();
  row.change(asked);
  const auto child = attenuate(parent, kDepth, asked, kIssuedNow);
  BOOST_REQUIRE(child.has_value());
  BOOST_TEST(subsumes(parent.claims().authority, child->claims.authority));
  BOOST_TEST(subsumes(asked.authority, child->claims.authority));
  BOOST_REQUIRE(child->narrowed.size() == row.narrowed.size());
  for (std::size_t i = 0; i < row.narrowed.size(); ++i) {
    BOOST_TEST(child->narrowed[i].what == row.narrowed[i].what);
    BOOST_TEST(child->narrowed[i].asked == row.narrowed[i].asked);
    BOOST_TEST(child->narrowed[i].given == row.narrowed[i].given);
  }
}

BOOST_DATA_TEST_CASE(a_request_of_which_nothing_is_left_is_refused, data::make(kRefused), row) {
  DelegationRequest asked = modest();
  row.change(asked);
  const auto child = attenuate(issue_root(parent_claims()).leaf(), kDepth, asked, kIssuedNow);
  BOOST_REQUIRE(!child.has_value());
  BOOST_TEST((child.error().code == row.code));
}

BOOST_AUTO_TEST_CASE(constraints_that_conflict_are_refused) {
  Claims claims = parent_claims();
  claims.authority.constraints.push_back({"path", Prefix{"/a"}});
  DelegationRequest asked = modest();
  asked.authority.constraints.push_back({"path", Prefix{"/b"}});
  const auto child = attenuate(issue_root(claims).leaf(), kDepth, asked, kIssuedNow);
  BOOST_TEST((child.error().code == ErrorCode::kNoMeet));
}

BOOST_AUTO_TEST_CASE(depth_ends_one_token_below_the_limit) {
  const Token parent = issue_root(parent_claims()).leaf();
  BOOST_TEST(attenuate(parent, 2, modest(), kIssuedNow).has_value());
  BOOST_TEST((attenuate(parent, 1, modest(), kIssuedNow).error().code == ErrorCode::kDepthExhausted));
  BOOST_TEST((attenuate(parent, 0, modest(), kIssuedNow).error().code == ErrorCode::kDepthExhausted));
}

BOOST_AUTO_TEST_CASE(what_no_token_can_hold_is_refused_before_it_is_judged) {
  const Token parent = issue_root(parent_claims()).leaf();
  DelegationRequest scopes = modest();
  scopes.authority.scopes.resize(12288, "crm.read");
  BOOST_TEST(attenuate(parent, kDepth, scopes, kIssuedNow).has_value());
  scopes.authority.scopes.emplace_back("crm.read");
  BOOST_TEST((attenuate(parent, kDepth, scopes, kIssuedNow).error().code == ErrorCode::kTooLarge));
  DelegationRequest constraints = modest();
  while (constraints.authority.constraints.size() < 3072) {
    constraints.authority.constraints.push_back(
        {std::to_string(constraints.authority.constraints.size()), Prefix{}});
  }
  BOOST_TEST(attenuate(parent, kDepth, constraints, kIssuedNow).has_value());
  constraints.authority.constraints.push_back({"one more", Prefix{}});
  BOOST_TEST((attenuate(parent, kDepth, constraints, kIssuedNow).error().code == ErrorCode::kTooLarge));
}

BOOST_AUTO_TEST_CASE(a_scope_asked_for_twice_is_told_once) {
  const Token parent = issue_root(parent_claims()).leaf();
  const auto child = attenuate(parent, kDepth, request({"payments.*", "payments.*"}), kIssuedNow);
  BOOST_REQUIRE(child.has_value());
  const auto told = std::ranges::count(child->narrowed, "scope", &Narrowing::what);
  BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(a_child_never_outlives_its_parent) {
  Claims claims = parent_claims();
  claims.exp = 1800000000.5;
  const Token parent = issue_root(claims).leaf();
  const auto child = attenuate(parent, kDepth, modest(), kIssuedNow);
  BOOST_REQUIRE(child.has_value());
  BOOST_TEST(child->claims.exp == 1800000000.5);
  BOOST_REQUIRE(child->narrowed.size() == 1u);
  BOOST_TEST(child->narrowed[0].given == "0.5");
  const auto late = attenuate(parent, kDepth, modest(), kIssuedNow + seconds(1));
  BOOST_TEST((late.error().code == ErrorCode::kLimitExceeded));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
