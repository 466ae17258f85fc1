#include <array>
#include <set>

#include <boost/test/unit_test.hpp>

#include <chancery/custody.hpp>

namespace {

using namespace chancery;
using enum Custody;

constexpr std::array kAll{kSoftware,     kPkcs11Claimed, kPkcs11Attested, kTpmCertifiedEmulated,
                          kTpmCertified, kTpmQuoted};

struct Row {
  CustodyRequirement requirement;
  std::set<Custody> enough;
};

const std::array kRows{
    Row{CustodyRequirement::kPkcs11Claimed, {kPkcs11Claimed, kPkcs11Attested, kTpmCertified, kTpmQuoted}},
    Row{CustodyRequirement::kTpmCertifiedEmulated, {kTpmCertifiedEmulated, kTpmCertified, kTpmQuoted}},
    Row{CustodyRequirement::kHardware, {kPkcs11Attested, kTpmCertified, kTpmQuoted}},
    Row{CustodyRequirement::kTpmCertified, {kTpmCertified, kTpmQuoted}},
    Row{CustodyRequirement::kTpmQuoted, {kTpmQuoted}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(custody)

BOOST_AUTO_TEST_CASE(each_requirement_is_met_by_these_levels_and_no_others) {
  for (const Row& row : kRows) {
    for (const Custody level : kAll) {
      BOOST_TEST(satisfies(level, row.requirement) == row.enough.contains(level),
                 custody_name(level) << " for " << requirement_name(row.requirement));
    }
  }
}

BOOST_AUTO_TEST_CASE(names_are_read_back) {
  for (const Custody level : kAll) BOOST_TEST((parse_custody(custody_name(level)) == level));
  for (const Row& row : kRows)
    BOOST_TEST((parse_requirement(requirement_name(row.requirement)) == row.requirement));
  BOOST_TEST(!parse_custody("hardware"));
  BOOST_TEST(!parse_requirement("software"));
  BOOST_TEST(!parse_requirement(""));
}

BOOST_AUTO_TEST_SUITE_END()
