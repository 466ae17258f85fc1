// What is asked for in several ways at once, and denied in one of them.

#include <array>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

using enum ErrorCode;
using enum ApprovalState;
using Outcome = Recording::Outcome;

namespace {

/// Two persons who may decide about the same.
struct Deniers : ApprovalBooks {
  Thumbprint bob = enrolled(kBob);
  Thumbprint carol = enrolled(kCarol);

  Ballot by(const ParkedCall& call, const std::string& principal, bool approves = true) {
    return ballot(call, principal, principal == kBob ? bob : carol, approves);
  }
  ParkedCall parked(ParkedCall call) {
    park(call);
    return call;
  }
};

/// A request for what another is for, in its relation to the one that is denied.
struct Twin {
  const char* name;
  const char* matter;
  const char* key;
  const char* first;
  bool is_approved;
  ApprovalState then;
};
std::ostream& operator<<(std::ostream& out, const Twin& row) { return out << row.name; }

constexpr std::array kTwins{
    Twin{"by the same key", "matter", "key", "other", false, kCancelled},
    Twin{"under the same first holder", "matter", "other", "first", false, kCancelled},
    Twin{"that was approved", "matter", "key", "first", true, kLapsed},
    Twin{"for something else", "other", "key", "first", false, kPending},
    Twin{"for something else, approved", "other", "key", "first", true, kApproved},
    Twin{"by another authority", "matter", "other", "other", false, kPending},
    Twin{"from before there were matters", "", "key", "first", false, kPending},
};

ParkedCall in_matter(const std::string& name, const Twin& terms) {
  ParkedCall call = gated_call(name, {kBob, kCarol});
  call.matter = terms.matter;
  call.key = Thumbprint{sha256(as_bytes(std::string(terms.key)))};
  call.first = Thumbprint{sha256(as_bytes(std::string(terms.first)))};
  return call;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(denied_twins)

BOOST_DATA_TEST_CASE_F(Deniers, a_denial_ends_what_waits, boost::unit_test::data::make(kTwins), row) {
  const ParkedCall call = parked(in_matter("one", {"", "matter", "key", "first", false, kPending}));
  const ParkedCall twin = parked(in_matter("two", row));
  if (row.is_approved) BOOST_TEST((decided(by(twin, kCarol)) == kApproved));
  const std::uint64_t before = store_counts();
  BOOST_TEST((decided(by(call, kBob, false)) == kDenied));
  BOOST_TEST((state_of(twin) == row.then));
  const bool has_ended = row.then == kCancelled || row.then == kLapsed;
  BOOST_TEST(store_counts() == before + (has_ended ? 2 : 1));
  if (row.then == kLapsed) BOOST_TEST((use(twin, kNow) == Outcome::kApprovedNoLonger));
  if (row.then == kCancelled) BOOST_TEST((refusal(decide(by(twin, kCarol))) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(without_a_matter_no_request_is_anothers_twin, Deniers) {
  const Twin old{"", "", "key", "first", false, kPending};
  const ParkedCall call = parked(in_matter("one", old));
  const ParkedCall other = parked(in_matter("two", old));
  BOOST_TEST((decided(by(call, kBob, false)) == kDenied));
  BOOST_TEST((state_of(other) == kPending));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
