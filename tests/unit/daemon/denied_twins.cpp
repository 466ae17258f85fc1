// What is asked for in several ways at once, and denied in one of them.

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
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

namespace {

constexpr std::array kDamaged{
    "UPDATE parked_calls SET gates = 'none' WHERE seq = 2",
    "UPDATE parked_calls SET key = 'none' WHERE seq = 2",
    "UPDATE parked_calls SET kind = 'none' WHERE seq = 2",
    "UPDATE parked_calls SET requesters = '{' WHERE seq = 2",
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Deniers, a_row_that_cannot_be_read_keeps_nobody_from_denying,
                       boost::unit_test::data::make(kDamaged) * boost::unit_test::data::make({false, true}),
                       damage, is_approved) {
  const Twin terms{"", "matter", "key", "first", is_approved, kPending};
  const ParkedCall call = parked(in_matter("one", terms));
  const ParkedCall twin = parked(in_matter("two", terms));
  const ParkedCall sound = parked(in_matter("three", terms));
  if (is_approved) BOOST_TEST((decided(by(twin, kCarol)) == kApproved));
  auto database = must(Database::open(folder.path() / "chancery.db"));
  must(database.execute(damage));
  std::vector<ParkedCall> told;
  const auto denied = book->decide(by(call, kBob, false), kNow, [&](const ParkedCall& ended) {
    told.push_back(ended);
    return entry("decided " + ended.id);
  });
  BOOST_REQUIRE_MESSAGE(denied, (denied ? "" : denied.error().what));
  BOOST_TEST((state_of(call) == kDenied));
  BOOST_TEST((state_of(sound) == kCancelled));
  const ApprovalState then = is_approved ? kLapsed : kCancelled;
  const auto about = std::ranges::find(told, twin.id, &ParkedCall::id);
  BOOST_REQUIRE((about != told.end()));
  BOOST_TEST((about->state == then));
  BOOST_TEST(about->digest.empty());
  // Nothing is open any more of what stands in the same row.
  must(database.execute(("UPDATE parked_calls SET gates = '[]', requesters = '[]', kind = 'call', key = '" +
                         twin.key.text() + "' WHERE seq = 2")
                            .c_str()));
  BOOST_TEST((state_of(twin) == then));
}

BOOST_FIXTURE_TEST_CASE(a_row_that_cannot_be_read_keeps_nobody_from_revoking_a_key, Deniers) {
  const ParkedCall call = parked(gated_call("one", {kBob, kCarol}));
  BOOST_TEST((decided(by(call, kBob)) == kApproved));
  auto database = must(Database::open(folder.path() / "chancery.db"));
  must(database.execute("UPDATE parked_calls SET gates = 'none' WHERE seq = 1"));
  const auto revoked = revoke(bob);
  BOOST_REQUIRE_MESSAGE(revoked, (revoked ? "" : revoked.error().what));
  must(database.execute("UPDATE parked_calls SET gates = '[]' WHERE seq = 1"));
  BOOST_TEST((state_of(call) == kLapsed));
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
