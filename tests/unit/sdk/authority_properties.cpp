#include <algorithm>
#include <array>

#include <boost/test/unit_test.hpp>

#include "sdk/token/scope_set.hpp"
#include "tests/unit/sdk/random_authority.hpp"

namespace chancery::tests {
namespace {

constexpr std::uint64_t kFirstSeed = 20260301;
constexpr std::uint64_t kCases = 20000;

// Runs `property` with a source of its own for each seed, and tells the seed of a failure.
template <typename Property>
void for_all(Property property) {
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kCases; ++seed) {
    RandomSource random(seed);
    BOOST_TEST_CONTEXT("seed " << seed) { property(random); }
  }
}

bool same(const Authority& a, const Authority& b) { return subsumes(a, b) && subsumes(b, a); }

bool covers(const Authority& authority, const std::string& action) {
  return std::ranges::any_of(authority.scopes,
                             [&](const std::string& scope) { return scope_covers(scope, action); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(authority_properties)

BOOST_AUTO_TEST_CASE(a_set_of_scopes_covers_what_one_of_them_covers) {
  for_all([](RandomSource& random) {
    const std::vector<std::string> scopes = random_authority(random).scopes;
    const ScopeSet set(scopes);
    const std::string inner = random_scope(random);
    const bool one_covers =
        std::ranges::any_of(scopes, [&](auto& scope) { return scope_covers(scope, inner); });
    const bool other_covers = std::ranges::any_of(
        scopes, [&](auto& scope) { return scope != inner && scope_covers(scope, inner); });
    if (set.covers(inner) != one_covers || set.covers_otherwise(inner) != other_covers) {
      BOOST_ERROR((inner + " under " + Authority{scopes, {}}.jcs()));
    }
  });
}

BOOST_AUTO_TEST_CASE(a_meet_never_exceeds_either_side) {
  std::size_t met = 0;
  for_all([&](RandomSource& random) {
    const Authority parent = random_authority(random);
    const Authority request = random_authority(random);
    const auto both = meet(parent, request);
    if (!both) return;
    ++met;
    if (!subsumes(parent, *both) || !subsumes(request, *both)) {
      BOOST_ERROR(parent.jcs() + " meets " + request.jcs() + " in " + both->jcs());
    }
  });
  BOOST_TEST(met > kCases / 2);
}

BOOST_AUTO_TEST_CASE(a_meet_allows_every_action_that_both_sides_allow) {
  for_all([](RandomSource& random) {
    Authority parent = random_authority(random);
    Authority request = random_authority(random);
    parent.constraints.clear();
    request.constraints.clear();
    const Authority both = meet(parent, request).value();
    for (int i = 0; i < 20; ++i) {
      const std::string action = random_scope(random);
      if (covers(both, action) != (covers(parent, action) && covers(request, action))) {
        BOOST_ERROR(action + " under " + parent.jcs() + " and " + request.jcs());
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(a_meet_is_the_greatest_that_is_within_both) {
  std::size_t tried = 0;
  for_all([&](RandomSource& random) {
    const Authority parent = random_authority(random);
    const Authority request = random_authority(random);
    const auto both = meet(parent, request);
    const auto less = meet(parent, random_authority(random));
    if (!both || !less || !subsumes(request, *less)) return;
    ++tried;
    if (!subsumes(*both, *less)) BOOST_ERROR(both->jcs() + " lacks " + less->jcs());
  });
  BOOST_TEST(tried > 100u);
}

BOOST_AUTO_TEST_CASE(a_meet_does_not_depend_on_who_asks) {
  for_all([](RandomSource& random) {
    const Authority parent = random_authority(random);
    const Authority request = random_authority(random);
    const auto one_way = meet(parent, request);
    const auto other_way = meet(request, parent);
    BOOST_REQUIRE(one_way.has_value() == other_way.has_value());
    if (!one_way) return;
    if (one_way->scopes != other_way->scopes || !same(*one_way, *other_way)) {
      BOOST_ERROR(one_way->jcs() + " and " + other_way->jcs());
    }
  });
}

BOOST_AUTO_TEST_CASE(a_meet_with_itself_changes_nothing) {
  for_all([](RandomSource& random) {
    const Authority authority = random_authority(random);
    const auto both = meet(authority, authority);
    BOOST_REQUIRE(both.has_value());
    if (!same(*both, authority)) BOOST_ERROR(authority.jcs() + " became " + both->jcs());
    const auto again = meet(*both, authority);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->scopes == both->scopes, boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(narrowing_is_transitive) {
  std::size_t tried = 0;
  for_all([&](RandomSource& random) {
    const Authority first = random_authority(random);
    const auto second = meet(first, random_authority(random));
    if (!second) return;
    const auto third = meet(*second, random_authority(random));
    if (!third) return;
    ++tried;
    if (!subsumes(first, *third)) BOOST_ERROR(first.jcs() + " over " + third->jcs());
  });
  BOOST_TEST(tried > 1000u);
}

BOOST_AUTO_TEST_CASE(the_written_form_reads_back) {
  for_all([](RandomSource& random) {
    const Authority authority = random_authority(random);
    const std::string jcs = authority.jcs();
    const auto back = Authority::parse(jcs);
    BOOST_REQUIRE(back.has_value());
    if (back->jcs() != jcs) BOOST_ERROR(jcs);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
