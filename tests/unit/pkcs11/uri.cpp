#include "hsm/pkcs11/uri.hpp"

#include <array>
#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;

constexpr std::array<const char*, 21> kRefused{
    "",
    "pkcs12:token=a",
    "PKCS11:token=a",
    "pkcs11:token",
    "pkcs11:token=",
    "pkcs11:=a",
    "pkcs11:token=a;",
    "pkcs11:;token=a",
    "pkcs11:token=a;token=b",
    "pkcs11:token=a;serial=1;token=a",
    "pkcs11:token=a b",
    "pkcs11:token=a%2",
    "pkcs11:token=a%",
    "pkcs11:token=a%g0",
    "pkcs11:token=a/b",
    "pkcs11:token=a#b",
    "pkcs11:token=a;slot-id=3",
    "pkcs11:token=a;x-vendor=3",
    "pkcs11:token=a?module-name=softhsm2",
    "pkcs11:token=a?module-path=/a&module-path=/a",
    "pkcs11:token=a?token=b",
};

constexpr std::array<const char*, 4> kWithPin{
    "pkcs11:token=a?pin-value=1234",
    "pkcs11:token=a?pin-source=/run/pin",
    "pkcs11:token=a;pin-value=1234",
    "pkcs11:?module-path=/a&pin-value=",
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_attribute_is_read_and_decoded) {
  const auto uri = Pkcs11Uri::parse(
      "pkcs11:token=The%20Software%20PKCS%2311%20token;manufacturer=Snake%20Oil,%20Inc.;model=1.0;serial=a&b;"
      "object=my-%c3%a9;id=%69%00%fF?module-path=/usr/lib/x.so|y?");
  BOOST_REQUIRE(uri);
  BOOST_TEST(uri->token == "The Software PKCS#11 token");
  BOOST_TEST(uri->manufacturer == "Snake Oil, Inc.");
  BOOST_TEST(uri->model == "1.0");
  BOOST_TEST(uri->serial == "a&b");
  BOOST_TEST(uri->object == "my-\xC3\xA9");
  BOOST_TEST((uri->id == Bytes{0x69, 0x00, 0xFF}));
  BOOST_TEST(uri->module_path == "/usr/lib/x.so|y?");
}

BOOST_AUTO_TEST_CASE(an_empty_uri_names_nothing) {
  const auto uri = Pkcs11Uri::parse("pkcs11:");
  BOOST_REQUIRE(uri);
  BOOST_TEST((*uri == Pkcs11Uri{}));
}

BOOST_DATA_TEST_CASE(what_is_not_understood_is_refused, data::make(kRefused), text) {
  const auto uri = Pkcs11Uri::parse(text);
  BOOST_REQUIRE(!uri);
  BOOST_TEST((uri.error().code == ErrorCode::kInvalidArgument));
}

BOOST_DATA_TEST_CASE(a_pin_has_no_place_in_a_uri, data::make(kWithPin), text) {
  const auto uri = Pkcs11Uri::parse(text);
  BOOST_REQUIRE(!uri);
  BOOST_TEST(std::string(uri.error().what).find("PIN") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
  std::string every_octet;
  for (int octet = 0; octet < 256; ++octet) every_octet += static_cast<char>(octet);
  Pkcs11Uri uri;
  uri.token = every_octet;
  uri.object = "o";
  uri.manufacturer = "m";
  uri.model = "d";
  uri.serial = "0123";
  uri.id = Bytes(every_octet.begin(), every_octet.end());
  uri.module_path = "/usr/lib/a b.so";
  const auto again = Pkcs11Uri::parse(uri.text());
  BOOST_REQUIRE(again);
  BOOST_TEST((*again == uri));
}

BOOST_AUTO_TEST_CASE(one_form_is_written) {
  Pkcs11Uri uri;
  uri.id = {0x61, 0x0A};
  uri.serial = "12ab";
  uri.object = "chancery:1:a:b";
  BOOST_TEST(uri.text() == "pkcs11:serial=12ab;object=chancery%3A1%3Aa%3Ab;id=%61%0A");
}

BOOST_AUTO_TEST_CASE(a_uri_of_any_length_is_not_read) {
  BOOST_TEST(Pkcs11Uri::parse("pkcs11:token=" + std::string(2048 - 13, 'a')).has_value());
  BOOST_TEST(!Pkcs11Uri::parse("pkcs11:token=" + std::string(2048 - 12, 'a')).has_value());
  // As it is written again, with escapes.
  BOOST_TEST(Pkcs11Uri::parse("pkcs11:token=" + std::string(678, '[')).has_value());
  BOOST_TEST(!Pkcs11Uri::parse("pkcs11:token=" + std::string(679, '[')).has_value());
}

}  // namespace chancery::hsm
