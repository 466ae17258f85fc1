#include "daemon/runtime/upstreams/credential_place.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::runtime {
namespace {

using tools::CredentialPlace;

SecretBytes secret(std::string_view text) { return SecretBytes(as_bytes(text)); }

struct Row {
  const char* name;
  CredentialPlace::Kind kind;
  const char* place;
  const char* before;
  const char* header;  // "name: value"; empty: none
  const char* url;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

const std::array kRows{
    Row{"a header", CredentialPlace::Kind::kHeader, "x-api-key", "", "x-api-key: a b+/&=", "https://a/b"},
    Row{"a bearer", CredentialPlace::Kind::kHeader, "authorization", "Bearer ",
        "authorization: Bearer a b+/&=", "https://a/b"},
    Row{"a user's password", CredentialPlace::Kind::kBasic, "me", "",
        "authorization: Basic bWU6YSBiKy8mPQ==", "https://a/b"},
    Row{"a parameter", CredentialPlace::Kind::kQuery, "key", "", "", "https://a/b?key=a%20b%2B%2F%26%3D"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(credential_places)

BOOST_DATA_TEST_CASE(a_credential_goes_where_the_tool_declares, boost::unit_test::data::make(kRows), row) {
  OutboundRequest request;
  request.url = "https://a/b";
  const CredentialPlace place{row.kind, row.place, row.before, {}};
  BOOST_REQUIRE(place_credential(place, secret("a b+/&="), request));
  BOOST_TEST(request.url == row.url);
  BOOST_REQUIRE(request.credentials.size() == (row.header[0] == '\0' ? 0u : 1u));
  if (request.credentials.empty()) return;
  BOOST_TEST(request.credentials[0].name + ": " + std::string(as_text(request.credentials[0].value.view())) ==
             row.header);
}

BOOST_AUTO_TEST_CASE(a_second_parameter_follows_the_first) {
  OutboundRequest request;
  request.url = "https://a/b?c=d";
  BOOST_REQUIRE(place_credential({CredentialPlace::Kind::kQuery, "key", {}, {}}, secret("x"), request));
  BOOST_TEST(request.url == "https://a/b?c=d&key=x");
}

BOOST_AUTO_TEST_CASE(a_value_that_would_be_more_than_a_value_has_no_place) {
  for (const std::string_view wrong : {std::string_view(""), std::string_view("a\r\nb: c"),
                                       std::string_view("a\0b", 3), std::string_view("a\x7f")}) {
    for (const auto kind :
         {CredentialPlace::Kind::kHeader, CredentialPlace::Kind::kBasic, CredentialPlace::Kind::kQuery}) {
      OutboundRequest request;
      request.url = "https://a/b";
      BOOST_TEST(!place_credential({kind, "x", {}, {}}, secret(wrong), request));
      BOOST_TEST(request.credentials.empty());
      BOOST_TEST(request.url == "https://a/b");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
