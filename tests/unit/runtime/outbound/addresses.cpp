#include "daemon/runtime/outbound/addresses.hpp"

#include <array>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/runtime/outbound/resolver.hpp"

// Which addresses a call may reach. Of each range both edges, and what stands before and behind it.

namespace {

using namespace chancery;
using namespace chancery::runtime;
using enum AddressClass;
namespace data = boost::unit_test::data;

Address address(const char* text) { return Address::parse(text).value(); }

AddressRule rule(std::initializer_list<const char*> declared) {
  std::vector<AddressRange> ranges;
  for (const char* text : declared) ranges.push_back(AddressRange::parse(text).value());
  return AddressRule(std::move(ranges));
}

struct Classified {
  const char* text;
  AddressClass want;
};
std::ostream& operator<<(std::ostream& out, const Classified& row) { return out << row.text; }

constexpr std::array kClassified{
    Classified{"0.0.0.0", kUnspecified},
    Classified{"0.0.0.1", kReserved},
    Classified{"0.255.255.255", kReserved},
    Classified{"1.0.0.0", kPublic},
    Classified{"9.255.255.255", kPublic},
    Classified{"10.0.0.0", kPrivate},
    Classified{"10.255.255.255", kPrivate},
    Classified{"11.0.0.0", kPublic},
    Classified{"100.63.255.255", kPublic},
    Classified{"100.64.0.0", kShared},
    Classified{"100.100.100.199", kShared},
    Classified{"100.100.100.200", kMetadata},
    Classified{"100.127.255.255", kShared},
    Classified{"100.128.0.0", kPublic},
    Classified{"126.255.255.255", kPublic},
    Classified{"127.0.0.0", kLoopback},
    Classified{"127.0.0.1", kLoopback},
    Classified{"127.255.255.255", kLoopback},
    Classified{"128.0.0.0", kPublic},
    Classified{"168.63.129.15", kPublic},
    Classified{"168.63.129.16", kMetadata},
    Classified{"168.63.129.17", kPublic},
    Classified{"169.253.255.255", kPublic},
    Classified{"169.254.0.0", kLinkLocal},
    Classified{"169.254.0.23", kMetadata},
    Classified{"169.254.169.253", kLinkLocal},
    Classified{"169.254.169.254", kMetadata},
    Classified{"169.254.169.255", kLinkLocal},
    Classified{"169.254.170.2", kMetadata},
    Classified{"169.254.170.23", kMetadata},
    Classified{"169.254.255.255", kLinkLocal},
    Classified{"169.255.0.0", kPublic},
    Classified{"172.15.255.255", kPublic},
    Classified{"172.16.0.0", kPrivate},
    Classified{"172.31.255.255", kPrivate},
    Classified{"172.32.0.0", kPublic},
    Classified{"191.255.255.255", kPublic},
    Classified{"192.0.0.0", kReserved},
    Classified{"192.0.0.192", kMetadata},
    Classified{"192.0.0.255", kReserved},
    Classified{"192.0.1.0", kPublic},
    Classified{"192.0.1.255", kPublic},
    Classified{"192.0.2.0", kReserved},
    Classified{"192.0.2.255", kReserved},
    Classified{"192.0.3.0", kPublic},
    Classified{"192.88.98.255", kPublic},
    Classified{"192.88.99.0", kReserved},
    Classified{"192.88.99.255", kReserved},
    Classified{"192.88.100.0", kPublic},
    Classified{"192.167.255.255", kPublic},
    Classified{"192.168.0.0", kPrivate},
    Classified{"192.168.255.255", kPrivate},
    Classified{"192.169.0.0", kPublic},
    Classified{"198.17.255.255", kPublic},
    Classified{"198.18.0.0", kReserved},
    Classified{"198.19.255.255", kReserved},
    Classified{"198.20.0.0", kPublic},
    Classified{"198.51.99.255", kPublic},
    Classified{"198.51.100.0", kReserved},
    Classified{"198.51.100.255", kReserved},
    Classified{"198.51.101.0", kPublic},
    Classified{"203.0.112.255", kPublic},
    Classified{"203.0.113.0", kReserved},
    Classified{"203.0.113.255", kReserved},
    Classified{"203.0.114.0", kPublic},
    Classified{"223.255.255.255", kPublic},
    Classified{"224.0.0.0", kMulticast},
    Classified{"239.255.255.255", kMulticast},
    Classified{"240.0.0.0", kReserved},
    Classified{"255.255.255.254", kReserved},
    Classified{"255.255.255.255", kBroadcast},
    Classified{"::", kUnspecified},
    Classified{"::1", kLoopback},
    Classified{"::2", kTranslated},
    Classified{"::127.0.0.1", kTranslated},
    Classified{"::ffff:ffff", kTranslated},
    Classified{"::1:0:0", kReserved},
    Classified{"::fffe:ffff:ffff", kReserved},
    Classified{"::ffff:0.0.0.0", kTranslated},
    Classified{"::ffff:8.8.8.8", kTranslated},
    Classified{"::ffff:255.255.255.255", kTranslated},
    Classified{"::ffff:0:127.0.0.1", kTranslated},
    Classified{"::1:0:0:0", kReserved},
    Classified{"64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"64:ff9b::", kTranslated},
    Classified{"64:ff9b::ffff:ffff", kTranslated},
    Classified{"64:ff9b::1:0:0", kReserved},
    Classified{"64:ff9b:0:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"64:ff9b:1::", kTranslated},
    Classified{"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", kTranslated},
    Classified{"64:ff9b:2::", kReserved},
    Classified{"100::1", kReserved},
    Classified{"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"2000::", kPublic},
    Classified{"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kPublic},
    Classified{"2001::", kTranslated},
    Classified{"2001:0:ffff:ffff:ffff:ffff:ffff:ffff", kTranslated},
    Classified{"2001:1::", kReserved},
    Classified{"2001:2::1", kReserved},
    Classified{"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"2001:200::", kPublic},
    Classified{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", kPublic},
    Classified{"2001:db8::", kReserved},
    Classified{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"2001:db9::", kPublic},
    Classified{"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kPublic},
    Classified{"2002::", kTranslated},
    Classified{"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kTranslated},
    Classified{"2003::", kPublic},
    Classified{"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kPublic},
    Classified{"3fff::", kReserved},
    Classified{"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"3fff:1000::", kPublic},
    Classified{"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kPublic},
    Classified{"4000::", kReserved},
    Classified{"5f00::1", kReserved},
    Classified{"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"fc00::", kPrivate},
    Classified{"fd00:ec2::253", kPrivate},
    Classified{"fd00:ec2::254", kMetadata},
    Classified{"fd00:ec2::23", kMetadata},
    Classified{"fd20:ce::254", kMetadata},
    Classified{"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kPrivate},
    Classified{"fe00::", kReserved},
    Classified{"fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kReserved},
    Classified{"fe80::", kLinkLocal},
    Classified{"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kLinkLocal},
    Classified{"fec0::", kPrivate},
    Classified{"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kPrivate},
    Classified{"ff00::", kMulticast},
    Classified{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", kMulticast},
};

struct Ruled {
  const char* name;
  std::initializer_list<const char*> declared;
  const char* address;
  bool is_admitted;
};
std::ostream& operator<<(std::ostream& out, const Ruled& row) { return out << row.name; }

const std::array kRuled{
    Ruled{"public", {}, "8.8.8.8", true},
    Ruled{"public, IPv6", {}, "2606:4700::1111", true},
    Ruled{"public, with another range declared", {"10.0.0.0/8"}, "8.8.8.8", true},
    Ruled{"loopback", {}, "127.0.0.1", false},
    Ruled{"loopback, declared", {"127.0.0.1"}, "127.0.0.1", true},
    Ruled{"loopback, its neighbour declared", {"127.0.0.2"}, "127.0.0.1", false},
    Ruled{"private", {}, "10.1.2.3", false},
    Ruled{"private, first of the range", {"10.1.2.0/23"}, "10.1.2.0", true},
    Ruled{"private, last of the range", {"10.1.2.0/23"}, "10.1.3.255", true},
    Ruled{"private, before the range", {"10.1.2.0/23"}, "10.1.1.255", false},
    Ruled{"private, behind the range", {"10.1.2.0/23"}, "10.1.4.0", false},
    Ruled{"private, IPv6", {"fd00:1::/32"}, "fd00:1:ffff::1", true},
    Ruled{"private, IPv6, behind the range", {"fd00:1::/32"}, "fd00:2::", false},
    Ruled{"IPv4 by a range of IPv6", {"::/0"}, "10.0.0.1", false},
    Ruled{"metadata", {}, "169.254.169.254", false},
    Ruled{"metadata, by a range", {"169.254.0.0/16"}, "169.254.169.254", false},
    Ruled{"metadata, by everything", {"0.0.0.0/0"}, "169.254.169.254", false},
    Ruled{"metadata, by its address", {"169.254.169.254"}, "169.254.169.254", true},
    Ruled{"metadata, in a public range", {}, "168.63.129.16", false},
    Ruled{"metadata, IPv6, by a range", {"fd00:ec2::/32"}, "fd00:ec2::254", false},
    Ruled{"unspecified, by its address", {"0.0.0.0"}, "0.0.0.0", false},
    Ruled{"unspecified, IPv6, by its address", {"::"}, "::", false},
    Ruled{"multicast, declared", {"224.0.0.0/4"}, "224.0.0.1", false},
    Ruled{"broadcast, declared", {"255.255.255.255"}, "255.255.255.255", false},
    Ruled{"mapped and public", {}, "::ffff:8.8.8.8", false},
    Ruled{"mapped and public, the form declared", {"::ffff:0:0/96"}, "::ffff:8.8.8.8", true},
    Ruled{"mapped and loopback, the form declared", {"::ffff:0:0/96"}, "::ffff:127.0.0.1", false},
    Ruled{"mapped and loopback, the address declared", {"127.0.0.1"}, "::ffff:127.0.0.1", false},
    Ruled{"mapped and loopback, both declared", {"::ffff:0:0/96", "127.0.0.1"}, "::ffff:127.0.0.1", true},
    Ruled{"mapped metadata, by ranges", {"::/0", "0.0.0.0/0"}, "::ffff:169.254.169.254", false},
    Ruled{"compatible and loopback", {"::/96"}, "::127.0.0.1", false},
    Ruled{"NAT64 and public", {}, "64:ff9b::8.8.8.8", false},
    Ruled{"NAT64 and public, the form declared", {"64:ff9b::/96"}, "64:ff9b::8.8.8.8", true},
    Ruled{"NAT64 and private, the form declared", {"64:ff9b::/96"}, "64:ff9b::10.0.0.1", false},
    Ruled{"NAT64 and metadata, the form declared", {"64:ff9b::/96"}, "64:ff9b::169.254.169.254", false},
    Ruled{"local NAT64, its whole prefix declared", {"64:ff9b:1:2::/96"}, "64:ff9b:1:2::8.8.8.8", true},
    Ruled{"local NAT64, a shorter one declared", {"64:ff9b:1::/48"}, "64:ff9b:1:2::8.8.8.8", false},
    Ruled{"local NAT64 and private", {"64:ff9b:1:2::/96"}, "64:ff9b:1:2::192.168.0.1", false},
    Ruled{"6to4 and public", {"2002::/16"}, "2002:808:808::1", true},
    Ruled{"6to4 and loopback", {"2002::/16"}, "2002:7f00:1::1", false},
    Ruled{"Teredo, server and client public", {"2001::/32"}, "2001:0:808:808:0:0:f7f7:f7f7", true},
    Ruled{"Teredo, server private", {"2001::/32"}, "2001:0:a00:1:0:0:f7f7:f7f7", false},
    Ruled{"Teredo, client loopback", {"2001::/32"}, "2001:0:808:808:0:0:80ff:fffe", false},
};

struct Text {
  const char* text;
  bool is_taken;
};
std::ostream& operator<<(std::ostream& out, const Text& row) { return out << row.text; }

constexpr std::array kAddressTexts{
    Text{"127.0.0.1", true},   Text{"2001:db8::1", true}, Text{"::ffff:1.2.3.4", true},
    Text{"127.1", false},      Text{"2130706433", false}, Text{"0x7f.0.0.1", false},
    Text{"0177.0.0.1", false}, Text{"127.0.0.01", false}, Text{"127.0.0.1 ", false},
    Text{"1.2.3.256", false},  Text{"[::1]", false},      Text{"fe80::1%lo", false},
    Text{"", false},           Text{"localhost", false},  Text{"1.2.3.4.5", false},
};

constexpr std::array kRangeTexts{
    Text{"10.0.0.0/8", true},    Text{"10.0.0.1", true},     Text{"0.0.0.0/0", true},
    Text{"10.0.0.0/32", true},   Text{"::/0", true},         Text{"fd00::/128", true},
    Text{"10.0.0.0/33", false},  Text{"::/129", false},      Text{"10.0.0.1/31", false},
    Text{"10.0.0.0/", false},    Text{"10.0.0.0/08", false}, Text{"10.0.0.0/-1", false},
    Text{"10.0.0.0/8/8", false}, Text{"10.0.0.0/ 8", false}, Text{"/8", false},
    Text{"fd00::1/127", false},  Text{"10/8", false},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_DATA_TEST_CASE(an_address_is_of_its_class_on_both_sides_of_every_edge, data::make(kClassified), row) {
  const AddressClass found = classify(address(row.text));
  BOOST_TEST((found == row.want), "class " << static_cast<int>(found));
}

BOOST_DATA_TEST_CASE(only_public_and_declared_addresses_are_admitted, data::make(kRuled), row) {
  const Status status = rule(row.declared).check(address(row.address));
  BOOST_TEST(status.has_value() == row.is_admitted);
  if (!status) BOOST_TEST((status.error().code == ErrorCode::kForbidden));
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_class_by_its_text_and_number) {
  const Error refused = rule({}).check(address("169.254.169.254")).error();
  BOOST_TEST(refused.native == static_cast<std::uint64_t>(kMetadata));
  BOOST_TEST((std::string_view(refused.what).find("metadata") != std::string_view::npos));
}

BOOST_DATA_TEST_CASE(an_address_has_one_text_form, data::make(kAddressTexts), row) {
  BOOST_TEST(Address::parse(row.text).has_value() == row.is_taken);
}

BOOST_DATA_TEST_CASE(a_range_has_one_text_form, data::make(kRangeTexts), row) {
  BOOST_TEST(AddressRange::parse(row.text).has_value() == row.is_taken);
}

BOOST_AUTO_TEST_CASE(an_address_is_written_as_it_was_read) {
  for (const char* text : {"1.2.3.4", "2001:db8::1", "::1", "::ffff:1.2.3.4"})
    BOOST_TEST(address(text).text() == text);
}

BOOST_AUTO_TEST_CASE(the_system_resolves_the_name_of_this_machine) {
  const auto found = resolve_by_system("localhost", std::chrono::seconds{30});
  BOOST_REQUIRE(found.has_value());
  BOOST_REQUIRE(!found->empty());
  for (const Address& one : *found) BOOST_TEST((classify(one) == kLoopback), one.text());
}

BOOST_AUTO_TEST_SUITE_END()
