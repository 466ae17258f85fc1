// Grants of scopes behind a gate that the TPM enforces: the daemon alone cannot sign them, and an approver's signature is for one token.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/approver_enrolment.hpp>
#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/json/reader.hpp"
#include "tests/integration/cli/chancery_process.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/hand_made_decision.hpp"
#include "tests/integration/daemon/known_asker.hpp"
#include "tests/integration/daemon/published_trust.hpp"
#include "tests/integration/daemon/scrape.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kGrants = R"([grants]
scopes = ["payments.refund", "crm.read"]
)";
constexpr const char* kGate = R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
approvers = ["user:bob@example.org"]
enforcement = "tpm"
)";

/// A daemon whose TPM keeps refunds behind a gate, an agent, and bob with a key of his own.
struct Gated {
  /// \param asker  the section that says who the user of this test is; empty: nobody knows
  explicit Gated(const std::string& gates = kGate, const std::string& asker = known_asker_section())
      : daemon({.tcti = tpm.tcti(), .extra = asker + kGrants + gates}) {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    enroll_first(daemon.client(), kBob, bob.public_key());
  }

  static api::CreateGrant refunds() {
    api::CreateGrant request = grant_to("orchestrator");
    request.authority = {};
    request.authority.scopes = {"payments.refund"};
    return request;
  }

  [[nodiscard]] api::Gate gate() const {
    const Client client = daemon.client();
    const auto gates = answered(ApprovalClient(client).gates()).gates;
    BOOST_REQUIRE(gates.size() == 1u);
    return gates.front();
  }

  /// What bob signs so that the TPM signs this and nothing else.
  [[nodiscard]] std::string for_tpm(const std::string& signing_input) const {
    return policy_signature_by(bob, gate(), signing_input);
  }

  [[nodiscard]] std::string decision_about(const api::PendingApproval& request) const {
    return approval_by(bob, kBob, request);
  }

  [[nodiscard]] ClientResult<api::DecidedApproval> approve(const api::PendingApproval& request,
                                                           const std::string& policy_signature) const {
    const Client client = daemon.client();
    return ApprovalClient(client).decide(request.id, {decision_about(request), policy_signature});
  }

  [[nodiscard]] std::string verdict_of(const std::vector<std::string>& chain) const {
    return answered(daemon.client().verify({chain, {}, {}})).outcome;
  }

  /// A grant of refunds, asked for, approved and given.
  [[nodiscard]] std::vector<std::string> granted() const {
    const api::Grant asked = answered(daemon.client().grant(refunds()));
    BOOST_REQUIRE(asked.approval);
    answered(approve(*asked.approval, for_tpm(member(asked.approval->document, "unsigned_token"))));
    const api::Grant given = answered(daemon.client().grant(refunds()));
    BOOST_REQUIRE(given.chain.size() == 1u);
    return given.chain;
  }

  /// Bob's next key in place of the one that he has, by his own signature.
  void rotate_bob() {
    SigningKey next = SigningKey::generate(Algorithm::kES256).value();
    Enrolment enrolment;
    enrolment.principal = kBob;
    enrolment.key = next.public_key();
    enrolment.kind = "file";
    enrolment.replaces = bob.public_key().thumbprint().text();
    const std::string document = enrolment_document(enrolment);
    EnrolmentAuthorization authorization;
    authorization.approver = kBob;
    authorization.audience = answered(daemon.client().metadata()).issuer;
    authorization.document_sha256 = hex_encode(sha256(as_bytes(document)));
    authorization.issued_at = wall_clock();
    authorization.key = bob.public_key().thumbprint();
    const std::string input = enrolment_authorization_input(authorization, Algorithm::kES256);
    const Client client = daemon.client();
    answered(ApprovalClient(client).enroll({document, signed_by_key(input, *bob.sign(as_bytes(input)))}));
    bob = std::move(next);
  }

  /// Has the daemon read its configuration again, with these gates and no others.
  void configure_gates(const std::string& gates) const {
    const auto file = daemon.folder() / "chancery.toml";
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto next = daemon.folder() / "next.toml";
    std::ofstream(next) << text.substr(0, text.find(kGrants)) << kGrants << gates;
    ::chmod(next.c_str(), 0600);
    std::filesystem::rename(next, file);
    const std::size_t before = rereadings();
    BOOST_REQUIRE(::kill(daemon.pid(), SIGHUP) == 0);
    BOOST_REQUIRE_MESSAGE(eventually([&] { return rereadings() > before; }), daemon.output());
  }
  [[nodiscard]] std::size_t rereadings() const {
    constexpr std::string_view kReadAgain = "the configuration was read again";
    const std::string output = daemon.output();
    std::size_t count = 0;
    for (std::size_t at = output.find(kReadAgain); at != std::string::npos;
         at = output.find(kReadAgain, at + 1))
      ++count;
    return count;
  }

  /// Changes the store of a daemon that is ended, as nobody but the daemon itself should.
  void change_store(const std::string& statements) const {
    sqlite3* connection = nullptr;
    const auto file = daemon.state() / "chancery.db";
    BOOST_REQUIRE(sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    const int done = sqlite3_exec(connection, statements.c_str(), nullptr, nullptr, nullptr);
    const std::string why = sqlite3_errmsg(connection);
    sqlite3_close(connection);
    BOOST_REQUIRE_MESSAGE(done == SQLITE_OK, why);
  }
  /// In status lists, as the store of a daemon that is ended has them.
  [[nodiscard]] int places_taken() const {
    sqlite3* connection = nullptr;
    const auto file = daemon.state() / "chancery.db";
    BOOST_REQUIRE(sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    int places = -1;
    const auto read = [](void* out, int, char** values, char**) {
      *static_cast<int*>(out) = std::stoi(values[0]);
      return 0;
    };
    sqlite3_exec(connection, "SELECT coalesce(sum(used), 0) FROM status_lists", read, &places, nullptr);
    sqlite3_close(connection);
    return places;
  }
  /// Notes a request as approved by bob, whatever he did.
  void note_as_approved(const std::string& id, const std::string& decision,
                        const std::string& policy_signature) const {
    const std::string now = std::to_string(wall_clock().time_since_epoch().count());
    const std::string of_request = " WHERE id = '" + id + "';";
    change_store("UPDATE parked_calls SET state = 'approved', approved_at = " + now +
                 ", approved_until = " + now + " + lifetime" + of_request +
                 "INSERT INTO approval_votes (call, principal, key, verdict, gates, at, reason, jws, "
                 "policy_signature) SELECT seq, '" +
                 kBob + "', '" + bob.public_key().thumbprint().text() + "', 'approve', '[\"refunds\"]', " +
                 now + ", '', '" + decision + "', '" + policy_signature + "' FROM parked_calls" + of_request);
  }

  simulators::Swtpm tpm = start_tpm();
  DaemonProcess daemon;
  SigningKey bob = SigningKey::generate(Algorithm::kES256).value();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated_grants)

BOOST_FIXTURE_TEST_CASE(a_grant_behind_the_gate_waits_and_is_signed_under_the_approvers_signature, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  BOOST_TEST(asked.chain.empty());
  BOOST_TEST(member(asked.approval->document, "kind") == "grant");
  const std::string input = member(asked.approval->document, "unsigned_token");
  BOOST_TEST(std::ranges::count(input, '.') == 1);
  BOOST_TEST(answered(daemon.client().grant(refunds())).approval->id == asked.approval->id);

  const auto decided = approve(*asked.approval, for_tpm(input));
  BOOST_REQUIRE_MESSAGE(decided, (decided ? "" : decided.error().detail));
  BOOST_TEST(decided->state == "approved");
  BOOST_TEST(decided->enforcement == api::kTpmEnforced);

  const api::Grant granted = answered(daemon.client().grant(refunds()));
  BOOST_TEST(!granted.approval);
  BOOST_REQUIRE(granted.chain.size() == 1u);
  BOOST_TEST(granted.chain.front().starts_with(input + "."));
  BOOST_TEST(verdict_of(granted.chain) == "valid");

  const api::Grant again = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(again.approval);
  BOOST_TEST(again.approval->id != asked.approval->id);
}

// Whoever runs `chancery grant` could be an approver: nothing is made for a user whom nobody knows.
BOOST_AUTO_TEST_CASE(a_user_whom_nobody_knows_asks_for_no_grant_behind_a_gate) {
  const Gated scene(kGate, "");
  const auto refused = scene.daemon.client().grant(Gated::refunds());
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "forbidden");
  BOOST_TEST((refused.error().detail.find("[console] approvers") != std::string::npos),
             refused.error().detail);
  BOOST_TEST(scene.gate().key_name.empty());
  api::CreateGrant open = Gated::refunds();
  open.authority.scopes = {"crm.read"};
  BOOST_TEST(answered(scene.daemon.client().grant(open)).chain.size() == 1u);
}

// The operator's user is Bob's: what he asks for himself is for somebody else to approve.
BOOST_AUTO_TEST_CASE(who_asks_for_a_grant_does_not_approve_it) {
  const Gated scene(kGate, known_asker_section(kBob));
  const api::Grant asked = answered(scene.daemon.client().grant(Gated::refunds()));
  BOOST_REQUIRE(asked.approval);
  const auto refused = scene.approve(
      *asked.approval, scene.for_tpm(member(asked.approval->document, "unsigned_token")));
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "forbidden", refused.error().detail);
  BOOST_TEST(answered(scene.daemon.client().grant(Gated::refunds())).approval->id == asked.approval->id);
}

BOOST_FIXTURE_TEST_CASE(without_a_signature_for_the_tpm_nothing_is_approved, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  BOOST_TEST(!approve(*asked.approval, {}));
  BOOST_TEST(answered(daemon.client().grant(refunds())).approval->id == asked.approval->id);
}

BOOST_FIXTURE_TEST_CASE(a_signature_for_another_token_signs_nothing, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  const std::string input = member(asked.approval->document, "unsigned_token");
  // Whether the daemon finds that out when it is sent, or the TPM when it is to sign: there is no grant.
  const auto decided = approve(*asked.approval, for_tpm(input + "x"));
  const auto granted = daemon.client().grant(refunds());
  BOOST_TEST((!granted || granted->chain.empty()));
  if (decided) BOOST_TEST(!granted);
}

BOOST_FIXTURE_TEST_CASE(other_scopes_are_granted_as_ever_and_never_together_with_these, Gated) {
  api::CreateGrant request = refunds();
  request.authority.scopes = {"crm.read"};
  const api::Grant granted = answered(daemon.client().grant(request));
  BOOST_TEST(!granted.approval);
  BOOST_TEST(verdict_of(granted.chain) == "valid");
  request.authority.scopes = {"crm.read", "payments.refund"};
  const auto both = daemon.client().grant(request);
  BOOST_REQUIRE(!both);
  BOOST_TEST(both.error().code == "invalid_argument");
}

BOOST_FIXTURE_TEST_CASE(what_keys_may_grant_is_published_for_who_trusts_them, Gated) {
  (void)answered(daemon.client().grant(refunds()));
  const api::Gate found = gate();
  BOOST_TEST(found.enforcement == api::kTpmEnforced);
  BOOST_TEST(!found.key.empty());
  const auto metadata = answered(daemon.client().metadata());
  const std::string ceilings = member(metadata.json, "grant_ceilings");
  BOOST_TEST(member(ceilings, "scopes") == R"(["chancery.*","crm.read"])");
  BOOST_TEST(ceilings.find(R"("scopes":["payments.refund"])") != std::string::npos, ceilings);
  for (const PublicKey& key : answered(daemon.client().jwks()).keys)
    BOOST_TEST(found.key.find(key.jwk()) == std::string::npos);
}

// A place in a status list is taken for good.
BOOST_FIXTURE_TEST_CASE(a_grant_for_which_there_is_no_room_takes_no_place_in_a_status_list, Gated) {
  constexpr int kMostOfKey = 32;
  const auto asked = [&](int which) {
    api::CreateGrant request = refunds();
    request.principal = "user:" + std::to_string(which);
    return daemon.client().grant(request);
  };
  for (int i = 0; i < kMostOfKey; ++i) BOOST_REQUIRE(answered(asked(i)).approval);
  for (int i = 0; i < 3; ++i) {
    const auto over = asked(kMostOfKey + i);
    BOOST_REQUIRE(!over);
    BOOST_TEST(over.error().code == "overloaded", over.error().detail);
  }
  BOOST_REQUIRE(answered(asked(0)).approval);  // waits already
  const std::string text = scrape(daemon);
  const auto counted = [&](const std::string& outcome) {
    return metric(text, "chancery_approval_requests_total{kind=\"grant\",outcome=\"" + outcome + "\"}")
        .value_or(-1);
  };
  BOOST_TEST(counted("parked") == kMostOfKey);
  BOOST_TEST(counted("repeated") == 1);
  BOOST_TEST(counted("refused") == 3);
  daemon.stop();
  BOOST_TEST(places_taken() == kMostOfKey);
}

// --- what does not hang on the daemon

// The daemon itself does not go by the row.
BOOST_FIXTURE_TEST_CASE(what_is_noted_as_approved_without_a_decision_is_not_signed, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  const std::string for_this = for_tpm(member(asked.approval->document, "unsigned_token"));
  daemon.stop();
  note_as_approved(asked.approval->id, "a.b.c", for_this);
  daemon.start();
  const auto refused = daemon.client().grant(refunds());
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "store_corrupt", refused.error().detail);
}

// With the daemon's own check of the signature for the TPM out of the way, what is left is the TPM.
BOOST_FIXTURE_TEST_CASE(what_a_daemon_notes_as_approved_the_tpm_signs_for_the_approvers_words_alone, Gated) {
  const api::Grant asked = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(asked.approval);
  const std::string id = asked.approval->id;
  const std::string input = member(asked.approval->document, "unsigned_token");
  const std::string for_another = for_tpm(input + "x");
  const std::string for_this = for_tpm(input);
  const std::string decision = decision_about(*asked.approval);

  daemon.stop();
  note_as_approved(id, decision, for_another);
  daemon.start();
  const auto refused = daemon.client().grant(refunds());
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().code == "signature_invalid", refused.error().detail);
  // TPM_RC_SIGNATURE of TPM2_PolicySigned, 0x5DB: it was asked, and it refused.
  BOOST_TEST(daemon.output().find("native=1499") != std::string::npos, daemon.output());

  // The same row with what bob would have signed for this token is enough: nothing but the TPM stood in the way.
  daemon.stop();
  change_store("UPDATE approval_votes SET policy_signature = '" + for_this + "';");
  daemon.start();
  const api::Grant granted = answered(daemon.client().grant(refunds()));
  BOOST_REQUIRE(granted.chain.size() == 1u);
  BOOST_TEST(verdict_of(granted.chain) == "valid");
}

// As if the gate were not there: the very key that signs everything else has signed it.
BOOST_AUTO_TEST_CASE(what_the_ungated_key_signed_of_gated_scopes_every_verifier_refuses) {
  const Gated scene("");
  const std::vector<std::string> chain = answered(scene.daemon.client().grant(Gated::refunds())).chain;
  const std::vector<std::string_view> tokens(chain.begin(), chain.end());
  const auto by_library = [&](TrustConfig trust) {
    return std::string(
        outcome_name(verify_chain(tokens, TrustSnapshot(std::move(trust)), wall_clock()).outcome()));
  };
  const TrustConfig unbounded = published_trust(scene.daemon.client(), chain);
  BOOST_TEST(scene.verdict_of(chain) == "valid");
  BOOST_TEST(by_library(unbounded) == "valid");

  scene.configure_gates(kGate);
  BOOST_TEST(scene.verdict_of(chain) == "not_narrower");

  testing::Chancery chancery;
  chancery.set("CHANCERY_SOCKET", scene.daemon.socket().string());
  const auto added = chancery.run({"trust", "add", "--yes"});
  BOOST_REQUIRE_MESSAGE(added.exit == 0, added.err);
  const auto offline = chancery.run({"verify", chain.front()});
  BOOST_TEST(offline.exit == 1, offline.err);
  BOOST_TEST(offline.out.find("not_narrower") != std::string::npos, offline.out);
  const auto remote = chancery.run({"verify", "--remote", chain.front()});
  BOOST_TEST(remote.exit == 1, remote.err);
  BOOST_TEST(remote.out.find("not_narrower") != std::string::npos, remote.out);

  TrustConfig bounded = unbounded;
  bounded.anchors.front().ceiling = Authority{{"chancery.*", "crm.read"}, {}};
  BOOST_TEST(by_library(bounded) == "not_narrower");
  const auto file = chancery.folder() / "config" / "chancery" / "trust.json";
  const auto published = TrustConfig::parse(testing::read_file(file));
  BOOST_REQUIRE_MESSAGE(published, file.string());
  BOOST_TEST(by_library(*published) == "not_narrower");
}

// --- gates and approvers that change

BOOST_FIXTURE_TEST_CASE(what_a_gates_key_signed_counts_when_the_gate_is_gone, Gated) {
  const std::vector<std::string> behind = granted();
  const std::string key = gate().key_name;

  configure_gates("");
  BOOST_TEST(verdict_of(behind) == "valid");
  const api::Grant open = answered(daemon.client().grant(refunds()));
  BOOST_TEST(!open.approval);
  BOOST_TEST(verdict_of(open.chain) == "valid");
  daemon.stop();
  daemon.start();
  BOOST_TEST(verdict_of(behind) == "valid");

  configure_gates(kGate);
  BOOST_TEST(verdict_of(behind) == "valid");
  BOOST_TEST(verdict_of(open.chain) == "not_narrower");
  BOOST_TEST(gate().key_name == key);
  BOOST_TEST(verdict_of(granted()) == "valid");
}

// It is not in the other gate's name that its approvers signed.
BOOST_FIXTURE_TEST_CASE(what_a_gates_key_signed_counts_behind_no_other_gate, Gated) {
  const std::vector<std::string> behind = granted();
  std::string other = kGate;
  other.replace(other.find("\"refunds\""), std::string_view("\"refunds\"").size(), "\"payments\"");
  configure_gates(other);
  BOOST_TEST(verdict_of(behind) == "not_narrower");
}

BOOST_FIXTURE_TEST_CASE(another_key_of_an_approver_is_another_key_of_the_gate, Gated) {
  const std::vector<std::string> former = granted();
  const std::string before = gate().key_name;
  rotate_bob();
  BOOST_TEST(gate().key_name != before);  // none, or the next one by now
  const std::vector<std::string> next = granted();
  BOOST_TEST(!gate().key_name.empty());
  BOOST_TEST(gate().key_name != before);
  BOOST_TEST(verdict_of(former) == "valid");
  BOOST_TEST(verdict_of(next) == "valid");
  // Whoever trusts the daemon from now on gets both.
  const auto metadata = answered(daemon.client().metadata());
  const auto ceilings = json::Document::parse(member(metadata.json, "grant_ceilings"));
  BOOST_REQUIRE(ceilings);
  BOOST_TEST(ceilings->root().find("gates")->items().front().find("keys")->items().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
