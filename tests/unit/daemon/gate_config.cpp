// What a configuration says of gates.

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/config/config.hpp"
#include "daemon/config/values.hpp"
#include "tests/unit/daemon/read_configuration.hpp"

namespace chancery::config {
namespace {

using namespace std::chrono_literals;

using testing::accepted;
using testing::kLeast;  // what follows it begins in line 10
using testing::Mistake;
using testing::refused;

constexpr const char* kRefunds = R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
when = "above"
parameter = "amount"
above = 100
approvers = ["user:bob@example.org", "group:finance"]
quorum = 2
)";

constexpr const char* kNight = R"([[gate]]
name = "night"
tools = ["deploy.start"]
when = "outside_hours"
hours = "Mo-Fr 08:00-18:00 Europe/Berlin"
approvers = ["user:bob@example.org"]
)";

constexpr const char* kKeys = R"([[gate]]
name = "keys"
scopes = ["payments.*"]
approvers = ["user:bob@example.org"]
enforcement = "tpm"
)";

/// The configuration as it is installed, with each of the sections that stand in it as comments.
std::string packaged_with_examples() {
  std::ifstream in(CHANCERY_SOURCE_DIR "/daemon/packaging/chancery.toml");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  BOOST_TEST_REQUIRE(!text.empty());
  std::istringstream lines(text);
  std::string examples;
  bool is_example = false;
  for (std::string line; std::getline(lines, line);) {
    is_example = line.starts_with("# [") || (is_example && line.starts_with("# "));
    if (is_example) examples += line.substr(2) + "\n";
  }
  return text + examples;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gate_config)

BOOST_AUTO_TEST_CASE(the_sections_that_the_packaged_configuration_has_as_examples_are_good) {
  const Config config = accepted(packaged_with_examples());
  BOOST_TEST_REQUIRE(config.gates.size() == 1U);
  GateConfig refunds = default_gate();
  refunds.name = "refunds";
  refunds.scopes = {"payments.refund"};
  refunds.when = GateWhen::kAbove;
  refunds.parameter = "amount";
  refunds.above = "100";
  refunds.approvers = {"group:finance"};
  BOOST_TEST((config.gates[0] == refunds));  // what it has besides is as by default
  BOOST_TEST(config.runtime.approvers == std::vector<std::string>{"group:on-call"},
             boost::test_tools::per_element());
  BOOST_TEST((config.approvals.keep_last == default_config().approvals.keep_last));
  BOOST_TEST(config.freeze.operator_key == "/etc/chancery/freeze.jwk");
  BOOST_TEST(config.console.enabled);
  BOOST_TEST(config.console.approvers.size() == 2U);
  BOOST_TEST(config.backends.size() == 2U);
}

BOOST_AUTO_TEST_CASE(gates_are_read_and_written) {
  const Config config = accepted(kLeast + kRefunds + kNight + kKeys);
  BOOST_TEST_REQUIRE(config.gates.size() == 3U);
  GateConfig refunds = default_gate();
  refunds.name = "refunds";
  refunds.scopes = {"payments.refund"};
  refunds.when = GateWhen::kAbove;
  refunds.parameter = "amount";
  refunds.above = "100";
  refunds.approvers = {"user:bob@example.org", "group:finance"};
  refunds.quorum = 2;
  BOOST_TEST((config.gates[0] == refunds));
  BOOST_TEST((refunds.separation == GateSeparation::kRequester));
  BOOST_TEST((refunds.enforcement == GateEnforcement::kSoftware));
  BOOST_TEST((refunds.wait == 15min));
  BOOST_TEST((refunds.lifetime == 5min));
  BOOST_TEST(config.gates[1].hours == "Mo-Fr 08:00-18:00 Europe/Berlin");
  BOOST_TEST((config.gates[2].enforcement == GateEnforcement::kTpm));
  BOOST_TEST((accepted(to_toml(config)) == config), to_toml(config));
}

BOOST_AUTO_TEST_CASE(a_change_of_a_gate_is_live) {
  const Config running = accepted(kLeast + kRefunds);
  Config read = running;
  read.gates[0].above = "50";
  const TakenOver taken = take_over(running, read);
  BOOST_TEST(taken.changed == std::vector<std::string>{"gate"}, boost::test_tools::per_element());
  BOOST_TEST(taken.need_restart.empty());
  BOOST_TEST((taken.config.gates == read.gates));
  BOOST_TEST(take_over(running, running).changed.empty());
}

namespace {

constexpr const char* kNoDecimal =
    "gate[0].above must be a decimal that is not negative, with at most six places and below 9000000000000, such as "
    "100 or \"99.50\"";
constexpr const char* kNoApprovers =
    "gate[0].approvers must be principals such as \"user:bob@example.org\" and groups such as \"group:finance\": "
    "nobody can be enrolled as an approver by a name without a kind";
constexpr const char* kNoHours =
    "gate[0].hours must be days, times and a zone, such as \"Mo-Fr 08:00-18:00 Europe/Berlin\"";

const std::array kRefused{
    Mistake{"no name", kRefunds, "name = \"refunds\"\n", "", 10, "gate[0].name is required"},
    Mistake{"a bad name", kRefunds, "\"refunds\"", "\"tool:refunds\"", 11,
            "gate[0].name must be 1 to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first"},
    Mistake{"an unknown option", kRefunds, "quorum", "quorun", 17,
            "unknown option \"gate.quorun\": did you mean \"gate.quorum\"?"},
    Mistake{"an unknown `when`", kRefunds, "\"above\"", "\"over\"", 13,
            "gate[0].when must be one of \"always\" \"above\" \"first_time\" \"outside_hours\""},
    Mistake{
        "a bound without a parameter", kRefunds, "parameter = \"amount\"\n", "", 10,
        "gate[0].parameter is required with when = \"above\" and \"first_time\": name the parameter of the action"},
    Mistake{"a parameter without a bound", kRefunds, "above = 100\n", "", 10,
            "gate[0].above is required with when = \"above\": give the most that passes without an approval"},
    Mistake{"a bound that nothing looks at", kRefunds, "\"above\"", "\"first_time\"", 15,
            "gate[0].above is for when = \"above\" only: take it out"},
    Mistake{"a parameter that nothing looks at", kRefunds, "when = \"above\"", "when = \"always\"", 14,
            "gate[0].parameter is for when = \"above\" and \"first_time\" only: take it out"},
    Mistake{"a bound below zero", kRefunds, "100", "-1", 15, kNoDecimal},
    Mistake{"a bound that is too fine", kRefunds, "100", "\"0.0000001\"", 15, kNoDecimal},
    Mistake{"a bound that is too large", kRefunds, "100", "9000000000000", 15, kNoDecimal},
    Mistake{"a bound that is no number", kRefunds, "100", "\"much\"", 15, kNoDecimal},
    Mistake{"a bound that is true", kRefunds, "100", "true", 15, kNoDecimal},
    Mistake{"hours that nothing looks at", kNight, "\"outside_hours\"", "\"always\"", 14,
            "gate[0].hours is for when = \"outside_hours\" only: take it out"},
    Mistake{"no hours", kNight, "hours = \"Mo-Fr 08:00-18:00 Europe/Berlin\"\n", "", 10, kNoHours},
    Mistake{"hours without a zone", kNight, " Europe/Berlin", "", 14, kNoHours},
    Mistake{"no approvers", kNight, "approvers = [\"user:bob@example.org\"]\n", "", 10,
            "gate[0].approvers is required: say who may decide, principals or groups"},
    Mistake{"an approver without a kind", kNight, "user:bob@example.org", "bob@example.org", 15,
            kNoApprovers},
    Mistake{"a group that is no name", kRefunds, "group:finance", "group:Finance", 16, kNoApprovers},
    Mistake{"an approver twice", kRefunds, "group:finance", "user:bob@example.org", 16,
            "gate[0].approvers has somebody twice, who counts once: take the second one out"},
    Mistake{"more approvals than persons", kRefunds, ", \"group:finance\"", "", 17,
            "gate[0].quorum is more than there are approvers: so many can never approve"},
    Mistake{"a quorum of nobody", kRefunds, "quorum = 2", "quorum = 0", 17,
            "gate[0].quorum must be from 1 to 8"},
    Mistake{"a tool that is no name", kNight, "deploy.start", "Deploy", 12,
            "gate[0].tools must be names of tools: [a-z0-9][a-z0-9._-]{0,62}"},
    Mistake{
        "a TPM's gate with tools", kNight,
        "when = \"outside_hours\"\nhours = \"Mo-Fr 08:00-18:00 Europe/Berlin\"", "enforcement = \"tpm\"", 12,
        "gate[0].tools must be empty with enforcement = \"tpm\": the TPM signs grants, and sees no calls"},
    Mistake{
        "a TPM's gate without scopes", kKeys, "scopes = [\"payments.*\"]\n", "", 10,
        "gate[0].scopes is required with enforcement = \"tpm\": say which scopes the TPM grants by approval only"},
    Mistake{
        "a TPM's gate with a clock", kKeys,
        "approvers =", "when = \"outside_hours\"\nhours = \"Mo 08:00-18:00 UTC\"\napprovers =", 13,
        "gate[0].when must be \"always\" with enforcement = \"tpm\": a grant has no parameters, and a TPM no clock"},
    Mistake{"a TPM's gate of five", kKeys, "enforcement", "quorum = 5\nenforcement", 14,
            "gate[0].quorum is more than there are approvers: so many can never approve"},
    Mistake{"a TPM's gate of five of a group", kKeys, "\"user:bob@example.org\"]",
            "\"group:finance\"]\nquorum = 5", 14,
            "gate[0].quorum must be at most 4 with enforcement = \"tpm\""},
    Mistake{"a TPM's gate with a long name", kKeys, "\"keys\"", "\"a-name-of-three-and-thirty-octets\"", 11,
            "gate[0].name must be at most 32 characters with enforcement = \"tpm\""},
    Mistake{"a TPM's gate with five approvers", kKeys, "\"user:bob@example.org\"",
            "\"user:a\", \"user:b\", \"user:c\", \"user:d\", \"user:e\"", 13,
            "gate[0].approvers must be at most 4 with enforcement = \"tpm\""},
    Mistake{"a section that is none", "gate = 1\n", "gate = 1", "[gate]\nname = \"one\"", 10,
            "gate is a list of sections: write [[gate]]"},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_contradicts_itself_is_refused_with_its_line, boost::unit_test::data::make(kRefused),
                     row) {
  expect_refused(row);
}

BOOST_AUTO_TEST_CASE(names_are_distinct) {
  BOOST_TEST(refused(kLeast + kRefunds + kRefunds).message ==
             "gate[1].name is the name of an earlier [[gate]]: choose another");
}

BOOST_AUTO_TEST_CASE(approvers_of_tools_are_principals_and_groups) {
  BOOST_TEST(accepted(kLeast + "[runtime]\napprovers = [\"group:finance\"]\n").runtime.approvers ==
                 std::vector<std::string>{"group:finance"},
             boost::test_tools::per_element());
  BOOST_TEST(refused(kLeast + "[runtime]\napprovers = [\"bob\"]\n").message ==
             "runtime.approvers must be principals such as \"user:bob@example.org\" and groups such as "
             "\"group:finance\": nobody can be enrolled as an approver by a name without a kind");
}

namespace {

struct DecimalRow {
  const char* text;
  const char* want;  // nullptr: it is none
};
std::ostream& operator<<(std::ostream& out, const DecimalRow& row) { return out << row.text; }

const std::array kDecimals{
    DecimalRow{"0", "0"},
    DecimalRow{"100", "100"},
    DecimalRow{"0100", "100"},
    DecimalRow{"99.50", "99.5"},
    DecimalRow{"99.00", "99"},
    DecimalRow{"0.000001", "0.000001"},
    DecimalRow{"0.0000001", nullptr},
    DecimalRow{"8999999999999.999999", "8999999999999.999999"},
    DecimalRow{"9000000000000", nullptr},
    DecimalRow{"10000000000000", nullptr},
    DecimalRow{"-1", nullptr},
    DecimalRow{"+1", nullptr},
    DecimalRow{"1e3", nullptr},
    DecimalRow{".5", nullptr},
    DecimalRow{"5.", nullptr},
    DecimalRow{"1.2.3", nullptr},
    DecimalRow{"", nullptr},
    DecimalRow{" 1", nullptr},
};

struct HoursRow {
  const char* text;
  std::optional<LocalHours> want;
};
std::ostream& operator<<(std::ostream& out, const HoursRow& row) { return out << row.text; }

const std::array kHours{
    HoursRow{"Mo-Fr 08:00-18:00 Europe/Berlin", LocalHours{0b0011111, 8h, 18h, "Europe/Berlin"}},
    HoursRow{"Mo,We-Fr,Su 00:00-24:00 UTC", LocalHours{0b1011101, 0h, 24h, "UTC"}},
    HoursRow{"Su 09:05-09:06 Etc/GMT+1", LocalHours{0b1000000, 545min, 546min, "Etc/GMT+1"}},
    HoursRow{"Mo-Mo 08:00-18:00 UTC", LocalHours{0b0000001, 8h, 18h, "UTC"}},
    HoursRow{"Fr-Mo 08:00-18:00 UTC", std::nullopt},
    HoursRow{"We,Mo 08:00-18:00 UTC", std::nullopt},
    HoursRow{"Mo,Mo 08:00-18:00 UTC", std::nullopt},
    HoursRow{"Mo-We,We 08:00-18:00 UTC", std::nullopt},
    HoursRow{"mo 08:00-18:00 UTC", std::nullopt},
    HoursRow{"Mo, 08:00-18:00 UTC", std::nullopt},
    HoursRow{"Mo 8:00-18:00 UTC", std::nullopt},
    HoursRow{"Mo 08:60-18:00 UTC", std::nullopt},
    HoursRow{"Mo 08:00-24:01 UTC", std::nullopt},
    HoursRow{"Mo 18:00-08:00 UTC", std::nullopt},
    HoursRow{"Mo 08:00-08:00 UTC", std::nullopt},
    HoursRow{"Mo 08:00 UTC", std::nullopt},
    HoursRow{"Mo 08:00-18:00", std::nullopt},
    HoursRow{"Mo 08:00-18:00 ", std::nullopt},
    HoursRow{"Mo 08:00-18:00 /etc/passwd", std::nullopt},
    HoursRow{"Mo 08:00-18:00 UTC x", std::nullopt},
    HoursRow{"", std::nullopt},
};

}  // namespace

BOOST_DATA_TEST_CASE(decimals_have_one_spelling, boost::unit_test::data::make(kDecimals), row) {
  const auto text = decimal_text(row.text);
  BOOST_TEST_REQUIRE(text.has_value() == (row.want != nullptr));
  if (text) BOOST_TEST(*text == row.want);
}

BOOST_DATA_TEST_CASE(hours_are_days_times_and_a_zone, boost::unit_test::data::make(kHours), row) {
  BOOST_TEST((parse_hours(row.text) == row.want));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::config
