// Deciding by the real program: what it shows and asks, what it signs, and what it does not sign. The daemon's answers are
// a script's.

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/approval_decision.hpp>

#include "attest/evidence/policy_digest.hpp"
#include "attest/evidence/tpm_codec.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "tests/integration/cli/stage.hpp"
#include "tests/integration/cli/terminal.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

using json::Node;
using testing::contains;
using testing::http_answer;
using testing::kJson;
using testing::kProblem;
using testing::Run;
using testing::Stage;
using testing::Terminal;

constexpr const char* kIssuer = "https://chancery.example";
constexpr const char* kBob = "user:bob@example.org";
const std::string kId(32, 'a');
const std::string kBefore(32, 'b');
const std::string kShow = "GET /v1/approvals/" + kId;
const std::string kDecide = "POST /v1/approvals/" + kId + "/decision";

std::string digest_of(std::string_view text) { return hex_encode(sha256(as_bytes(text))); }

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

/// A member of a JSON text, which must be a text.
std::string member(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse_borrowed(json);
  BOOST_REQUIRE_MESSAGE(document.has_value(), json);
  const json::Value* const value = document->root().find(name);
  return value == nullptr ? std::string() : std::string(value->string().value_or(""));
}

/// The document of a call.
std::string call_document(const std::string& more = {}, const std::string& id = kId, int amount = 101) {
  const std::string arguments = R"({"amount":)" + std::to_string(amount) + R"(,"charge":"ch_1\u202e"})";
  const auto parsed = json::Document::parse(
      R"({"arguments":)" + arguments +
      R"(,"asked_at":1800000000,"audience":"https://tools.example","client_id":"c",)" +
      R"("debits":{"amount":"101"},"expires_at":4000000000,"gates":[{"gate":"refunds","why":"amount is above 100"}],)" +
      R"("id":")" + id + R"(","key":"k","kind":"call","principal":"user:alice@example.org","risk":"high",)" +
      R"("runtime":"spiffe://t.example/agent/tools","scope":"payments.refund","token":"t","tool":"refund",)" +
      R"("typ":"chancery-approval-request","uri":"https://tools.example/v1/tools/refund","v":1)" + more +
      "}");
  BOOST_REQUIRE(parsed.has_value());
  std::string text = json::to_jcs(parsed->root());
  const std::string hash = digest_of(json::to_jcs(*parsed->root().find("arguments")));
  return text.replace(text.find(R"("asked_at")"), 0, R"("arguments_sha256":")" + hash + "\",");
}

std::vector<std::string> approve(const std::vector<std::string>& more) {
  std::vector<std::string> out{"approve", kId};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

struct Stand : Stage {
  Stand() {
    answer("GET /.well-known/oauth-authorization-server",
           http_answer(200, kJson, R"({"issuer":")" + std::string(kIssuer) + "\"}"));
    answer(kDecide, http_answer(200, kJson, decided("approved")));
  }
  static std::string decided(const std::string& state) {
    return R"({"enforcement":"software-enforced","id":")" + kId + R"(","state":")" + state + "\"}";
  }

  /// Gives the program an approver's key, and the test the same one.
  PublicKey enroll(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{"approver", "enroll", kBob};
    command.insert(command.end(), more.begin(), more.end());
    const Run made = run(command);
    BOOST_REQUIRE_MESSAGE(made.exit == 0, made.err);
    document = made.out.substr(0, made.out.find('\n'));
    const auto enrolment = read_enrolment(document);
    BOOST_REQUIRE(enrolment.has_value());
    return enrolment->key;
  }

  void waits(const std::string& text, const std::string& sha256,
             const std::string& enforcement = "software-enforced", const std::string& gate = "refunds") {
    looked_at = sha256;
    answer(kShow, http_answer(200, kJson, json::to_jcs(waiting(text, sha256, enforcement, gate))));
  }
  /// The same, with another that was denied before.
  void waits_after(const std::string& text, const std::string& before, const std::string& sha256) {
    const auto parsed = json::Document::parse(before);
    BOOST_REQUIRE(parsed.has_value());
    looked_at = digest_of(text);
    Node approval = waiting(text, looked_at, "software-enforced", "refunds");
    approval.set("previous", Node::object({{"id", kBefore},
                                           {"state", "denied"},
                                           {"decided_at", 1'800'000'000},
                                           {"sha256", sha256},
                                           {"document", Node::copy(parsed->root())}}));
    answer(kShow, http_answer(200, kJson, json::to_jcs(approval)));
  }
  static Node waiting(const std::string& text, const std::string& sha256, const std::string& enforcement,
                      const std::string& gate) {
    const auto parsed = json::Document::parse(text);
    BOOST_REQUIRE(parsed.has_value());
    const Node gates = Node::array({Node::object({{"name", gate},
                                                  {"quorum", 1},
                                                  {"approvals", 0},
                                                  {"separation", "requester"},
                                                  {"enforcement", enforcement}})});
    return Node::object({{"id", kId},
                         {"kind", "call"},
                         {"state", "pending"},
                         {"tool", "another tool"},
                         {"principal", "user:eve"},
                         {"key", "k"},
                         {"sha256", sha256},
                         {"enforcement", enforcement},
                         {"gates", gates},
                         {"asked_at", 1},
                         {"expires_at", 2},
                         {"document", Node::copy(parsed->root())}});
  }
  void waits(const std::string& text) { waits(text, digest_of(text)); }

  /// As a script does that has looked at what waits.
  [[nodiscard]] std::vector<std::string> approve_it(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"--yes", "--sha256", looked_at};
    words.insert(words.end(), more.begin(), more.end());
    return approve(words);
  }

  std::string document;   // of the enrolment
  std::string looked_at;  // of what waits
};

}  // namespace

BOOST_AUTO_TEST_SUITE(deciding)

BOOST_FIXTURE_TEST_CASE(what_is_signed_is_the_hash_of_what_was_shown, Stand) {
  const PublicKey key = enroll();
  const std::string text = call_document();
  waits(text);
  const Run done = run(approve_it());
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(contains(done.out, "amount = 101"), done.out);
  BOOST_TEST(contains(done.out, "refunds: amount is above 100"), done.out);
  BOOST_TEST(contains(done.out, "software-enforced"), done.out);
  // What stands beside the document is another's word, and what turns the direction of writing is shown.
  BOOST_TEST(!contains(done.out, "another tool"), done.out);
  BOOST_TEST(!contains(done.out, "\xE2\x80\xAE"), done.out);

  const std::string body = body_of(request(kDecide));
  const std::string jws = member(body, "decision");
  const auto decision = read_approval_decision(jws);
  BOOST_REQUIRE_MESSAGE(decision.has_value(), body);
  BOOST_TEST(decision->approver == kBob);
  BOOST_TEST(decision->request == kId);
  BOOST_TEST(decision->request_sha256 == digest_of(text));
  BOOST_TEST((decision->verdict == ApprovalVerdict::kApprove));
  BOOST_TEST((decision->issued_at >= std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000))));
  BOOST_TEST(verify_approval_decision(jws, key, std::nullopt).has_value());
  BOOST_TEST(member(body, "policy_signature").empty());
}

BOOST_FIXTURE_TEST_CASE(what_changed_since_the_one_before_is_shown, Stand) {
  enroll();
  const std::string before = call_document({}, kBefore, 75);
  waits(call_document());
  BOOST_TEST(contains(run(approve_it()).out, "none is known that is like it"));
  waits_after(call_document(), before, digest_of(before));
  const Run done = run(approve_it());
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(contains(done.out, "arguments > amount: 75 -> 101"), done.out);
  BOOST_TEST(contains(done.out, "denied 2027-01-15T08:00:00Z"), done.out);
  BOOST_TEST(!contains(done.out, "charge:"), done.out);
  waits_after(call_document({}, kId, 75), before, digest_of(before));
  BOOST_TEST(contains(run(approve_it()).out, "nothing is another"));
}

// It keeps nobody from deciding: what is decided about is not it.
BOOST_FIXTURE_TEST_CASE(one_before_that_cannot_be_read_is_compared_with_nothing, Stand) {
  enroll();
  const std::string odd = call_document(R"(,"standing":true)", kBefore, 75);
  for (const auto& [before, sha256] :
       {std::pair(odd, digest_of(odd)), std::pair(call_document({}, kBefore, 75), digest_of("another"))}) {
    waits_after(call_document(), before, sha256);
    const Run done = run(approve_it());
    BOOST_TEST(done.exit == 0, done.err);
    BOOST_TEST(contains(done.out, "cannot read it"), done.out);
    BOOST_TEST(!contains(done.out, "75 ->"), done.out);
  }
}

BOOST_FIXTURE_TEST_CASE(a_denial_says_why, Stand) {
  const PublicKey key = enroll();
  waits(call_document());
  answer(kDecide, http_answer(200, kJson, decided("denied")));
  const Run done = run({"deny", kId, "--reason", "paid already", "--yes"});
  BOOST_TEST(done.exit == 0, done.err);
  const std::string jws = member(body_of(request(kDecide)), "decision");
  const auto decision = read_approval_decision(jws);
  BOOST_REQUIRE(decision.has_value());
  BOOST_TEST((decision->verdict == ApprovalVerdict::kDeny));
  BOOST_TEST(decision->reason == "paid already");
  BOOST_TEST(verify_approval_decision(jws, key, std::nullopt).has_value());
}

// Each leaves the daemon without a decision.
BOOST_FIXTURE_TEST_CASE(nothing_is_signed_that_could_not_be_shown, Stand) {
  enroll();
  const std::string text = call_document();
  const auto refused = [&](const std::string& why, const std::vector<std::string>& command) {
    const Run run_of = run(command);
    BOOST_TEST(run_of.exit == 2, run_of.out);
    BOOST_TEST(contains(run_of.err, why), run_of.err);
    BOOST_TEST(request(kDecide).empty());
  };
  waits(text, digest_of("another"));
  refused("not what its SHA-256 says", approve_it());
  waits(call_document(R"(,"standing":true)"));
  refused("does not know documents of this kind", approve_it());
  waits(text);
  refused("give --sha256", approve({"--yes"}));
  refused("is asked on a terminal", approve({}));
  refused("another than the one that --sha256 names", approve({"--yes", "--sha256", digest_of("another")}));
  refused("give --sha256", approve({"--yes", "--format", "json"}));
  refused("give --yes", approve({"--sha256", digest_of(text), "--format", "json"}));
  refused("one line", approve_it({"--reason", "two\nlines"}));
  answer(kShow, http_answer(404, kProblem, R"({"code":"not_found","detail":"no such approval"})"));
  const Run gone = run(approve_it());
  BOOST_TEST(gone.exit == 1, gone.err);
  BOOST_TEST(request(kDecide).empty());
}

BOOST_FIXTURE_TEST_CASE(nobody_decides_without_a_key, Stand) {
  waits(call_document());
  const Run done = run(approve_it());
  BOOST_TEST(done.exit == 2);
  BOOST_TEST(contains(done.err, "chancery approver enroll"), done.err);
}

BOOST_FIXTURE_TEST_CASE(a_person_says_yes_on_a_terminal, Stand) {
  enroll();
  waits(call_document());
  const std::map<std::string, std::string> environment{
      {"CHANCERY_SOCKET", socket()}, {"XDG_CONFIG_HOME", (chancery().folder() / "config").string()}};
  {
    Terminal terminal({"approve", kId}, environment);
    terminal.expect("Type yes:");
    BOOST_TEST(contains(terminal.shown(), "amount = 101"), terminal.shown());
    terminal.type("y\n");
    BOOST_TEST(terminal.end() == 2, terminal.shown());
    BOOST_TEST(request(kDecide).empty());
  }
  Terminal terminal({"approve", kId}, environment);
  terminal.expect("Type yes:");
  terminal.type("yes\n");
  BOOST_TEST(terminal.end() == 0, terminal.shown());
  BOOST_TEST(!request(kDecide).empty());
}

// --- who decides

BOOST_FIXTURE_TEST_CASE(an_enrolment_is_vouched_for_by_a_signature_over_it, Stand) {
  const PublicKey key = enroll({"--group", "ops", "--group", "finance"});
  BOOST_TEST(read_enrolment(document)->groups.size() == 2U);
  const SigningKey carol = *SigningKey::generate(Algorithm::kES256);
  const Enrolment enrolment{"user:carol@example.org", {"ops"}, carol.public_key(), "file", "", ""};
  const std::string text = enrolment_document(enrolment);
  answer("POST /v1/approvers",
         http_answer(201, kJson, R"({"groups":["ops"],"keys":[],"principal":"user:carol@example.org"})"));
  const Run done = run({"approver", "enroll", "--document", "-", "--yes"}, text + "\n");
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(contains(done.out, carol.public_key().thumbprint().text()), done.out);
  const std::string body = body_of(request("POST /v1/approvers"));
  const std::string jws = member(body, "authorization");
  const auto said = read_enrolment_authorization(jws);
  BOOST_REQUIRE_MESSAGE(said.has_value(), body);
  BOOST_TEST(said->approver == kBob);
  BOOST_TEST(said->audience == kIssuer);
  BOOST_TEST(said->document_sha256 == digest_of(text));
  BOOST_TEST(verify_enrolment_authorization(jws, key, std::nullopt).has_value());
  BOOST_TEST(run({"approver", "enroll", "--document", "-", "--yes"}, text + ",").exit == 2);
  BOOST_TEST(run({"approver", "enroll"}).exit == 2);
}

// Whom a gate names takes the operator besides, who need not be an approver.
BOOST_FIXTURE_TEST_CASE(what_an_approver_has_signed_is_sent_by_the_operator, Stand) {
  const PublicKey key = enroll({"--group", "ops"});
  const SigningKey carol = *SigningKey::generate(Algorithm::kES256);
  const Enrolment enrolment{"user:carol@example.org", {"ops"}, carol.public_key(), "file", "", ""};
  const std::string text = enrolment_document(enrolment);
  const std::string file = (chancery().folder() / "signed.json").string();
  const Run written = run({"approver", "enroll", "--document", "-", "--out", file, "--yes"}, text);
  BOOST_TEST(written.exit == 0, written.err);
  BOOST_TEST(request("POST /v1/approvers").empty());
  BOOST_TEST(contains(written.err, "--signed"), written.err);

  answer("POST /v1/approvers",
         http_answer(201, kJson, R"({"groups":["ops"],"keys":[],"principal":"user:carol@example.org"})"));
  const Run sent = run({"approver", "enroll", "--signed", file, "--yes"});
  BOOST_TEST(sent.exit == 0, sent.err);
  BOOST_TEST(contains(sent.out, carol.public_key().thumbprint().text()), sent.out);
  BOOST_TEST(contains(sent.out, kBob), sent.out);
  const std::string body = body_of(request("POST /v1/approvers"));
  BOOST_TEST(verify_enrolment_authorization(member(body, "authorization"), key, std::nullopt).has_value());
  BOOST_TEST(run({"approver", "enroll", "--signed", file, "--document", "-"}).exit == 2);
  BOOST_TEST(run({"approver", "enroll", "--signed", file, "--out", file}).exit == 2);
  BOOST_TEST(run({"approver", "enroll", "--signed", "-", "--yes"}, text).exit == 2);
}

BOOST_FIXTURE_TEST_CASE(a_new_key_replaces_the_old_one_when_the_daemon_has_it, Stand) {
  const PublicKey before = enroll();
  const std::string person = R"({"groups":["ops"],"keys":[],"principal":"user:bob@example.org"})";
  answer("GET /v1/approvers/user%3Abob%40example.org", http_answer(200, kJson, person));
  answer("POST /v1/approvers", http_answer(409, kProblem, R"({"code":"conflict","detail":"not now"})"));
  BOOST_TEST(run({"approver", "rotate", "--yes"}).exit == 1);
  const std::string first = body_of(request("POST /v1/approvers"));
  // The key that decides is the old one until then, and a second try takes the same new one.
  answer("POST /v1/approvers", http_answer(201, kJson, person));
  const Run rotated = run({"approver", "rotate", "--yes", "--format", "json"});
  BOOST_TEST(rotated.exit == 0, rotated.err);
  const std::string second = body_of(request("POST /v1/approvers"));
  BOOST_TEST(
      verify_enrolment_authorization(member(second, "authorization"), before, std::nullopt).has_value());
  const auto parsed = json::Document::parse_borrowed(second);
  const auto parsed_first = json::Document::parse_borrowed(first);
  BOOST_REQUIRE((parsed && parsed_first));
  const std::string enrolment = json::to_jcs(*parsed->root().find("enrolment"));
  BOOST_TEST(enrolment == json::to_jcs(*parsed_first->root().find("enrolment")));
  const auto read = read_enrolment(enrolment);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->replaces == before.thumbprint().text());
  BOOST_TEST(member(rotated.out, "jkt") == read->key.thumbprint().text());

  waits(call_document());
  BOOST_TEST(run(approve_it()).exit == 0);
  const std::string jws = member(body_of(request(kDecide)), "decision");
  BOOST_TEST(verify_approval_decision(jws, read->key, std::nullopt).has_value());
}

// --- a gate that a TPM enforces

struct GateStand : Stand {
  GateStand() : issuer(*SigningKey::generate(Algorithm::kES256)), bob(enroll()) {
    policy = {{bob, SigningKey::generate(Algorithm::kES256)->public_key()}, 1, "deploy"};
    answer("GET /v1/approvers", http_answer(200, kJson, approvers()));
    show_gate(issuer.public_key());
  }

  [[nodiscard]] attest::Name name_of(const PublicKey& key) const {
    TPMT_PUBLIC area = attest::gated_key_area(*attest::gate_policy_digest(policy));
    area.unique.ecc.x.size = area.unique.ecc.y.size = 32;
    std::copy(key.x().begin(), key.x().end(), area.unique.ecc.x.buffer);
    std::copy(key.y().begin(), key.y().end(), area.unique.ecc.y.buffer);
    const auto judged = attest::judge_gated_key(*attest::write_public(area), policy);
    BOOST_REQUIRE(judged.has_value());
    return judged->name;
  }
  [[nodiscard]] std::string approvers() const {
    Node list = Node::array();
    const std::array names{std::string(kBob), std::string("user:carol@example.org")};
    for (std::size_t i = 0; i < names.size(); ++i) {
      const PublicKey& key = policy.approvers[i];
      list.push_back(Node::object({{"principal", names[i]},
                                   {"groups", Node::array()},
                                   {"keys", Node::array({Node::object({{"jkt", key.thumbprint().text()},
                                                                       {"kind", "file"},
                                                                       {"jwk", Node::canonical(key.jwk())},
                                                                       {"state", "active"},
                                                                       {"enrolled_at", 1},
                                                                       {"enrolled_by", "operator"}})})}}));
    }
    return json::to_jcs(Node::object({{"approvers", std::move(list)}}));
  }
  void show_gate(const PublicKey& key) { show_gate(key, hex_encode(name_of(key))); }
  void show_gate(const PublicKey& key, const std::string& name) {
    const Node gate = Node::object({{"name", "deploy"},
                                    {"scopes", Node::array({"deploy.*"})},
                                    {"tools", Node::array()},
                                    {"when", "always"},
                                    {"approvers", Node::array({kBob, "user:carol@example.org"})},
                                    {"quorum", 1},
                                    {"separation", "requester"},
                                    {"wait_s", 900},
                                    {"lifetime_s", 300},
                                    {"enforcement", "tpm-enforced"},
                                    {"key", Node::canonical(key.jwk())},
                                    {"key_name", name}});
    answer("GET /v1/gates",
           http_answer(200, kJson, json::to_jcs(Node::object({{"gates", Node::array({gate})}}))));
  }
  /// A grant that waits, to be signed by this key.
  std::string waits_for_grant(const PublicKey& signer) {
    const Claims claims = root_claims(bob);
    const std::string input = UnsignedToken::encode(claims, signer, false).signing_input();
    const std::string text = json::to_jcs(
        Node::object({{"typ", "chancery-approval-request"},
                      {"v", 1},
                      {"kind", "grant"},
                      {"id", kId},
                      {"gates", Node::array({Node::object({{"gate", "deploy"}, {"why", "always"}})})},
                      {"principal", claims.sub},
                      {"client_id", claims.client_id},
                      {"key", claims.holder.text()},
                      {"asked_by", "uid:0"},
                      {"asked_at", 1800000000},
                      {"expires_at", 4000000000},
                      {"unsigned_token", input}}));
    waits(text, digest_of(text), "tpm-enforced", "deploy");
    return input;
  }

  SigningKey issuer;
  PublicKey bob;
  attest::GatePolicy policy;
};

BOOST_FIXTURE_TEST_CASE(for_a_tpm_is_signed_what_was_pinned_and_shown, GateStand) {
  const std::string input = waits_for_grant(issuer.public_key());
  const Run unpinned = run(approve_it());
  BOOST_TEST(unpinned.exit == 2);
  BOOST_TEST(contains(unpinned.err, "chancery gate pin deploy"), unpinned.err);
  const Run pinned = run({"gate", "pin", "deploy", "--without-evidence", "--yes"});
  BOOST_TEST(pinned.exit == 0, pinned.err);
  BOOST_TEST(contains(pinned.out, hex_encode(name_of(issuer.public_key()))), pinned.out);

  const Run done = run(approve_it());
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(contains(done.out, "would be granted"), done.out);
  BOOST_TEST(contains(done.err, "deploy: pinned without evidence"), done.err);
  BOOST_TEST(contains(done.out, "ledger.*"), done.out);
  const auto signature = base64url_decode_exactly<64>(member(body_of(request(kDecide)), "policy_signature"));
  BOOST_REQUIRE(signature.has_value());
  const Bytes message =
      attest::policy_signature_input(name_of(issuer.public_key()), as_bytes(input), "deploy");
  BOOST_TEST(verify_signature(bob, sha256(message), message, *signature));
}

BOOST_FIXTURE_TEST_CASE(another_key_than_the_pinned_one_gets_no_signature, GateStand) {
  BOOST_TEST(run({"gate", "pin", "deploy", "--without-evidence", "--yes"}).exit == 0);
  const PublicKey other = SigningKey::generate(Algorithm::kES256)->public_key();
  waits_for_grant(other);
  show_gate(other);
  const Run refused = run(approve_it());
  BOOST_TEST(refused.exit == 2);
  BOOST_TEST(contains(refused.err, "another key than the gate's"), refused.err);
  BOOST_TEST(contains(refused.err, "chancery gate pin --replace"), refused.err);
  BOOST_TEST(request(kDecide).empty());
  const Run again = run({"gate", "pin", "deploy", "--without-evidence", "--yes"});
  BOOST_TEST(again.exit == 2);
  BOOST_TEST(contains(again.err, "--replace"), again.err);
  BOOST_TEST(run({"gate", "pin", "deploy", "--without-evidence", "--yes", "--replace"}).exit == 0);
  BOOST_TEST(run(approve_it()).exit == 0);
}

BOOST_FIXTURE_TEST_CASE(a_pin_that_cannot_be_read_is_said_and_replaced, GateStand) {
  const std::vector<std::string> pin{"gate", "pin", "deploy", "--without-evidence", "--yes"};
  BOOST_TEST(run(pin).exit == 0);
  std::size_t spoilt = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(chancery().folder())) {
    if (!entry.is_regular_file() || entry.path().parent_path().filename() != "gates") continue;
    std::ofstream(entry.path(), std::ios::trunc) << "{}";
    ++spoilt;
  }
  BOOST_REQUIRE(spoilt == 1u);
  const Run listed = run({"gate", "list"});
  BOOST_TEST(listed.exit == 0, listed.err);
  BOOST_TEST(contains(listed.out, "deploy"), listed.out);
  BOOST_TEST(contains(listed.out, "`chancery gate pin --replace` pins it anew"), listed.out);
  BOOST_TEST(contains(run({"gate", "list", "--format", "json"}).out, R"("error":"malformed")"));
  BOOST_TEST(run(pin).exit != 0);
  std::vector<std::string> replace = pin;
  replace.emplace_back("--replace");
  const Run replaced = run(replace);
  BOOST_TEST(replaced.exit == 0, replaced.err);
  BOOST_TEST(contains(run({"gate", "list"}).out, "evidence: none"));
}

BOOST_FIXTURE_TEST_CASE(a_key_that_is_behind_no_such_policy_is_not_pinned, GateStand) {
  const PublicKey other = SigningKey::generate(Algorithm::kES256)->public_key();
  show_gate(other, hex_encode(name_of(issuer.public_key())));
  const Run refused = run({"gate", "pin", "deploy", "--without-evidence", "--yes"});
  BOOST_TEST(refused.exit == 2);
  BOOST_TEST(contains(refused.err, "not behind the signatures of these approvers"), refused.err);
}

// Of a denial the TPM is told nothing.
BOOST_FIXTURE_TEST_CASE(a_denial_signs_nothing_for_the_tpm, GateStand) {
  waits_for_grant(issuer.public_key());
  const Run done = run({"deny", kId, "--yes"});  // without a pin
  BOOST_TEST(done.exit == 0, done.err);
  BOOST_TEST(member(body_of(request(kDecide)), "policy_signature").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
