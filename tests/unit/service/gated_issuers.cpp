// Issuer keys behind gates that a TPM enforces, over their life: who is followed, what ends when, and what is published meanwhile.

#include "daemon/service/gated_issuers.hpp"

#include <atomic>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approver_enrolment.hpp>

#include "daemon/service/gated_grant.hpp"
#include "daemon/service/key_keeper.hpp"
#include "daemon/store/approver_book.hpp"
#include "daemon/store/sqlite.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/wire/approver_messages.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"
#include "tests/unit/service/chain_callers.hpp"
#include "tests/unit/service/office_fixture.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using rest::Response;
using service::Gate;
using store::KeyState;

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kCarol = "user:carol@example.org";

template <typename T>
T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}

/// An office whose issuer keys are in a TPM, and two approvers, each of whom opens the gate `refunds` alone.
struct BehindTpm : OfficeFixture {
  BehindTpm() : BehindTpm(hsm::start_swtpm()) {}
  explicit BehindTpm(simulators::Swtpm tpm) : OfficeFixture(extension_for(tpm)), swtpm(std::move(tpm)) {
    enroll(kBob);
    enroll(kCarol);
    put({gate("refunds", {kBob, kCarol})});
  }
  static Extension extension_for(const simulators::Swtpm& tpm) {
    Extension extension;
    extension.tpm = hsm::open_backend(hsm::options_for(tpm.tcti()));
    extension.issuer_backend = "tpm";
    return extension;
  }

  static Gate gate(const char* name, std::vector<std::string> approvers) {
    Gate out;
    out.name = name;
    out.scopes = {std::string("payments.") + name};
    out.approvers = std::move(approvers);
    out.tpm_enforced = true;
    return out;
  }
  void put(std::vector<Gate> gates) {
    change_policy([&](service::Policy& policy) { policy.gates = std::move(gates); });
  }

  /// The person's next key, in place of the one that there is.
  void enroll(const std::string& person, const char* kind = "file", std::chrono::sys_seconds at = kNow,
              Algorithm algorithm = Algorithm::kES256) {
    SigningKey key = must(SigningKey::generate(algorithm));
    store::NewApproverKey enrolled;
    enrolled.principal = person;
    enrolled.key.jkt = key.public_key().thumbprint();
    enrolled.key.kind = kind;
    enrolled.key.jwk = key.public_key().jwk();
    enrolled.key.credential_id = std::string(kind) == "passkey" ? "AAAA" : "";
    enrolled.key.enrolled_at = at;
    enrolled.key.enrolled_by = "operator";
    const auto former = keys.find(person);
    if (former != keys.end()) {
      enrolled.replaces = enrolled.by = former->second;
    } else if (!keys.empty()) {
      enrolled.by = keys.at(kBob);
    }
    static_cast<void>(must(office().approvers.enroll(enrolled, {.at = kNow, .action = "approver.enroll"})));
    keys.insert_or_assign(person, enrolled.key.jkt);
    signing.insert_or_assign(person, std::move(key));
  }
  Response revoke(const Thumbprint& key, const std::string& authorization = "") {
    return call("POST", "/v1/approver-keys/" + key.text() + "/revoke",
                wire::write(api::RevokeApproverKey{"lost", authorization}), kOperatorUid);
  }
  /// By the person, with the present key.
  Response revoke_by(const std::string& person, const Thumbprint& key) {
    EnrolmentAuthorization word;
    word.approver = person;
    word.audience = office().policy.current()->issuer_url;
    word.document_sha256 = hex_encode(sha256(as_bytes(key_revocation_document({person, key}))));
    word.issued_at = kNow;
    word.key = keys.at(person);
    const std::string input = enrolment_authorization_input(word, Algorithm::kES256);
    return revoke(key, input + "." + base64url_encode(must(signing.at(person).sign(as_bytes(input)))));
  }

  /// The gate's key for who opens it now, published.
  store::Key key_behind(const char* name, std::chrono::sys_seconds at = kNow) {
    const auto policy = office().policy.current();
    for (const Gate& each : policy->gates) {
      if (each.name != name) continue;
      const store::Key key = must(office().gated.current(each, 8h, at, hsm::far_away())).key;
      BOOST_REQUIRE(service::publish_gates(office()));
      return key;
    }
    BOOST_FAIL("no such gate");
    return {};
  }
  store::Key again(const store::Key& key) { return must(store().key(key.stored.public_key.thumbprint())); }
  std::vector<PublicKey> published(const char* name) {
    return office().trust.gate_ceilings().gated.at(name).keys;
  }

  simulators::Swtpm swtpm;
  std::map<std::string, Thumbprint> keys;
  std::map<std::string, SigningKey> signing;  // the same
  std::vector<std::string> complaints;
  service::KeyKeeper keeper{office(), {}, [this](const char* what, const Error& error) {
                              complaints.push_back(std::string(what) + ": " + error.what);
                            }};
};

/// Whether a thread of this process sleeps: in proc(5) the letter after the name in brackets.
bool sleeps(pid_t id) {
  std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_ends = line.rfind(')');
  return name_ends != std::string::npos && line.substr(name_ends, 3) == ") S";
}

/// Does something in a thread of its own.
class Waiter {
 public:
  explicit Waiter(std::function<void()> act)
      : thread_([this, act = std::move(act)] {
          id_ = ::gettid();
          act();
          is_done_ = true;
        }) {}
  /// Whether it comes to wait for something; not if it is done first.
  [[nodiscard]] bool waits() const {
    while (!is_done_) {
      if (id_ != 0 && sleeps(id_) && !is_done_) return true;
      std::this_thread::yield();
    }
    return false;
  }
  void join() { thread_.join(); }

 private:
  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> is_done_ = false;
  std::jthread thread_;  // ends before what it uses
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gated_issuers)

BOOST_FIXTURE_TEST_CASE(a_former_key_counts_for_its_overlap_and_is_destroyed_then, BehindTpm) {
  const store::Key former = key_behind("refunds");
  enroll(kBob);
  const store::Key next = key_behind("refunds");
  BOOST_TEST((next.stored.public_key != former.stored.public_key));
  BOOST_TEST((again(former).state == KeyState::kRotating));
  BOOST_TEST(
      (published("refunds") == std::vector<PublicKey>{next.stored.public_key, former.stored.public_key}));

  keeper.tick(kNow + 1000h);
  BOOST_TEST((again(former).state == KeyState::kRetired));
  BOOST_TEST(again(former).destroyed_at.has_value());
  BOOST_TEST((again(next).state == KeyState::kActive));
  BOOST_TEST((published("refunds") == std::vector<PublicKey>{next.stored.public_key}));
  BOOST_TEST(must(store().intents()).empty());
  for (const std::string& complaint : complaints) BOOST_ERROR(complaint);
}

BOOST_FIXTURE_TEST_CASE(with_an_approvers_key_end_the_gates_keys_that_it_may_have_opened, BehindTpm) {
  put({gate("refunds", {kBob, kCarol}), gate("payouts", {kBob})});
  const store::Key former = key_behind("refunds");
  enroll(kBob);
  const store::Key present = key_behind("refunds");
  const store::Key others = key_behind("payouts");

  const Response revoked = revoke(keys.at(kCarol));
  BOOST_REQUIRE_MESSAGE(revoked.status == 200, revoked.body);
  for (const store::Key& key : {former, present}) {
    BOOST_TEST((again(key).state == KeyState::kRevoked));
    BOOST_TEST(again(key).destroyed_at.has_value());
  }
  BOOST_TEST(published("refunds").empty());
  BOOST_TEST((again(others).state == KeyState::kActive));
  BOOST_TEST((published("payouts") == std::vector<PublicKey>{others.stored.public_key}));
  const store::Key next = key_behind("refunds");
  BOOST_TEST((published("refunds") == std::vector<PublicKey>{next.stored.public_key}));
}

BOOST_FIXTURE_TEST_CASE(without_a_quorum_no_key_of_the_gates_is_left, BehindTpm) {
  change_policy([](service::Policy& policy) { policy.gates[0].quorum = 2; });
  const store::Key key = key_behind("refunds");
  BOOST_REQUIRE(revoke(keys.at(kCarol)).status == 200);
  BOOST_TEST((again(key).state == KeyState::kRevoked));
  BOOST_TEST(published("refunds").empty());
}

// What is found out about a key after it was replaced.
BOOST_FIXTURE_TEST_CASE(a_revocation_of_a_replaced_key_ends_what_it_opened_too, BehindTpm) {
  const Thumbprint replaced = keys.at(kBob);
  const store::Key former = key_behind("refunds");
  enroll(kBob);
  const store::Key present = key_behind("refunds");
  const Response revoked = revoke(replaced);
  BOOST_TEST(revoked.status == 200, revoked.body);
  BOOST_TEST((again(former).state == KeyState::kRevoked));
  BOOST_TEST((again(present).state == KeyState::kActive));
}

// Should the gate come back, its key would count again.
BOOST_FIXTURE_TEST_CASE(with_an_approvers_key_end_the_keys_of_gates_that_are_none_just_then, BehindTpm) {
  put({gate("refunds", {kBob, kCarol}), gate("payouts", {kBob, kCarol})});
  const store::Key gone = key_behind("refunds");
  const store::Key of_software = key_behind("payouts");
  Gate software = gate("payouts", {kBob, kCarol});
  software.tpm_enforced = false;
  put({software});
  BOOST_REQUIRE(revoke(keys.at(kCarol)).status == 200);
  BOOST_TEST((again(gone).state == KeyState::kRevoked));
  BOOST_TEST((again(of_software).state == KeyState::kRevoked));
}

BOOST_FIXTURE_TEST_CASE(no_approver_ends_what_a_key_cannot_have_opened, BehindTpm) {
  const Thumbprint replaced = keys.at(kBob);
  enroll(kBob, "file", kNow + 10s);
  const store::Key later = key_behind("refunds", kNow + 20s);
  put({gate("refunds", {kBob}),
       gate("payouts", {kCarol})});  // which is outdated now, as others open the gate
  static_cast<void>(key_behind("refunds", kNow + 30s));
  const store::Key gone = key_behind("payouts", kNow + 30s);
  put({gate("refunds", {kBob})});
  BOOST_REQUIRE(revoke_by(kBob, replaced).status == 200);
  BOOST_TEST((again(later).state == KeyState::kRotating));
  BOOST_TEST((again(gone).state == KeyState::kActive));
  enroll("user:dave@example.org", "file", kNow + 40s);
  BOOST_REQUIRE(revoke(keys.at("user:dave@example.org")).status == 200);
  BOOST_TEST((again(later).state == KeyState::kRotating));
  BOOST_TEST((again(gone).state == KeyState::kActive));
}

// The clock at a request says nothing of which approvers were looked up for it.
BOOST_FIXTURE_TEST_CASE(a_gates_key_ends_with_whom_it_was_made_for_whatever_the_clock_said, BehindTpm) {
  enroll(kBob, "file", kNow + 60s);
  const store::Key key = key_behind("refunds", kNow);
  BOOST_REQUIRE(revoke(keys.at(kBob)).status == 200);
  BOOST_TEST((again(key).state == KeyState::kRevoked));
}

BOOST_FIXTURE_TEST_CASE(an_approver_whom_no_gate_names_ends_no_gates_key, BehindTpm) {
  constexpr const char* kDave = "user:dave@example.org";
  enroll(kDave);
  const store::Key former = key_behind("refunds");
  put({gate("refunds", {kBob})});
  const store::Key present = key_behind("refunds");
  BOOST_REQUIRE(revoke(keys.at(kDave)).status == 200);
  BOOST_TEST((again(former).state == KeyState::kRotating));
  BOOST_TEST((again(present).state == KeyState::kActive));
}

// Or it would have to be known of each that nobody had opened it.
BOOST_FIXTURE_TEST_CASE(what_nobody_knows_who_opens_it_ends_with_any_key_that_could, BehindTpm) {
  constexpr const char* kDave = "user:dave@example.org";
  constexpr const char* kErin = "user:erin@example.org";
  enroll(kDave);
  enroll(kErin, "file", kNow, Algorithm::kEd25519);
  const store::Key former = key_behind("refunds");
  put({gate("refunds", {kBob})});
  const store::Key present = key_behind("refunds");
  BOOST_REQUIRE(
      must(store::Database::open(database())).execute("DELETE FROM gate_key_approvers"));  // as once
  BOOST_REQUIRE(revoke(keys.at(kErin)).status == 200);
  BOOST_TEST((again(former).state == KeyState::kRotating));
  BOOST_REQUIRE(revoke(keys.at(kDave)).status == 200);
  BOOST_TEST((again(former).state == KeyState::kRevoked));
  BOOST_TEST((again(present).state == KeyState::kActive));
}

BOOST_FIXTURE_TEST_CASE(a_repeated_revocation_ends_what_an_interrupted_one_left_and_nothing_more, BehindTpm) {
  const Thumbprint replaced = keys.at(kBob);
  put({gate("refunds", {kBob, kCarol}), gate("payouts", {kCarol})});
  const store::Key opened = key_behind("refunds");
  const store::Key others = key_behind("payouts");
  enroll(kBob);
  const auto none = [](const store::ParkedCall&) { return store::AuditEntry{}; };
  // It is committed, and nothing else is done.
  static_cast<void>(must(
      office().approvers.revoke(replaced, keys.at(kBob), none, {.at = kNow, .action = "approver.revoke"})));
  put({gate("refunds", {kBob, kCarol})});
  BOOST_REQUIRE((again(opened).state == KeyState::kActive));
  BOOST_TEST(revoke_by(kBob, replaced).status == 409);
  BOOST_TEST((again(opened).state == KeyState::kRevoked));
  const store::Key next = key_behind("refunds");
  BOOST_TEST(revoke_by(kBob, replaced).status == 409);
  BOOST_TEST(revoke(replaced).status == 409);
  BOOST_TEST((again(next).state == KeyState::kActive));
  BOOST_TEST((again(others).state == KeyState::kActive));
}

BOOST_FIXTURE_TEST_CASE(a_change_of_the_configuration_and_a_passkeys_end_leave_the_overlap, BehindTpm) {
  const store::Key former = key_behind("refunds");
  put({gate("refunds", {kBob})});
  const store::Key next = key_behind("refunds");
  BOOST_TEST((next.stored.public_key != former.stored.public_key));
  enroll("user:dave@example.org", "passkey");
  BOOST_REQUIRE(revoke(keys.at("user:dave@example.org")).status == 200);
  BOOST_TEST((again(former).state == KeyState::kRotating));
  BOOST_TEST(published("refunds").size() == 2u);
}

// Whether anybody asks for a grant or not.
BOOST_FIXTURE_TEST_CASE(the_overlap_of_a_former_key_begins_by_itself, BehindTpm) {
  const store::Key former = key_behind("refunds", kNow - 1h);
  keeper.tick(kNow);
  BOOST_TEST((again(former).state == KeyState::kActive));
  put({gate("refunds", {kBob})});
  keeper.tick(kNow + 10s);
  BOOST_TEST((again(former).state == KeyState::kRotating));
  const std::vector<PublicKey> known = published("refunds");
  BOOST_TEST(known.size() == 2u);
  keeper.tick(kNow + 20s);
  BOOST_TEST((published("refunds") == known));
  for (const std::string& complaint : complaints) BOOST_ERROR(complaint);
}

// Or somebody whose key changes each second has the TPM make one each second.
BOOST_FIXTURE_TEST_CASE(what_was_just_made_is_followed_by_itself_only_later, BehindTpm) {
  const store::Key first = key_behind("refunds", kNow);
  const auto made = [this] { return must(store().keys("gate/refunds")).size(); };
  for (auto at = kNow; at < kNow + service::kGateKeySettles; at += 30s) {
    enroll(kBob);
    keeper.tick(at);
  }
  keeper.tick(kNow + service::kGateKeySettles - 1s);
  BOOST_TEST(made() == 1u);
  keeper.tick(kNow + service::kGateKeySettles);
  BOOST_TEST(made() == 2u);
  BOOST_TEST((again(first).state == KeyState::kRotating));
  enroll(kBob);
  keeper.tick(kNow + service::kGateKeySettles + 1s);
  BOOST_TEST(made() == 2u);
  static_cast<void>(
      key_behind("refunds", kNow + service::kGateKeySettles + 2s));  // a grant waits for nothing
  BOOST_TEST(made() == 3u);
  enroll(kBob);
  keeper.tick(kNow - 24h);  // the clock was set back
  BOOST_TEST(made() == 4u);
  for (const std::string& complaint : complaints) BOOST_ERROR(complaint);
}

BOOST_FIXTURE_TEST_CASE(a_gate_has_so_many_keys_at_one_time, BehindTpm) {
  const store::Key first = key_behind("refunds");
  for (std::size_t i = 1; i < service::kMostKeysOfGate; ++i) {
    enroll(kBob);
    static_cast<void>(key_behind("refunds"));
  }
  enroll(kBob);
  const Gate refunds = gate("refunds", {kBob, kCarol});
  const auto refused = office().gated.current(refunds, 8h, kNow, hsm::far_away());
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::kConflict));
  // The keeper says so, and what was granted counts still.
  keeper.tick(kNow + 1h);
  BOOST_TEST(complaints.size() == 1u);
  BOOST_TEST((again(first).state == KeyState::kRotating));
  BOOST_TEST(must(store().keys_in_use("gate/refunds")).size() == service::kMostKeysOfGate);

  static_cast<void>(must(store().change_key(first.stored.public_key.thumbprint(), KeyState::kRevoked, "lost",
                                            {.at = kNow, .action = "key.revoke"})));
  BOOST_TEST(office().gated.current(refunds, 8h, kNow, hsm::far_away()).has_value());
}

namespace {

/// The office's book of approvers, and how often all of it was read.
struct CountedBook final : store::ApproverBook {
  explicit CountedBook(store::ApproverBook& book) : behind(book) {}

  Result<std::vector<store::Approver>> list() override {
    ++lists;
    return behind.list();
  }
  Result<store::Approver> find(std::string_view principal) override { return behind.find(principal); }
  Result<store::Approver> by_key(const Thumbprint& key) override { return behind.by_key(key); }
  Result<bool> has_any() override { return behind.has_any(); }
  std::uint64_t changes() const noexcept override { return behind.changes(); }
  Result<std::uint64_t> enroll(const store::NewApproverKey& key, const store::AuditEntry& audit) override {
    return behind.enroll(key, audit);
  }
  Result<store::EndedApproverKey> revoke(const Thumbprint& key, const std::optional<Thumbprint>& by,
                                         const store::EntryOf& lapsed,
                                         const store::AuditEntry& audit) override {
    return behind.revoke(key, by, lapsed, audit);
  }

  store::ApproverBook& behind;
  int lists = 0;
};

}  // namespace

// It is asked each second.
BOOST_FIXTURE_TEST_CASE(approvers_are_read_once_for_all_gates_until_they_change, BehindTpm) {
  const std::vector<Gate> both{gate("refunds", {kBob}), gate("payouts", {kCarol})};
  put(both);
  for (const char* const name : {"refunds", "payouts"}) static_cast<void>(key_behind(name, kNow - 1h));
  CountedBook book(office().approvers);
  const service::GatedIssuers gated(store(), book, office().life, office().backends, office().trust,
                                    {.backend = "tpm"});
  const auto left_behind = [&] {
    std::vector<std::string> out;
    for (const Gate& each : both) {
      if (must(gated.is_left_behind(each, kNow))) out.push_back(each.name);
    }
    return out;
  };
  for (int i = 0; i < 3; ++i) BOOST_TEST(left_behind().empty());
  BOOST_TEST(book.lists == 1);
  enroll(kCarol);
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(left_behind() == (std::vector<std::string>{"payouts"}), boost::test_tools::per_element());
  BOOST_TEST(book.lists == 2);
  BOOST_REQUIRE(revoke(keys.at(kBob)).status == 200);
  BOOST_TEST(!must(gated.find(both.back())));
  BOOST_TEST((gated.find(both.front()).error().code == ErrorCode::kConfigInvalid));
  BOOST_TEST(book.lists == 3);
}

// As while it waits for the TPM that another makes a key.
BOOST_FIXTURE_TEST_CASE(a_key_is_followed_for_the_approvers_of_then_and_not_of_before, BehindTpm) {
  const store::Key first = key_behind("refunds", kNow - 1h);
  keeper.tick(kNow);  // so that the next has nothing else to do
  put({gate("refunds", {kBob})});
  std::promise<void> begun;
  std::promise<void> end;
  std::jthread maker([&] {
    static_cast<void>(office().gated.follow(
        [&]() -> std::optional<service::PresentGate> {
          begun.set_value();
          end.get_future().wait();
          return std::nullopt;
        },
        kNow, hsm::far_away()));
  });
  begun.get_future().wait();
  Waiter ticking([this] { keeper.tick(kNow + 1s); });
  const bool waits = ticking.waits();
  put({gate("refunds", {kBob, kCarol})});
  end.set_value();
  ticking.join();
  maker.join();
  BOOST_TEST(waits);
  BOOST_TEST((again(first).state == KeyState::kActive));
  BOOST_TEST(must(store().keys("gate/refunds")).size() == 1u);
  for (const std::string& complaint : complaints) BOOST_ERROR(complaint);
}

// --- what signs

// Whatever was decided by the daemon's records: here nothing of the daemon's is asked but the call that has the TPM sign. With fewer persons than the
// quorum there is no policy to show it, and what it says to a daemon that tries all the same is in tests/unit/hsm/gate_policy.cpp.
BOOST_FIXTURE_TEST_CASE(the_tpm_signs_for_the_quorums_words_over_this_token_alone, BehindTpm) {
  constexpr std::uint64_t kBadSignature = 0x5DB;  // TPM_RC_SIGNATURE, of the fifth parameter
  constexpr std::string_view kInput = "eyJhbGciOiJFUzI1NiJ9.eyJzY29wZSI6InBheW1lbnRzIn0";
  Gate both = gate("refunds", {kBob, kCarol});
  both.quorum = 2;
  put({both});
  const service::GatedIssuer issuer = must(office().gated.current(both, 8h, kNow, hsm::far_away()));
  const auto word = [&](const char* person, std::string_view over) {
    const SigningKey& key = signing.at(person);
    const Bytes input = attest::policy_signature_input(issuer.name, as_bytes(over), issuer.policy.gate);
    return hsm::PolicySignature{key.public_key(), must(key.sign(input))};
  };
  const auto sign = [&](const std::vector<hsm::PolicySignature>& words) {
    return office().gated.sign(issuer, kInput, words, hsm::far_away());
  };
  const hsm::PolicySignature bobs = word(kBob, kInput);
  hsm::PolicySignature bobs_as_carols = bobs;
  bobs_as_carols.approver = signing.at(kCarol).public_key();
  const std::string another = std::string(kInput) + "x";

  struct Refused {
    const char* what;
    std::vector<hsm::PolicySignature> words;
    ErrorCode code;
    std::uint64_t native;  ///< what the TPM said; 0: it had nothing to judge
  };
  const std::vector<Refused> rows{
      {"nobody's", {}, ErrorCode::kForbidden, 0},
      {"one person's", {bobs}, ErrorCode::kForbidden, 0},
      {"one person's twice", {bobs, bobs}, ErrorCode::kForbidden, 0},
      {"one person's twice, once as another's",
       {bobs, bobs_as_carols},
       ErrorCode::kSignatureInvalid,
       kBadSignature},
      {"one over another token", {bobs, word(kCarol, another)}, ErrorCode::kSignatureInvalid, kBadSignature},
      {"both over another token",
       {word(kBob, another), word(kCarol, another)},
       ErrorCode::kSignatureInvalid,
       kBadSignature}};
  for (const Refused& row : rows) {
    const auto refused = sign(row.words);
    BOOST_TEST_CONTEXT(row.what) {
      BOOST_REQUIRE(!refused);
      BOOST_TEST(error_name(refused.error().code) == error_name(row.code));
      BOOST_TEST(refused.error().native == row.native);
    }
  }
  const Signature signature = must(sign({bobs, word(kCarol, kInput)}));
  BOOST_TEST(
      verify_signature(issuer.key.stored.public_key, sha256(as_bytes(kInput)), as_bytes(kInput), signature));
}

// --- what is published

BOOST_FIXTURE_TEST_CASE(what_could_not_be_published_is_published_later, BehindTpm) {
  const auto execute = [this](const char* statement) {
    auto other = must(store::Database::open(database()));
    BOOST_REQUIRE(other.execute(statement));
  };
  put({gate("refunds", {kBob, kCarol}), gate("payouts", {kBob})});
  execute("ALTER TABLE keys RENAME TO away");
  BOOST_TEST(!service::publish_gates(office()));
  BOOST_TEST(office().gated.is_stale());
  execute("ALTER TABLE away RENAME TO keys");
  BOOST_REQUIRE(!office().trust.gate_ceilings().gated.contains("payouts"));
  keeper.tick(kNow);
  BOOST_TEST(office().trust.gate_ceilings().gated.contains("payouts"));
  BOOST_TEST(!office().gated.is_stale());
}

BOOST_FIXTURE_TEST_CASE(what_has_not_changed_is_not_published_again, BehindTpm) {
  static_cast<void>(key_behind("refunds"));
  const std::uint64_t before = office().trust.generation();
  BOOST_REQUIRE(service::publish_gates(office()));
  BOOST_TEST(office().trust.generation() == before);
  put({gate("refunds", {kBob, kCarol}), gate("payouts", {kBob})});
  BOOST_REQUIRE(service::publish_gates(office()));
  BOOST_TEST(office().trust.generation() != before);
}

BOOST_FIXTURE_TEST_CASE(whoever_waited_for_another_publishes_the_policy_of_then, BehindTpm) {
  static_cast<void>(key_behind("refunds"));
  std::optional<Waiter> other;  // ends after what it waits for
  std::optional held(office().gated.hold_publishing());
  other.emplace([this] { static_cast<void>(service::publish_gates(office())); });
  BOOST_REQUIRE(other->waits());  // for what is held
  put({gate("payouts", {kBob})});
  const auto policy = office().policy.current();
  BOOST_REQUIRE(office().gated.publish(policy->gates, policy->granted_scopes));
  held.reset();
  other->join();
  const service::GateCeilings known = office().trust.gate_ceilings();
  BOOST_TEST(known.gated.contains("payouts"));
  BOOST_TEST(!known.gated.contains("refunds"));
}

// It is never granted: what is refused in any case is put to nobody.
BOOST_FIXTURE_TEST_CASE(authority_over_the_daemon_is_refused_before_any_gate, BehindTpm) {
  create_story_agents();
  Gate software = gate("payouts", {kBob});
  software.tpm_enforced = false;
  put({gate("refunds", {kBob}), software});
  change_policy([](service::Policy& policy) {
    policy.persons = {{kOperatorUid, "user:operator@example.org"}};
  });
  const auto ask = [&](const std::string& scopes, const std::string& more) {
    return call("POST", "/v1/grants",
                R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://a",)"
                R"("lifetime_s":60,"scopes":)" +
                    scopes + more + "}",
                kOperatorUid);
  };
  for (const std::string scopes : {R"(["chancery.grants.mint"])", R"(["chancery.*"])",
                                   R"(["payments.refunds","chancery.agents.freeze"])"}) {
    for (const std::string more : {"", R"(,"gate":"payouts")", R"(,"gate":"refunds")"}) {
      const Response refused = ask(scopes, more);
      BOOST_TEST(refused.status == 403, scopes << more << ": " << refused.body);
    }
  }
  BOOST_TEST(must(office().approvals.pending(kNow)) == 0u);
  // The same without: it waits for the one gate, and is behind the other one.
  BOOST_TEST(ask(R"(["payments.refunds"])", "").status == 202);
  BOOST_TEST(ask(R"(["crm.read"])", R"(,"gate":"payouts")").status == 201);
  BOOST_TEST(must(office().approvals.pending(kNow)) == 1u);
}

BOOST_FIXTURE_TEST_CASE(who_mints_by_a_chain_waits_at_the_gate_as_the_operator_does, BehindTpm) {
  create_story_agents();
  change_policy([](service::Policy& policy) {
    policy.persons = {{kOperatorUid, "user:operator@example.org"}};
  });
  const ChainCallers callers(*this);
  const ChainCallers::Holder minter = callers.delegate(
      callers.root,
      R"({"scopes":["chancery.grants.mint"],"constraints":[{"key":"chancery.grants.mint#agent","one_of":["orchestrator"]},)"
      R"({"key":"chancery.grants.mint#sub","one_of":["user:alice@example.org"]}]})");
  api::CreateGrant message;
  message.principal = "user:alice@example.org";
  message.agent = "orchestrator";
  message.audience = {"https://a"};
  message.authority.scopes = {"payments.refunds"};
  message.lifetime = 60s;
  const api::Grant waits = must(service::grant(office(), callers.by(minter), message));
  BOOST_TEST(waits.chain.empty());
  BOOST_REQUIRE(waits.approval.has_value());
  const store::ParkedCall request = must(office().approvals.find(waits.approval->id));
  BOOST_TEST((request.state == store::ApprovalState::kPending));
  BOOST_TEST((request.kind == store::ApprovalKind::kGrant));
  // Asked for by the operator too it is another request, and neither opens the gate for the other.
  const Response other =
      call("POST", "/v1/grants",
           R"({"principal":"user:alice@example.org","agent":"orchestrator","audience":"https://a",)"
           R"("lifetime_s":60,"scopes":["payments.refunds"]})",
           kOperatorUid);
  BOOST_TEST(other.status == 202, other.body);
  BOOST_TEST(must(office().approvals.pending(kNow)) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
