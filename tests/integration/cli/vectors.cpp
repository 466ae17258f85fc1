// Every conformance vector that the options of `chancery verify` can express, judged by it as the vectors
// want.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/trust.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "tests/integration/cli/chancery_process.hpp"

namespace {

using namespace chancery;
using chancery::testing::Chancery;
using chancery::testing::Run;
using json::Value;

std::string_view text_of(const Value* value) { return value == nullptr ? "" : value->string().value_or(""); }

bool lists(const Value* array, std::string_view name) {
  return array != nullptr &&
         std::ranges::any_of(array->items(), [&](const Value& item) { return item.string() == name; });
}

std::string array_of(const Value& vector, std::string_view name) {
  const Value* array = vector.find(name);
  return array == nullptr ? "[]" : std::string(array->source());
}

std::string trust_of(const Value& vector) {
  return R"({"anchors":[{"keys":)" + array_of(vector, "trusted_roots") + R"(}],"issuers":)" +
         array_of(vector, "trusted_issuers") + R"(,"status_keys":)" + array_of(vector, "status_keys") + "}";
}

// Totals, seen identifiers, other windows and lists of algorithms belong to enforcement points, not to a
// person who asks; a trust file with an unusable key is refused as a whole.
bool expressible(const Value& vector) {
  const Value* dpop = vector.find("dpop");
  const bool default_dpop =
      dpop == nullptr || dpop->is(Value::Kind::kNull) ||
      (dpop->find("seen_jti")->items().empty() && dpop->find("iat_past")->integer() == 300 &&
       dpop->find("iat_future")->integer() == 60);
  const Value* action = vector.find("action");
  const Value* totals = action == nullptr ? nullptr : action->find("totals");
  const bool no_totals = totals == nullptr ||
                         json::to_jcs(*totals) == R"({"max_lifetime":{},"max_subtree":{}})" ||
                         totals->members().empty();
  const Value* algorithms = vector.find("accepted_algs");
  const bool bounded =
      vector.find("chain")->items().size() <= 16 && vector.find("chain")->source().size() < 200000;
  return default_dpop && no_totals && bounded && lists(algorithms, "ES256") && lists(algorithms, "Ed25519") &&
         lists(vector.find("child_signing"), "holder") && TrustConfig::parse(trust_of(vector)).has_value();
}

void add_action(std::vector<std::string>& arguments, const Value& vector) {
  const Value* action = vector.find("action");
  arguments.insert(arguments.end(), {"--audience", std::string(text_of(vector.find("audience"))), "--scope",
                                     std::string(text_of(action->find("scope")))});
  for (const json::Member& param : action->find("params")->members()) {
    arguments.insert(arguments.end(), {"--param", std::string(param.name) + "=" + json::to_jcs(param.value)});
  }
  const Value* dpop = vector.find("dpop");
  if (dpop == nullptr || dpop->is(Value::Kind::kNull)) return;
  for (const char* name : {"proof", "htm", "htu", "nonce"}) {
    const std::string value(text_of(dpop->find(name)));
    if (!value.empty()) arguments.insert(arguments.end(), {std::string("--") + name, value});
  }
}

Run run(const Chancery& chancery, const Value& vector) {
  std::vector<std::string> arguments{"verify",
                                     "--format",
                                     "json",
                                     "--now",
                                     std::string(vector.find("now")->source()),
                                     "--trust",
                                     chancery.file("trust.json", trust_of(vector)),
                                     "--status-list",
                                     chancery.file("lists.json", array_of(vector, "status_lists"))};
  if (lists(vector.find("child_signing"), "issuer")) arguments.emplace_back("--issuer-signed");
  if (text_of(vector.find("mode")) == "request") add_action(arguments, vector);
  return chancery.run(arguments, R"({"chain":)" + std::string(vector.find("chain")->source()) + "}");
}

int wanted_exit(std::string_view outcome) {
  if (outcome == "valid") return 0;
  return outcome == "status_unknown" ? 2 : 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_command_line_meets_the_vectors) {
  const std::string text = chancery::testing::read_file(std::string(CHANCERY_SOURCE_DIR) +
                                                        "/tests/vectors/data/vectors/delegation-chain.json");
  const auto document = json::Document::parse(text, {.allow_unsafe_integers = true});
  BOOST_REQUIRE(document);
  const Chancery chancery;
  std::size_t judged = 0;
  for (const Value& vector : document->root().find("vectors")->items()) {
    if (!expressible(vector)) continue;
    ++judged;
    BOOST_TEST_CONTEXT("vector " << text_of(vector.find("id"))) {
      const Run result = run(chancery, vector);
      const auto verdict = json::Document::parse(result.out);
      BOOST_TEST_REQUIRE(verdict.has_value(), result.err);
      const std::string_view outcome = text_of(verdict->root().find("outcome"));
      const Value* expected = vector.find("expected");
      BOOST_TEST(
          (outcome == text_of(expected->find("outcome")) || lists(expected->find("tolerated"), outcome)),
          outcome);
      BOOST_TEST(result.exit == wanted_exit(outcome));
    }
  }
  BOOST_TEST(judged > 150U);
}
