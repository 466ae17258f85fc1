#include "hsm/pkcs11/check.hpp"

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::hsm {
namespace {

struct CodeCase {
  CK_RV rv;
  ErrorCode code;
  bool ends_session;
  bool refuses_pin;
};

std::ostream& operator<<(std::ostream& out, const CodeCase& c) { return out << std::hex << c.rv; }

using enum ErrorCode;
constexpr std::array kCodes{
    CodeCase{0x05, kDeviceError, false, false},        // GENERAL_ERROR
    CodeCase{0x30, kDeviceError, true, false},         // DEVICE_ERROR
    CodeCase{0x31, kDeviceError, false, false},        // DEVICE_MEMORY
    CodeCase{0x32, kDeviceUnavailable, true, false},   // DEVICE_REMOVED
    CodeCase{0x60, kDeviceError, true, false},         // KEY_HANDLE_INVALID
    CodeCase{0x82, kDeviceError, true, false},         // OBJECT_HANDLE_INVALID
    CodeCase{0xA0, kPinRefused, false, true},          // PIN_INCORRECT
    CodeCase{0xA1, kPinRefused, false, true},          // PIN_INVALID
    CodeCase{0xA2, kPinRefused, false, true},          // PIN_LEN_RANGE
    CodeCase{0xA3, kPinRefused, false, true},          // PIN_EXPIRED
    CodeCase{0xA4, kPinRefused, false, true},          // PIN_LOCKED
    CodeCase{0xB1, kDeviceUnavailable, true, false},   // SESSION_COUNT
    CodeCase{0xB3, kDeviceUnavailable, true, false},   // SESSION_HANDLE_INVALID
    CodeCase{0xE0, kDeviceUnavailable, true, false},   // TOKEN_NOT_PRESENT
    CodeCase{0x101, kDeviceUnavailable, true, false},  // USER_NOT_LOGGED_IN
    CodeCase{0x80000001, kDeviceError, false, false},  // a vendor's own
};

}  // namespace

BOOST_DATA_TEST_CASE(codes_keep_their_number_and_have_one_meaning, boost::unit_test::data::make(kCodes), c) {
  const Status status = check_pkcs11(c.rv, "what to do");
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == c.code));
  BOOST_TEST(status.error().native == c.rv);
  BOOST_TEST(ends_session(c.rv) == c.ends_session);
  BOOST_TEST(refuses_pin(c.rv) == c.refuses_pin);
}

BOOST_AUTO_TEST_CASE(only_zero_is_success) {
  BOOST_TEST(check_pkcs11(0, "").has_value());
  BOOST_TEST(!ends_session(0));
  BOOST_TEST(!refuses_pin(0));
}

}  // namespace chancery::hsm
