// What a form may hold, and how it is read.

#include "daemon/rest/form.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::rest {
namespace {

Request with_body(std::string body, std::string type = "application/x-www-form-urlencoded") {
  Request request;
  request.headers = {{"content-type", std::move(type)}};
  request.body = std::move(body);
  return request;
}

struct Readable {
  const char* body;
  const char* value;  ///< of `a`
};

std::ostream& operator<<(std::ostream& out, const Readable& row) { return out << row.body; }

constexpr Readable kReadable[]{
    {"a=b", "b"},
    {"x=y&a=b", "b"},
    {"a=b%20c+d", "b c d"},
    {"a=%2B%26%3D", "+&="},
    {"%61=b", "b"},
    {"a=b=c", "b=c"},
    {"a=%C3%A4", "\xC3\xA4"},
    {"a=", ""},
    {"a", ""},
    {"a=&a=b", "b"},
    {"", ""},
    {"&&a=b&", "b"},
};

constexpr const char* kUnreadable[]{"a=b&a=b", "a=%",   "a=%4",  "a=%4G",
                                    "a=%FF",   "%FF=a", "a=%C3", "a=%ED%A0%80"};

}  // namespace

BOOST_AUTO_TEST_SUITE(form)

BOOST_DATA_TEST_CASE(values_are_decoded, boost::unit_test::data::make(kReadable), row) {
  const auto read = Form::read(with_body(row.body));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->text("a") == row.value);
}

BOOST_DATA_TEST_CASE(what_is_no_form_is_refused, boost::unit_test::data::make(kUnreadable), body) {
  const auto read = Form::read(with_body(body));
  BOOST_REQUIRE(!read.has_value());
  BOOST_TEST((read.error().code == ErrorCode::kMalformed));
}

BOOST_AUTO_TEST_CASE(audiences_and_resources_may_be_several_and_keep_their_order) {
  const auto read = Form::read(with_body("resource=a&audience=c&resource=b"));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->texts("resource") == (std::vector<std::string>{"a", "b"}),
             boost::test_tools::per_element());
  BOOST_TEST(read->texts("audience").size() == 1u);
  BOOST_TEST(read->texts("scope").empty());
}

BOOST_AUTO_TEST_CASE(parameters_are_64_at_most) {
  std::string body;
  for (int i = 0; i < 64; ++i) body += "p" + std::to_string(i) + "=v&";
  BOOST_TEST(Form::read(with_body(body)).has_value());
  BOOST_TEST(!Form::read(with_body(body + "q=v")).has_value());
}

BOOST_AUTO_TEST_CASE(other_media_types_are_refused) {
  BOOST_TEST(Form::read(with_body("a=b", "Application/X-WWW-Form-Urlencoded ; charset=UTF-8")).has_value());
  for (const char* type : {"application/json", "", "application/x-www-form-urlencoded2"}) {
    const auto read = Form::read(with_body("a=b", type));
    BOOST_REQUIRE(!read.has_value());
    BOOST_TEST((read.error().code == ErrorCode::kUnsupportedMediaType));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::rest
