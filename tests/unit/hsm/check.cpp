#include "hsm/tpm/check.hpp"

#include <array>
#include <ostream>
#include <string_view>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <tss2/tss2_tpm2_types.h>

#include "hsm/tpm/tcti.hpp"

namespace chancery::hsm {
namespace {

namespace data = boost::unit_test::data;
using enum ErrorCode;

enum class Then : std::uint8_t { kReport, kWait, kReconnect };

struct Row {
  const char* name;
  TSS2_RC rc;
  ErrorCode code;
  Then then;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

constexpr std::array kRows{
    Row{"lockout", 0x921, kDeviceLockout, Then::kReport},
    Row{"lockout behind a resource manager", 0xC0921, kDeviceLockout, Then::kReport},
    Row{"integrity of parameter 1", 0x1DF, kKeyLost, Then::kReport},
    Row{"integrity of parameter 2", 0x2DF, kKeyLost, Then::kReport},
    Row{"wrong auth, outside DA protection", 0x9A2, kKeyLost, Then::kReport},
    Row{"wrong auth, inside DA protection", 0x98E, kKeyLost, Then::kReport},
    Row{"wrong auth, session 2", 0xAA2, kKeyLost, Then::kReport},
    Row{"wrong auth behind a resource manager", 0xC09A2, kKeyLost, Then::kReport},
    Row{"failure mode", 0x101, kDeviceError, Then::kReport},
    Row{"value of parameter 1", 0x1C4, kDeviceError, Then::kReport},
    Row{"attributes of session 1", 0x982, kDeviceError, Then::kReport},
    Row{"NV_RATE", 0x920, kDeviceError, Then::kWait},
    Row{"NV_UNAVAILABLE", 0x923, kDeviceError, Then::kWait},
    Row{"RETRY", 0x922, kDeviceError, Then::kWait},
    Row{"YIELDED", 0x908, kDeviceError, Then::kWait},
    Row{"TESTING", 0x90A, kDeviceError, Then::kWait},
    Row{"MEMORY", 0x904, kDeviceError, Then::kWait},
    Row{"before Startup", 0x100, kDeviceError, Then::kReconnect},
    Row{"object memory", 0x902, kDeviceError, Then::kReconnect},
    Row{"session memory", 0x903, kDeviceError, Then::kReconnect},
    Row{"session handles", 0x905, kDeviceError, Then::kReconnect},
    Row{"unknown handle 1", 0x910, kDeviceError, Then::kReconnect},
    Row{"unknown session 1", 0x918, kDeviceError, Then::kReconnect},
    Row{"ESYS, bad sequence: the context is dead", 0x70007, kDeviceUnavailable, Then::kReconnect},
    Row{"ESYS, response HMAC", 0x7001B, kDeviceUnavailable, Then::kReconnect},
    Row{"SYS, malformed response", TSS2_SYS_RC_MALFORMED_RESPONSE, kDeviceUnavailable, Then::kReconnect},
    Row{"MU, insufficient buffer", TSS2_MU_RC_INSUFFICIENT_BUFFER, kDeviceUnavailable, Then::kReconnect},
    Row{"TCTI, I/O error", 0xA000A, kDeviceUnavailable, Then::kReconnect},
    Row{"TCTI, deadline", kTctiTimedOut, kDeviceTimeout, Then::kReconnect},
    Row{"resource manager's own error", TSS2_RESMGR_RC_LAYER | 1, kDeviceUnavailable, Then::kReconnect},
    Row{"a layer that nobody knows", 0x7F0001, kDeviceUnavailable, Then::kReconnect},
};

}  // namespace

BOOST_AUTO_TEST_CASE(success_is_exactly_zero) {
  BOOST_TEST(check_tpm(TSS2_RC_SUCCESS, "do something").has_value());
  BOOST_TEST(!needs_recovery(TSS2_RC_SUCCESS));
  BOOST_TEST(!asks_for_patience(TSS2_RC_SUCCESS));
  // No layer's zero is success.
  for (TSS2_RC layer = 1; layer < 256; ++layer) BOOST_TEST(!check_tpm(layer << 16, "do something"));
}

BOOST_DATA_TEST_CASE(each_code_stands_for_one_error_and_one_reaction, data::make(kRows), row) {
  const Status status = check_tpm(row.rc, "do something");
  BOOST_REQUIRE(!status);
  BOOST_TEST((status.error().code == row.code));
  BOOST_TEST(status.error().native == row.rc);
  BOOST_TEST(!std::string_view(status.error().what).empty());
  BOOST_TEST(needs_recovery(row.rc) == (row.then == Then::kReconnect));
  BOOST_TEST(asks_for_patience(row.rc) == (row.then == Then::kWait));
}

BOOST_AUTO_TEST_CASE(a_code_without_a_meaning_of_its_own_says_what_its_caller_says) {
  BOOST_TEST(check_tpm(0x1C4, "do this").error().what == std::string_view("do this"));
}

BOOST_AUTO_TEST_CASE(parameters_are_told_from_handles_and_sessions) {
  BOOST_TEST(blames_parameter(0x1D5));   // size, parameter 1
  BOOST_TEST(blames_parameter(0x2E5));   // binding, parameter 2
  BOOST_TEST(!blames_parameter(0x18B));  // handle 1
  BOOST_TEST(!blames_parameter(0x98F));  // nonce, session 1
  BOOST_TEST(!blames_parameter(0x921));
  BOOST_TEST(!blames_parameter(0xA01C4));  // another layer's
  BOOST_TEST(blames_authorization(0x9A2));
  BOOST_TEST(blames_authorization(0x98E));
  BOOST_TEST(!blames_authorization(0x99D));  // a policy is no value
  BOOST_TEST(!blames_authorization(0x1DF));
  BOOST_TEST(blames_policy(0x99D));
  BOOST_TEST(blames_policy(0x12F));
  BOOST_TEST(!blames_policy(0x9A2));
  BOOST_TEST(!blames_policy(0xA099D));  // another layer's
  BOOST_TEST(blames_signature(0x5DB));
  BOOST_TEST(!blames_signature(0x5D5));
  BOOST_TEST(!blames_signature(0xA05DB));
}

}  // namespace chancery::hsm
