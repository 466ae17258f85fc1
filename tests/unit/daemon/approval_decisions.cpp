// Decisions in the store: who counts, when it is enough, and that of everything that can become of a request one thing does.

#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/gate_terms.hpp"
#include "daemon/store/migrations.hpp"
#include "daemon/store/sqlite.hpp"
#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

using std::chrono::hours;
using enum ErrorCode;
using enum ApprovalState;
using Outcome = Recording::Outcome;

namespace {

/// Three persons with a key each; Bob and Carol are in finance.
struct Persons : ApprovalBooks {
  Thumbprint bob = enrolled(kBob, {"finance"});
  Thumbprint carol = enrolled_in_finance(kCarol);
  Thumbprint dave = enrolled(kDave);

  Thumbprint enrolled_in_finance(const std::string& principal) { return enrolled(principal, {"finance"}); }
  Thumbprint key_of(const std::string& principal) {
    return principal == kBob ? bob : principal == kCarol ? carol : dave;
  }
  Ballot by(const ParkedCall& call, const std::string& principal, bool approves = true) {
    return ballot(call, principal, key_of(principal), approves);
  }
  ParkedCall parked(ParkedCall call) {
    park(call);
    return call;
  }
  ParkedCall approved(const std::string& name) {
    const ParkedCall call = parked(gated_call(name, {kBob}));
    BOOST_REQUIRE((decided(by(call, kBob)) == kApproved));
    return call;
  }
  std::vector<Vote> votes(const ParkedCall& call) { return must(book->votes(call.id)); }
  std::string last_entry() { return must(store->audit_tail(1)).front().json; }
};

bool tells(const std::string& entry, const std::string& text) {
  return entry.find("\"" + text + "\"") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(approval_decisions)

BOOST_FIXTURE_TEST_CASE(an_approval_that_is_enough_lasts_its_lifetime_and_keeps_the_document, Persons) {
  ParkedCall call = gated_call("one", {kBob, kCarol});
  call.lifetime = seconds{120};
  call.kind = ApprovalKind::kGrant;
  call.requesters = {kDave, "jkt:x"};
  park(call);
  BOOST_TEST((must(book->find(call.id)) == call));
  const std::uint64_t before = store_counts();
  const Counted counted = must(decide(by(call, kBob), kNow + seconds{5}));
  BOOST_TEST(store_counts() == before + 1);
  BOOST_TEST(tells(last_entry(), "decided approved"), last_entry());
  reopen();
  const ParkedCall found = must(book->find(call.id));
  call.state = kApproved;
  call.approved_at = kNow + seconds{5};
  call.approved_until = kNow + seconds{125};
  BOOST_TEST((found == call));
  call.document.clear();
  BOOST_TEST((counted.call == call));
  BOOST_TEST(must(book->pending(kNow)) == 0u);
  const Vote vote{kBob, bob, true, {"refunds"}, kNow + seconds{5}, "because", "jws of " + kBob, "", {}};
  BOOST_TEST((votes(call) == std::vector<Vote>{vote}));
}

BOOST_FIXTURE_TEST_CASE(a_quorum_takes_so_many_different_persons, Persons) {
  const ParkedCall call = parked(gated_call("one", {kBob, kCarol, kDave}, 2));
  BOOST_TEST((decided(by(call, kDave)) == kPending));
  BOOST_TEST(tells(last_entry(), "decided pending"), last_entry());
  BOOST_TEST((refusal(decide(by(call, kDave))) == kConflict));
  BOOST_TEST(approvals_for(call.gates.front(), votes(call)) == 1u);
  BOOST_TEST((decided(by(call, kCarol)) == kApproved));
  BOOST_TEST((refusal(decide(by(call, kBob))) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(nobody_counts_twice_under_two_keys, Persons) {
  const ApproverKey second = fresh_approver_key();
  must(enroll(kBob, second, {"finance"}, bob));
  const ParkedCall call = parked(gated_call("one", {kBob, kCarol}, 2));
  BOOST_TEST((decided(by(call, kBob)) == kPending));
  BOOST_TEST((refusal(decide(ballot(call, kBob, second.jkt))) == kConflict));
  BOOST_TEST((refusal(decide(ballot(call, kBob, second.jkt, false))) == kConflict));
  BOOST_TEST((state_of(call) == kPending));
  BOOST_TEST(votes(call).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_group_opens_what_names_it, Persons) {
  const ParkedCall call = parked(gated_call("one", {"group:finance"}, 2));
  BOOST_TEST((refusal(decide(by(call, kDave))) == kForbidden));
  BOOST_TEST((decided(by(call, kBob)) == kPending));
  BOOST_TEST((decided(by(call, kCarol)) == kApproved));
}

BOOST_FIXTURE_TEST_CASE(each_gate_takes_what_it_takes, Persons) {
  ParkedCall call = gated_call("one", {kBob, kCarol});
  GateTerms security = call.gates.front();
  security.gate = "security";
  security.approvers = {kDave, kBob};
  security.quorum = 2;
  call.gates.push_back(security);
  park(call);
  BOOST_TEST((decided(by(call, kCarol)) == kPending));  // refunds: 1 of 1
  BOOST_TEST((decided(by(call, kBob)) == kPending));    // security: 1 of 2
  BOOST_TEST((decided(by(call, kDave)) == kApproved));
  BOOST_TEST((votes(call)[1].gates == std::vector<std::string>{"refunds", "security"}));
  BOOST_TEST((votes(call)[2].gates == std::vector<std::string>{"security"}));
}

BOOST_FIXTURE_TEST_CASE(one_denial_denies_also_after_an_approval, Persons) {
  const ParkedCall call = parked(gated_call("one", {kBob, kCarol, kDave}, 3));
  BOOST_TEST((decided(by(call, kBob)) == kPending));
  BOOST_TEST((decided(by(call, kCarol, false), kNow + seconds{3}) == kDenied));
  const ParkedCall found = must(book->find(call.id));
  BOOST_TEST(found.document.empty());
  BOOST_TEST((*found.ended_at == kNow + seconds{3}));
  BOOST_TEST(votes(call).size() == 2u);
  BOOST_TEST((refusal(decide(by(call, kDave))) == kConflict));
}

// --- who does not count

namespace {

struct Refusal {
  const char* name;
  std::function<Ballot(Persons& world, const ParkedCall& call)> cast;
  ErrorCode want;
  sys_seconds now = kNow;
};
std::ostream& operator<<(std::ostream& out, const Refusal& row) { return out << row.name; }

const std::array kRefusals{
    Refusal{"a person whom no gate names",
            [](Persons& world, const ParkedCall& call) { return world.by(call, kDave); }, kForbidden},
    Refusal{"another person than the key's",
            [](Persons& world, const ParkedCall& call) { return world.ballot(call, kBob, world.dave); },
            kForbidden},
    Refusal{"a key that nobody has",
            [](Persons& world, const ParkedCall& call) {
              return world.ballot(call, kBob, fresh_approver_key().jkt);
            },
            kForbidden},
    Refusal{"a key that was revoked",
            [](Persons& world, const ParkedCall& call) {
              must(world.revoke(world.bob));
              return world.by(call, kBob);
            },
            kForbidden},
    Refusal{"a key that was replaced",
            [](Persons& world, const ParkedCall& call) {
              must(world.enroll(kBob, fresh_approver_key(), {"finance"}, world.bob, world.bob));
              return world.by(call, kBob);
            },
            kForbidden},
    Refusal{"no such request",
            [](Persons& world, const ParkedCall& call) {
              Ballot cast = world.by(call, kBob);
              cast.request = std::string(32, 'f');
              return cast;
            },
            kNotFound},
    Refusal{"a request whose time is over",
            [](Persons& world, const ParkedCall& call) { return world.by(call, kBob); }, kConflict, kEnd},
    Refusal{"one that was cancelled",
            [](Persons& world, const ParkedCall& call) {
              must(world.book->cancel(call.id, kNow, entry("x")));
              return world.by(call, kBob);
            },
            kConflict},
    Refusal{"one that has expired",
            [](Persons& world, const ParkedCall& call) {
              must(world.book->expire(call.id, kEnd, entry("x")));
              return world.by(call, kBob);
            },
            kConflict},
    Refusal{"one that was denied",
            [](Persons& world, const ParkedCall& call) {
              BOOST_REQUIRE((world.decided(world.by(call, kCarol, false)) == kDenied));
              return world.by(call, kBob);
            },
            kConflict},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Persons, it_does_not_count_by_or_for, boost::unit_test::data::make(kRefusals), row) {
  const ParkedCall call = parked(gated_call("one", {kBob, kCarol}));
  const Ballot cast = row.cast(*this, call);
  const std::size_t before = votes(call).size();
  const std::uint64_t entries = store_counts();
  const ApprovalState state = state_of(call);
  BOOST_TEST((refusal(decide(cast, row.now)) == row.want));
  BOOST_TEST(votes(call).size() == before);
  BOOST_TEST(store_counts() == entries);
  BOOST_TEST((state_of(call) == state));
}

BOOST_FIXTURE_TEST_CASE(the_last_second_is_in_time, Persons) {
  const ParkedCall call = parked(gated_call("one", {kBob}));
  BOOST_TEST((decided(by(call, kBob), kEnd - seconds{1}) == kApproved));
}

BOOST_FIXTURE_TEST_CASE(without_a_gate_nobody_approves, Persons) {
  const ParkedCall call = parked(call_named("one"));
  BOOST_TEST((refusal(decide(by(call, kBob))) == kForbidden));
  BOOST_TEST(!are_all_open({}, {}));
}

namespace {

struct Separated {
  const char* name;
  const char* separation;
  std::function<void(ParkedCall& call, const Thumbprint& bob)> change;
  bool may_decide;
};
std::ostream& operator<<(std::ostream& out, const Separated& row) { return out << row.name; }

void make_principal(ParkedCall& call, const Thumbprint&) { call.principal = kBob; }
void make_requester(ParkedCall& call, const Thumbprint&) { call.requesters = {"user:x", kBob}; }
void make_requesters_key(ParkedCall& call, const Thumbprint& bob) { call.requesters = {"jkt:" + bob.text()}; }
void make_agents_key(ParkedCall& call, const Thumbprint& bob) { call.key = bob; }
void change_nothing(ParkedCall&, const Thumbprint&) {}

const std::array kSeparated{
    Separated{"somebody else", "requester", change_nothing, true},
    Separated{"none: the principal", "none", make_principal, true},
    Separated{"none: whoever asked", "none", make_requester, true},
    Separated{"principal: the principal", "principal", make_principal, false},
    Separated{"principal: whoever asked", "principal", make_requester, true},
    Separated{"requester: the principal", "requester", make_principal, false},
    Separated{"requester: whoever asked", "requester", make_requester, false},
    Separated{"requester: by a key of the person's", "requester", make_requesters_key, false},
    Separated{"requester: the key that makes the call", "requester", make_agents_key, false},
    Separated{"a word that there is not: the principal", "nobody", make_principal, false},
    Separated{"a word that there is not: whoever asked", "nobody", make_requester, false},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Persons, separation_excludes, boost::unit_test::data::make(kSeparated), row) {
  ParkedCall call = gated_call("one", {kBob, "group:finance"});
  call.gates.front().separation = row.separation;
  row.change(call, bob);
  park(call);
  const auto counted = decide(by(call, kBob));
  BOOST_TEST(counted.has_value() == row.may_decide);
  if (!counted) BOOST_TEST((counted.error().code == kForbidden));
  // Nor does the person deny.
  const ParkedCall other = parked([&] {
    ParkedCall same = gated_call("two", {kBob});
    same.gates.front().separation = row.separation;
    row.change(same, bob);
    return same;
  }());
  BOOST_TEST(decide(by(other, kBob, false)).has_value() == row.may_decide);
}

// What somebody asked for by a key that is replaced now, the person asked for.
BOOST_FIXTURE_TEST_CASE(a_new_key_makes_nobody_another_person, Persons) {
  const ApproverKey next = fresh_approver_key();
  must(enroll(kBob, next, {"finance"}, bob, bob));
  ParkedCall call = gated_call("one", {kBob});
  call.key = bob;
  park(call);
  BOOST_TEST((refusal(decide(ballot(call, kBob, next.jkt))) == kForbidden));
}

// The person is excluded where separation says so, and counts at the other gate.
BOOST_FIXTURE_TEST_CASE(separation_is_of_each_gate, Persons) {
  ParkedCall call = gated_call("one", {kBob, kCarol});
  GateTerms lax = call.gates.front();
  lax.gate = "lax";
  lax.separation = kSeparateNobody;
  call.gates.push_back(lax);
  call.principal = kBob;
  park(call);
  BOOST_TEST((decided(by(call, kBob)) == kPending));
  BOOST_TEST((votes(call).front().gates == std::vector<std::string>{"lax"}));
  BOOST_TEST((decided(by(call, kCarol)) == kApproved));
}

BOOST_FIXTURE_TEST_CASE(what_a_tpm_enforces_takes_a_signature_for_it, Persons) {
  ParkedCall call = gated_call("one", {kBob, kCarol});
  call.gates.front().tpm_enforced = true;
  BOOST_TEST(is_tpm_enforced(call));
  park(call);
  Ballot cast = by(call, kBob);
  BOOST_TEST((refusal(decide(cast)) == kInvalidArgument));
  cast.policy_signature = "AAAA";
  BOOST_TEST((decided(cast) == kApproved));
  BOOST_TEST(votes(call).front().policy_signature == "AAAA");
  const ParkedCall other = parked([] {
    ParkedCall denied = gated_call("two", {kBob});
    denied.gates.front().tpm_enforced = true;
    return denied;
  }());
  BOOST_TEST((decided(by(other, kBob, false)) == kDenied));
}

// --- using an approval

BOOST_FIXTURE_TEST_CASE(an_approval_is_used_once_for_what_it_is_about, Persons) {
  const ParkedCall call = approved("one");
  ParkedCall other = call;
  other.subject = digest_of("another");
  BOOST_TEST((use(other, kNow) == Outcome::kApprovedNoLonger));
  const std::uint64_t before = store_counts();
  BOOST_TEST((use(call, kNow + seconds{299}) == Outcome::kRecorded));
  BOOST_TEST(store_counts() == before + 2);  // its use, and the decision
  BOOST_TEST((state_of(call) == kUsed));
  BOOST_TEST(must(book->find(call.id)).document.empty());
  BOOST_TEST((use(call, kNow + seconds{299}) == Outcome::kApprovedNoLonger));
  BOOST_TEST(store_counts() == before + 2);
}

BOOST_FIXTURE_TEST_CASE(an_approval_lapses, Persons) {
  const ParkedCall call = approved("one");
  const auto lapse = [&](sys_seconds now) { return book->lapse(call.id, now, entry("approval.lapse")); };
  BOOST_TEST((refusal(lapse(kNow + seconds{299})) == kConflict));
  BOOST_TEST(must(book->overdue(kNow + seconds{299})).empty());
  BOOST_TEST((use(call, kNow + seconds{300}) == Outcome::kApprovedNoLonger));
  BOOST_REQUIRE(must(book->overdue(kNow + seconds{300})).size() == 1u);
  must(lapse(kNow + seconds{300}));
  BOOST_TEST((state_of(call) == kLapsed));
  BOOST_TEST((refusal(lapse(kNow + seconds{301})) == kConflict));
  BOOST_TEST((refusal(book->cancel(call.id, kNow, entry("x"))) == kConflict));
}

BOOST_FIXTURE_TEST_CASE(an_approved_request_is_neither_cancelled_nor_expired, Persons) {
  const ParkedCall call = approved("one");
  BOOST_TEST((refusal(book->cancel(call.id, kNow, entry("x"))) == kConflict));
  BOOST_TEST((refusal(book->expire(call.id, kEnd, entry("x"))) == kConflict));
  BOOST_TEST((state_of(call) == kApproved));
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_debited_leaves_the_approval_as_it_was, Persons) {
  const ParkedCall call = approved("one");
  const AuditEntry audit = entry("approval.use");
  const ApprovalUse use_of{call.id, call.subject, &audit};
  Decision decision = decision_of(call);
  decision.parked = nullptr;
  decision.approved = &use_of;
  decision.id = "d";
  decision.debits = {{{sha256(as_bytes("t")), TotalKind::kSubtree, "amount"}, 101, 100, "amount", kEnd}};
  BOOST_TEST((must(ledger->record(decision, entry("tool.permit"))).outcome == Outcome::kOverBound));
  BOOST_TEST((state_of(call) == kApproved));
  BOOST_TEST((use(call, kNow) == Outcome::kRecorded));
}

BOOST_FIXTURE_TEST_CASE(what_is_asked_for_while_it_is_approved_is_told_so_and_parked_anew_once_it_is_used,
                        Persons) {
  const ParkedCall call = approved("one");
  ParkedCall again = gated_call("again", {kBob});
  again.subject = call.subject;
  const Recording told = record(again);
  BOOST_TEST((told.outcome == Outcome::kApproved));
  BOOST_TEST(told.answer == call.id);
  BOOST_TEST(must(book->open_for(call.subject))->id == call.id);
  BOOST_TEST((use(call, kNow) == Outcome::kRecorded));
  BOOST_TEST(!must(book->open_for(call.subject)).has_value());
  BOOST_TEST((record(again).outcome == Outcome::kRecorded));
  BOOST_TEST((must(book->open_for(call.subject))->state == kPending));
}

// --- keys that are revoked

BOOST_FIXTURE_TEST_CASE(what_a_revoked_key_approved_and_was_not_used_lapses, Persons) {
  const ParkedCall unused = approved("unused");
  const ParkedCall used = approved("used");
  BOOST_TEST((use(used, kNow) == Outcome::kRecorded));
  const ParkedCall carols = parked(gated_call("carol's", {kCarol}));
  BOOST_TEST((decided(by(carols, kCarol)) == kApproved));
  const std::uint64_t before = store_counts();
  const EndedApproverKey ended = must(revoke(bob));
  BOOST_TEST((ended.lapsed == std::vector<std::string>{unused.id}));
  BOOST_TEST(store_counts() == before + 2);
  BOOST_TEST(tells(must(store->audit_tail(2)).front().json, "approval.lapse " + unused.id));
  BOOST_TEST((state_of(unused) == kLapsed));
  BOOST_TEST((state_of(used) == kUsed));
  BOOST_TEST((state_of(carols) == kApproved));
  BOOST_TEST((use(unused, kNow) == Outcome::kApprovedNoLonger));
  BOOST_TEST(votes(unused).front().voided_at.has_value());
  BOOST_TEST(!votes(used).front().voided_at.has_value());
}

BOOST_FIXTURE_TEST_CASE(what_a_revoked_key_decided_about_what_waits_counts_no_more, Persons) {
  const ApproverKey second = fresh_approver_key();
  must(enroll(kBob, second, {"finance"}, bob));
  const ParkedCall call = parked(gated_call("one", {kBob, kCarol}, 2));
  BOOST_TEST((decided(by(call, kBob)) == kPending));
  BOOST_TEST(must(revoke(bob)).lapsed.empty());
  BOOST_TEST((decided(by(call, kCarol)) == kPending));
  BOOST_TEST((decided(ballot(call, kBob, second.jkt)) == kApproved));
  BOOST_TEST(votes(call).size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(what_a_replaced_key_decided_stands, Persons) {
  const ParkedCall call = approved("one");
  const ParkedCall waits = parked(gated_call("two", {kBob, kCarol}, 2));
  BOOST_TEST((decided(by(waits, kBob)) == kPending));
  must(enroll(kBob, fresh_approver_key(), {"finance"}, bob, bob));
  BOOST_TEST((state_of(call) == kApproved));
  BOOST_TEST((decided(by(waits, kCarol)) == kApproved));
  BOOST_TEST((use(call, kNow) == Outcome::kRecorded));
}

BOOST_FIXTURE_TEST_CASE(what_a_key_decided_that_is_revoked_after_it_was_replaced_lapses, Persons) {
  const ParkedCall call = approved("one");
  const ParkedCall waits = parked(gated_call("two", {kBob, kCarol}, 2));
  BOOST_TEST((decided(by(waits, kBob)) == kPending));
  must(enroll(kBob, fresh_approver_key(), {"finance"}, bob, bob));
  BOOST_TEST((must(revoke(bob)).lapsed == std::vector<std::string>{call.id}));
  BOOST_TEST((state_of(call) == kLapsed));
  BOOST_TEST((decided(by(waits, kCarol)) == kPending));
  BOOST_TEST((use(call, kNow) == Outcome::kApprovedNoLonger));
}

// --- at once

namespace {

/// One of the ways out of `pending`, and what a request is then.
struct Racer {
  ApprovalState end;
  std::function<bool(Persons& world, const ParkedCall& call)> run;
};

const std::array<Racer, 4> kRacers{
    Racer{kApproved,
          [](Persons& world, const ParkedCall& call) {
            return world.decide(world.by(call, kBob), kEnd - seconds{1}).has_value();
          }},
    Racer{kDenied,
          [](Persons& world, const ParkedCall& call) {
            return world.decide(world.by(call, kCarol, false), kEnd - seconds{1}).has_value();
          }},
    Racer{kCancelled,
          [](Persons& world, const ParkedCall& call) {
            return world.book->cancel(call.id, kEnd - seconds{1}, entry("approval.cancel")).has_value();
          }},
    Racer{kExpired,
          [](Persons& world, const ParkedCall& call) {
            return world.book->expire(call.id, kEnd, entry("approval.expire")).has_value();
          }},
};

constexpr std::size_t kRounds = 25;
constexpr std::size_t kCallsOfRound = 100;
static_assert(kRounds * kCallsOfRound * kRacers.size() == 10'000);

}  // namespace

BOOST_FIXTURE_TEST_CASE(ten_thousand_tries_to_approve_deny_cancel_and_expire_end_in_one_state_each, Persons) {
  std::set<ApprovalState> seen;
  for (std::size_t round = 0; round < kRounds; ++round) {
    std::vector<ParkedCall> calls;
    for (std::size_t i = 0; i < kCallsOfRound; ++i)
      calls.push_back(parked(gated_call(std::to_string(round) + "/" + std::to_string(i), {kBob, kCarol})));
    std::array<std::array<bool, kCallsOfRound>, kRacers.size()> done{};
    {
      std::latch start(kRacers.size());
      std::vector<std::jthread> threads;
      for (std::size_t racer = 0; racer < kRacers.size(); ++racer) {
        threads.emplace_back([&, racer] {
          start.arrive_and_wait();
          for (std::size_t i = 0; i < kCallsOfRound; ++i)  // each is first at a quarter of them, if it can
            done[racer][(i + racer * kCallsOfRound / kRacers.size()) % kCallsOfRound] = kRacers[racer].run(
                *this, calls[(i + racer * kCallsOfRound / kRacers.size()) % kCallsOfRound]);
        });
      }
    }
    for (std::size_t i = 0; i < kCallsOfRound; ++i) {
      const ApprovalState state = must(book->summary(calls[i].id)).state;
      seen.insert(state);
      for (std::size_t racer = 0; racer < kRacers.size(); ++racer)
        if (done[racer][i] != (kRacers[racer].end == state))
          BOOST_ERROR(calls[i].id << " is " << approval_state_name(state) << ", and "
                                  << approval_state_name(kRacers[racer].end) << " says otherwise");
      if (votes(calls[i]).size() != (state == kApproved || state == kDenied ? 1u : 0u))
        BOOST_ERROR(calls[i].id << " has votes that came to nothing");
    }
  }
  BOOST_TEST(seen.size() == kRacers.size());
}

BOOST_FIXTURE_TEST_CASE(of_users_and_the_end_of_the_key_one_has_each_approval, Persons) {
  // A round in which one side did all would show nothing of a race: the key is ended while the first approvals are being used.
  constexpr int kRounds = 8;
  constexpr std::size_t kCalls = 64;
  constexpr std::size_t kFirst = 8;
  std::size_t all_used = 0;
  std::size_t all_lapsed = 0;
  for (int round = 0; round < kRounds; ++round) {
    const ApproverKey key = fresh_approver_key();
    must(enroll(kBob, key, {"finance"}, bob));
    std::vector<ParkedCall> calls;
    for (std::size_t i = 0; i < kCalls; ++i) {
      calls.push_back(gated_call(std::to_string(round) + " call " + std::to_string(i), {kBob}));
      park(calls.back());
      BOOST_REQUIRE((decided(ballot(calls.back(), kBob, key.jkt)) == kApproved));
    }
    std::atomic<std::size_t> used = 0;
    std::vector<std::string> lapsed;
    {
      std::latch start(2);
      std::latch begun(kFirst);
      std::vector<std::jthread> threads;
      for (int user = 0; user < 2; ++user) {
        threads.emplace_back([&] {
          start.arrive_and_wait();
          for (const ParkedCall& call : calls) {
            if (use(call, kNow) != Outcome::kRecorded) continue;
            if (++used <= kFirst) begun.count_down();
          }
        });
      }
      threads.emplace_back([&] {
        begun.wait();
        const auto ended = revoke(key.jkt);
        if (ended) lapsed = ended->lapsed;
      });
    }
    BOOST_TEST(used + lapsed.size() == kCalls);
    for (const ParkedCall& call : calls) {
      const bool has_lapsed = std::ranges::find(lapsed, call.id) != lapsed.end();
      BOOST_TEST((state_of(call) == (has_lapsed ? kLapsed : kUsed)));
    }
    all_used += used;
    all_lapsed += lapsed.size();
  }
  BOOST_TEST(all_used > 0u);
  BOOST_TEST(all_lapsed > 0u);
}

// --- the database

BOOST_FIXTURE_TEST_CASE(votes_are_forgotten_with_the_request, Persons) {
  const ParkedCall call = approved("one");
  BOOST_TEST((use(call, kNow) == Outcome::kRecorded));
  must(book->prune(kNow));
  BOOST_TEST(votes(call).size() == 1u);
  must(book->prune(kNow + seconds{1}));
  BOOST_TEST((refusal(book->votes(call.id)) == kNotFound));
  auto database = must(Database::open(folder.path() / "chancery.db"));
  BOOST_TEST(must(database.number("SELECT count(*) FROM approval_votes")) == 0);
}

BOOST_AUTO_TEST_CASE(what_waited_before_there_were_approvers_waits_on_and_nobody_can_approve_it) {
  const TemporaryFolder folder;
  const ParkedCall call = call_named("one");
  {
    constexpr std::size_t kBefore = 17;
    auto old = must(Database::open(folder.path() / "chancery.db"));
    must(migrate(old, kBefore));
    const std::string values = "'" + call.id + "', '" + call.document + "', '" + call.digest + "', '" +
                               call.subject + "', 'r', 't', '" + call.key.text() + "', '" +
                               call.first.text() + "', 'user:a', 'refund', 'pending', 1, 2";
    const std::string insert =
        "INSERT INTO parked_calls (id, document, digest, subject, runtime, token, key, first_key, principal, "
        "tool, state, asked_at, expires_at) VALUES (" +
        values + ")";
    must(old.execute(insert.c_str()));
  }
  const auto journal = must(Journal::open(folder.path()));
  const auto book = make_sqlite_approval_book(journal);
  const ParkedCall found = must(book->find(call.id));
  BOOST_TEST((found.state == kPending));
  BOOST_TEST(found.document == call.document);
  BOOST_TEST((found.kind == ApprovalKind::kCall));
  BOOST_TEST(found.gates.empty());
  must(book->cancel(call.id, sys_seconds(seconds{1}), entry("approval.cancel")));
}

BOOST_AUTO_TEST_SUITE_END()

// --- the gates of a request as they are kept

namespace {

struct Kept {
  const char* name;
  std::function<void(std::vector<GateTerms>& gates)> change;
  bool is_sound;
};
std::ostream& operator<<(std::ostream& out, const Kept& row) { return out << row.name; }

const std::array kKept{
    Kept{"one", [](std::vector<GateTerms>&) {}, true},
    Kept{"none", [](std::vector<GateTerms>& gates) { gates.clear(); }, true},
    Kept{"sixteen",
         [](std::vector<GateTerms>& gates) {
           for (std::size_t i = 1; i < kMostGates; ++i) gates.push_back({"g" + std::to_string(i), {kBob}});
         },
         true},
    Kept{"seventeen",
         [](std::vector<GateTerms>& gates) {
           for (std::size_t i = 1; i <= kMostGates; ++i) gates.push_back({"g" + std::to_string(i), {kBob}});
         },
         false},
    Kept{"two of one name", [](std::vector<GateTerms>& gates) { gates.push_back(gates.front()); }, false},
    Kept{"one without a name", [](std::vector<GateTerms>& gates) { gates.front().gate.clear(); }, false},
    Kept{"one that nobody opens", [](std::vector<GateTerms>& gates) { gates.front().approvers.clear(); },
         true},
    Kept{"64 approvers", [](std::vector<GateTerms>& gates) { gates.front().approvers.resize(64, kBob); },
         true},
    Kept{"65 approvers", [](std::vector<GateTerms>& gates) { gates.front().approvers.resize(65, kBob); },
         false},
    Kept{"a quorum of none", [](std::vector<GateTerms>& gates) { gates.front().quorum = 0; }, false},
    Kept{"a quorum of eight", [](std::vector<GateTerms>& gates) { gates.front().quorum = 8; }, true},
    Kept{"a quorum of nine", [](std::vector<GateTerms>& gates) { gates.front().quorum = 9; }, false},
};

}  // namespace

BOOST_DATA_TEST_CASE(gates_are_kept_within_bounds_and_read_as_they_were, boost::unit_test::data::make(kKept),
                     row) {
  std::vector<GateTerms> gates{{"refunds", {kBob, "group:finance"}, 2, "principal", true}};
  row.change(gates);
  BOOST_TEST(check_gates(gates).has_value() == row.is_sound);
  if (row.is_sound) BOOST_TEST((must(gates_from(gates_text(gates))) == gates));
}

BOOST_AUTO_TEST_CASE(gates_that_cannot_be_read_are_damage) {
  for (const char* text :
       {"", "{}", "[1]", R"([{"gate":"g"}])",
        R"([{"approvers":[1],"gate":"g","quorum":1,"separation":"none","tpm_enforced":false}])",
        R"([{"approvers":[],"gate":"g","quorum":0,"separation":"none","tpm_enforced":false}])"})
    BOOST_TEST((refusal(gates_from(text)) == kStoreCorrupt), text);
}

}  // namespace chancery::store::testing
