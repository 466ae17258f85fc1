// Evidence of a host, recorded from a swtpm, with every octet of it changed, left out and added: none of it is accepted.
// tests/fuzz/host.cpp does the same at random.

#include <boost/test/unit_test.hpp>

#include "tests/fuzz/recorded_host.hpp"

namespace chancery::fuzz {
namespace {

void require_refused(const RecordedHost& host, std::size_t field, const Bytes& octets,
                     const std::string& how) {
  BOOST_REQUIRE_MESSAGE(!host.accepts_change(field, octets), host.fields()[field].name << " " << how);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mutants)

BOOST_AUTO_TEST_CASE(the_recorded_host_is_accepted) { BOOST_TEST(RecordedHost::load().is_accepted()); }

BOOST_AUTO_TEST_CASE(no_octet_of_the_evidence_can_be_changed) {
  const RecordedHost host = RecordedHost::load();
  for (std::size_t field = 0; field < host.fields().size(); ++field) {
    const Bytes& octets = host.fields()[field].octets;
    for (std::size_t at = 0; at < octets.size(); ++at) {
      for (const unsigned change : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U, 255U}) {
        Bytes changed = octets;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ change);
        require_refused(host, field, changed, "changed at " + std::to_string(at));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_can_be_left_out_or_added) {
  const RecordedHost host = RecordedHost::load();
  for (std::size_t field = 0; field < host.fields().size(); ++field) {
    const Bytes& octets = host.fields()[field].octets;
    for (std::size_t at = 0; at <= octets.size(); ++at) {
      const auto place = static_cast<std::ptrdiff_t>(at);
      require_refused(host, field, {octets.begin(), octets.begin() + place}, "cut to " + std::to_string(at));
      Bytes longer = octets;
      longer.insert(longer.begin() + place, 0);
      require_refused(host, field, longer, "with a zero at " + std::to_string(at));
      if (at == octets.size()) continue;
      Bytes shorter = octets;
      shorter.erase(shorter.begin() + place);
      require_refused(host, field, shorter, "without octet " + std::to_string(at));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_field_stands_in_for_another) {
  const RecordedHost host = RecordedHost::load();
  for (std::size_t field = 0; field < host.fields().size(); ++field) {
    for (const RecordedHost::Field& other : host.fields())
      require_refused(host, field, other.octets, other.name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::fuzz
