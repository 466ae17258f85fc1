// Persons with keys of their own at a real daemon, by the real program: who counts, and what a signature is enough for.

#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>

#include "tests/integration/daemon/approver_desk.hpp"
#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/daemon/known_asker.hpp"
#include "tests/integration/daemon/remote_office.hpp"

namespace chancery::tests {
namespace {

constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kCarol = "user:carol@example.org";

constexpr const char* kGate = R"([[gate]]
name = "refunds"
scopes = ["payments.refund"]
approvers = ["user:bob@example.org", "user:carol@example.org"]
quorum = 2
)";

/// A daemon with TLS and a gate of two, an agent behind it, Bob who is enrolled, and Carol.
struct Persons {
  /// \param asker  the section that says who the user of this test is; empty: nobody knows
  explicit Persons(const std::string& asker = {})
      : office(start(kept, asker)), bob(*office.daemon, kBob), carol(*office.daemon, kCarol) {
    bob.does({"approver", "enroll", kBob, "--first"});
    carols_key = bob.vouches(carol.enrolment());
    answered(office.daemon->client().create_agent(agent_of("orchestrator", ::geteuid())));
    chain = answered(office.daemon->client().grant(grant_to("orchestrator"))).chain;
  }

  static std::unique_ptr<DaemonProcess> start(const KeptDaemon& kept, const std::string& asker) {
    DaemonSettings settings = kept.settings();
    settings.extra = asker + kGate;
    auto daemon = std::make_unique<DaemonProcess>(settings);
    daemon->start();
    return daemon;
  }

  [[nodiscard]] api::Decision ask(int amount) const {
    const Client client = office.daemon->client();
    return answered(client.authorize(answered(refund_of(client, chain, amount))));
  }
  [[nodiscard]] std::string waiting(int amount) const {
    const api::Decision decision = ask(amount);
    BOOST_REQUIRE_MESSAGE(decision.approval, decision.outcome);
    return decision.approval->id;
  }
  [[nodiscard]] std::string state_of(const std::string& id) const {
    const Client client = office.daemon->client();
    return answered(ApprovalClient(client).approval(id)).state;
  }
  /// As a script approves that has looked at what waits.
  [[nodiscard]] std::vector<std::string> approval_of(const std::string& id) const {
    const Client client = office.daemon->client();
    return {"approve", id, "--yes", "--sha256", answered(ApprovalClient(client).approval(id)).sha256};
  }
  [[nodiscard]] std::vector<api::ApproverKey> keys_of(const std::string& person) const {
    const Client client = office.daemon->client();
    return answered(ApprovalClient(client).approver(person)).keys;
  }
  [[nodiscard]] std::string key_state(const std::string& person, const std::string& jkt) const {
    for (const api::ApproverKey& key : keys_of(person))
      if (key.jkt == jkt) return key.state;
    return "unknown";
  }

  /// The same command by somebody who is nothing at this daemon: over TLS, without a chain.
  [[nodiscard]] std::vector<std::string> from_afar(std::vector<std::string> arguments) const {
    const std::string authority = (office.daemon->folder() / "ca.pem").string();
    arguments.insert(arguments.end(), {"--addr", office.address(), "--cacert", authority});
    return arguments;
  }

  KeptDaemon kept;
  RemoteOffice office;
  ApproverDesk bob;
  ApproverDesk carol;
  std::string carols_key;
  std::vector<std::string> chain;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(approvers)

BOOST_FIXTURE_TEST_CASE(a_gate_of_two_is_opened_by_two_persons_and_not_by_two_keys_of_one, Persons) {
  const ApproverDesk laptop(*office.daemon, kBob);
  bob.vouches(laptop.enrolment());
  BOOST_TEST(keys_of(kBob).size() == 2u);

  const std::string id = waiting(20);
  bob.does(approval_of(id));
  BOOST_TEST(state_of(id) == "pending");
  const testing::Run again = laptop.run(approval_of(id));
  BOOST_TEST(again.exit == 1, again.out);
  BOOST_TEST((again.err.find("(conflict)") != std::string::npos), again.err);
  BOOST_TEST(state_of(id) == "pending");
  BOOST_TEST(!ask(20).permitted);

  carol.does(approval_of(id));
  BOOST_TEST(state_of(id) == "approved");
  // Another amount is another request, and the approval is good once.
  BOOST_TEST(waiting(21) != id);
  BOOST_TEST(ask(20).permitted);
  BOOST_TEST(state_of(id) == "used");
  BOOST_TEST(waiting(20) != id);
}

BOOST_FIXTURE_TEST_CASE(a_chain_that_ended_after_the_approval_is_denied, Persons) {
  const std::string id = waiting(20);
  bob.does(approval_of(id));
  carol.does(approval_of(id));
  const Client client = office.daemon->client();
  const api::Authorize question = answered(refund_of(client, chain, 20));
  api::ChangeStatus change;
  change.target = {"principal", "user:alice@example.org"};
  answered(client.revoke(change));
  const api::Decision denied = answered(client.authorize(question));
  BOOST_TEST(!denied.permitted);
  BOOST_TEST(denied.outcome == "revoked");
  BOOST_TEST(state_of(id) == "approved");
}

BOOST_FIXTURE_TEST_CASE(what_a_revoked_key_approved_counts_no_more, Persons) {
  const std::string id = waiting(20);
  bob.does(approval_of(id));
  carol.does(approval_of(id));
  bob.does({"approver", "revoke", carols_key, "--reason", "laptop stolen", "--yes"});
  BOOST_TEST(state_of(id) == "lapsed");
  BOOST_TEST(!ask(20).permitted);
}

// Neither an operator nor the holder of a chain: the signature is what counts.
BOOST_FIXTURE_TEST_CASE(a_person_who_may_nothing_else_enrols_and_ends_own_keys, Persons) {
  const ApproverDesk laptop(*office.daemon, kBob);
  const std::string document = laptop.enrolment();
  const std::string lost = ApproverDesk::key_in(document);
  bob.does(from_afar({"approver", "enroll", "--document", document, "--yes"}));
  BOOST_TEST(key_state(kBob, lost) == "active");

  const testing::Run unsigned_one = bob.run(from_afar({"approver", "revoke", lost, "--yes"}));
  BOOST_TEST(unsigned_one.exit == 1, unsigned_one.out);
  BOOST_TEST((unsigned_one.err.find("(unauthenticated)") != std::string::npos), unsigned_one.err);
  const testing::Run others = carol.run(from_afar({"approver", "revoke", lost, "--sign", "--yes"}));
  BOOST_TEST(others.exit == 1, others.out);
  BOOST_TEST(key_state(kBob, lost) == "active");

  bob.does(from_afar({"approver", "revoke", lost, "--sign", "--reason", "left in a train", "--yes"}));
  BOOST_TEST(key_state(kBob, lost) == "revoked");
}

// Groups stay as they are when a key is replaced: whoever does it must be able to read them.
BOOST_FIXTURE_TEST_CASE(who_may_read_approvers_and_nothing_else_replaces_an_own_key, Persons) {
  const HolderKey key = new_key();
  const std::string file = (carol.chancery.folder() / "reader.pem").string();
  BOOST_REQUIRE(key.save(file));
  const std::string given = carol.chancery.file(
      "chain.txt", join_chain(office.delegated(key, R"({"scopes":["chancery.approvers.read"]})")));
  carol.does(from_afar({"login", "reader", "--key", file, given}));
  const testing::Run unread = carol.run(from_afar({"approver", "rotate", "--yes"}));
  BOOST_TEST(unread.exit == 1, unread.out);
  BOOST_TEST((unread.err.find("chancery.approvers.read") != std::string::npos), unread.err);
  carol.does({"approver", "rotate", "--yes", "--context", "reader"});
  BOOST_TEST(key_state(kCarol, carols_key) == "replaced");
  BOOST_TEST(keys_of(kCarol).size() == 2u);
  const std::string id = waiting(20);
  carol.does(approval_of(id));
}

// --- who asks

BOOST_AUTO_TEST_CASE(who_asked_on_the_socket_does_not_decide_it) {
  const Persons persons(known_asker_section(kBob));
  const std::string id = persons.waiting(20);
  const testing::Run own = persons.bob.run(persons.approval_of(id));
  BOOST_TEST(own.exit == 1, own.out);
  BOOST_TEST((own.err.find("(forbidden)") != std::string::npos), own.err);
  persons.carol.does(persons.approval_of(id));
  BOOST_TEST(persons.state_of(id) == "pending");
}

// --- `chancery init --approver`

namespace {

/// A daemon at which nobody is enrolled, and what `init` says of the first who decides.
struct Beginning : RemoteOffice {
  [[nodiscard]] testing::Run init(testing::Chancery& machine, const std::string& person) const {
    machine.set("CHANCERY_SOCKET", "");
    return machine.run({"init", "--socket", daemon->socket().string(), "--cacert",
                        (daemon->socket().parent_path() / "ca.pem").string(), "--approver", person, "--group",
                        "finance"});
  }
  [[nodiscard]] std::vector<api::Approver> enrolled() const {
    const Client client = daemon->client();
    return answered(ApprovalClient(client).approvers()).approvers;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(init_makes_an_operator_who_is_the_first_approver_by_another_key, Beginning) {
  testing::Chancery machine;
  const testing::Run made = init(machine, kBob);
  BOOST_REQUIRE_MESSAGE(made.exit == 0, made.err);
  const auto persons = enrolled();
  BOOST_REQUIRE(persons.size() == 1u);
  BOOST_TEST(persons.front().principal == kBob);
  BOOST_TEST(persons.front().groups == std::vector<std::string>{"finance"}, boost::test_tools::per_element());
  BOOST_REQUIRE(persons.front().keys.size() == 1u);
  const api::ApproverKey& key = persons.front().keys.front();
  BOOST_TEST(key.state == "active");
  BOOST_TEST(key.enrolled_by == "operator");
  BOOST_TEST((made.out.find(key.jkt) != std::string::npos), made.out);
  // The operator signs with a key that asks nobody: one key for both would decide without a person.
  const auto settings = machine.folder() / "config" / "chancery";
  BOOST_TEST(testing::read_file(settings / "approver" / "key.pem") !=
             testing::read_file(settings / "contexts" / "default" / "key.pem"));
  // Both are of use: the operator from elsewhere, and the approver to vouch for the next.
  BOOST_TEST(machine.run({"agent", "list"}).exit == 0);
  const ApproverDesk carol(*daemon, kCarol);
  const testing::Run vouched = machine.run({"approver", "enroll", "--document", carol.enrolment(), "--yes"});
  BOOST_TEST(vouched.exit == 0, vouched.err);
  BOOST_TEST(enrolled().size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(an_operator_is_made_also_when_somebody_else_is_the_first_approver, Beginning) {
  testing::Chancery first;
  const testing::Run bobs = init(first, kBob);
  BOOST_REQUIRE_MESSAGE(bobs.exit == 0, bobs.err);
  testing::Chancery machine;
  const testing::Run refused = init(machine, kCarol);
  BOOST_TEST(refused.exit == 1, refused.out);
  BOOST_TEST((refused.err.find("(conflict)") != std::string::npos), refused.err);
  BOOST_TEST(enrolled().size() == 1u);
  // The context that was made before is kept and said, and so is the key, for which Bob then vouches.
  BOOST_TEST((machine.run({"context", "list"}).out.find("default *") != std::string::npos), refused.out);
  BOOST_TEST(machine.run({"agent", "list"}).exit == 0);
  const std::string document = (machine.folder() / "enrolment.json").string();
  const testing::Run written = machine.run({"approver", "enroll", kCarol, "--out", document});
  BOOST_REQUIRE_MESSAGE(written.exit == 0, written.err);
  const testing::Run vouched = first.run({"approver", "enroll", "--document", document, "--yes"});
  BOOST_TEST(vouched.exit == 0, vouched.err);
  BOOST_TEST(enrolled().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
