// Who may decide: how a key is enrolled, by whom, and how it ends. And how long whoever asked waits for a decision.

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/deciding_fixture.hpp"

namespace chancery::tests {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Nobody is enrolled yet.
struct First : Approvals {
  Person bob{"user:bob@example.org"};
  Response enroll(std::optional<std::uint32_t> uid, const std::string& authorization = "") {
    return call("POST", "/v1/approvers",
                wire::write(api::EnrollApprover{enrolment_document(Deciding::enrolment_of(bob, {"finance"})),
                                                authorization}),
                uid);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approvers)

BOOST_FIXTURE_TEST_CASE(the_first_is_enrolled_by_the_operator_on_the_socket_alone, First) {
  BOOST_TEST(enroll(kStrangerUid).status == 403);
  BOOST_TEST(enroll(std::nullopt).status == 401);
  const std::string document = enrolment_document(Deciding::enrolment_of(bob, {"finance"}));
  const std::string own = Deciding::sign(Deciding::authorization_of(document, bob), bob);
  BOOST_TEST(enroll(kOperatorUid, own).status == 403);  // who is not enrolled vouches for nobody
  const Response made = enroll(kOperatorUid);
  BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
  const auto approver = wire::read_approver(made.body);
  BOOST_REQUIRE(approver);
  const api::ApproverKey key{
      bob.jkt().text(), "file", bob.key.public_key().jwk(), "", "active", kNow.time_since_epoch().count(),
      "operator",       {}};
  BOOST_TEST((*approver == api::Approver{bob.principal, {"finance"}, {key}}));
  BOOST_TEST(enroll(kOperatorUid).status == 409);
  const Strings found = audit_texts_of(store(), "approver.enroll");
  BOOST_REQUIRE(found.size() == 5u);  // four were refused
  BOOST_TEST(of(of(found[3], "ids"), "approver_key") == bob.jkt().text());
  BOOST_TEST(of(of(found[3], "details"), "by") == "operator");
}

BOOST_FIXTURE_TEST_CASE(each_later_one_is_enrolled_by_a_signature_whoever_brings_it, Deciding) {
  const Person erin("user:erin@example.org");
  const Enrolment enrolment = enrolment_of(erin);
  const Response refused = enroll(enrolment);
  BOOST_TEST(refused.status == 409, refused.body);
  const Response made = enroll(enrolment, carol);
  BOOST_TEST(made.status == 201, made.body);
  const auto approver = wire::read_approver(made.body);
  BOOST_REQUIRE(approver);
  BOOST_TEST(approver->keys.front().enrolled_by == carol.principal);
  const Strings found = audit_texts_of(store(), "approver.enroll");
  BOOST_TEST(of(of(found.back(), "ids"), "by_key") == carol.jkt().text());
  BOOST_TEST(of(of(found.back(), "details"), "by") == carol.principal);
}

namespace {

struct NoAuthorization {
  const char* name;
  std::function<std::string(Deciding& world, const std::string& document)> make;
  int status;
  const char* code;
};
std::ostream& operator<<(std::ostream& out, const NoAuthorization& row) { return out << row.name; }

std::string authorized(Deciding& world, const std::string& document,
                       const std::function<void(EnrolmentAuthorization& said)>& change) {
  EnrolmentAuthorization said = world.authorization_of(document, world.carol);
  change(said);
  return world.sign(said, world.carol);
}

const std::array kNoAuthorizations{
    NoAuthorization{"for another daemon",
                    [](Deciding& world, const std::string& document) {
                      return authorized(world, document, [](EnrolmentAuthorization& said) {
                        said.audience = "https://other.example";
                      });
                    },
                    400, "invalid_argument"},
    NoAuthorization{"for another document",
                    [](Deciding& world, const std::string& document) {
                      return authorized(world, document, [](EnrolmentAuthorization& said) {
                        said.document_sha256 = digest_of("another");
                      });
                    },
                    400, "invalid_argument"},
    NoAuthorization{"of the future",
                    [](Deciding& world, const std::string& document) {
                      return authorized(world, document, [](EnrolmentAuthorization& said) {
                        said.issued_at = kNow + seconds(61);
                      });
                    },
                    400, "invalid_argument"},
    NoAuthorization{"of an hour ago",
                    [](Deciding& world, const std::string& document) {
                      return authorized(world, document, [](EnrolmentAuthorization& said) {
                        said.issued_at = kNow - hours(1) - seconds(1);
                      });
                    },
                    400, "invalid_argument"},
    NoAuthorization{"in another person's name",
                    [](Deciding& world, const std::string& document) {
                      return authorized(world, document, [&](EnrolmentAuthorization& said) {
                        said.approver = world.bob.principal;
                      });
                    },
                    403, "forbidden"},
    NoAuthorization{"by a key that is nobody's",
                    [](Deciding& world, const std::string& document) {
                      const Person other(world.carol.principal);
                      return world.sign(world.authorization_of(document, other), other);
                    },
                    403, "forbidden"},
    NoAuthorization{"by a key that was revoked",
                    [](Deciding& world, const std::string& document) {
                      BOOST_REQUIRE(world.revoke(world.carol.jkt()).status == 200);
                      return world.sign(world.authorization_of(document, world.carol), world.carol);
                    },
                    403, "forbidden"},
    NoAuthorization{"with another's signature",
                    [](Deciding& world, const std::string& document) {
                      const Person other(world.carol.principal, Algorithm::kEd25519);
                      return world.sign(world.authorization_of(document, world.carol), other);
                    },
                    400, "signature_invalid"},
    NoAuthorization{"that is a decision",
                    [](Deciding& world, const std::string&) {
                      const store::ParkedCall call = world.parked("one");
                      return world.sign(world.decision_of(call, world.carol), world.carol);
                    },
                    400, "malformed"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Deciding, nobody_is_enrolled_by_an_authorization,
                       boost::unit_test::data::make(kNoAuthorizations), row) {
  const Person erin("user:erin@example.org");
  const std::string document = enrolment_document(enrolment_of(erin));
  const Response refused = send_enrolment(document, row.make(*this, document), kStrangerUid);
  BOOST_TEST(refused.status == row.status, refused.body);
  BOOST_TEST(member(refused, "code") == row.code, refused.body);
  BOOST_TEST((office().approvers.by_key(erin.jkt()).error().code == ErrorCode::kNotFound));
}

BOOST_FIXTURE_TEST_CASE(an_authorization_is_good_for_an_hour, Deciding) {
  const Person erin("user:erin@example.org");
  const std::string document = enrolment_document(enrolment_of(erin));
  set_now(kNow + hours(1));
  BOOST_TEST(send_enrolment(document, sign(authorization_of(document, carol), carol), kStrangerUid).status ==
             201);
}

// Whoever has a person's key does not become the person's other keys: each has to be signed for.
BOOST_FIXTURE_TEST_CASE(nobody_gets_a_key_in_anothers_name, Deciding) {
  const Person forged(bob.principal);
  const Response refused = enroll(enrolment_of(forged, {"finance"}), carol);
  BOOST_TEST(refused.status == 403, refused.body);
}

// Else any approver would make a key of her own, and call it that of a person for whom a gate waits.
BOOST_FIXTURE_TEST_CASE(whom_a_gate_names_the_operator_has_enrolled_besides, Deciding) {
  const Person erin("user:erin@example.org");
  const Person frank("user:frank@example.org");
  service::Gate gate;
  gate.name = "payouts";
  gate.approvers = {erin.principal, "group:treasury"};
  change_policy([&](service::Policy& policy) {
    policy.gates = {gate};
    policy.tool_approvers = {frank.principal};
  });
  const std::array reserved{enrolment_of(erin), enrolment_of(frank),
                            enrolment_of(Person("user:x"), {"treasury"})};
  for (const Enrolment& enrolment : reserved) {
    const Response refused = enroll(enrolment, carol);
    BOOST_TEST(refused.status == 403, refused.body);
    BOOST_TEST((office().approvers.by_key(enrolment.key.thumbprint()).error().code == ErrorCode::kNotFound));
    const std::string document = enrolment_document(enrolment);
    const std::string word = sign(authorization_of(document, carol), carol);
    const Response over_tls = send_enrolment(document, word, std::nullopt);
    BOOST_TEST(over_tls.status == 403, over_tls.body);
    const Response made = send_enrolment(document, word, kOperatorUid);
    BOOST_TEST(made.status == 201, made.body);
  }
  const Person other(erin.principal);
  BOOST_TEST(enroll(enrolment_of(other), erin).status == 201);
  BOOST_TEST(enroll(enrolment_of(Person("user:y"), {"treasury"}), carol).status == 403);
}

BOOST_FIXTURE_TEST_CASE(a_key_is_rotated_by_the_one_before, Deciding) {
  const store::ParkedCall call = parked("one");
  BOOST_REQUIRE(decide(call, bob).status == 200);
  const Person next(bob.principal);
  Enrolment enrolment = enrolment_of(next, {"finance"});
  enrolment.replaces = bob.jkt().text();
  const Response rotated = enroll(enrolment, bob);
  BOOST_TEST(rotated.status == 201, rotated.body);
  BOOST_TEST(state_of(call) == "approved");
  const store::ParkedCall other = parked("two");
  BOOST_TEST(decide(other, bob).status == 403);
  BOOST_TEST(decide(other, next).status == 200);
  const Strings found = audit_texts_of(store(), "approver.rotate");
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(of(of(found[0], "ids"), "former_key") == bob.jkt().text());
}

// --- the end of a key

namespace {

struct Ending {
  const char* name;
  std::function<std::string(Deciding& world)> authorization;  ///< for the end of Bob's key
  std::optional<std::uint32_t> uid;                           ///< none: over TLS, without a chain
  int status;
};
std::ostream& operator<<(std::ostream& out, const Ending& row) { return out << row.name; }

std::string ending_by(Deciding& world, const Person& by, const Person& whose) {
  const std::string document = key_revocation_document({whose.principal, whose.jkt()});
  return world.sign(world.authorization_of(document, by), by);
}

const std::array kEndings{
    Ending{"the operator", [](Deciding&) { return std::string(); }, kOperatorUid, 200},
    Ending{"somebody else on the machine", [](Deciding&) { return std::string(); }, kStrangerUid, 403},
    Ending{"the person", [](Deciding& world) { return ending_by(world, world.bob, world.bob); }, kStrangerUid,
           200},
    Ending{"the person, who is nobody at all there",
           [](Deciding& world) { return ending_by(world, world.bob, world.bob); }, std::nullopt, 200},
    Ending{"nobody at all", [](Deciding&) { return std::string(); }, std::nullopt, 401},
    Ending{"another person", [](Deciding& world) { return ending_by(world, world.carol, world.bob); },
           kStrangerUid, 403},
    Ending{"a signature for the end of another key",
           [](Deciding& world) { return ending_by(world, world.bob, world.carol); }, kStrangerUid, 400},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(Deciding, a_key_is_ended_by, boost::unit_test::data::make(kEndings), row) {
  const store::ParkedCall call = parked("one");
  BOOST_REQUIRE(decide(call, bob).status == 200);
  const Response ended = revoke(bob.jkt(), row.authorization(*this), row.uid);
  BOOST_TEST(ended.status == row.status, ended.body);
  BOOST_TEST(state_of(call) == (row.status == 200 ? "lapsed" : "approved"));
  BOOST_TEST(count("approval.lapse") == (row.status == 200 ? 1u : 0u));
  if (row.status != 200) return;
  BOOST_TEST(wire::read_approver(ended.body)->keys.front().state == "revoked");
  const Strings found = audit_texts_of(store(), "approver.revoke");
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(of(of(found[0], "details"), "reason") == "lost");
  BOOST_TEST(this->shown(call.id).decisions.front().voided_at.has_value());
}

BOOST_FIXTURE_TEST_CASE(the_end_of_a_key_says_why_in_one_line, Deciding) {
  const std::string path = "/v1/approver-keys/" + bob.jkt().text() + "/revoke";
  for (const std::string& reason : {std::string("two\\nlines"), std::string(513, 'x')})
    BOOST_TEST(call("POST", path, R"({"reason":")" + reason + "\"}", kOperatorUid).status == 400);
  BOOST_TEST(call("POST", "/v1/approver-keys/x/revoke", "{}", kOperatorUid).status == 400);
  const Thumbprint nobodys = Person("user:x").jkt();
  BOOST_TEST(revoke(nobodys).status == 404);
  BOOST_TEST(revoke(nobodys, "", kStrangerUid).status == 403);
}

// Whether a key is known is told to whoever has signed by one that is.
BOOST_FIXTURE_TEST_CASE(without_a_signature_nobody_finds_out_which_keys_there_are, Deciding) {
  const Person stranger("user:erin@example.org");
  for (const Thumbprint& key : {bob.jkt(), stranger.jkt()}) {
    const std::string document = key_revocation_document({stranger.principal, key});
    const Response refused = revoke(key, sign(authorization_of(document, stranger), stranger), std::nullopt);
    BOOST_TEST(refused.status == 403, refused.body);
    BOOST_TEST(revoke(key, "a.b.c", std::nullopt).status == 400);
  }
  const std::string document = key_revocation_document({stranger.principal, stranger.jkt()});
  BOOST_TEST(revoke(stranger.jkt(), sign(authorization_of(document, carol), carol), std::nullopt).status ==
             404);
}

// --- who looks

BOOST_FIXTURE_TEST_CASE(the_operator_and_who_was_given_that_see_approvers_and_gates, Deciding) {
  change_policy([](service::Policy& policy) {
    service::Gate gate;
    gate.name = "refunds";
    gate.scopes = {"payments.refund"};
    gate.when = service::Gate::When::kAbove;
    gate.parameter = "amount";
    gate.above = 100'500'000;
    gate.approvers = {"group:finance"};
    policy.gates = {gate};
  });
  for (const char* path : {"/v1/approvers", "/v1/approvers/user:bob@example.org", "/v1/gates"}) {
    BOOST_TEST(call("GET", path, "", kOperatorUid).status == 200, path);
    BOOST_TEST(call("GET", path, "", kStrangerUid).status == 403, path);
    BOOST_TEST(call("GET", path, "", std::nullopt).status == 401, path);
  }
  const auto escaped =
      wire::read_approver(call("GET", "/v1/approvers/user%3Abob%40example.org", "", kOperatorUid).body);
  BOOST_REQUIRE(escaped);
  BOOST_TEST(escaped->principal == bob.principal);
  BOOST_TEST(call("GET", "/v1/approvers/user%3", "", kOperatorUid).status == 400);
  BOOST_TEST(call("GET", "/v1/approvers/nobody", "", kOperatorUid).status == 404);
  const auto list = wire::read_approver_list(call("GET", "/v1/approvers", "", kOperatorUid).body);
  BOOST_REQUIRE(list);
  BOOST_TEST(list->approvers.size() == 3u);
  const auto gates = wire::read_gate_list(call("GET", "/v1/gates", "", kOperatorUid).body);
  BOOST_REQUIRE(gates);
  BOOST_REQUIRE(gates->gates.size() == 1u);
  BOOST_TEST(gates->gates[0].above == "100.5");
  BOOST_TEST(gates->gates[0].when == "above");
  BOOST_TEST(gates->gates[0].enforcement == "software-enforced");
}

BOOST_FIXTURE_TEST_CASE(a_chain_reads_and_ends_what_it_grants, Deciding) {
  const ChainCallers callers(*this);
  const auto reader = callers.delegate(callers.root, R"({"scopes":["chancery.approvers.read"]})");
  BOOST_TEST(service::list_approvers(office(), callers.by(reader)).has_value());
  BOOST_TEST(!service::list_gates(office(), callers.by(reader)).has_value());
  BOOST_TEST(!service::revoke_approver_key(office(), callers.by(reader), bob.jkt().text(), {}).has_value());
  const auto ender = callers.delegate(callers.root, R"({"scopes":["chancery.approvers.revoke"]})");
  BOOST_TEST(!service::list_approvers(office(), callers.by(ender)).has_value());
  BOOST_TEST(service::revoke_approver_key(office(), callers.by(ender), bob.jkt().text(), {}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

// --- waiting for a decision

BOOST_AUTO_TEST_SUITE(approval_waits)

namespace {

/// Whoever waits on another thread, and what came of that.
struct Waiter {
  Waiter(Deciding& world, const std::string& id)
      : thread([this, &world, id] {
          response = world.call("GET", "/v1/approvals/" + id + "?wait=30", "", kOperatorUid);
        }) {}
  const Response& joined() {
    thread.join();
    return response;
  }
  Response response;
  std::jthread thread;
};

/// Until so many wait.
bool come_to_wait(Deciding& world, std::size_t many) {
  const auto patience = std::chrono::steady_clock::now() + seconds(20);
  while (world.office().approval_waits->waiting() != many) {
    if (std::chrono::steady_clock::now() > patience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(whoever_waits_is_told_of_each_end_of_waiting, Deciding) {
  const std::array<std::pair<const char*, std::function<void(const store::ParkedCall& call)>>, 4> ends{{
      {"approved", [&](const store::ParkedCall& call) { BOOST_TEST(decide(call, bob).status == 200); }},
      {"denied", [&](const store::ParkedCall& call) { BOOST_TEST(decide(call, bob, false).status == 200); }},
      {"cancelled", [&](const store::ParkedCall& call) { BOOST_TEST(cancel(call.id).status == 200); }},
      {"expired", [&](const store::ParkedCall&) { tick(kNow + minutes(15)); }},
  }};
  for (const auto& [state, end] : ends) {
    const store::ParkedCall call = parked(state);
    Waiter waiter(*this, call.id);
    BOOST_TEST(come_to_wait(*this, 1));
    end(call);
    BOOST_TEST(member(waiter.joined(), "state") == state);
    BOOST_TEST(office().approval_waits->waiting() == 0u);
  }
}

BOOST_FIXTURE_TEST_CASE(what_does_not_wait_is_answered_at_once, Deciding) {
  const store::ParkedCall call = parked("one");
  BOOST_REQUIRE(decide(call, bob).status == 200);
  BOOST_TEST(shown(call.id, "?wait=30").state == "approved");
  BOOST_TEST(this->call("GET", "/v1/approvals/none?wait=30", "", kOperatorUid).status == 404);
  BOOST_TEST(this->call("GET", "/v1/approvals/" + call.id + "?wait=30", "", kStrangerUid).status == 403);
}

// What becomes of one wakes all, and those for whom nothing has changed go on waiting.
BOOST_FIXTURE_TEST_CASE(a_vote_that_is_not_enough_ends_no_waiting, Deciding) {
  const store::ParkedCall two = park(request("two", {gate("g", {bob.principal, carol.principal}, 2)}));
  const store::ParkedCall other = parked("other");
  Waiter waiter(*this, two.id);
  BOOST_TEST(come_to_wait(*this, 1));
  BOOST_REQUIRE(decide(two, bob).status == 200);
  BOOST_REQUIRE(decide(other, bob).status == 200);
  BOOST_TEST(office().approval_waits->waiting() == 1u);
  BOOST_REQUIRE(decide(two, carol).status == 200);
  BOOST_TEST(member(waiter.joined(), "state") == "approved");
}

BOOST_FIXTURE_TEST_CASE(who_finds_no_place_is_answered_at_once, Deciding) {
  office().approval_waits = std::make_shared<service::ApprovalWaits>(1);
  const store::ParkedCall call = parked("one");
  Waiter waiter(*this, call.id);
  BOOST_TEST(come_to_wait(*this, 1));
  BOOST_TEST(shown(call.id, "?wait=30").state == "pending");
  BOOST_REQUIRE(decide(call, bob).status == 200);
  BOOST_TEST(member(waiter.joined(), "state") == "approved");
}

BOOST_FIXTURE_TEST_CASE(a_daemon_that_stops_sends_everybody_away, Deciding) {
  const store::ParkedCall call = parked("one");
  Waiter waiter(*this, call.id);
  BOOST_TEST(come_to_wait(*this, 1));
  office().approval_waits->send_away();
  BOOST_TEST(member(waiter.joined(), "state") == "pending");
  BOOST_TEST(shown(call.id, "?wait=30").state == "pending");
}

BOOST_FIXTURE_TEST_CASE(nobody_waits_longer_than_half_a_minute, Deciding) {
  const store::ParkedCall call = parked("one");
  for (const char* wait : {"31", "-1", "x", "1.5"})
    BOOST_TEST(
        this->call("GET", "/v1/approvals/" + call.id + "?wait=" + wait, "", kOperatorUid).status == 400,
        wait);
  BOOST_TEST(shown(call.id, "?wait=0").state == "pending");
  BOOST_TEST(shown(call.id, "?wait=1").state == "pending");  // and its second over, it is answered
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
