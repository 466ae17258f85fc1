#include "sdk/cli/action_arguments.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace chancery;
using namespace chancery::cli;

ActionArguments some_action() {
  ActionArguments arguments;
  arguments.audience = "https://crm.example";
  arguments.scope = "crm.read";
  return arguments;
}

struct ParamCase {
  const char* argument;
  const char* object;
};
std::ostream& operator<<(std::ostream& out, const ParamCase& c) { return out << c.argument; }

constexpr std::array kParams{
    ParamCase{"amount=75", R"({"amount":75})"},
    ParamCase{"amount=\"75\"", R"({"amount":"75"})"},
    ParamCase{"flag=true", R"({"flag":true})"},
    ParamCase{"none=null", R"({"none":null})"},
    ParamCase{"currency=EUR", R"({"currency":"EUR"})"},
    ParamCase{"empty=", R"({"empty":""})"},
    ParamCase{"path=/a=b", R"({"path":"/a=b"})"},
    ParamCase{"list=[1, \"a\"]", R"({"list":[1,"a"]})"},
    ParamCase{"text=[1,", R"({"text":"[1,"})"},
    ParamCase{"big=9007199254740991", R"({"big":9007199254740991})"},
    ParamCase{"big=9007199254740994", R"({"big":9007199254740994})"},
    ParamCase{"a\"b=1", R"({"a\"b":1})"},
};

constexpr std::array kBadParams{"amount",
                                "=75",
                                "",
                                "amount=1e400",
                                "amount=NaN",
                                "amount=9007199254740993",
                                "list=[9007199254740993]",
                                R"(o={"a":1,"a":2})"};

}  // namespace

BOOST_AUTO_TEST_SUITE(action_arguments)

BOOST_DATA_TEST_CASE(a_parameter_is_json_or_else_a_text, boost::unit_test::data::make(kParams), c) {
  BOOST_TEST(parse_params({c.argument}).value() == c.object);
}

BOOST_DATA_TEST_CASE(a_malformed_or_ambiguous_parameter_is_refused, boost::unit_test::data::make(kBadParams),
                     argument) {
  BOOST_TEST(!parse_params({argument}));
}

BOOST_AUTO_TEST_CASE(parameters_make_one_object) {
  BOOST_TEST(parse_params({"b=2", "a=1"}).value() == R"({"a":1,"b":2})");
  BOOST_TEST(parse_params({}).value() == "{}");
  BOOST_TEST(!parse_params({"a=1", "a=2"}));
}

BOOST_AUTO_TEST_CASE(no_argument_asks_for_no_action) { BOOST_TEST(!parse_action({}).value().has_value()); }

BOOST_AUTO_TEST_CASE(an_action_has_audience_and_scope) {
  const auto action = parse_action(some_action()).value();
  BOOST_REQUIRE(action);
  BOOST_TEST(action->audience == "https://crm.example");
  BOOST_TEST(action->scope == "crm.read");
  BOOST_TEST(action->params == "{}");
  BOOST_TEST(!action->dpop.has_value());
}

BOOST_AUTO_TEST_CASE(a_proof_comes_with_its_request) {
  ActionArguments arguments = some_action();
  arguments.proof = "a.b.c";
  arguments.htm = "POST";
  arguments.htu = "https://crm.example/x";
  arguments.nonce = "n";
  const auto action = parse_action(arguments).value();
  BOOST_REQUIRE(action->dpop.has_value());
  BOOST_TEST(action->dpop->proof == "a.b.c");
  BOOST_TEST(action->dpop->htm == "POST");
  BOOST_TEST(action->dpop->htu == "https://crm.example/x");
  BOOST_TEST(action->dpop->nonce.value() == "n");
}

BOOST_AUTO_TEST_CASE(half_an_action_is_bad_usage) {
  for (const auto member : {&ActionArguments::audience, &ActionArguments::scope, &ActionArguments::proof,
                            &ActionArguments::htm, &ActionArguments::htu, &ActionArguments::nonce}) {
    ActionArguments alone;
    alone.*member = "x.y.z";
    BOOST_TEST(!parse_action(alone));
  }
  for (const auto member :
       {&ActionArguments::proof, &ActionArguments::htm, &ActionArguments::htu, &ActionArguments::nonce}) {
    ActionArguments arguments = some_action();
    arguments.*member = "x.y.z";
    BOOST_TEST(!parse_action(arguments));
  }
}

BOOST_AUTO_TEST_SUITE_END()
