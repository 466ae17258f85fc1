// Decisions: whoever brings one, whose signature counts, and for what.

#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/unit/sdk/made_passkey.hpp"
#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/deciding_fixture.hpp"

namespace chancery::tests {

using std::chrono::minutes;
using std::chrono::seconds;

BOOST_AUTO_TEST_SUITE(decisions)

BOOST_FIXTURE_TEST_CASE(a_decision_counts_whoever_brings_it, Deciding) {
  const std::array<std::optional<std::uint32_t>, 3> bringers{kStrangerUid, kOperatorUid, std::nullopt};
  for (std::size_t i = 0; i < bringers.size(); ++i) {
    const store::ParkedCall call = parked("call " + std::to_string(i));
    const Response decided = send(call.id, sign(decision_of(call, bob), bob), "", bringers[i]);
    BOOST_TEST(decided.status == 200, decided.body);
    BOOST_TEST(member(decided, "id") == call.id);
    BOOST_TEST(member(decided, "state") == "approved");
    BOOST_TEST(member(decided, "enforcement") == "software-enforced");
    BOOST_TEST(state_of(call) == "approved");
  }
}

BOOST_FIXTURE_TEST_CASE(what_was_decided_is_shown_with_its_signature, Deciding) {
  const store::ParkedCall call = park(request("one", {gate("refunds", {bob.principal, carol.principal}, 2)}));
  ApprovalDecision decision = decision_of(call, carol);
  decision.reason = "known customer";
  const std::string jws = sign(decision, carol);
  set_now(kNow + seconds(7));
  BOOST_TEST(member(send(call.id, jws), "state") == "pending");
  api::Approval shown = this->shown(call.id);
  BOOST_TEST(shown.kind == "call");
  BOOST_TEST(shown.state == "pending");
  BOOST_TEST(shown.enforcement == "software-enforced");
  BOOST_TEST(shown.document == call.document);
  BOOST_TEST(
      (shown.gates == std::vector<api::ApprovalGate>{{"refunds", 2, 1, "requester", "software-enforced"}}));
  const api::ApprovalVote vote{carol.principal,
                               carol.jkt().text(),
                               "approve",
                               kNow.time_since_epoch().count() + 7,
                               "software-enforced",
                               "known customer",
                               jws,
                               {"refunds"},
                               {}};
  BOOST_TEST((shown.decisions == std::vector<api::ApprovalVote>{vote}));
  BOOST_TEST(
      verify_approval_decision(shown.decisions.front().decision, carol.key.public_key(), {}).has_value());
  BOOST_TEST(member(decide(call, bob), "state") == "approved");
  shown = this->shown(call.id);
  BOOST_TEST(shown.state == "approved");
  BOOST_TEST(shown.document == call.document);
  BOOST_TEST((shown.approved_at == kNow.time_since_epoch().count() + 7));
  BOOST_TEST((shown.approved_until == kNow.time_since_epoch().count() + 307));
  BOOST_TEST(shown.decisions.size() == 2u);
  const Response page = this->call("GET", "/v1/approvals?state=approved", "", kOperatorUid);
  const auto listed = wire::read_approval_page(page.body);
  BOOST_REQUIRE(listed);
  BOOST_REQUIRE(listed->approvals.size() == 1u);
  BOOST_TEST(listed->approvals[0].gates[0].approvals == 2);
  BOOST_TEST(listed->approvals[0].decisions.empty());
  BOOST_TEST(listed->approvals[0].document.empty());
}

BOOST_FIXTURE_TEST_CASE(the_log_says_who_decided_and_what_came_of_it, Deciding) {
  const store::ParkedCall call = park(request("one", {gate("refunds", {bob.principal, carol.principal}, 2)}));
  BOOST_REQUIRE(decide(call, carol).status == 200);
  const std::string jws = sign(decision_of(call, bob), bob);
  BOOST_REQUIRE(send(call.id, jws).status == 200);
  const Strings found = audit_texts_of(store(), "approval.approve");
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST(of(of(found[0], "details"), "state") == "pending");
  BOOST_TEST(of(of(found[1], "details"), "state") == "approved");
  BOOST_TEST(of(of(found[1], "details"), "enforcement") == "software-enforced");
  BOOST_TEST(of(found[1], "principal") == "user:alice@example.org");
  const std::string ids = of(found[1], "ids");
  BOOST_TEST(of(ids, "approval") == call.id);
  BOOST_TEST(of(ids, "document") == call.digest);
  BOOST_TEST(of(ids, "approver") == bob.principal);
  BOOST_TEST(of(ids, "approver_key") == bob.jkt().text());
  BOOST_TEST(of(ids, "vote") == digest_of(jws));
  BOOST_TEST(audit_texts(store(), jws).empty());
}

BOOST_FIXTURE_TEST_CASE(one_denial_denies, Deciding) {
  const store::ParkedCall call = park(request("one", {gate("refunds", {bob.principal, carol.principal}, 2)}));
  BOOST_REQUIRE(decide(call, bob).status == 200);
  const Response denied = decide(call, carol, false);
  BOOST_TEST(member(denied, "state") == "denied", denied.body);
  BOOST_TEST(count("approval.deny") == 1u);
  BOOST_TEST(this->shown(call.id).document.empty());
  const Response late = decide(call, bob);
  BOOST_TEST(late.status == 409, late.body);
}

// --- what does not count

namespace {

struct NoDecision {
  const char* name;
  /// \return the JWS, after whatever else is to happen
  std::function<std::string(Deciding& world, const store::ParkedCall& call)> make;
  int status;
  const char* code;
  bool is_parked_by_bob = false;  ///< who asked for it
};
std::ostream& operator<<(std::ostream& out, const NoDecision& row) { return out << row.name; }

std::string changed(Deciding& world, const store::ParkedCall& call,
                    const std::function<void(ApprovalDecision& decision)>& change) {
  ApprovalDecision decision = world.decision_of(call, world.bob);
  change(decision);
  return world.sign(decision, world.bob);
}

const std::array kNoDecisions{
    NoDecision{"another document",
               [](Deciding& world, const store::ParkedCall& call) {
                 return changed(world, call, [](ApprovalDecision& decision) {
                   decision.request_sha256 = digest_of("another");
                 });
               },
               400, "invalid_argument"},
    NoDecision{"another request",
               [](Deciding& world, const store::ParkedCall& call) {
                 return changed(world, call,
                                [](ApprovalDecision& decision) { decision.request = std::string(32, 'f'); });
               },
               400, "invalid_argument"},
    NoDecision{"a decision of the future",
               [](Deciding& world, const store::ParkedCall& call) {
                 return changed(world, call,
                                [](ApprovalDecision& decision) { decision.issued_at = kNow + seconds(61); });
               },
               400, "invalid_argument"},
    NoDecision{"a decision from before the request",
               [](Deciding& world, const store::ParkedCall& call) {
                 return changed(world, call,
                                [](ApprovalDecision& decision) { decision.issued_at = kNow - seconds(61); });
               },
               400, "invalid_argument"},
    NoDecision{"a key that is nobody's",
               [](Deciding& world, const store::ParkedCall& call) {
                 const Person other(world.bob.principal);
                 return world.sign(world.decision_of(call, other), other);
               },
               403, "forbidden"},
    NoDecision{"another person's name",
               [](Deciding& world, const store::ParkedCall& call) {
                 return changed(world, call, [&](ApprovalDecision& decision) {
                   decision.approver = world.carol.principal;
                 });
               },
               403, "forbidden"},
    NoDecision{"another person's signature",
               [](Deciding& world, const store::ParkedCall& call) {
                 const Person other(world.bob.principal);
                 return world.sign(world.decision_of(call, world.bob), other);
               },
               400, "signature_invalid"},
    NoDecision{"a key that was revoked",
               [](Deciding& world, const store::ParkedCall& call) {
                 BOOST_REQUIRE(world.revoke(world.bob.jkt()).status == 200);
                 return world.sign(world.decision_of(call, world.bob), world.bob);
               },
               403, "forbidden"},
    NoDecision{"a passkey that is none",
               [](Deciding& world, const store::ParkedCall& call) {
                 ApprovalDecision decision = world.decision_of(call, world.bob);
                 decision.by_passkey = true;
                 return MadePasskey().sign_jws(approval_decision_input(decision, Algorithm::kES256));
               },
               403, "forbidden"},
    NoDecision{"a person whom no gate names",
               [](Deciding& world, const store::ParkedCall& call) {
                 return world.sign(world.decision_of(call, world.dave), world.dave);
               },
               403, "forbidden"},
    NoDecision{"whoever asked for it",
               [](Deciding& world, const store::ParkedCall& call) {
                 return world.sign(world.decision_of(call, world.bob), world.bob);
               },
               403, "forbidden", true},
    NoDecision{"the same person by a second key",
               [](Deciding& world, const store::ParkedCall& call) {
                 const Person again(world.bob.principal);
                 BOOST_REQUIRE(world.enroll(world.enrolment_of(again, {"finance"}), world.bob).status == 201);
                 BOOST_REQUIRE(world.decide(call, world.bob).status == 200);
                 return world.sign(world.decision_of(call, again), again);
               },
               409, "conflict"},
    NoDecision{"what was denied",
               [](Deciding& world, const store::ParkedCall& call) {
                 BOOST_REQUIRE(world.decide(call, world.carol, false).status == 200);
                 return world.sign(world.decision_of(call, world.bob), world.bob);
               },
               409, "conflict"},
    NoDecision{"what was cancelled",
               [](Deciding& world, const store::ParkedCall& call) {
                 BOOST_REQUIRE(world.cancel(call.id).status == 200);
                 return world.sign(world.decision_of(call, world.bob), world.bob);
               },
               409, "conflict"},
    NoDecision{"what is overdue",
               [](Deciding& world, const store::ParkedCall& call) {
                 world.set_now(kNow + minutes(15));
                 return world.sign(world.decision_of(call, world.bob), world.bob);
               },
               409, "conflict"},
    NoDecision{"no decision at all", [](Deciding&, const store::ParkedCall&) { return std::string("a.b.c"); },
               400, "malformed"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Deciding, it_does_not_count_by_or_about, boost::unit_test::data::make(kNoDecisions),
                       row) {
  store::ParkedCall call = request("one", {gate("refunds", {bob.principal, carol.principal}, 2)});
  if (row.is_parked_by_bob) call.requesters = {bob.principal};
  park(call);
  const std::string jws = row.make(*this, call);
  const std::string before = state_of(call);
  const std::size_t approvals = count("approval.approve");
  const Response refused = send(call.id, jws);
  BOOST_TEST(refused.status == row.status, refused.body);
  BOOST_TEST(member(refused, "code") == row.code, refused.body);
  BOOST_TEST(state_of(call) == before);
  BOOST_TEST(count("approval.approve") == approvals);
  BOOST_TEST(count("approval.decide") == 1u);  // it stands in the log that it was refused
}

BOOST_FIXTURE_TEST_CASE(a_decision_about_nothing_that_waits_is_refused, Deciding) {
  const store::ParkedCall never = request("never", {gate("refunds", {bob.principal})});
  BOOST_TEST(decide(never, bob).status == 404);
}

// The principal has it done, and does not decide it, unless the gate says so.
BOOST_FIXTURE_TEST_CASE(the_principal_decides_where_nobody_is_separated, Deciding) {
  for (const bool is_separated : {true, false}) {
    store::ParkedCall call = request(is_separated ? "one" : "two", {gate("refunds", {bob.principal})});
    call.principal = bob.principal;
    call.gates.front().separation = is_separated ? store::kSeparatePrincipal : store::kSeparateNobody;
    BOOST_TEST(decide(park(call), bob).status == (is_separated ? 403 : 200));
  }
}

BOOST_FIXTURE_TEST_CASE(clocks_may_be_a_minute_apart, Deciding) {
  for (const int apart : {-60, 60}) {
    const store::ParkedCall call = parked("apart " + std::to_string(apart));
    ApprovalDecision decision = decision_of(call, bob);
    decision.issued_at = kNow + seconds(apart);
    BOOST_TEST(send(call.id, sign(decision, bob)).status == 200, apart);
  }
}

// --- passkeys

namespace {

/// Dave has a passkey besides.
struct WithPasskey : Deciding {
  WithPasskey() {
    Enrolment enrolment;
    enrolment.principal = dave.principal;
    enrolment.key = passkey.public_key();
    enrolment.kind = "passkey";
    enrolment.credential_id = base64url_encode(passkey.credential_id());
    const Response enrolled = enroll(enrolment, dave);
    BOOST_REQUIRE_MESSAGE(enrolled.status == 201, enrolled.body);
  }

  /// What it signs to approve a request.
  [[nodiscard]] std::string input_for(const store::ParkedCall& call) const {
    ApprovalDecision decision = decision_of(call, dave);
    decision.key = passkey.public_key().thumbprint();
    decision.by_passkey = true;
    return approval_decision_input(decision, Algorithm::kES256);
  }
  [[nodiscard]] std::string approval_of(const store::ParkedCall& call) const {
    return passkey.sign_jws(input_for(call));
  }

  const MadePasskey passkey;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_passkey_decides_where_passkeys_are_configured, WithPasskey) {
  const store::ParkedCall call = park(request("one", {gate("refunds", {dave.principal})}));
  const std::string jws = approval_of(call);
  BOOST_TEST(send(call.id, jws).status >= 400);
  change_policy([](service::Policy& policy) { policy.passkeys = local_party(); });
  const Response decided = send(call.id, jws);
  BOOST_TEST(decided.status == 200, decided.body);
  BOOST_TEST(member(decided, "state") == "approved");
}

BOOST_FIXTURE_TEST_CASE(a_passkeys_key_signs_nothing_as_another_key_would, Deciding) {
  const Person again(dave.principal);
  Enrolment enrolment = enrolment_of(again);
  enrolment.kind = "passkey";
  enrolment.credential_id = "Y3JlZA";
  BOOST_REQUIRE(enroll(enrolment, dave).status == 201);
  const store::ParkedCall call = park(request("one", {gate("refunds", {dave.principal})}));
  const Response refused = decide(call, again);
  BOOST_TEST(refused.status == 403, refused.body);
}

// --- what a TPM enforces

namespace {

struct ForTpm {
  const char* name;
  bool is_enforced;
  bool by_carol;  ///< whose key is Ed25519
  bool approves;
  std::string signature;
  int status;
};
std::ostream& operator<<(std::ostream& out, const ForTpm& row) { return out << row.name; }

const std::string kSignature = base64url_encode(Bytes(64, 1));
const std::array kForTpm{
    // Nothing here has a key for the gate, and so nothing verifies the signature: tests/integration/daemon/gated_grants.cpp has one.
    ForTpm{"with a signature that nobody can verify", true, false, true, kSignature, 409},
    ForTpm{"without one", true, false, true, "", 400},
    ForTpm{"with one octet less", true, false, true, base64url_encode(Bytes(63, 1)), 400},
    ForTpm{"with one octet more", true, false, true, base64url_encode(Bytes(65, 1)), 400},
    ForTpm{"with something else", true, false, true, "=", 400},
    ForTpm{"by a key that no TPM takes", true, true, true, kSignature, 403},
    ForTpm{"denied without one", true, true, false, "", 200},
    ForTpm{"denied with one", true, false, false, kSignature, 400},
    ForTpm{"that nobody asks for", false, false, true, kSignature, 400},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Deciding, what_a_tpm_enforces, boost::unit_test::data::make(kForTpm), row) {
  store::ParkedCall call = request("one", {gate("refunds", {bob.principal, carol.principal})});
  call.kind = store::ApprovalKind::kGrant;
  call.gates.front().tpm_enforced = row.is_enforced;
  park(call);
  const Person& by = row.by_carol ? carol : bob;
  const Response answer = send(call.id, sign(decision_of(call, by, row.approves), by), row.signature);
  BOOST_TEST(answer.status == row.status, answer.body);
  if (answer.status != 200) return;
  BOOST_TEST(member(answer, "enforcement") == "tpm-enforced");
  const api::Approval shown = this->shown(call.id);
  BOOST_TEST(shown.kind == "grant");
  BOOST_TEST(shown.enforcement == "tpm-enforced");
  BOOST_TEST(shown.decisions.front().enforcement == "software-enforced");
}

// The gate is gone, or is software's by now.
BOOST_FIXTURE_TEST_CASE(what_a_gates_key_cannot_verify_does_not_count, Deciding) {
  store::ParkedCall call = request("one", {gate("refunds", {bob.principal})});
  call.kind = store::ApprovalKind::kGrant;
  call.gates.front().tpm_enforced = true;
  park(call);
  for (const bool is_configured : {false, true}) {
    service::Gate configured;
    configured.name = "refunds";
    configured.approvers = {bob.principal};
    change_policy([&](service::Policy& policy) {
      policy.gates.clear();
      if (is_configured) policy.gates.push_back(configured);
    });
    const Response refused = send(call.id, sign(decision_of(call, bob), bob), kSignature);
    BOOST_TEST(refused.status == 409, refused.body);
    BOOST_TEST(state_of(call) == "pending");
    BOOST_TEST(this->shown(call.id).decisions.empty());
  }
}

// One gate of two leaves the rest to this daemon.
BOOST_FIXTURE_TEST_CASE(what_a_tpm_enforces_in_part_is_not_said_to_be_enforced_by_it, Deciding) {
  store::ParkedCall call =
      request("one", {gate("refunds", {bob.principal}), gate("payouts", {bob.principal})});
  call.gates.front().tpm_enforced = true;
  park(call);
  const auto counted = office().approvals.decide(
      {call.id, bob.principal, bob.jkt(), true, "", sign(decision_of(call, bob), bob), kSignature}, kNow,
      [](const store::ParkedCall&) { return store::AuditEntry{.at = kNow, .action = "approval.approve"}; });
  BOOST_REQUIRE(counted);
  const api::Approval shown = this->shown(call.id);
  BOOST_TEST(shown.enforcement == "software-enforced");
  BOOST_TEST(shown.decisions.front().enforcement == "tpm-enforced");
}

// --- what is approved

BOOST_FIXTURE_TEST_CASE(what_is_approved_is_permitted_once_when_it_is_asked_for_again, Deciding) {
  change_policy([&](service::Policy& policy) { policy.tool_approvers = {bob.principal}; });
  const std::string id = id_of(ask());
  BOOST_TEST(id_of(ask()) == id);
  const Response decided = decide(found(id), bob);
  BOOST_TEST(member(decided, "state") == "approved", decided.body);
  const Response again = ask();
  BOOST_TEST(verdict_of(again) == "permit", again.body);
  BOOST_TEST(state_of(found(id)) == "used");
  BOOST_TEST(count("approval.use") == 1u);
  BOOST_TEST(id_of(ask()) != id);
}

// --- the end of an approval

BOOST_FIXTURE_TEST_CASE(an_approval_lapses_when_its_lifetime_is_over, Deciding) {
  const store::ParkedCall call = parked("one");
  BOOST_REQUIRE(decide(call, bob).status == 200);
  tick(kNow + seconds(299));
  BOOST_TEST(state_of(call) == "approved");
  tick(kNow + seconds(300));
  tick(kNow + seconds(301));
  BOOST_TEST(state_of(call) == "lapsed");
  BOOST_TEST(count("approval.lapse") == 1u);
  BOOST_TEST(this->shown(call.id).document.empty());
}

namespace {

/// Of whom a passkey decides about a tool.
struct DecidingByPasskey : WithPasskey {
  DecidingByPasskey() {
    change_policy([&](service::Policy& policy) {
      policy.tool_approvers = {dave.principal};
      policy.passkeys = local_party();
    });
  }

  std::string approved() {
    const std::string id = id_of(ask());
    BOOST_REQUIRE(send(id, approval_of(found(id))).status == 200);
    return id;
  }
};

}  // namespace

// What a reload changes is nobody's tampering, and keeps nobody from asking anew.
BOOST_FIXTURE_TEST_CASE(an_approval_lapses_when_the_passkey_is_for_another_party_by_then, DecidingByPasskey) {
  const std::string other = approved();
  change_policy([](service::Policy& policy) { policy.passkeys->id = "console.example"; });
  BOOST_TEST(id_of(ask()) != other);
  BOOST_TEST(state_of(found(other)) == "lapsed");
  BOOST_TEST(!of(of(audit_texts_of(store(), "approval.lapse").back(), "details"), "reason").empty());

  change_policy([](service::Policy& policy) { policy.passkeys = local_party(); });
  const std::string elsewhere = approved();
  change_policy([](service::Policy& policy) { policy.passkeys->origins = {"https://console.example"}; });
  BOOST_TEST(id_of(ask()) != elsewhere);
  BOOST_TEST(state_of(found(elsewhere)) == "lapsed");

  change_policy([](service::Policy& policy) { policy.passkeys = local_party(); });
  const std::string none = approved();
  change_policy([](service::Policy& policy) { policy.passkeys.reset(); });
  BOOST_TEST(id_of(ask()) != none);
  BOOST_TEST(state_of(found(none)) == "lapsed");
  change_policy([](service::Policy& policy) { policy.passkeys = local_party(); });
  approved();
  BOOST_TEST(verdict_of(ask()) == "permit");
}

namespace {

/// What stands in place of a passkey's answer in the database, so that it looks like one for another party.
struct PlantedAnswer {
  const char* name;
  std::function<PasskeyAssertion(const MadePasskey& passkey, PasskeyAnswer answer)> make;
  bool is_configured = true;  ///< for whom passkeys are
};
std::ostream& operator<<(std::ostream& out, const PlantedAnswer& row) { return out << row.name; }

PasskeyAssertion by_another(const MadePasskey&, PasskeyAnswer answer) {
  answer.origin = "https://console.example";
  return MadePasskey().sign(answer);
}

const std::array kPlanted{
    PlantedAnswer{"by another passkey, for another page", by_another},
    PlantedAnswer{"by another passkey, with none accepted", by_another, false},
    PlantedAnswer{"by another passkey, for another RP id",
                  [](const MadePasskey&, PasskeyAnswer answer) {
                    answer.rp_id = "console.example";
                    return MadePasskey().sign(answer);
                  }},
    PlantedAnswer{"to another challenge",
                  [](const MadePasskey& passkey, const PasskeyAnswer&) {
                    return passkey.sign(MadePasskey::answer_to(sha256(as_bytes("signing in"))));
                  }},
    PlantedAnswer{"to another challenge, with none accepted",
                  [](const MadePasskey& passkey, const PasskeyAnswer&) {
                    return passkey.sign(MadePasskey::answer_to(sha256(as_bytes("signing in"))));
                  },
                  false},
    PlantedAnswer{"for another purpose",
                  [](const MadePasskey& passkey, PasskeyAnswer answer) {
                    answer.type = "webauthn.create";
                    return passkey.sign(answer);
                  }},
    PlantedAnswer{"of a user who was not verified",
                  [](const MadePasskey& passkey, PasskeyAnswer answer) {
                    answer.flags = MadePasskey::kUserPresent;
                    return passkey.sign(answer);
                  }},
};

}  // namespace

// Of another party is what the passkey signed for it, and nothing else: the rest is an alarm.
BOOST_DATA_TEST_CASE_F(DecidingByPasskey, no_reload_explains_an_answer,
                       boost::unit_test::data::make(kPlanted), row) {
  const std::string id = approved();
  const std::string input = input_for(found(id));
  const std::string planted =
      signed_by_passkey(input, row.make(passkey, MadePasskey::answer_to(passkey_challenge(input))));
  auto other = store::Database::open(database());
  BOOST_REQUIRE(other);
  BOOST_REQUIRE(other->execute(("UPDATE approval_votes SET jws = '" + planted + "'").c_str()));
  if (!row.is_configured) change_policy([](service::Policy& policy) { policy.passkeys.reset(); });
  const Response refused = ask();
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(verdict_of(refused) == "store_corrupt", refused.body);
  BOOST_TEST(state_of(found(id)) == "approved");
  BOOST_TEST(count("approval.lapse") == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_approval_is_not_cancelled, Deciding) {
  const store::ParkedCall call = parked("one");
  BOOST_REQUIRE(decide(call, bob).status == 200);
  BOOST_TEST(cancel(call.id).status == 409);
}

// --- what is counted

BOOST_FIXTURE_TEST_CASE(decisions_are_counted_with_the_time_that_they_took, Deciding) {
  const store::ParkedCall two = park(request("two", {gate("g", {bob.principal, carol.principal}, 2)}));
  const store::ParkedCall one = parked("one");
  set_now(kNow + seconds(10));
  BOOST_REQUIRE(decide(two, bob).status == 200);
  BOOST_REQUIRE(decide(two, carol).status == 200);
  BOOST_REQUIRE(decide(one, carol, false).status == 200);
  BOOST_REQUIRE(decide(one, bob).status == 409);
  const std::string text = "\n" + call("GET", "/metrics", "", kSupportUid).body;
  for (const char* line :
       {"chancery_approval_decisions_total{outcome=\"approved\"} 1",
        "chancery_approval_decisions_total{outcome=\"counted\"} 1",
        "chancery_approval_decisions_total{outcome=\"denied\"} 1",
        "chancery_approval_decisions_total{outcome=\"refused\"} 1", "chancery_approval_wait_seconds_count 2",
        "chancery_approval_wait_seconds_sum 20", "chancery_approval_wait_seconds_bucket{le=\"5\"} 0",
        "chancery_approval_wait_seconds_bucket{le=\"15\"} 2"})
    BOOST_TEST(text.find("\n" + std::string(line) + "\n") != std::string::npos, line);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
