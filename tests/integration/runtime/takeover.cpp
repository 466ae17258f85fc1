// Whoever has taken the runtime over: a process that the daemon takes for the runtime, with all that this has seen. It gets the
// credentials of the calls that agents make, and no other; it forges no receipt.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <chancery/credential.hpp>
#include <chancery/runtime_client.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/runtime/attack_scene.hpp"
#include "tests/integration/runtime/secret_forms.hpp"

namespace chancery::tests {
namespace {

using Chain = std::vector<std::string>;
using json::Node;
using testing::Chancery;
using testing::Run;

constexpr const char* kRefund = "payments.refund";
constexpr const char* kArguments = R"({"amount":10,"charge":"ch_1"})";
constexpr std::array<const char*, 3> kTools{"refund", "inbox", "query"};
constexpr std::array<const char*, 3> kScopes{kRefund, "mail.read", "db.read"};
constexpr std::array<const char*, 3> kCredentials{"psp", "mailbox", "database"};
constexpr std::array<const char*, 3> kValues{"psp-canary-6a1f", "mail-canary-88d0", "db-canary-3c57"};

/// Three tools with a credential each, and an agent that may use one of them. The test is of the runtime's user: to the daemon
/// it is the runtime.
struct TakenOver : AttackScene {
  TakenOver() : daemon_client(daemon.client()), thief(daemon_client) {
    for (std::size_t i = 0; i < kTools.size(); ++i) {
      put(kCredentials[i], kValues[i], kScopes[i], {kTools[i]});
      declare({.name = kTools[i],
               .scope = kScopes[i],
               .credential = kCredentials[i],
               .arguments = "charge = { type = \"string\" }\namount = { type = \"number\" }",
               .required = R"("charge", "amount")",
               .url = upstream.url() + "/" + kTools[i]});
    }
    runtime.start();
    add_agent("billing");
    chain = granted("user:alice@example.org", "billing",
                    {{kRefund}, {{"amount", NumberBound{NumberBound::Type::kMax, 100}}}});
  }

  /// What an honest runtime would ask for one of the tools, with that chain and proof.
  static api::AskPermit ask_for(std::size_t tool, const Chain& chain, const std::string& proof) {
    api::AskPermit ask;
    ask.action.chain = chain;
    ask.action.proof = proof;
    ask.action.method = "POST";
    ask.action.uri = std::string(kToolsUrl) + "/v1/tools/" + kTools[tool];
    ask.action.audience = kToolsUrl;
    ask.action.scope = kScopes[tool];
    ask.action.params = kArguments;
    ask.tool = kTools[tool];
    ask.credential = kCredentials[tool];
    ask.arguments_sha256 = hex_encode(sha256(as_bytes(kArguments)));
    ask.release = true;
    return ask;
  }
  /// \return the value that it got; empty: none
  std::string take(const api::AskPermit& ask) const {
    const auto permit = thief.ask_permit(ask);
    if (!permit || !permit->credential) return {};
    return std::string(as_text(permit->credential->value.view()));
  }
  std::string honest_proof() const { return proof_of(chain, "refund", kRefund, kArguments); }

  Chain chain;
  const Client daemon_client;
  const RuntimeClient thief;
};

/// What it has to show for a call, that is none.
struct Loot {
  const char* name;
  std::string proof;
  Chain chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(takeover)

BOOST_FIXTURE_TEST_CASE(a_runtime_that_was_taken_over_does_not_drain_the_vault, TakenOver) {
  const std::string old = honest_proof();
  BOOST_REQUIRE(call({"refund", kArguments, chain, old}).status == 200);
  // It is an agent itself, whom nobody has granted anything of that.
  const Chain own = granted("user:alice@example.org", "tools", {{"weather.read"}, {}});
  const std::array loot{
      Loot{"no proof", "", chain},
      Loot{"a proof that was used", old, chain},
      Loot{"a proof by its own key", proof_of(own, "refund", kRefund, kArguments), chain},
      Loot{"its own chain", proof_of(own, "refund", kRefund, kArguments), own},
      Loot{"a proof for no action",
           answered(daemon_client.prove({chain, "POST", std::string(kToolsUrl) + "/v1/tools/refund", {}, {}}))
               .proof,
           chain},
  };
  std::size_t tries = 0;
  for (const Loot& shown : loot) {
    for (std::size_t tool = 0; tool < kTools.size(); ++tool) {
      const std::string got = take(ask_for(tool, shown.chain, shown.proof));
      BOOST_TEST(got.empty(), shown.name << " released the credential of " << kTools[tool]);
      ++tries;
    }
  }
  BOOST_TEST(count("credential.release", "done") == 1u);  // of the agent's own call
  // Each try stands in the log, the used proof once: nothing is written for whoever presents it again and again.
  BOOST_TEST(count("tool.permit", "deny") + count("tool.permit", "refused") >= tries - 1);
  BOOST_TEST(count("tool.permit", "permit") == 1u);
}

BOOST_FIXTURE_TEST_CASE(one_call_that_it_sees_gives_one_credential_once, TakenOver) {
  const std::string proof = honest_proof();
  std::vector<std::string> got;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t tool : {1u, 2u, 0u}) {
      api::AskPermit ask = ask_for(tool, chain, proof);
      got.push_back(take(ask));
      ask.credential = kCredentials[(tool + 1) % kCredentials.size()];  // another's
      got.push_back(take(ask));
    }
  }
  std::erase(got, std::string());
  BOOST_TEST(got == std::vector<std::string>{kValues[0]}, boost::test_tools::per_element());
  BOOST_TEST(count("credential.release", "done") == 1u);
  BOOST_TEST(count("tool.permit", "permit") == 1u);
}

BOOST_FIXTURE_TEST_CASE(it_reads_nothing_in_the_vault_and_uses_no_permit_twice, TakenOver) {
  const auto permit = thief.ask_permit(ask_for(0, chain, honest_proof()));
  BOOST_REQUIRE((permit && permit->credential));
  BOOST_TEST(!thief.use_permit(permit->id));
  BOOST_TEST(!thief.use_permit(std::string(32, '0')));
  BOOST_TEST(count("credential.release", "refused") == 2u);
  BOOST_TEST(count("credential.release", "done") == 1u);
  const std::string answers = send_over_unix(daemon.socket(), {"GET", "/v1/credentials"}).body +
                              send_over_unix(daemon.socket(), {"GET", "/v1/credentials/database"}).body;
  for (const char* const value : kValues) BOOST_TEST(form_in(answers, value).empty());
}

// --- receipts

namespace {

/// A call that was made, and its receipt as the runtime answers it.
struct ReceiptScene : TakenOver {
  ReceiptScene() {
    cli.set("CHANCERY_SOCKET", daemon.socket().string());
    good = receipt_of(call(chain, "refund", kRefund, kArguments));
    other = receipt_of(call(chain, "refund", kRefund, kArguments));
  }

  std::string receipt_of(const HttpReply& reply) const {
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
    HttpReply found;
    BOOST_REQUIRE(eventually([&] {
      found = runtime.send("GET", "/v1/receipts/" + member(reply.body, "permit"));
      return found.status == 200;
    }));
    return found.body;
  }
  Run verify(const std::string& document) const { return cli.run({"receipt", "verify", "-"}, document); }

  static std::string document(const std::string& receipt, const std::string& jws) {
    return R"({"receipt":)" + receipt + R"(,"signed":")" + jws + "\"}";
  }
  static std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    BOOST_REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
  }
  /// As the daemon makes one, by a key of the forger's own.
  static std::string forged_list(const std::string& receipt) {
    const auto key = HolderKey::generate();
    BOOST_REQUIRE(key);
    const Node header = Node::object({{"alg", "ES256"},
                                      {"jwk", Node::canonical(key->public_key().jwk())},
                                      {"kid", key->public_key().thumbprint().text()},
                                      {"typ", "chancery-receipts+jwt"}});
    const Node payload =
        Node::object({{"iat", std::stoll(member(receipt, "at"))},
                      {"iss", member(receipt, "runtime")},
                      {"receipts", Node::array({Node(hex_encode(sha256(as_bytes(receipt))))})}});
    const std::string input = signing_input_of(header, payload);
    return input + "." + base64url_encode(*key->sign(as_bytes(input)));
  }

  Chancery cli;
  std::string good;
  std::string other;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_receipt_is_verified_against_the_key_and_the_log, ReceiptScene) {
  const Run verified = verify(good);
  BOOST_TEST(verified.exit == 0, verified.err);
  BOOST_TEST(has(verified.out, "GOOD"));
  BOOST_TEST(has(verified.out, "entry "));
  // With a key that somebody keeps, nobody is asked.
  const std::string jwks = R"({"keys":[)" + answered(daemon_client.agent("tools")).jwk + "]}";
  const Run kept = Chancery().run({"receipt", "verify", "-", "--key", cli.file("keys.json", jwks)}, good);
  BOOST_TEST(kept.exit == 0, kept.err);
  BOOST_TEST(has(kept.out, "not asked"));
}

BOOST_FIXTURE_TEST_CASE(a_receipt_is_good_when_the_key_was_replaced_and_not_when_it_was_revoked,
                        ReceiptScene) {
  const api::Rotation rotated = answered(daemon_client.rotate_agent("tools"));
  const Run replaced = verify(good);
  BOOST_TEST(replaced.exit == 0, replaced.err);
  BOOST_REQUIRE(rotated.former.has_value());
  answered(daemon_client.revoke_key(rotated.former->jkt));
  const Run revoked = verify(good);
  BOOST_TEST(revoked.exit == 1, revoked.out);
  BOOST_TEST(has(revoked.err, "a key of the runtime's that was revoked"), revoked.err);
}

BOOST_FIXTURE_TEST_CASE(a_forged_receipt_is_found_out, ReceiptScene) {
  const std::string receipt = member(good, "receipt");
  const std::string jws = member(good, "signed");
  const std::string result = member(receipt, "result_sha256");
  const std::string changed = replaced(receipt, result, std::string(64, 'a'));
  const std::string unreported =
      replaced(receipt, member(receipt, "permit"), "00000000000000000000000000000000");
  struct Forgery {
    const char* name;
    std::string document;
    const char* why;
    int exit = 1;
  };
  const std::array forgeries{
      Forgery{"a changed result", document(changed, jws), "not among those that are signed"},
      Forgery{"another's signature", document(receipt, member(other, "signed")), "not among those"},
      Forgery{"a key of one's own", document(receipt, forged_list(receipt)), "none of the runtime's"},
      Forgery{"a permit that nobody reported", document(unreported, jws), "not among those"},
      Forgery{"a permit that nobody reported, by a key of one's own",
              document(unreported, forged_list(unreported)), "none of the runtime's"},
      Forgery{"something else that the key signed",
              document(receipt, answered(daemon_client.prove({granted("user:alice@example.org", "tools",
                                                                      {{"weather.read"}, {}}),
                                                              "GET",
                                                              kToolsUrl,
                                                              {},
                                                              {}}))
                                    .proof),
              "no signed list of receipts"},
      Forgery{"no signature yet", R"({"receipt":)" + receipt + "}", "not signed yet", 2},
  };
  BOOST_REQUIRE(member(other, "signed") != jws);
  for (const Forgery& forgery : forgeries) {
    const Run refused = verify(forgery.document);
    BOOST_TEST(refused.exit == forgery.exit, forgery.name << ": " << refused.out);
    BOOST_TEST(has(refused.err, forgery.why), forgery.name << ": " << refused.err);
  }
}

// Whoever has the runtime can have its key sign, and reports what it likes of calls that were made: once for each, in the log.
BOOST_FIXTURE_TEST_CASE(the_daemon_signs_no_receipt_of_a_call_that_was_not_reported, ReceiptScene) {
  const auto open = thief.ask_permit(ask_for(0, chain, honest_proof()));
  BOOST_REQUIRE((open && open->decision.permitted));
  const std::size_t before = count("receipt.sign", "refused");  // what the runtime itself asked as it began
  BOOST_TEST(!thief.sign_receipts({{open->id}}));
  BOOST_TEST(!thief.sign_receipts({{std::string(32, '0')}}));
  const std::string reported = member(member(good, "receipt"), "permit");
  BOOST_TEST(!thief.sign_receipts({{reported, open->id}}));
  BOOST_TEST(count("receipt.sign", "refused") == before + 3);
  api::CallResult lie;
  lie.status = "done";
  lie.result_sha256 = std::string(64, 'a');
  BOOST_TEST(!thief.report_result(reported, lie));
  BOOST_TEST(count("tool.result", "refused") == 1u);
  const Run still = verify(good);
  BOOST_TEST(still.exit == 0, still.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
