// What every book of approvers must do: who vouches for whom, whose a key is, and what is not used once another hand changed it.

#include "daemon/store/approver_book.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "tests/unit/daemon/approval_books.hpp"

namespace chancery::store::testing {

using enum ErrorCode;
using State = ApproverKeyState;
using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(approver_book)

BOOST_FIXTURE_TEST_CASE(who_is_enrolled_is_found_as_it_was_also_after_a_restart, ApprovalBooks) {
  BOOST_TEST(!must(approvers->has_any()));
  ApproverKey key = fresh_approver_key();
  key.kind = "passkey";
  key.credential_id = "Y3JlZA";
  must(enroll(kBob, key, {"finance", "security"}));
  const Approver want{kBob, {"finance", "security"}, {key}};
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST((must(approvers->find(kBob)) == want));
    BOOST_TEST((must(approvers->by_key(key.jkt)) == want));
    BOOST_TEST((must(approvers->list()) == std::vector<Approver>{want}));
    BOOST_TEST(must(approvers->has_any()));
    reopen();
  }
  BOOST_TEST((refusal(approvers->find(kCarol)) == kNotFound));
  BOOST_TEST((refusal(approvers->by_key(fresh_approver_key().jkt)) == kNotFound));
}

BOOST_FIXTURE_TEST_CASE(a_list_has_active_keys_alone_and_a_person_all, ApprovalBooks) {
  const Thumbprint bob = enrolled(kBob);
  const Thumbprint carol = enrolled(kCarol);
  const ApproverKey next = fresh_approver_key();
  must(enroll(kBob, next, {}, bob, bob));
  must(revoke(carol));
  const auto listed = must(approvers->list());
  BOOST_REQUIRE(listed.size() == 2u);
  BOOST_REQUIRE(listed[0].keys.size() == 1u);
  BOOST_TEST((listed[0].keys[0].jkt == next.jkt));
  BOOST_TEST(listed[1].keys.empty());
  const Approver person = must(approvers->find(kBob));
  BOOST_REQUIRE(person.keys.size() == 2u);
  BOOST_TEST((person.keys[0].state == State::kReplaced));
  BOOST_TEST(person.keys[0].ended_at.has_value());
  BOOST_TEST((must(approvers->by_key(bob)).keys.size() == 1u));
  BOOST_TEST((must(approvers->by_key(carol)).keys.front().state == State::kRevoked));
}

// --- who vouches for whom

namespace {

/// Bob is in finance and has a key, Carol is in no group, Dave's only key was revoked.
struct Enrolled : ApprovalBooks {
  Thumbprint bob = enrolled(kBob, {"finance"});
  Thumbprint carol = enrolled(kCarol);
  Thumbprint dave = enrolled(kDave, {"finance"});
  Thumbprint former = former_key_of_bob();

  Thumbprint former_key_of_bob() {
    must(revoke(dave));
    const ApproverKey next = fresh_approver_key();
    must(enroll(kBob, next, {"finance"}, bob, bob));
    return std::exchange(bob, next.jkt);
  }
};

struct Vouched {
  const char* name;
  std::string principal;
  Texts groups;
  std::function<std::optional<Thumbprint>(Enrolled& world)> by;
  std::optional<ErrorCode> want;  ///< none: it is taken
  Texts reserved = {};
};
std::ostream& operator<<(std::ostream& out, const Vouched& row) { return out << row.name; }

const auto kByBob = [](Enrolled& world) { return std::optional(world.bob); };
const auto kByCarol = [](Enrolled& world) { return std::optional(world.carol); };
const auto kByNobody = [](Enrolled&) { return std::optional<Thumbprint>(); };
const std::string kErin = "user:erin@example.org";

const std::array kVouched{
    Vouched{"a person who is new, by anybody", kErin, {}, kByCarol, {}},
    Vouched{"a person who is new, by the operator", kErin, {}, kByNobody, kConflict},
    Vouched{"a member, by a member", kErin, {"finance"}, kByBob, {}},
    Vouched{"a member, by another", kErin, {"finance"}, kByCarol, kForbidden},
    Vouched{"the first member of a group, by anybody", kErin, {"security"}, kByCarol, {}},
    Vouched{
        "the first of one and another of the other", kErin, {"finance", "security"}, kByCarol, kForbidden},
    Vouched{"one's own next key", kBob, {"finance"}, kByBob, {}},
    Vouched{"another's next key", kBob, {"finance"}, kByCarol, kForbidden},
    Vouched{"one's own next group", kBob, {"finance", "security"}, kByBob, kForbidden},
    Vouched{"out of one's own group", kBob, {}, kByBob, kForbidden},
    Vouched{"another person's next group", kCarol, {"finance"}, kByBob, kForbidden},
    Vouched{"a person without a key, by a member", kDave, {"finance"}, kByBob, {}},
    Vouched{"a person without a key, by another", kDave, {"finance"}, kByCarol, kForbidden},
    Vouched{"a person without a key, who is in no group any more", kDave, {}, kByCarol, {}},
    Vouched{"a person who is new, and whom a gate names", kErin, {}, kByBob, kForbidden, {kErin}},
    Vouched{"a person without a key, whom a gate names", kDave, {"finance"}, kByBob, kForbidden, {kDave}},
    Vouched{
        "a person without a key, whom a gate names, in no group", kDave, {}, kByCarol, kForbidden, {kDave}},
    Vouched{"one's own next key, whom a gate names", kBob, {"finance"}, kByBob, {}, {kBob, "group:finance"}},
    Vouched{"a member of a group that a gate names, by a member",
            kErin,
            {"finance"},
            kByBob,
            {},
            {"group:finance"}},
    Vouched{"the first member of a group that a gate names",
            kErin,
            {"security"},
            kByCarol,
            kForbidden,
            {kBob, "group:security"}},
    Vouched{"a person whom no gate names", kErin, {"security"}, kByCarol, {}, {kBob, kDave, "group:finance"}},
    Vouched{"by a key that nobody has",
            kErin,
            {},
            [](Enrolled&) { return std::optional(fresh_approver_key().jkt); },
            kForbidden},
    Vouched{"by a key that was revoked",
            kErin,
            {},
            [](Enrolled& world) { return std::optional(world.dave); },
            kForbidden},
    Vouched{"by one's own key that was revoked",
            kDave,
            {"finance"},
            [](Enrolled& world) { return std::optional(world.dave); },
            kForbidden},
    Vouched{"by a key that was replaced",
            kErin,
            {},
            [](Enrolled& world) { return std::optional(world.former); },
            kForbidden},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Enrolled, it_is_vouched_for, boost::unit_test::data::make(kVouched), row) {
  const ApproverKey key = fresh_approver_key();
  const std::uint64_t before = store_counts();
  const auto enrolled = enroll(row.principal, key, row.groups, row.by(*this), {}, row.reserved);
  BOOST_TEST(enrolled.has_value() == !row.want);
  BOOST_TEST(store_counts() == before + (row.want ? 0u : 1u));
  if (row.want) {
    BOOST_TEST((refusal(enrolled) == *row.want));
    BOOST_TEST((refusal(approvers->by_key(key.jkt)) == kNotFound));
  } else {
    BOOST_TEST((must(approvers->by_key(key.jkt)).groups == row.groups));
  }
}

BOOST_FIXTURE_TEST_CASE(once_every_key_is_revoked_the_operator_begins_anew, ApprovalBooks) {
  const Thumbprint bob = enrolled(kBob, {"finance"});
  BOOST_TEST((refusal(enroll(kCarol, fresh_approver_key())) == kConflict));
  must(revoke(bob));
  BOOST_TEST(!must(approvers->has_any()));
  must(enroll(kBob, fresh_approver_key(), {"finance"}));
}

BOOST_FIXTURE_TEST_CASE(of_many_who_would_be_the_first_one_is, ApprovalBooks) {
  std::atomic<int> taken = 0;
  std::atomic<int> refused = 0;
  std::vector<ApproverKey> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(fresh_approver_key());
  {
    std::latch start(8);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        const auto done = enroll("user:" + std::to_string(i), keys[static_cast<std::size_t>(i)]);
        ++(done ? taken : refused);
      });
    }
  }
  BOOST_TEST(taken == 1);
  BOOST_TEST(refused == 7);
}

BOOST_FIXTURE_TEST_CASE(a_key_and_a_passkey_have_one_owner_for_ever, ApprovalBooks) {
  ApproverKey key = fresh_approver_key();
  key.kind = "passkey";
  key.credential_id = "Y3JlZA";
  must(enroll(kBob, key));
  const Thumbprint carol = [&] {
    const ApproverKey hers = fresh_approver_key();
    must(enroll(kCarol, hers, {}, key.jkt));
    return hers.jkt;
  }();
  ApproverKey same_passkey = fresh_approver_key();
  same_passkey.credential_id = key.credential_id;
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST((refusal(enroll(kCarol, key, {}, carol)) == kConflict));
    BOOST_TEST((refusal(enroll(kCarol, same_passkey, {}, carol)) == kConflict));
    if (i == 0) must(revoke(key.jkt));
  }
  BOOST_TEST(must(approvers->by_key(key.jkt)).principal == kBob);
}

BOOST_FIXTURE_TEST_CASE(a_key_replaces_an_active_one_of_the_same_person, Enrolled) {
  BOOST_TEST((refusal(enroll(kBob, fresh_approver_key(), {"finance"}, bob, carol)) == kNotFound));
  BOOST_TEST((refusal(enroll(kBob, fresh_approver_key(), {"finance"}, bob, former)) == kNotFound));
  BOOST_TEST((refusal(enroll(kErin, fresh_approver_key(), {}, bob, bob)) == kNotFound));
  BOOST_TEST((must(approvers->by_key(bob)).keys.front().state == State::kActive));
  const ApproverKey next = fresh_approver_key();
  must(enroll(kBob, next, {"finance"}, bob, bob));
  BOOST_TEST((must(approvers->by_key(bob)).keys.front().state == State::kReplaced));
  BOOST_TEST((must(approvers->by_key(next.jkt)).keys.front().state == State::kActive));
}

BOOST_FIXTURE_TEST_CASE(a_person_has_sixteen_active_keys_and_no_more, ApprovalBooks) {
  const Thumbprint bob = enrolled(kBob);
  for (std::size_t i = 1; i < kMostKeysOfApprover; ++i) must(enroll(kBob, fresh_approver_key(), {}, bob));
  const ApproverKey over = fresh_approver_key();
  BOOST_TEST((refusal(enroll(kBob, over, {}, bob)) == kConflict));
  const ApproverKey instead = fresh_approver_key();
  must(enroll(kBob, instead, {}, bob, bob));
  must(revoke(instead.jkt));
  must(enroll(kBob, over, {}, must(approvers->find(kBob)).keys[1].jkt));
}

BOOST_FIXTURE_TEST_CASE(a_key_is_revoked_once_by_the_operator_or_the_person, Enrolled) {
  const ApproverKey second = fresh_approver_key();
  must(enroll(kBob, second, {"finance"}, bob));
  BOOST_TEST((refusal(revoke(second.jkt, carol)) == kForbidden));
  BOOST_TEST((refusal(revoke(second.jkt, former)) == kForbidden));
  must(revoke(second.jkt, bob));
  BOOST_TEST((refusal(revoke(second.jkt)) == kConflict));
  must(revoke(bob, bob));
  const sys_seconds replaced_at = *must(approvers->by_key(former)).keys.front().ended_at;
  must(revoke(former));
  BOOST_TEST((refusal(revoke(former)) == kConflict));
  const ApproverKey once_replaced = must(approvers->by_key(former)).keys.front();
  BOOST_TEST((once_replaced.state == State::kRevoked));
  BOOST_TEST((*once_replaced.ended_at == replaced_at));
  BOOST_TEST((refusal(revoke(fresh_approver_key().jkt)) == kNotFound));
  const ApproverKey ended = must(approvers->by_key(second.jkt)).keys.front();
  BOOST_TEST((ended.state == State::kRevoked));
  BOOST_TEST((*ended.ended_at == kNow));
}

// --- records that another hand changed

namespace {

struct Change {
  const char* name;
  const char* statement;
};
std::ostream& operator<<(std::ostream& out, const Change& row) { return out << row.name; }

constexpr std::array kChanges{
    Change{"a person's groups", R"(UPDATE approvers SET member_of = '["finance","security"]')"},
    Change{"a person's name",
           "UPDATE approvers SET principal = 'user:x'; UPDATE approver_keys SET principal = 'user:x'"},
    Change{"a key's owner",
           "INSERT INTO approvers SELECT 'user:x', member_of, seal FROM approvers; UPDATE "
           "approver_keys SET principal = 'user:x'"},
    Change{"a key's state", "UPDATE approver_keys SET state = 'revoked', ended_at = 1"},
    Change{"a key's kind", "UPDATE approver_keys SET kind = 'tpm'"},
    Change{"who vouched", "UPDATE approver_keys SET enrolled_by = 'user:x'"},
    Change{"when", "UPDATE approver_keys SET enrolled_at = 1"},
    Change{"a passkey", "UPDATE approver_keys SET credential_id = 'eA'"},
    Change{"a key's seal", "UPDATE approver_keys SET seal = zeroblob(32)"},
    Change{
        "the key itself",
        R"(UPDATE approver_keys SET jwk = '{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(ApprovalBooks, nobody_decides_by_a_record_with_a_change_of,
                       boost::unit_test::data::make(kChanges), row) {
  const Thumbprint bob = enrolled(kBob, {"finance"});
  const ParkedCall call = gated_call("one", {kBob});
  park(call);
  close();
  must(must(Database::open(folder.path() / "chancery.db"))
           .execute(("PRAGMA foreign_keys = OFF; " + std::string(row.statement)).c_str()));
  open();
  BOOST_TEST(must(store->seal_with(SecretBytes(Bytes(32, 7)))) >= 1U);
  BOOST_TEST((refusal(decide(ballot(call, kBob, bob))) == kStoreCorrupt));
  BOOST_TEST((refusal(approvers->by_key(bob)) == kStoreCorrupt));
  for (const Approver& person : must(approvers->list())) BOOST_TEST(person.keys.empty());
}

BOOST_FIXTURE_TEST_CASE(a_key_that_has_ended_and_is_damaged_hides_nobody_from_the_list, ApprovalBooks) {
  const Thumbprint bob = enrolled(kBob);
  const ApproverKey next = fresh_approver_key();
  must(enroll(kBob, next, {}, bob, bob));
  must(must(Database::open(folder.path() / "chancery.db"))
           .execute("UPDATE approver_keys SET seal = zeroblob(32) WHERE state = 'replaced'"));
  const auto listed = must(approvers->list());
  BOOST_REQUIRE(listed.size() == 1u);
  BOOST_REQUIRE(listed[0].keys.size() == 1u);
  BOOST_TEST((listed[0].keys[0].jkt == next.jkt));
  BOOST_TEST((refusal(approvers->find(kBob)) == kStoreCorrupt));
}

BOOST_FIXTURE_TEST_CASE(each_change_of_approvers_is_counted_before_it_is_told, ApprovalBooks) {
  std::uint64_t before = approvers->changes();
  const auto has_changed = [&] { return std::exchange(before, approvers->changes()) != before; };
  const Thumbprint bob = enrolled(kBob);
  BOOST_TEST(has_changed());
  must(approvers->list());
  must(approvers->find(kBob));
  BOOST_TEST(!has_changed());
  const ApproverKey next = fresh_approver_key();
  must(enroll(kBob, next, {}, bob, bob));
  BOOST_TEST(has_changed());
  must(revoke(next.jkt));
  BOOST_TEST(has_changed());
}

BOOST_FIXTURE_TEST_CASE(records_under_another_secret_are_not_used, ApprovalBooks) {
  const Thumbprint bob = enrolled(kBob);
  for (const bool is_right : {false, true}) {
    must(store->seal_with(SecretBytes(Bytes(32, is_right ? 7 : 8))));
    BOOST_TEST(approvers->by_key(bob).has_value() == is_right);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::store::testing
