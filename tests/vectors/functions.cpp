#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include <boost/test/unit_test.hpp>

#include <chancery/keys.hpp>
#include <chancery/token.hpp>

#include "sdk/json/number.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/verify/htu.hpp"
#include "tests/vectors/source_files.hpp"

namespace chancery::tests {
namespace {

using json::Value;

std::string text(const Value& object, std::string_view name) {
  return std::string(object.find(name)->string().value());
}

std::optional<ScopeForm> form_named(const Value& name) {
  if (name.string() == "literal") return ScopeForm::kLiteral;
  if (name.string() == "wildcard") return ScopeForm::kWildcard;
  if (name.string() == "opaque") return ScopeForm::kOpaque;
  return std::nullopt;
}

std::vector<std::string> sorted_constraints(const Authority& authority) {
  std::vector<std::string> out;
  for (const Constraint& constraint : authority.constraints) out.push_back(json::to_jcs(to_json(constraint)));
  std::ranges::sort(out);
  return out;
}

// The meet is there exactly when the table has one, and is within both sides.
std::optional<Authority> check_meet(const Authority& parent, const Authority& request, const Value& want) {
  const auto got = meet(parent, request);
  BOOST_REQUIRE(got.has_value() != want.is(Value::Kind::kNull));
  if (!got) {
    BOOST_TEST((got.error().code == ErrorCode::kNoMeet));
    return std::nullopt;
  }
  BOOST_TEST(subsumes(parent, *got));
  BOOST_TEST(subsumes(request, *got));
  return *got;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(function_tables)

BOOST_AUTO_TEST_CASE(scopes_have_the_form_that_the_table_says) {
  const json::Document table = read_source_json("tests/vectors/data/vectors/scopes.json");
  std::size_t rows = 0;
  for (const Value& row : table.root().find("classify")->items()) {
    BOOST_TEST_CONTEXT("scope " << text(row, "scope")) {
      BOOST_TEST((classify_scope(text(row, "scope")) == form_named(*row.find("form"))));
      ++rows;
    }
  }
  BOOST_TEST(rows > 30u);
}

BOOST_AUTO_TEST_CASE(scopes_cover_exactly_the_pairs_of_the_table) {
  const json::Document table = read_source_json("tests/vectors/data/vectors/scopes.json");
  const auto universe = table.root().find("universe")->items();
  const auto pairs = table.root().find("covers")->items();
  BOOST_TEST(pairs.size() > 20u);
  for (const Value& outer : universe) {
    for (const Value& inner : universe) {
      const bool listed = std::ranges::any_of(pairs, [&](const Value& pair) {
        return pair.items()[0].string() == outer.string() && pair.items()[1].string() == inner.string();
      });
      BOOST_TEST_CONTEXT(*outer.string() << " over " << *inner.string()) {
        BOOST_TEST(scope_covers(*outer.string(), *inner.string()) == listed);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_have_their_canonical_form) {
  const json::Document table = read_source_json("tests/vectors/data/vectors/jcs_numbers.json");
  BOOST_TEST(table.root().items().size() > 20u);
  for (const Value& row : table.root().items()) {
    const std::string hex = text(row, "ieee754");
    std::uint64_t bits = 0;
    std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
    std::string got;
    json::append_number(got, std::bit_cast<double>(bits));
    BOOST_TEST(got == text(row, "jcs"), hex);
    BOOST_TEST(json::is_canonical_number(text(row, "jcs"), std::bit_cast<double>(bits)), hex);
  }
}

BOOST_AUTO_TEST_CASE(meet_is_what_the_table_says_whichever_side_asks) {
  const json::Document table = read_source_json("tests/vectors/data/vectors/meet.json");
  BOOST_TEST(table.root().items().size() > 10u);
  for (const Value& row : table.root().items()) {
    const Authority parent = read_detail(*row.find("parent")).value();
    const Authority request = read_detail(*row.find("request")).value();
    BOOST_TEST_CONTEXT(text(row, "note")) {
      const auto got = check_meet(parent, request, *row.find("meet"));
      const auto other_way = check_meet(request, parent, *row.find("meet"));
      if (!got || !other_way) continue;
      const Authority want = read_detail(*row.find("meet")).value();
      BOOST_TEST(got->scopes == want.scopes, boost::test_tools::per_element());
      BOOST_TEST(other_way->scopes == want.scopes, boost::test_tools::per_element());
      BOOST_TEST(sorted_constraints(*got) == sorted_constraints(want), boost::test_tools::per_element());
      // The other way round the members of a set may stand in another order.
      BOOST_TEST(subsumes(want, *other_way));
      BOOST_TEST(subsumes(*other_way, want));
    }
  }
}

BOOST_AUTO_TEST_CASE(thumbprints_are_those_of_rfc_7638) {
  const json::Document table = read_source_json("tests/vectors/data/vectors/thumbprints.json");
  BOOST_TEST(!table.root().items().empty());
  for (const Value& row : table.root().items()) {
    const auto key = parse_jwk(row.find("jwk")->source());
    BOOST_REQUIRE(key.has_value());
    BOOST_TEST(key->thumbprint().text() == text(row, "jkt"));
    BOOST_TEST(key->jwk() == json::to_jcs(*row.find("jwk")));
  }
}

BOOST_AUTO_TEST_CASE(uris_normalize_as_the_table_says) {
  const json::Document table = read_source_json("tests/vectors/data/vectors/htu.json");
  BOOST_TEST(!table.root().items().empty());
  for (const Value& row : table.root().items()) {
    BOOST_TEST(normalize_htu(text(row, "uri")).value() == text(row, "normal"));
    BOOST_TEST(normalize_htu(text(row, "normal")).value() == text(row, "normal"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
