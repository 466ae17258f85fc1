#include "sdk/cli/constraint_syntax.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"

namespace {

using namespace chancery;
using namespace chancery::cli;

struct GoodCase {
  const char* text;
  const char* json;
};
std::ostream& operator<<(std::ostream& out, const GoodCase& c) { return out << c.text; }

constexpr std::array kGood{
    GoodCase{"amount:max=500", R"({"key":"amount","max":500})"},
    GoodCase{"payments.refund#amount:max=500", R"({"key":"payments.refund#amount","max":500})"},
    GoodCase{"amount:min=-0.5", R"({"key":"amount","min":-0.5})"},
    GoodCase{"amount:max=1e3", R"({"key":"amount","max":1000})"},
    GoodCase{"calls:max_lifetime=10", R"({"key":"calls","max_lifetime":10})"},
    GoodCase{"amount:max_subtree=5000", R"({"key":"amount","max_subtree":5000})"},
    GoodCase{"currency:one_of=EUR,USD", R"({"key":"currency","one_of":["EUR","USD"]})"},
    GoodCase{"currency:one_of=EUR", R"({"key":"currency","one_of":["EUR"]})"},
    GoodCase{"level:one_of=1,\"1\",true,x", R"({"key":"level","one_of":[1,"1",true,"x"]})"},
    GoodCase{R"(region:one_of=["eu, west",7])", R"({"key":"region","one_of":["eu, west",7]})"},
    GoodCase{"region:one_of=[]", R"({"key":"region","one_of":[]})"},
    GoodCase{"region:not_one_of=us", R"({"key":"region","not_one_of":["us"]})"},
    GoodCase{"path:prefix=/srv/a=b:c", R"({"key":"path","prefix":"/srv/a=b:c"})"},
    GoodCase{"path:prefix=", R"({"key":"path","prefix":""})"},
    GoodCase{"path:prefix=\"/srv\"", R"({"key":"path","prefix":"/srv"})"},
    GoodCase{"path:prefix=7", R"({"key":"path","prefix":"7"})"},
    GoodCase{"urn:x:max=5", R"({"key":"urn:x","max":5})"},
    GoodCase{"tier:rank=silver,order=bronze,silver,gold",
             R"({"key":"tier","order":["bronze","silver","gold"],"rank":"silver"})"},
    GoodCase{"calls:max_rate=10/minute", R"({"key":"calls","max_rate":{"count":10,"per":"minute"}})"},
    GoodCase{"pay.out#amount:max_rate=2.5/hour",
             R"({"key":"pay.out#amount","max_rate":{"count":2.5,"per":"hour"}})"},
    GoodCase{
        "hours:time_window=mon-wed,sat,09:00-17:30,Europe/Berlin",
        R"({"key":"hours","time_window":{"days":["mon","tue","wed","sat"],"from":"09:00","to":"17:30","zone":"Europe/Berlin"}})"},
    GoodCase{
        "hours:time_window=sun,00:00-24:00,Etc/GMT+3",
        R"({"key":"hours","time_window":{"days":["sun"],"from":"00:00","to":"24:00","zone":"Etc/GMT+3"}})"},
};

constexpr std::array kBad{
    "",
    "amount",
    "amount:max",
    "amount=500",
    ":max=500",
    "amount:max=",
    "amount:max=many",
    "amount:max=\"5\"",
    "amount:max=5 5",
    "amount:max=NaN",
    "amount:max=1e400",
    "amount:max=9007199254740993",
    "order:one_of=9007199254740993",
    "order:one_of=1,9007199254740993",
    "amount:Max=5",
    "amount:maximum=5",
    "amount:=5",
    "region:one_of=",
    "region:one_of=[1",
    "region:one_of=[1,]",
    "tier:rank=silver",
    "tier:rank=silver,order=bronze",
    "tier:rank=silver,order=bronze,gold",
    "tier:rank=a,order=a,a",
    "amount:key=5",
    "amount:order=5",
    "calls:max_rate=10",
    "calls:max_rate=/minute",
    "calls:max_rate=10/day",
    "calls:max_rate=-1/hour",
    "hours:time_window=mon-fri,09:00-17:30",
    "hours:time_window=09:00-17:30,Europe/Berlin",
    "hours:time_window=fri-mon,09:00-17:30,Europe/Berlin",
    "hours:time_window=mon,,09:00-17:30,Europe/Berlin",
    "hours:time_window=mon,mon,09:00-17:30,Europe/Berlin",
    "hours:time_window=Monday,09:00-17:30,Europe/Berlin",
    "hours:time_window=mon,22:00-06:00,Europe/Berlin",
    "hours:time_window=mon,09:00,Europe/Berlin",
    "hours:time_window=mon,09:00-17:30,",
};

constexpr std::array kBadJson{
    "",
    "{}",
    "[]",
    "7",
    R"({"key":"a"})",
    R"({"max":5})",
    R"({"key":"a","max":5,"min":1})",
    R"({"key":"a","max":"5"})",
    R"({"key":"a","max":5,"max":6})",
    R"({"key":"a","max":5},{"key":"b","max":5})",
    R"({"key":"a","max":5)",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(constraint_syntax)

BOOST_DATA_TEST_CASE(a_constraint_is_read_as_the_token_will_have_it, boost::unit_test::data::make(kGood), c) {
  const auto constraint = parse_constraint(c.text);
  BOOST_REQUIRE(constraint);
  BOOST_TEST(json::to_jcs(to_json(*constraint)) == c.json);
}

BOOST_DATA_TEST_CASE(a_malformed_constraint_is_refused, boost::unit_test::data::make(kBad), text) {
  const auto constraint = parse_constraint(text);
  BOOST_REQUIRE(!constraint);
  BOOST_TEST((constraint.error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_CASE(json_says_what_the_short_form_cannot) {
  BOOST_TEST(parse_constraint_json(R"({"key":"a=b","max":5})").value().key == "a=b");
  BOOST_TEST(parse_constraint_json(R"({"geo_fence":{"r":1},"key":"place"})").value().type() == "geo_fence");
}

BOOST_DATA_TEST_CASE(malformed_json_constraints_are_refused, boost::unit_test::data::make(kBadJson), text) {
  BOOST_TEST(!parse_constraint_json(text));
}

BOOST_AUTO_TEST_CASE(scopes_and_constraints_make_an_authority) {
  const auto authority =
      parse_authority({{"crm.*", "User.Read"}, {"amount:max=5"}, {R"({"key":"amount","min":1})"}});
  BOOST_REQUIRE(authority);
  BOOST_TEST(
      authority->jcs() ==
      R"({"constraints":[{"key":"amount","max":5},{"key":"amount","min":1}],"scopes":["crm.*","User.Read"],"type":"agent_delegation"})");
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_argument) {
  const auto scope = parse_authority({{"crm.read", "crm *"}, {}, {}});
  BOOST_REQUIRE(!scope);
  BOOST_TEST(scope.error().message.starts_with("crm *: "));
  BOOST_TEST((scope.error().exit == ExitCode::kUndecided));
  const auto constraint = parse_authority({{"crm.read"}, {"amount:max=5", "amount:most=5"}, {}});
  BOOST_REQUIRE(!constraint);
  BOOST_TEST(constraint.error().message.starts_with("amount:most=5: "));
}

BOOST_AUTO_TEST_CASE(the_same_key_and_type_twice_is_refused) {
  BOOST_TEST(!parse_authority({{"crm.read"}, {"amount:max=5", "amount:max=6"}, {}}));
  BOOST_TEST(!parse_authority({{"crm.read"}, {"amount:max=5"}, {R"({"key":"amount","max":6})"}}));
  BOOST_TEST(parse_authority({{"crm.read"}, {"amount:max=5", "amount:min=1", "fee:max=5"}, {}}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
