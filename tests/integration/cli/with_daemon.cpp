// `chancery` and a daemon's answers, which a script of the test gives over a Unix socket.
#include <string>

#include <boost/test/unit_test.hpp>

#include <chancery/proof.hpp>

#include "tests/integration/cli/stage.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace {

using namespace chancery;
using chancery::testing::Chancery;
using chancery::testing::contains;
using chancery::testing::FakeDaemon;
using chancery::testing::http_answer;
using chancery::testing::kJson;
using chancery::testing::kProblem;
using chancery::testing::Run;
using chancery::testing::Stage;

constexpr const char* kAgent =
    R"({"backend":"tpm","created_at":1772366400,"id":"spiffe://t.example/agent/support","jkt":"JKT","jwk":{"kty":"OKP"},"name":"support","selectors":{"uid":1001},"state":"active"})";

const std::vector<std::string> kDecide{
    "authorize", "a.b.c",      "--remote", "--audience", "https://rs.example",
    "--scope",   "ledger.pay", "--param",  "amount=5",   "--proof",
    "x.y.z",     "--htm",      "POST",     "--htu",      "https://rs.example/pay"};

std::vector<std::string> with(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(with_daemon)

BOOST_FIXTURE_TEST_CASE(an_agent_is_created_as_told, Stage) {
  answer("POST /v1/agents", http_answer(201, kJson, kAgent));
  const Run created =
      run({"agent", "create", "support", "--uid", "1001", "--executable", "/usr/bin/support"});
  BOOST_TEST(created.exit == 0, created.err);
  BOOST_TEST(contains(created.out, "spiffe://t.example/agent/support"), created.out);
  BOOST_TEST(contains(created.err, "executable and hash only narrow"), created.err);
  BOOST_TEST(
      request("POST /v1/agents")
          .ends_with(R"({"name":"support","selectors":{"executable":"/usr/bin/support","uid":1001}})"));
  BOOST_TEST(run({"agent", "create", "support", "--uid", "1001", "--format", "json"}).out ==
             std::string(kAgent) + "\n");
}

BOOST_FIXTURE_TEST_CASE(a_key_is_revoked_whatever_its_thumbprint_begins_with, Stage) {
  for (const std::string begin : {"nQ", "-Q", "-h", "--", "_Q"}) {
    const std::string jkt = begin + "1yX6C4m0i1Hq0hGZ7cC5vN0yKq3b5JQd0H1XoEWJk";
    const std::string route = "POST /v1/keys/" + jkt + "/revoke";
    answer(route, http_answer(200, kJson,
                              R"({"ended":{"agents":["lookup"],"descendants":2,"held":1},"key":{"algorithm":)"
                              R"("ES256","backend":"tpm","created_at":1,"jkt":")" +
                                  jkt + R"(","owner":"support","state":"revoked"}})"));
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{jkt, "--reason", "lost"}, {"--reason", "lost", "--", jkt}}) {
      std::vector<std::string> command{"key", "revoke"};
      command.insert(command.end(), arguments.begin(), arguments.end());
      const Run revoked = run(command);
      BOOST_TEST(revoked.exit == 0, revoked.err);
      BOOST_TEST(contains(revoked.out, "delegated from those"), revoked.out);
      BOOST_TEST(request(route).ends_with(R"({"reason":"lost"})"));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(what_was_delegated_offline_is_named_by_its_chain, Stage) {
  answer("POST /v1/suspensions",
         http_answer(201, kJson, R"({"at":1,"id":7,"kind":"suspend","target":{"subtree":"00"},"tokens":1})"));
  const Run done = run({"suspend", "--chain", "-"}, R"({"chain":["a.b.c","d.e.f"]})");
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(request("POST /v1/suspensions").ends_with(R"({"chain":"a.b.c~d.e.f"})"));
  BOOST_TEST(run({"suspend", "--chain", "-", "--agent", "support"}, "a.b.c").exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_list_follows_the_pages, Stage) {
  answer("GET /v1/agents?limit=1000",
         http_answer(200, kJson, std::string(R"({"agents":[)") + kAgent + R"(],"next":"17"})"));
  answer("GET /v1/agents?limit=1000&after=17",
         http_answer(200, kJson, std::string(R"({"agents":[)") + kAgent + "]}"));
  BOOST_TEST(run({"agent", "list"}).out == "support\tactive\ttpm\tJKT\nsupport\tactive\ttpm\tJKT\n");
  BOOST_TEST(run({"agent", "list", "--format", "json"}).out ==
             std::string(R"({"agents":[)") + kAgent + "," + kAgent + "]}\n");
}

BOOST_FIXTURE_TEST_CASE(a_list_that_runs_in_circles_ends, Stage) {
  answer("GET /v1/agents?limit=1000",
         http_answer(200, kJson, std::string(R"({"agents":[)") + kAgent + R"(],"next":"17"})"));
  answer("GET /v1/agents?limit=1000&after=17",
         http_answer(200, kJson, std::string(R"({"agents":[)") + kAgent + R"(],"next":"17"})"));
  BOOST_TEST(run({"agent", "list"}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(a_grant_prints_its_chain_alone_and_warns_aside, Stage) {
  answer("POST /v1/grants",
         http_answer(201, kJson, R"({"chain":["a.b.c"],"warnings":["payments.* is not bounded"]})"));
  const std::vector<std::string> arguments{"grant",
                                           "--for",
                                           "user:alice@example.org",
                                           "--agent",
                                           "orchestrator",
                                           "--audience",
                                           "https://rs.example",
                                           "--scope",
                                           "crm.*",
                                           "--scope",
                                           "payments.refund",
                                           "--constraint",
                                           "payments.refund#amount:max=500",
                                           "--lifetime",
                                           "30m",
                                           "--depth",
                                           "3"};
  const Run granted = run(arguments);
  BOOST_TEST(granted.exit == 0, granted.err);
  BOOST_TEST(granted.out == "a.b.c\n");
  BOOST_TEST(granted.err == "chancery: warning: payments.* is not bounded\n");
  BOOST_TEST(
      request("POST /v1/grants")
          .ends_with(
              R"({"agent":"orchestrator","audience":["https://rs.example"],"constraints":[{"key":"payments.refund#amount","max":500}],)"
              R"("depth":3,"lifetime_s":1800,"principal":"user:alice@example.org","scopes":["crm.*","payments.refund"]})"));
}

BOOST_FIXTURE_TEST_CASE(a_grant_that_waits_is_asked_for_again_when_people_have_approved_it, Stage) {
  const std::vector<std::string> arguments{"grant",
                                           "--for",
                                           "user:alice@example.org",
                                           "--agent",
                                           "support",
                                           "--audience",
                                           "https://rs.example",
                                           "--scope",
                                           "payments.refund",
                                           "--lifetime",
                                           "30m"};
  const std::string waits = http_answer(
      202, kJson,
      R"({"approval":{"document":{},"expires_at":1772366400,"id":"a1","sha256":"s"},"warnings":[]})");
  const auto in_state = [](const std::string& state) {
    return http_answer(
        200, kJson,
        R"({"asked_at":1,"enforcement":"software-enforced","expires_at":1772366400,"gates":[],)"
        R"("id":"a1","key":"k","kind":"grant","principal":"user:alice","sha256":"s","state":")" +
            state + R"(","tool":"payments.refund"})");
  };
  const std::string made = http_answer(201, kJson, R"({"chain":["a.b.c"],"warnings":[]})");
  constexpr const char* kLook = "GET /v1/approvals/a1?wait=28";  // the client's time-out, less the way

  answer_in_turn("POST /v1/grants", {waits, made});
  answer_in_turn(kLook, {in_state("pending"), in_state("approved")});
  const Run granted = run(with(arguments, {"--wait"}));
  BOOST_TEST(granted.exit == 0, granted.err);
  BOOST_TEST(granted.out == "a.b.c\n");
  BOOST_TEST(contains(granted.err, "until 2026-03-01T12:00:00Z at most: `chancery approve a1`"), granted.err);
  BOOST_TEST(contains(granted.err, "decided: approved"), granted.err);

  answer_in_turn("POST /v1/grants", {waits, made});
  answer_in_turn(kLook, {in_state("denied")});
  const Run denied = run(with(arguments, {"--wait=10m"}));
  BOOST_TEST(denied.exit == 1);
  BOOST_TEST(denied.out.empty(), denied.out);
  BOOST_TEST(contains(denied.err, "decided: denied"), denied.err);

  answer_in_turn("POST /v1/grants", {waits, made});
  const Run at_once = run(arguments);
  BOOST_TEST(at_once.exit == 1);
  BOOST_TEST(!contains(at_once.err, "decided"), at_once.err);

  const Run misused = run(with(arguments, {"--wait=soon"}));
  BOOST_TEST(misused.exit == 2);
  BOOST_TEST(contains(misused.err, "--wait=soon"), misused.err);
}

BOOST_FIXTURE_TEST_CASE(a_delegation_says_what_was_narrowed_and_can_go_to_a_file, Stage) {
  answer(
      "POST /v1/delegations",
      http_answer(
          201, kJson,
          R"({"chain":["a.b.c","d.e.f"],"granted":{"constraints":[],"scopes":["crm.read"],"type":"agent_delegation"},)"
          R"("narrowed":[{"asked":["crm.*"],"given":["crm.read"],"what":"scopes"}]})"));
  const Run delegated = run({"delegate", "--to", "support", "--scope", "crm.*", "--exact"}, "a.b.c\n");
  BOOST_TEST(delegated.exit == 0, delegated.err);
  BOOST_TEST(delegated.out == "a.b.c~d.e.f\n");
  BOOST_TEST(delegated.err == "chancery: narrowed: scopes: asked [\"crm.*\"], given [\"crm.read\"]\n");
  BOOST_TEST(
      request("POST /v1/delegations")
          .ends_with(
              R"({"chain":["a.b.c"],"constraints":[],"exact":true,"scopes":["crm.*"],"to":"support"})"));

  const std::string file = chancery().folder() / "out.txt";
  const Run filed = run({"delegate", "a.b.c", "--to", "support", "--scope", "crm.*", "--out", file});
  BOOST_TEST(filed.exit == 0, filed.err);
  BOOST_TEST(filed.out.empty());
  BOOST_TEST(chancery::testing::read_file(file) == "a.b.c~d.e.f\n");
  const Run unwritable =
      run({"delegate", "a.b.c", "--to", "support", "--scope", "crm.*", "--out", "/nonexistent/out.txt"});
  BOOST_TEST(unwritable.exit == 2);
  BOOST_TEST(contains(unwritable.err, "/nonexistent/out.txt: cannot be written"), unwritable.err);
}

BOOST_FIXTURE_TEST_CASE(a_refusal_exits_1_in_the_daemons_words, Stage) {
  constexpr const char* kRefusal =
      R"({"code":"parent_denied","detail":"the chain does not verify","hop":0,"outcome":"expired","reason":"it has expired","step":5})";
  answer("POST /v1/proofs", http_answer(403, kProblem, kRefusal));
  const Run refused = run({"proof", "a.b.c", "--htm", "GET", "--htu", "https://rs.example/"});
  BOOST_TEST(refused.exit == 1);
  BOOST_TEST(refused.out.empty());
  BOOST_TEST(
      refused.err ==
      "chancery: the chain does not verify (parent_denied): expired at step 5, token 0: it has expired\n");
  const Run json =
      run({"proof", "a.b.c", "--htm", "GET", "--htu", "https://rs.example/", "--format", "json"});
  BOOST_TEST(contains(json.err, R"("code":"parent_denied")"), json.err);
  BOOST_TEST(contains(json.err, kRefusal), json.err);
}

BOOST_FIXTURE_TEST_CASE(a_busy_or_failing_daemon_exits_2, Stage) {
  answer("POST /v1/proofs", http_answer(429, kProblem, R"({"code":"device_busy","detail":"try again"})"));
  BOOST_TEST(run({"proof", "a.b.c", "--htm", "GET", "--htu", "https://rs.example/"}).exit == 2);
  answer("POST /v1/proofs", http_answer(500, kProblem, R"({"code":"internal","detail":"see the log"})"));
  BOOST_TEST(run({"proof", "a.b.c", "--htm", "GET", "--htu", "https://rs.example/"}).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_drill_is_reported_although_the_daemon_was_busy_meanwhile, Stage) {
  const auto drill = [](const std::string& ended) {
    return R"({"act":{"at":1772366400,"id":7,"kind":"drill","target":{"agent":"support"},"tokens":1,"until":1772366401)" +
           ended + R"(},"denials":[]})";
  };
  answer("POST /v1/drills", http_answer(201, kJson, drill("")));
  answer_in_turn("GET /v1/drills/7",
                 {http_answer(429, kProblem, R"({"code":"overloaded","detail":"try again"})"),
                  http_answer(503, kProblem, R"({"code":"shutting_down","detail":"try again"})"),
                  http_answer(200, kJson, drill(R"(,"lifted_at":1772366401)"))});
  const Run done = run({"drill", "--agent", "support", "--window", "1s"});
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(contains(done.out, "restored"), done.out);
  answer("GET /v1/drills/7", http_answer(404, kProblem, R"({"code":"not_found","detail":"no such drill"})"));
  BOOST_TEST(run({"drill", "--agent", "support", "--window", "1s"}).exit == 1);
}

BOOST_FIXTURE_TEST_CASE(a_hostile_daemon_reaches_no_terminal, Stage) {
  answer("POST /v1/proofs",
         http_answer(403, kProblem, R"({"code":"x\u001b[2J","detail":"\u001b]0;evil\u0007\u202e\n"})"));
  const Run refused = run({"proof", "a.b.c", "--htm", "GET", "--htu", "https://rs.example/"});
  BOOST_TEST(!contains(refused.err, "\x1b"));
  BOOST_TEST(!contains(refused.err, "\xe2\x80\xae"));
  answer("POST /v1/chains/explain", http_answer(200, "text/plain", "A chain\x1b[2J\n"));
  BOOST_TEST(!contains(run({"explain", "a.b.c", "--remote"}).out, "\x1b"));
}

BOOST_FIXTURE_TEST_CASE(a_proof_is_printed_alone, Stage) {
  answer("POST /v1/proofs", http_answer(201, kJson, R"({"proof":"x.y.z"})"));
  BOOST_TEST(run({"proof", "a.b.c", "--htm", "POST", "--htu", "https://rs.example/", "--nonce", "n"}).out ==
             "x.y.z\n");
  BOOST_TEST(request("POST /v1/proofs")
                 .ends_with(R"({"chain":["a.b.c"],"htm":"POST","htu":"https://rs.example/","nonce":"n"})"));
}

BOOST_FIXTURE_TEST_CASE(a_proof_is_bound_to_the_action_that_is_named, Stage) {
  answer("POST /v1/proofs", http_answer(201, kJson, R"({"proof":"x.y.z"})"));
  const std::vector<std::string> proof{"proof", "a.b.c", "--htm", "POST", "--htu", "https://rs.example/"};
  BOOST_TEST(run(with(proof, {"--scope", "ledger.pay", "--param", "amount=5"})).exit == 0);
  const auto digest = action_digest("ledger.pay", parse_parameters(R"({"amount":5})").value());
  BOOST_TEST(request("POST /v1/proofs").find(R"({"ada":")" + digest.value() + '"') != std::string::npos);
  BOOST_TEST(run(with(proof, {"--param", "amount=5"})).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_remote_verdict_exits_like_a_local_one, Stage) {
  answer("POST /v1/chains/verify",
         http_answer(200, kJson, R"({"hop":null,"not_performed":[],"outcome":"valid","step":null})"));
  BOOST_TEST(run({"verify", "a.b.c", "--remote"}).exit == 0);
  constexpr const char* kExpired =
      R"({"hop":1,"not_performed":["action"],"outcome":"expired","reason":"late","step":5})";
  answer("POST /v1/chains/verify", http_answer(200, kJson, kExpired));
  const Run expired = run({"verify", "a.b.c", "--remote", "--audience", "https://rs.example", "--scope",
                           "crm.read", "--param", "n=1"});
  BOOST_TEST(expired.exit == 1);
  BOOST_TEST(expired.out.starts_with("DENIED: expired\n"), expired.out);
  BOOST_TEST(
      request("POST /v1/chains/verify")
          .ends_with(
              R"({"chain":["a.b.c"],"request":{"action":{"params":{"n":1},"scope":"crm.read"},"audience":"https://rs.example"}})"));
  BOOST_TEST(run({"verify", "a.b.c", "--remote", "--format", "json"}).out == std::string(kExpired) + "\n");
  answer("POST /v1/chains/verify",
         http_answer(
             200, kJson,
             R"({"hop":1,"not_performed":[],"outcome":"status_unknown","reason":"none held","step":7})"));
  const Run unknown = run({"verify", "a.b.c", "--remote"});
  BOOST_TEST(unknown.exit == 2);
  BOOST_TEST(unknown.out.starts_with("UNDECIDED: status_unknown\n"), unknown.out);
  for (const char* command : {"verify", "explain"}) {
    answer(std::string("POST /v1/chains/") + command,
           http_answer(400, kProblem, R"({"code":"malformed","detail":"no"})"));
    BOOST_TEST(run({command, "a.b.c", "--remote"}).exit == 2);
  }
}

BOOST_FIXTURE_TEST_CASE(a_decision_of_the_daemon_exits_like_one_that_is_made_offline, Stage) {
  answer(
      "POST /v1/authorize",
      http_answer(
          200, kJson,
          R"({"decision":"permit","decision_id":"d1","expires_at":1772366400,"leaf":)"
          R"({"agent":"spiffe://t.example/agent/support","principal":"user:alice"},"not_performed":["custody"]})"));
  const Run permitted = run(with(kDecide, {"--reserve", "5m", "--idempotency-key", "k1", "--ada"}));
  BOOST_TEST(permitted.exit == 0, permitted.err);
  BOOST_TEST(permitted.out.starts_with("PERMITTED\n  decision     d1\n"), permitted.out);
  BOOST_TEST(contains(permitted.out, "until 2026-03-01T12:00:00Z"), permitted.out);
  BOOST_TEST(
      request("POST /v1/authorize")
          .ends_with(R"({"action":{"params":{"amount":5},"scope":"ledger.pay"},"ada":"required",)"
                     R"("audience":"https://rs.example","chain":["a.b.c"],"idempotency_key":"k1",)"
                     R"("method":"POST","proof":"x.y.z","reserve_s":300,"uri":"https://rs.example/pay"})"));
  answer("POST /v1/authorize",
         http_answer(200, kJson,
                     R"({"decision":"deny","expected":"5","found":"9","hop":1,"not_performed":[],"outcome":)"
                     R"("ceiling_exceeded","reason":"too much","remedy":"ask for less","step":8})"));
  const Run denied = run(kDecide);
  BOOST_TEST(denied.exit == 1);
  BOOST_TEST(denied.out.starts_with("DENIED: ceiling_exceeded\n"), denied.out);
  BOOST_TEST(contains(denied.out, "remedy       ask for less"), denied.out);
  answer(
      "POST /v1/authorize",
      http_answer(
          200, kJson,
          R"({"decision":"deny","not_performed":[],"outcome":"status_unknown","reason":"none","step":7})"));
  BOOST_TEST(run(kDecide).exit == 2);
  answer("POST /v1/authorize", http_answer(403, kProblem, R"({"code":"forbidden","detail":"no"})"));
  BOOST_TEST(run(kDecide).exit == 2);  // no decision at all
}

BOOST_FIXTURE_TEST_CASE(a_decision_is_asked_for_with_all_that_the_daemon_needs_and_no_more, Stage) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--trust", "trust.json"},
                                               {"--now", "0"},
                                               {"--nonce", "n"},
                                               {"--proof-is-new"}}) {
    BOOST_TEST(run(with(kDecide, more)).exit == 2, more.front());
  }
  BOOST_TEST(run(with(kDecide, {"--wait=-1"})).exit == 2);
  BOOST_TEST(run(with(kDecide, {"--wait", "--idempotency-key", "k"})).exit == 2);
  BOOST_TEST(run({"authorize", "a.b.c", "--remote"}).exit == 2);
  BOOST_TEST(
      run({"authorize", "a.b.c", "--remote", "--audience", "https://rs.example", "--scope", "s"}).exit == 2);
  const Run offline =
      run({"authorize", "a.b.c", "--audience", "https://rs.example", "--scope", "s", "--reserve", "5m"});
  BOOST_TEST(offline.exit == 2);
  BOOST_TEST(contains(offline.err, "go with --remote"), offline.err);
  BOOST_TEST(request("POST /v1/authorize").empty());
}

BOOST_FIXTURE_TEST_CASE(a_reservation_is_settled_with_what_was_used_or_released, Stage) {
  answer("POST /v1/decisions/d1/settle",
         http_answer(200, kJson, R"({"decision_id":"d1","state":"settled"})"));
  const Run settled = run({"settle", "d1", "--used", "amount=12.5", "--used", "tokens=0"});
  BOOST_TEST(settled.exit == 0, settled.err);
  BOOST_TEST(settled.out == "settled\n");
  BOOST_TEST(request("POST /v1/decisions/d1/settle").ends_with(R"({"amounts":{"amount":12.5,"tokens":0}})"));
  for (const char* used : {"amount", "=5", "amount=", "amount=five", "amount=\"5\""})
    BOOST_TEST(run({"settle", "d1", "--used", used}).exit == 2, used);
  BOOST_TEST(run({"settle", "d1", "--used", "amount=1", "--used", "amount=2"}).exit == 2);
  answer("POST /v1/decisions/d1/release",
         http_answer(409, kProblem, R"({"code":"conflict","detail":"ended"})"));
  BOOST_TEST(run({"release", "d1"}).exit == 1);
}

BOOST_FIXTURE_TEST_CASE(trust_is_added_from_the_daemon_that_was_named, Stage) {
  const auto chain = tests::issue_chain(2);
  answer(
      "GET /.well-known/oauth-authorization-server",
      http_answer(200, kJson,
                  R"({"issuer":"https://as.example.net","jwks_uri":"https://elsewhere.invalid/jwks.json"})"));
  answer("GET /.well-known/jwks.json",
         http_answer(200, kJson, R"({"keys":[)" + chain.keys.front().public_key().jwk() + "]}"));
  BOOST_TEST(run({"trust", "add", "--iss", "https://other.example.net"}).exit == 2);
  const Run added = run({"trust", "add"});
  BOOST_TEST(added.exit == 0, added.err);
  BOOST_TEST(contains(added.out, "https://as.example.net"), added.out);
  const std::string now = std::to_string(tests::kIssuedNow.time_since_epoch().count());
  BOOST_TEST(run({"verify", chain.tokens[0] + "~" + chain.tokens[1], "--now", now}).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(a_daemon_without_a_key_is_not_trusted, Stage) {
  answer("GET /.well-known/oauth-authorization-server",
         http_answer(200, kJson, R"({"issuer":"https://as.example.net"})"));
  answer("GET /.well-known/jwks.json", http_answer(200, kJson, R"({"keys":[]})"));
  BOOST_TEST(run({"trust", "add"}).exit == 2);
  BOOST_TEST(!std::filesystem::exists(chancery().folder() / "config"));
}

BOOST_FIXTURE_TEST_CASE(status_and_doctor_tell_what_is_missing, Stage) {
  answer("GET /readyz", http_answer(503, kJson, R"({"missing":["backend tpm: no device"],"ready":false})"));
  answer("GET /.well-known/oauth-authorization-server",
         http_answer(200, kJson, R"({"issuer":"https://as.example.net"})"));
  answer("GET /.well-known/jwks.json", http_answer(200, kJson, R"({"keys":[]})"));
  const Run status = run({"status"});
  BOOST_TEST(status.exit == 2);
  BOOST_TEST(status.out.starts_with("NOT READY\n"), status.out);
  BOOST_TEST(contains(status.out, "backend tpm: no device"), status.out);
  BOOST_TEST(contains(run({"doctor"}).out, "backend tpm: no device"));
}

BOOST_FIXTURE_TEST_CASE(a_healthy_daemon_satisfies_status_and_doctor, Stage) {
  const auto chain = tests::issue_chain(1);
  answer("GET /readyz", http_answer(200, kJson, R"({"missing":[],"ready":true})"));
  answer("GET /.well-known/oauth-authorization-server",
         http_answer(200, kJson, R"({"issuer":"https://as.example.net"})"));
  answer("GET /.well-known/jwks.json",
         http_answer(200, kJson, R"({"keys":[)" + chain.keys.front().public_key().jwk() + "]}"));
  const Run status = run({"status"});
  BOOST_TEST(status.exit == 0, status.err);
  BOOST_TEST(contains(status.out, chain.keys.front().public_key().thumbprint().text()), status.out);
  const Run doctor = run({"doctor"});
  BOOST_TEST(doctor.exit == 0, doctor.out);
}

// A backend whose device says what it likes.
BOOST_FIXTURE_TEST_CASE(a_hostile_device_reaches_no_terminal, Stage) {
  const std::string backend =
      R"({"agent_keys":1,"algorithms":["\u001b[2J"],"default":true,"emulated":false,"facts":[{"advice":"\u001b]0;","name":"\u001b[1m","severity":"bad","value":"\u202e"}],)"
      R"("firmware":"\u0007","issuer":true,"load":{},"manufacturer":"\u001b[3J","name":"tpm","native":"\u001b","state":"\u001b[4J","type":"\u001b[5J"})";
  answer("GET /v1/backends", http_answer(200, kJson, R"({"backends":[)" + backend + "]}"));
  answer("GET /v1/backends/tpm", http_answer(200, kJson, backend));
  answer("GET /v1/process", http_answer(200, kJson, R"({"facts":[]})"));
  answer("GET /readyz", http_answer(200, kJson, R"({"missing":[],"ready":true})"));
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"backend", "list"}, {"backend", "show", "tpm"}, {"doctor"}}) {
    const Run run_of = run(command);
    BOOST_TEST(run_of.exit == 2, run_of.err);
    for (const char* evil : {"\x1b", "\a", "\xe2\x80\xae"})
      BOOST_TEST(!contains(run_of.out, evil), command.front());
  }
}

BOOST_FIXTURE_TEST_CASE(doctor_leaves_out_devices_for_whom_they_are_not, Stage) {
  answer("GET /readyz", http_answer(200, kJson, R"({"missing":[],"ready":true})"));
  answer(
      "GET /.well-known/jwks.json",
      http_answer(200, kJson, R"({"keys":[)" + tests::issue_chain(1).keys.front().public_key().jwk() + "]}"));
  answer("GET /v1/backends", http_answer(403, kProblem, R"({"code":"forbidden","detail":"no"})"));
  const Run refused = run({"doctor"});
  BOOST_TEST(refused.exit == 0, refused.out);
  BOOST_TEST(contains(refused.out, "note\tdevices: only the operator is told of them"), refused.out);
  answer("GET /v1/backends", http_answer(503, kProblem, R"({"code":"store_unavailable","detail":"disk"})"));
  BOOST_TEST(run({"doctor"}).exit == 2);
}

BOOST_AUTO_TEST_SUITE_END()
