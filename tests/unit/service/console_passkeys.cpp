// What takes a passkey in the console: signing in, deciding, confirming, enrolling.

#include <array>
#include <functional>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "sdk/wire/approver_messages.hpp"
#include "tests/unit/service/console_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBobs = "Ym9i";
constexpr const char* kCarols = "Y2Fyb2w";

/// Bob and Carol, each with a passkey.
struct PasskeyFixture : ConsoleFixture {
  PasskeyFixture() {
    enrol(bob, kBob, kBobs);
    enrol(carol, kCarol, kCarols);
  }

  MadePasskey bob;
  MadePasskey carol;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(console_passkeys)

// --- signing in

BOOST_FIXTURE_TEST_CASE(a_passkey_says_who_the_operator_is, PasskeyFixture) {
  sign_in();
  const std::string before = cookie;
  const std::string mark_before = mark;
  sign_in_with(bob, kBobs);
  BOOST_TEST(cookie != before);
  const Response session = page("GET", "/ui/session");
  BOOST_TEST(member(session, "role") == "operator");
  BOOST_TEST(member(session, "principal") == kBob);
  BOOST_TEST(of(member(session, "passkey"), "jkt") == bob.public_key().thumbprint().text());
  BOOST_TEST(member(session, "passkeys") == "2");
  cookie = before;
  mark = mark_before;
  BOOST_TEST(page("GET", "/ui/session").status == 401);
  BOOST_TEST(count("console.passkey") == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_approver_who_has_a_passkey_shows_it_first, PasskeyFixture) {
  sign_in(kBobUid);
  BOOST_TEST(member(page("GET", "/ui/session"), "needs_passkey") == "true");
  for (const char* path : {"/ui/api/approvals", "/ui/api/gates", "/ui/api/audit/keys"})
    BOOST_TEST(page("GET", path).status == 403, path);
  BOOST_TEST(page("POST", "/ui/passkeys/options", R"({"principal":"user:bob@example.org"})").status == 403);
  BOOST_TEST(page("POST", "/ui/decisions", R"({"request":"x","verdict":"approve"})").status == 403);
  sign_in_with(bob, kBobs);
  BOOST_TEST(page("GET", "/ui/api/approvals").status == 200);
  BOOST_TEST(member(page("GET", "/ui/session"), "needs_passkey") == "false");
}

BOOST_FIXTURE_TEST_CASE(an_approver_is_offered_its_own_passkeys_alone, PasskeyFixture) {
  sign_in(kBobUid);
  const Response asked = page("POST", "/ui/session/challenge", "{}");
  BOOST_TEST(of(member(asked, "options"), "allowCredentials") == R"([{"id":"Ym9i","type":"public-key"}])");
  BOOST_TEST(of(member(asked, "options"), "userVerification") == "required");
  BOOST_TEST(of(member(asked, "options"), "rpId") == "localhost");
}

BOOST_FIXTURE_TEST_CASE(without_any_passkey_nobody_is_asked_for_one, ConsoleFixture) {
  sign_in();
  BOOST_TEST(page("POST", "/ui/session/challenge", "{}").status == 404);
}

namespace {

struct BadAnswer {
  const char* what;
  std::function<void(PasskeyAnswer&)> change;
};
std::ostream& operator<<(std::ostream& out, const BadAnswer& row) { return out << row.what; }

const std::array kBadAnswers{
    BadAnswer{"another challenge", [](PasskeyAnswer& answer) { answer.challenge = std::string(43, 'A'); }},
    BadAnswer{"another origin", [](PasskeyAnswer& answer) { answer.origin = "https://evil.example"; }},
    BadAnswer{"another RP", [](PasskeyAnswer& answer) { answer.rp_id = "evil.example"; }},
    BadAnswer{"a registration", [](PasskeyAnswer& answer) { answer.type = "webauthn.create"; }},
    BadAnswer{"nobody there", [](PasskeyAnswer& answer) { answer.flags = MadePasskey::kUserVerified; }},
    BadAnswer{"nobody verified", [](PasskeyAnswer& answer) { answer.flags = MadePasskey::kUserPresent; }},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(PasskeyFixture, an_answer_that_does_not_hold_signs_nobody_in,
                       boost::unit_test::data::make(kBadAnswers), row) {
  sign_in();
  const Question asked = question_of(page("POST", "/ui/session/challenge", "{}"));
  PasskeyAnswer answer = MadePasskey::answer_to(asked.challenge);
  row.change(answer);
  const Response refused = answer_sign_in(asked.id, kBobs, bob.sign(answer));
  BOOST_TEST(refused.status == 401, refused.body);
  // Each question is good for one answer, whatever that was.
  const Response again = answer_sign_in(asked.id, kBobs, bob.sign(MadePasskey::answer_to(asked.challenge)));
  BOOST_TEST(again.body == refused.body);
  BOOST_TEST(member(page("GET", "/ui/session"), "principal").empty());
  const auto entries = audit_texts_of(store(), "console.passkey");
  BOOST_REQUIRE(entries.size() == 2u);
  BOOST_TEST((entries.front().find(R"("why":)") != std::string::npos), entries.front());
}

BOOST_FIXTURE_TEST_CASE(an_answer_counts_for_its_passkey_session_and_time_alone, PasskeyFixture) {
  sign_in();
  const auto ask = [&] { return question_of(page("POST", "/ui/session/challenge", "{}")); };
  const auto status_of = [&](const Question& asked, const MadePasskey& passkey, const char* credential) {
    return answer_sign_in(asked.id, credential, passkey.sign(MadePasskey::answer_to(asked.challenge))).status;
  };
  BOOST_TEST(status_of(ask(), bob, kCarols) == 401);
  BOOST_TEST(status_of(ask(), MadePasskey(), kBobs) == 401);
  BOOST_TEST(status_of(ask(), bob, "bm9uZQ") == 401);
  const Question mine = ask();
  const std::string own = cookie;
  const std::string own_mark = mark;
  cookie.clear();
  sign_in();
  BOOST_TEST(status_of(mine, bob, kBobs) == 401);  // another session's
  cookie = own;
  mark = own_mark;
  BOOST_TEST(status_of(mine, bob, kBobs) == 200);  // which has not used it up
}

BOOST_FIXTURE_TEST_CASE(a_question_is_open_for_five_minutes, PasskeyFixture) {
  sign_in();
  const Question asked = question_of(page("POST", "/ui/session/challenge", "{}"));
  set_now(kNow + 300s);
  BOOST_TEST(answer_sign_in(asked.id, kBobs, bob.sign(MadePasskey::answer_to(asked.challenge))).status ==
             401);
}

BOOST_FIXTURE_TEST_CASE(a_clock_that_goes_back_lengthens_no_question, PasskeyFixture) {
  sign_in();
  set_now(kNow + 60s);
  const Question asked = question_of(page("POST", "/ui/session/challenge", "{}"));
  set_now(kNow + 59s);
  BOOST_TEST(answer_sign_in(asked.id, kBobs, bob.sign(MadePasskey::answer_to(asked.challenge))).status ==
             401);
}

BOOST_FIXTURE_TEST_CASE(an_approver_is_nobody_else_by_another_passkey, PasskeyFixture) {
  sign_in(kBobUid);
  const Question asked = question_of(page("POST", "/ui/session/challenge", "{}"));
  BOOST_TEST(answer_sign_in(asked.id, kCarols, carol.sign(MadePasskey::answer_to(asked.challenge))).status ==
             401);
}

// --- deciding

BOOST_FIXTURE_TEST_CASE(a_decision_is_signed_by_the_sessions_passkey_and_counts, PasskeyFixture) {
  const Response waiting_call = ask();
  const std::string id = id_of(waiting_call);
  BOOST_TEST(waiting(waiting_call, "url") == "https://localhost:9443/ui#/approvals/" + id);
  sign_in(kBobUid);
  sign_in_with(bob, kBobs);
  const Response prepared = page("POST", "/ui/decisions",
                                 R"({"request":")" + id + R"(","verdict":"approve","reason":"as agreed"})");
  BOOST_REQUIRE_MESSAGE(prepared.status == 200, prepared.body);
  const std::string input = member(prepared, "input");
  BOOST_TEST(member(prepared, "request_sha256") == waiting(waiting_call, "sha256"));
  const Sha256Digest challenge = passkey_challenge(input);
  BOOST_TEST(of(member(prepared, "options"), "challenge") == base64url_encode(challenge));
  const auto read = read_approval_decision(bob.sign_jws(input));
  BOOST_REQUIRE(read);
  BOOST_TEST(read->approver == kBob);
  BOOST_TEST(read->request == id);
  BOOST_TEST(read->reason == "as agreed");
  const std::string path = "/ui/api/approvals/" + id + "/decision";
  const Response forged = page("POST", path, R"({"decision":")" + carol.sign_jws(input) + "\"}");
  BOOST_TEST(forged.status >= 400, forged.body);
  const Response decided = page("POST", path, R"({"decision":")" + bob.sign_jws(input) + "\"}");
  BOOST_TEST(decided.status == 200, decided.body);
  BOOST_TEST(member(decided, "state") == "approved");
  BOOST_TEST(member(decided, "enforcement") == "software-enforced");
  const Response late = page("POST", "/ui/decisions", R"({"request":")" + id + R"(","verdict":"deny"})");
  BOOST_TEST(late.status == 409, late.body);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_prepared_to_be_decided_without_a_passkey, PasskeyFixture) {
  const std::string id = id_of(ask());
  sign_in();
  const auto prepare = [&](const std::string& body) { return page("POST", "/ui/decisions", body); };
  BOOST_TEST(prepare(R"({"request":")" + id + R"(","verdict":"approve"})").status == 403);
  sign_in_with(carol, kCarols);
  BOOST_TEST(prepare(R"({"request":")" + id + R"(","verdict":"approve"})").status == 200);
  BOOST_TEST(prepare(R"({"request":")" + id + R"(","verdict":"perhaps"})").status == 400);
  BOOST_TEST(prepare(R"({"request":")" + id + R"(","verdict":"deny","reason":"a\u0007b"})").status == 400);
  BOOST_TEST(prepare(R"({"request":"none","verdict":"deny"})").status == 404);
}

// --- confirming

namespace {

constexpr const char* kRevoke = "/ui/api/revocations";
constexpr const char* kBody = R"({"agent":"lookup"})";

struct Confirming : PasskeyFixture {
  Confirming() {
    sign_in();
    sign_in_with(bob, kBobs);
  }
  Headers confirmed(const std::string& method, const std::string& path, const std::string& body) {
    const Question asked = ask_confirmation(method, path, body);
    return confirmation(asked.id, bob.sign(MadePasskey::answer_to(asked.challenge)));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_changes_something_is_done_once_for_one_confirmation, Confirming) {
  BOOST_TEST(page("POST", kRevoke, kBody).status == 403);
  const Headers header = confirmed("POST", kRevoke, kBody);
  const Response done = page("POST", kRevoke, kBody, header);
  BOOST_TEST(done.status == 201, done.body);
  BOOST_TEST(page("POST", kRevoke, kBody, header).status == 403);
  const auto entries = audit_texts_of(store(), "token.revoke");
  BOOST_REQUIRE(entries.size() == 3u);  // two of them in vain
  BOOST_TEST(of(of(entries[1], "caller"), "passkey") == bob.public_key().thumbprint().text());
  BOOST_TEST(of(entries[1], "outcome") == "done");
}

BOOST_FIXTURE_TEST_CASE(a_confirmation_is_for_this_very_request, Confirming) {
  const auto refused = [&](const char* path, const char* body, const Headers& header) {
    const Response answer = page("POST", path, body, header);
    return answer.status == 403 && member(answer, "code") == "forbidden";
  };
  BOOST_TEST(refused(kRevoke, R"({"agent":"support"})", confirmed("POST", kRevoke, kBody)));
  BOOST_TEST(refused(kRevoke, R"({"agent": "lookup"})", confirmed("POST", kRevoke, kBody)));
  BOOST_TEST(refused("/ui/api/agents/support/rotate", "{}",
                     confirmed("POST", "/ui/api/agents/lookup/rotate", "{}")));
  BOOST_TEST(refused(kRevoke, kBody, confirmed("DELETE", kRevoke, kBody)));
  const Question sign_in_question = question_of(page("POST", "/ui/session/challenge", "{}"));
  BOOST_TEST(refused(
      kRevoke, kBody,
      confirmation(sign_in_question.id, bob.sign(MadePasskey::answer_to(sign_in_question.challenge)))));
  const Question asked = ask_confirmation("POST", kRevoke, kBody);
  BOOST_TEST(
      refused(kRevoke, kBody, confirmation(asked.id, carol.sign(MadePasskey::answer_to(asked.challenge)))));
  BOOST_TEST(page("POST", kRevoke, kBody, {{"chancery-confirmation", "!"}}).status == 400);
  BOOST_TEST(page("POST", "/ui/api/agents/lookup/rotate", "{}",
                  confirmed("POST", "/ui/api/agents/lookup/rotate", "{}"))
                 .status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_confirmation_is_old_after_five_minutes, Confirming) {
  const Headers header = confirmed("POST", kRevoke, kBody);
  set_now(kNow + 300s);
  BOOST_TEST(page("POST", kRevoke, kBody, header).status == 403);
}

BOOST_FIXTURE_TEST_CASE(nobody_confirms_with_a_passkey_that_was_revoked_meanwhile, Confirming) {
  const Headers header = confirmed("POST", kRevoke, kBody);
  store::AuditEntry entry;
  entry.at = kNow;
  entry.action = "approver.revoke";
  const auto lapsed = [&](const store::ParkedCall&) { return entry; };
  BOOST_REQUIRE(office().approvers.revoke(bob.public_key().thumbprint(), {}, lapsed, entry));
  BOOST_TEST(page("POST", kRevoke, kBody, header).status == 401);  // the session has ended with it
}

BOOST_FIXTURE_TEST_CASE(an_approver_confirms_nothing, PasskeyFixture) {
  sign_in(kBobUid);
  sign_in_with(bob, kBobs);
  const Question asked = ask_confirmation("POST", kRevoke, kBody);
  const Response refused =
      page("POST", kRevoke, kBody, confirmation(asked.id, bob.sign(MadePasskey::answer_to(asked.challenge))));
  BOOST_TEST(refused.status == 403, refused.body);
  BOOST_TEST(call("GET", "/v1/agents/lookup", "", kOperatorUid).status == 200);
}

// --- enrolling

namespace {

std::string registration_json(const PasskeyRegistration& registration) {
  return R"({"authenticatorData":")" + base64url_encode(registration.authenticator_data) +
         R"(","clientDataJSON":")" + base64url_encode(as_bytes(registration.client_data)) + R"(","id":")" +
         base64url_encode(registration.credential_id) + "\"}";
}

struct Enrolling : ConsoleFixture {
  Response make(const MadePasskey& passkey, const std::string& person) {
    const Question asked = question_of(page("POST", "/ui/passkeys/options", person));
    return page("POST", "/ui/passkeys",
                R"({"id":")" + asked.id + R"(","registration":)" +
                    registration_json(passkey.register_with(passkey.registration_for(asked.challenge))) +
                    "}");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_first_passkey_is_enrolled_on_the_operators_word, Enrolling) {
  const MadePasskey passkey;
  sign_in();
  const Response made = make(passkey, R"({"principal":"user:bob@example.org","groups":["ops","finance"]})");
  BOOST_REQUIRE_MESSAGE(made.status == 200, made.body);
  BOOST_TEST(member(made, "first") == "true");
  BOOST_TEST(member(made, "jkt") == passkey.public_key().thumbprint().text());
  const std::string enrolment = member(made, "enrolment");
  BOOST_TEST(member(made, "sha256") == digest_of(enrolment));
  const auto read = read_enrolment(enrolment);
  BOOST_REQUIRE(read);
  BOOST_TEST(read->principal == kBob);
  BOOST_TEST(read->groups == Strings({"finance", "ops"}), boost::test_tools::per_element());
  BOOST_TEST(page("POST", "/ui/session/challenge", "{}").status == 404);  // nothing is enrolled yet
  const Response enrolled =
      page("POST", "/ui/api/approvers", wire::write(api::EnrollApprover{enrolment, {}}));
  BOOST_TEST(enrolled.status < 300, enrolled.body);
  sign_in_with(passkey, base64url_encode(passkey.credential_id()));
  BOOST_TEST(member(page("GET", "/ui/session"), "principal") == kBob);
}

BOOST_FIXTURE_TEST_CASE(a_later_one_is_enrolled_by_the_signature_of_one_before, Enrolling) {
  const MadePasskey bob, newer;
  enrol(bob, kBob, kBobs);
  sign_in(kBobUid);
  sign_in_with(bob, kBobs);
  const Response made = make(newer, R"({"principal":"user:bob@example.org"})");
  BOOST_REQUIRE_MESSAGE(made.status == 200, made.body);
  BOOST_TEST(member(made, "first") == "false");
  const std::string enrolment = member(made, "enrolment");
  const auto send = [&](const std::string& authorization) {
    return page("POST", "/ui/api/approvers", wire::write(api::EnrollApprover{enrolment, authorization}));
  };
  const Response unsigned_one = send("");
  BOOST_TEST(unsigned_one.status == 401, unsigned_one.body);
  const Response prepared =
      page("POST", "/ui/authorizations", json::to_jcs(json::Node::object({{"enrolment", enrolment}})));
  BOOST_REQUIRE_MESSAGE(prepared.status == 200, prepared.body);
  const std::string input = member(prepared, "input");
  const Response forged = send(newer.sign_jws(input));
  BOOST_TEST(member(forged, "code") == "signature_invalid", forged.body);
  const Response enrolled = send(bob.sign_jws(input));
  BOOST_TEST(enrolled.status < 300, enrolled.body);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_new_passkey_is_refused, Enrolling) {
  const MadePasskey passkey;
  sign_in();
  const auto answer = [&](const std::function<void(PasskeyAnswer&)>& change) {
    const Question asked =
        question_of(page("POST", "/ui/passkeys/options", R"({"principal":"user:bob@example.org"})"));
    PasskeyAnswer made = passkey.registration_for(asked.challenge);
    change(made);
    return page("POST", "/ui/passkeys",
                R"({"id":")" + asked.id + R"(","registration":)" +
                    registration_json(passkey.register_with(made)) + "}")
        .status;
  };
  BOOST_TEST(answer([](PasskeyAnswer&) {}) == 200);
  BOOST_TEST(answer([](PasskeyAnswer& made) { made.challenge = std::string(43, 'A'); }) >= 400);
  BOOST_TEST(answer([](PasskeyAnswer& made) { made.origin = "https://evil.example"; }) >= 400);
  BOOST_TEST(answer([](PasskeyAnswer& made) { made.type = "webauthn.get"; }) >= 400);
  BOOST_TEST(answer([](PasskeyAnswer& made) { made.rp_id = "evil.example"; }) >= 400);
}

BOOST_FIXTURE_TEST_CASE(a_passkey_is_for_a_person_that_can_be_one, Enrolling) {
  sign_in();
  const auto status = [&](const char* body) { return page("POST", "/ui/passkeys/options", body).status; };
  BOOST_TEST(status(R"({"principal":"user:bob@example.org"})") == 200);
  BOOST_TEST(status(R"({"principal":"user bob"})") == 400);
  BOOST_TEST(status(R"({"principal":"group:finance"})") == 400);
  BOOST_TEST(status(R"({"principal":"user:bob","groups":["a","a"]})") == 400);
  BOOST_TEST(status(R"({"principal":"user:bob","groups":["group:finance"]})") == 400);
  BOOST_TEST(status(R"({"principal":"user:bob","replaces":"x"})") == 400);
  BOOST_TEST(status(R"({"groups":[]})") == 400);
  cookie.clear();
  sign_in(kBobUid);
  BOOST_TEST(status(R"({"principal":"user:bob@example.org"})") == 200);
  BOOST_TEST(status(R"({"principal":"user:carol@example.org"})") == 403);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
