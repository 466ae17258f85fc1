// Issuer keys behind gates that a TPM enforces, over their life: who is followed, what ends when, and what is published meanwhile.

#include "daemon/service/gated_issuers.hpp"

#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/service/gated_grant.hpp"
#include "daemon/service/key_keeper.hpp"
#include "daemon/store/approver_book.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"
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
  void enroll(const std::string& person, const char* kind = "file") {
    const SigningKey key = must(SigningKey::generate(Algorithm::kES256));
    store::NewApproverKey enrolled;
    enrolled.principal = person;
    enrolled.key.jkt = key.public_key().thumbprint();
    enrolled.key.kind = kind;
    enrolled.key.jwk = key.public_key().jwk();
    enrolled.key.credential_id = std::string(kind) == "passkey" ? "AAAA" : "";
    enrolled.key.enrolled_at = kNow;
    enrolled.key.enrolled_by = "operator";
    const auto former = keys.find(person);
    if (former != keys.end()) {
      enrolled.replaces = enrolled.by = former->second;
    } else if (!keys.empty()) {
      enrolled.by = keys.at(kBob);
    }
    static_cast<void>(must(office().approvers.enroll(enrolled, {.at = kNow, .action = "approver.enroll"})));
    keys.insert_or_assign(person, enrolled.key.jkt);
  }
  Response revoke(const Thumbprint& key) {
    return call("POST", "/v1/approver-keys/" + key.text() + "/revoke", R"({"reason":"lost"})", kOperatorUid);
  }

  /// The gate's key for who opens it now, published.
  store::Key key_behind(const char* name) {
    const auto policy = office().policy.current();
    for (const Gate& each : policy->gates) {
      if (each.name != name) continue;
      const store::Key key = must(office().gated.current(each, 8h, kNow, hsm::far_away())).key;
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
  std::vector<std::string> complaints;
  service::KeyKeeper keeper{office(), {}, [this](const char* what, const Error& error) {
                              complaints.push_back(std::string(what) + ": " + error.what);
                            }};
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
  BOOST_TEST(revoke(replaced).status == 409);
  BOOST_TEST((again(former).state == KeyState::kRevoked));
  BOOST_TEST((again(present).state == KeyState::kActive));
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

// --- what is published

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
  std::jthread other;  // ends after what it waits for
  std::optional held(office().gated.hold_publishing());
  other = std::jthread([this] { static_cast<void>(service::publish_gates(office())); });
  put({gate("payouts", {kBob})});
  const auto policy = office().policy.current();
  BOOST_REQUIRE(office().gated.publish(policy->gates, policy->granted_scopes));
  held.reset();
  other.join();
  const service::GateCeilings known = office().trust.gate_ceilings();
  BOOST_TEST(known.gated.contains("payouts"));
  BOOST_TEST(!known.gated.contains("refunds"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
