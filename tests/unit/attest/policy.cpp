// A policy's file: what it may say, and what is refused with which words.

#include "attest/policy/policy.hpp"

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <tss2/tss2_tpm2_types.h>

namespace chancery::attest {
namespace {

const Hash kSha256 = Hash::of(TPM2_ALG_SHA256).value();
const std::string kA(64, 'a');
const std::string kB(64, 'B');

struct Case {
  const char* name;
  std::string toml;
  const char* says;  ///< where what is refused begins, or a word of it
};
std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

std::string pcrs(const std::string& rows) { return "id = \"p\"\n[pcrs.sha256]\n" + rows; }

const std::array kWrong{
    Case{"no TOML", "id = ", "TOML"},
    Case{"an assertion of the reader", "[[[", "TOML"},
    Case{"nothing", "", "id:"},
    Case{"an empty id", "id = ''", "id:"},
    Case{"an id that is a number", "id = 7", "id:"},
    Case{"an id beyond ASCII", "id = \"p\u00e9\"", "id:"},
    Case{"an id that is too long", "id = \"" + std::string(129, 'p') + '"', "id:"},
    Case{"a key that is misspelled", "id = 'p'\nminimum_firmwear = 1", "a policy has the keys"},
    Case{"a negative firmware", "id = 'p'\nminimum_firmware = -1", "minimum_firmware:"},
    Case{"a firmware with a fraction", "id = 'p'\nminimum_firmware = 1.5", "minimum_firmware:"},
    Case{"a vendor's spelling of a firmware", "id = 'p'\nminimum_firmware = '7.2.3.1'", "minimum_firmware:"},
    Case{"a firmware of more than 64 bits", "id = 'p'\nminimum_firmware = '0x10000000000000000'",
         "minimum_firmware:"},
    Case{"a firmware without digits", "id = 'p'\nminimum_firmware = '0x'", "minimum_firmware:"},
    Case{"another answer to a reset", "id = 'p'\non_reset = 'ignore'", "on_reset:"},
    Case{"a yes or no for a reset", "id = 'p'\non_reset = true", "on_reset:"},
    Case{"no table of PCRs", "id = 'p'\npcrs = 7", "pcrs:"},
    Case{"no bank", "id = 'p'\n[pcrs]", "pcrs:"},
    Case{"two banks", "id = 'p'\n[pcrs.sha256]\n7 = ['" + kA + "']\n[pcrs.sha384]\n7 = []",
         "pcrs: write one"},
    Case{"a weak bank", "id = 'p'\n[pcrs.sha1]\n7 = ['" + kA.substr(24) + "']", "pcrs: write a bank"},
    Case{"a bank that is none", "id = 'p'\n[pcrs.md5]\n7 = ['" + kA + "']", "pcrs: write a bank"},
    Case{"a bank without PCRs", pcrs(""), "pcrs: a bank"},
    Case{"a PCR that no TPM has", pcrs("24 = ['" + kA + "']"), "pcrs: write a PCR"},
    Case{"a PCR that anybody may set", pcrs("16 = ['" + kA + "']"), "pcrs: write a PCR"},
    Case{"the other one", pcrs("23 = ['" + kA + "']"), "pcrs: write a PCR"},
    Case{"a PCR with a leading zero", pcrs("07 = ['" + kA + "']"), "pcrs: write a PCR"},
    Case{"a PCR that is a word", pcrs("seven = ['" + kA + "']"), "pcrs: write a PCR"},
    Case{"no list of values", pcrs("7 = '" + kA + "'"), "pcrs: write the values"},
    Case{"no value", pcrs("7 = []"), "pcrs: write the values"},
    Case{"a value that is too short", pcrs("7 = ['" + kA.substr(2) + "']"), "pcrs: write the values"},
    Case{"a value that is no hexadecimal", pcrs("7 = ['" + kA.substr(1) + "g']"), "pcrs: write the values"},
    Case{"a value that is a number", pcrs("7 = [7]"), "pcrs: write the values"},
    Case{"too much", "id = 'p' #" + std::string(1024 * 1024, ' '), "1 MiB"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(policy_file)

BOOST_AUTO_TEST_CASE(a_whole_policy_is_read) {
  const auto policy = parse_policy(
      "id = \"racks-2026\"\nminimum_firmware = 0x2019002300163636\non_reset = \"refuse\"\n"
      "[pcrs.sha256]\n0 = [\"" +
      kA + "\"]\n7 = [\"" + kA + "\", \"" + kB + "\"]\n");
  BOOST_TEST_REQUIRE(policy.has_value(), (policy ? "" : policy.error().what));
  BOOST_TEST(policy->id == "racks-2026");
  BOOST_TEST(policy->least_firmware == 0x2019002300163636u);
  BOOST_TEST((policy->on_reset == OnReset::kRefuse));
  BOOST_TEST((selection_of(*policy) == PcrSelection{{kSha256, {0, 7}}}));
  BOOST_TEST((policy->pcrs.at(kSha256).at(7) == std::set<Bytes>{Bytes(32, 0xAA), Bytes(32, 0xBB)}));
}

BOOST_AUTO_TEST_CASE(what_is_not_said_asks_for_nothing) {
  const auto policy = parse_policy("id = 'p'").value();
  BOOST_TEST(policy.least_firmware == 0u);
  BOOST_TEST((policy.on_reset == OnReset::kAccept));
  BOOST_TEST(policy.pcrs.empty());
}

BOOST_AUTO_TEST_CASE(firmware_is_a_number_or_its_text_up_to_64_bits) {
  const auto firmware = [](const std::string& value) {
    return parse_policy("id = 'p'\nminimum_firmware = " + value).value().least_firmware;
  };
  BOOST_TEST(firmware("17") == 17u);
  BOOST_TEST(firmware("'17'") == 17u);
  BOOST_TEST(firmware("'0x11'") == 17u);
  BOOST_TEST(firmware("'0xFFFFFFFFFFFFFFFF'") == 0xFFFFFFFFFFFFFFFFu);
}

BOOST_DATA_TEST_CASE(what_is_wrong_is_refused_and_named, boost::unit_test::data::make(kWrong), row) {
  const auto policy = parse_policy(row.toml);
  BOOST_TEST_REQUIRE(!policy.has_value());
  BOOST_TEST((policy.error().code == ErrorCode::kConfigInvalid));
  BOOST_TEST(std::string(policy.error().what).find(row.says) != std::string::npos, policy.error().what);
}

BOOST_AUTO_TEST_CASE(a_refusal_tells_the_line) {
  BOOST_TEST(parse_policy("id = 'p'\n\non_reset = 1").error().native == 3u);
  BOOST_TEST(parse_policy("id = 'p'\non_reset = ").error().native == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::attest
