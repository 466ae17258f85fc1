#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/token.hpp>

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;

Authority parsed(std::string_view json) { return Authority::parse(json).value(); }

Authority bounded(std::string_view constraint) {
  return parsed(R"({"scopes":["a.b"],"constraints":[)" + std::string(constraint) + "]}");
}

struct Key {
  std::string_view key;
  std::string_view scope;  ///< empty: the key is not qualified
  std::string_view name;
};
std::ostream& operator<<(std::ostream& out, const Key& row) { return out << row.key; }

constexpr std::array kKeys{
    Key{"payments.refund#amount", "payments.refund", "amount"},
    Key{"payments.*#amount", "payments.*", "amount"},
    Key{"a.b#c#d", "a.b", "c#d"},
    Key{"a.b##", "a.b", "#"},
    Key{"amount", "", ""},
    Key{"", "", ""},
    Key{"#amount", "", ""},
    Key{"a.b#", "", ""},
    Key{"refund#amount", "", ""},  // one segment is an opaque scope
    Key{"User.Read#amount", "", ""},
    Key{"*#amount", "", ""},
    Key{"a b.c#amount", "", ""},
};

struct Reach {
  std::string_view key;
  std::string_view scope;
  bool reaches;
};
std::ostream& operator<<(std::ostream& out, const Reach& row) {
  return out << row.key << " for " << row.scope;
}

constexpr std::array kReaches{
    Reach{"amount", "a.b", true},      Reach{"amount", "openid", true}, Reach{"a.b#n", "a.b", true},
    Reach{"a.b#n", "a.*", true},       Reach{"a.*#n", "a.b", true},     Reach{"a.*#n", "a.b.*", true},
    Reach{"a.b.*#n", "a.*", true},     Reach{"a.b#n", "a.b.c", false},  Reach{"a.b#n", "a.c", false},
    Reach{"a.b#n", "b.*", false},      Reach{"a.*#n", "a", false},      Reach{"a.*#n", "ab.c", false},
    Reach{"User.Read#n", "a.b", true},  // a plain key: of every action
};

struct Bad {
  const char* name;
  std::string_view json;
  ErrorCode code = ErrorCode::kMalformed;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.name; }

constexpr std::array kBad{
    Bad{"no object", "[]"},
    Bad{"no JSON", "{"},
    Bad{"a misspelt member", R"({"scopes":["a.b"],"constraint":[]})"},
    Bad{"scopes a text", R"({"scopes":"a.b"})"},
    Bad{"scopes null", R"({"scopes":null})"},
    Bad{"scope a number", R"({"scopes":[1]})"},
    Bad{"scope invalid", R"({"scopes":["*"]})"},
    Bad{"scope empty", R"({"scopes":[""]})"},
    Bad{"constraints an object", R"({"constraints":{}})"},
    Bad{"constraint a text", R"({"constraints":["max"]})"},
    Bad{"constraint without key", R"({"constraints":[{"max":1}]})"},
    Bad{"constraint without type", R"({"constraints":[{"key":"k"}]})"},
    Bad{"two types", R"({"constraints":[{"key":"k","max":1,"min":1}]})"},
    Bad{"pair twice", R"({"constraints":[{"key":"k","max":1},{"key":"k","max":2}]})"},
    Bad{"bound a text", R"({"constraints":[{"key":"k","max":"1"}]})"},
    Bad{"rate a number", R"({"constraints":[{"key":"k","max_rate":10}]})"},
    Bad{"rate without count", R"({"constraints":[{"key":"k","max_rate":{"per":"hour"}}]})"},
    Bad{"rate per day", R"({"constraints":[{"key":"k","max_rate":{"count":1,"per":"day"}}]})"},
    Bad{"rate negative", R"({"constraints":[{"key":"k","max_rate":{"count":-1,"per":"hour"}}]})"},
    Bad{"rate with more", R"({"constraints":[{"key":"k","max_rate":{"burst":1,"count":1,"per":"hour"}}]})"},
    Bad{"rank without order", R"({"constraints":[{"key":"k","rank":"a"}]})"},
    Bad{"bound not finite", R"({"constraints":[{"key":"k","max":1e999}]})", ErrorCode::kNonFinite},
    Bad{"member twice", R"({"scopes":[],"scopes":[]})", ErrorCode::kDuplicateMember},
};

constexpr std::string_view kOffice =
    R"({"days":["mon","tue","fri"],"from":"09:00","to":"17:30","zone":"Europe/Berlin"})";

struct Window {
  const char* name;
  std::string_view json;
};
std::ostream& operator<<(std::ostream& out, const Window& row) { return out << row.name; }

constexpr std::array kGoodWindows{
    Window{"office hours", kOffice},
    Window{
        "a whole week",
        R"({"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00","zone":"UTC"})"},
    Window{"one minute", R"({"days":["sun"],"from":"23:59","to":"24:00","zone":"America/Port-au-Prince"})"},
    Window{"a zone that is not there", R"({"days":["sun"],"from":"00:00","to":"00:01","zone":"Moon/Tycho"})"},
};

constexpr std::array kBadWindows{
    Window{"a text", R"("09:00-17:30")"},
    Window{"no days", R"({"days":[],"from":"09:00","to":"17:30","zone":"UTC"})"},
    Window{"days missing", R"({"from":"09:00","to":"17:30","zone":"UTC"})"},
    Window{"a day twice", R"({"days":["mon","mon"],"from":"09:00","to":"17:30","zone":"UTC"})"},
    Window{"days out of order", R"({"days":["tue","mon"],"from":"09:00","to":"17:30","zone":"UTC"})"},
    Window{"an unknown day", R"({"days":["Mon"],"from":"09:00","to":"17:30","zone":"UTC"})"},
    Window{"a day that is a number", R"({"days":[1],"from":"09:00","to":"17:30","zone":"UTC"})"},
    Window{"across midnight", R"({"days":["mon"],"from":"22:00","to":"06:00","zone":"UTC"})"},
    Window{"of no length", R"({"days":["mon"],"from":"09:00","to":"09:00","zone":"UTC"})"},
    Window{"beyond the day", R"({"days":["mon"],"from":"09:00","to":"24:01","zone":"UTC"})"},
    Window{"minutes beyond the hour", R"({"days":["mon"],"from":"09:60","to":"17:30","zone":"UTC"})"},
    Window{"a short hour", R"({"days":["mon"],"from":"9:00","to":"17:30","zone":"UTC"})"},
    Window{"with seconds", R"({"days":["mon"],"from":"09:00:00","to":"17:30","zone":"UTC"})"},
    Window{"with a sign", R"({"days":["mon"],"from":"+9:00","to":"17:30","zone":"UTC"})"},
    Window{"no zone", R"({"days":["mon"],"from":"09:00","to":"17:30"})"},
    Window{"an empty zone", R"({"days":["mon"],"from":"09:00","to":"17:30","zone":""})"},
    Window{"a zone that is a path",
           R"({"days":["mon"],"from":"09:00","to":"17:30","zone":"/etc/localtime"})"},
    Window{"a zone with dots", R"({"days":["mon"],"from":"09:00","to":"17:30","zone":"../UTC"})"},
    Window{"one member more", R"({"days":["mon"],"from":"09:00","to":"17:30","until":"x","zone":"UTC"})"},
};

std::string windowed(std::string_view window) {
  return R"({"key":"w","time_window":)" + std::string(window) + "}";
}

/// Two windows and what is open in both; an empty `meet` when that is nothing.
struct Overlap {
  const char* name;
  std::string_view parent;
  std::string_view request;
  std::string_view meet;
};
std::ostream& operator<<(std::ostream& out, const Overlap& row) { return out << row.name; }

constexpr std::array kOverlaps{
    Overlap{"the same", kOffice, kOffice, kOffice},
    Overlap{"one within the other", kOffice,
            R"({"days":["fri"],"from":"10:00","to":"17:30","zone":"Europe/Berlin"})",
            R"({"days":["fri"],"from":"10:00","to":"17:30","zone":"Europe/Berlin"})"},
    Overlap{"crossing", kOffice,
            R"({"days":["tue","wed"],"from":"08:00","to":"09:01","zone":"Europe/Berlin"})",
            R"({"days":["tue"],"from":"09:00","to":"09:01","zone":"Europe/Berlin"})"},
    Overlap{"one ends as the other begins", kOffice,
            R"({"days":["tue"],"from":"08:00","to":"09:00","zone":"Europe/Berlin"})", ""},
    Overlap{"other days", kOffice, R"({"days":["sun"],"from":"09:00","to":"17:30","zone":"Europe/Berlin"})",
            ""},
    Overlap{"another zone of the same time", kOffice,
            R"({"days":["mon"],"from":"09:00","to":"17:30","zone":"Europe/Paris"})", ""},
};

struct Comparison {
  const char* name;
  std::string_view parent;
  std::string_view child;
  const char* subject;  ///< of the excess; empty: the child is within
  std::string_view allowed = "";
  std::string_view asked = "";
};
std::ostream& operator<<(std::ostream& out, const Comparison& row) { return out << row.name; }

constexpr std::array kComparisons{
    Comparison{"max lower", R"({"key":"n","max":5})", R"({"key":"n","max":4})", ""},
    Comparison{"max higher", R"({"key":"n","max":5})", R"({"key":"n","max":5.5})", "n max", "5", "5.5"},
    Comparison{"min lower", R"({"key":"n","min":5})", R"({"key":"n","min":4})", "n min", "5", "4"},
    Comparison{"one_of more", R"({"key":"n","one_of":[1]})", R"({"key":"n","one_of":["1"]})", "n one_of",
               "[1]", R"(["1"])"},
    Comparison{"not_one_of fewer", R"({"key":"n","not_one_of":[1]})", R"({"key":"n","not_one_of":[]})",
               "n not_one_of", "[1]", "[]"},
    Comparison{"prefix", R"({"key":"n","prefix":"ab"})", R"({"key":"n","prefix":"a"})", "n prefix", R"("ab")",
               R"("a")"},
    Comparison{"rank", R"({"key":"n","order":["a","b"],"rank":"a"})",
               R"({"key":"n","order":["a","b"],"rank":"b"})", "n rank", R"({"order":["a","b"],"rank":"a"})",
               R"({"order":["a","b"],"rank":"b"})"},
    Comparison{"order", R"({"key":"n","order":["a","b"],"rank":"b"})",
               R"({"key":"n","order":["b","a"],"rank":"b"})", "n rank", R"({"order":["a","b"],"rank":"b"})",
               R"({"order":["b","a"],"rank":"b"})"},
    Comparison{"unknown", R"({"key":"n","zone":{"b":1}})", R"({"key":"n","zone":{"b":2}})", "n zone",
               R"({"b":1})", R"({"b":2})"},
    Comparison{"rate lower", R"({"key":"n","max_rate":{"count":5,"per":"hour"}})",
               R"({"key":"n","max_rate":{"count":4,"per":"hour"}})", ""},
    Comparison{"rate higher", R"({"key":"n","max_rate":{"count":5,"per":"hour"}})",
               R"({"key":"n","max_rate":{"count":6,"per":"hour"}})", "n max_rate",
               R"({"count":5,"per":"hour"})", R"({"count":6,"per":"hour"})"},
    Comparison{"rate per another time, though fewer", R"({"key":"n","max_rate":{"count":5,"per":"second"}})",
               R"({"key":"n","max_rate":{"count":5,"per":"hour"}})", "n max_rate",
               R"({"count":5,"per":"second"})", R"({"count":5,"per":"hour"})"},
    Comparison{"missing", R"({"key":"n","max":5})", R"({"key":"m","max":5})", "n max", "5", ""},
    Comparison{"type for type", R"({"key":"n","max":5})", R"({"key":"n","max_lifetime":5})", "n max", "5",
               ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(authorities)

BOOST_DATA_TEST_CASE(keys_divide_at_the_first_hash, data::make(kKeys), row) {
  const auto key = qualified_key(row.key);
  BOOST_REQUIRE(key.has_value() == !row.scope.empty());
  if (!key) return;
  BOOST_TEST(key->scope == row.scope);
  BOOST_TEST(key->name == row.name);
}

BOOST_DATA_TEST_CASE(a_qualified_key_speaks_of_actions_in_its_reach, data::make(kReaches), row) {
  BOOST_TEST(key_reaches(row.key, row.scope) == row.reaches);
}

BOOST_DATA_TEST_CASE(bad_authorities_are_refused, data::make(kBad), row) {
  const auto authority = Authority::parse(row.json);
  BOOST_REQUIRE(!authority.has_value());
  BOOST_TEST((authority.error().code == row.code));
}

BOOST_AUTO_TEST_CASE(both_members_are_optional_and_the_written_form_reads_back) {
  BOOST_TEST(parsed("{}").jcs() == R"({"constraints":[],"scopes":[],"type":"agent_delegation"})");
  const std::string whole =
      R"({"constraints":[{"key":"a","max":1},{"key":"b","order":["x","y"],"rank":"y"},{"key":"c","zone":{"q":[1]}}],)"
      R"("scopes":["z.*","a.b"],"type":"agent_delegation"})";
  BOOST_TEST(parsed(whole).jcs() == whole);
  BOOST_TEST(
      parsed(R"({ "constraints": [ { "one_of": [1.0, {"b":1,"a":2}], "key": "k" } ] })").jcs() ==
      R"({"constraints":[{"key":"k","one_of":[1,{"a":2,"b":1}]}],"scopes":[],"type":"agent_delegation"})");
}

BOOST_DATA_TEST_CASE(an_excess_names_the_constraint_and_both_sides, data::make(kComparisons), row) {
  const auto excess = first_excess(bounded(row.parent), bounded(row.child));
  BOOST_TEST(subsumes(bounded(row.parent), bounded(row.child)) == !excess.has_value());
  BOOST_REQUIRE(excess.has_value() == (*row.subject != '\0'));
  if (!excess) return;
  const auto kind = row.asked.empty() ? Excess::Kind::kConstraintMissing : Excess::Kind::kConstraintWider;
  BOOST_TEST((excess->kind == kind));
  BOOST_TEST(excess->subject == row.subject);
  BOOST_TEST(excess->allowed == row.allowed);
  BOOST_TEST(excess->asked == row.asked);
}

BOOST_AUTO_TEST_CASE(an_excess_names_the_first_scope_that_is_not_covered) {
  const auto excess =
      first_excess(parsed(R"({"scopes":["a.*"]})"), parsed(R"({"scopes":["a.b","c.d","e.f"]})"));
  BOOST_REQUIRE(excess.has_value());
  BOOST_TEST((excess->kind == Excess::Kind::kScope));
  BOOST_TEST(excess->subject == "c.d");
}

BOOST_DATA_TEST_CASE(a_window_has_one_spelling, data::make(kGoodWindows), row) {
  const std::string json =
      R"({"constraints":[)" + windowed(row.json) + R"(],"scopes":[],"type":"agent_delegation"})";
  BOOST_TEST(parsed(json).jcs() == json);
}

BOOST_DATA_TEST_CASE(a_window_of_another_shape_is_malformed, data::make(kBadWindows), row) {
  const auto authority = Authority::parse(R"({"constraints":[)" + windowed(row.json) + "]}");
  BOOST_REQUIRE(!authority.has_value());
  BOOST_TEST((authority.error().code == ErrorCode::kMalformed));
}

BOOST_DATA_TEST_CASE(windows_meet_where_both_are_open, data::make(kOverlaps), row) {
  for (const bool swapped : {false, true}) {
    const Authority parent = bounded(windowed(swapped ? row.request : row.parent));
    const Authority request = bounded(windowed(swapped ? row.parent : row.request));
    const auto both = meet(parent, request);
    BOOST_REQUIRE(both.has_value() == !row.meet.empty());
    BOOST_TEST(subsumes(parent, request) == (both && both->jcs() == request.jcs()));
    if (!both) continue;
    BOOST_TEST(both->jcs() == bounded(windowed(row.meet)).jcs());
    BOOST_TEST(subsumes(parent, *both));
  }
}

BOOST_AUTO_TEST_CASE(what_has_no_common_ground_has_no_meet) {
  for (const auto& [parent, request] :
       {std::pair{R"({"key":"p","prefix":"/a"})", R"({"key":"p","prefix":"/b"})"},
        std::pair{R"({"key":"r","order":["a","b"],"rank":"a"})",
                  R"({"key":"r","order":["b","a"],"rank":"a"})"},
        std::pair{R"({"key":"c","max_rate":{"count":1,"per":"second"}})",
                  R"({"key":"c","max_rate":{"count":1,"per":"minute"}})"},
        std::pair{R"({"key":"z","zone":1})", R"({"key":"z","zone":2})"}}) {
    BOOST_TEST((meet(bounded(parent), bounded(request)).error().code == ErrorCode::kNoMeet), parent);
  }
  // An empty choice and a bound that nothing meets are a meet all the same: they grant nothing, safely.
  BOOST_TEST(meet(bounded(R"({"key":"k","one_of":[1]})"), bounded(R"({"key":"k","one_of":[2]})"))->jcs() ==
             bounded(R"({"key":"k","one_of":[]})").jcs());
  BOOST_TEST(meet(parsed(R"({"scopes":["a.b"]})"), parsed(R"({"scopes":["c.d"]})"))->scopes.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
