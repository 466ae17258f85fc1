// Gates that a TPM opens for several persons together: the real daemon, and for each person a program with a key of its own,
// of which one is in another TPM.

#include <array>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include <chancery/approval_client.hpp>
#include <chancery/approver_enrolment.hpp>
#include <chancery/trust.hpp>
#include <chancery/verify.hpp>

#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/integration/daemon/approver_desk.hpp"
#include "tests/integration/daemon/certified_tpm.hpp"
#include "tests/integration/daemon/daemon_process.hpp"
#include "tests/integration/daemon/hand_made_decision.hpp"
#include "tests/integration/daemon/known_asker.hpp"
#include "tests/integration/daemon/published_trust.hpp"
#include "tests/integration/daemon/started_tpm.hpp"

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using testing::Run;
using Words = std::vector<std::string>;

constexpr const char* kAlice = "user:alice@example.org";
constexpr const char* kErin = "user:erin@example.org";
constexpr const char* kFrank = "user:frank@example.org";
constexpr const char* kBob = "user:bob@example.org";
constexpr const char* kCarol = "user:carol@example.org";  // her key is in a TPM of her own
constexpr const char* kDave = "user:dave@example.org";
const Words kTwo{kBob, kCarol};
const Words kThree{kBob, kCarol, kDave};

/// A gate of two of these persons. \param more  options of the gate, and sections after it
std::string configuration(const Words& persons, const std::string& more) {
  std::string names;
  for (const std::string& person : persons) names += (names.empty() ? "\"" : ", \"") + person + '"';
  return "[grants]\nscopes = [\"payments.refund\", \"crm.read\"]\n"
         "[[gate]]\nname = \"refunds\"\nscopes = [\"payments.refund\"]\nenforcement = \"tpm\"\nquorum = 2\n"
         "approvers = [" +
         names + "]\n" + more;
}

/// A daemon whose TPM keeps refunds behind a gate of two, an agent, and a desk for everybody. Nobody but bob is enrolled yet.
struct Site {
  explicit Site(const Words& named, const std::string& more = known_asker_section())
      : daemon({.tcti = tpm.tcti(), .extra = configuration(named, more)}) {
    daemon.start();
    answered(daemon.client().create_agent(agent_of("orchestrator", ::geteuid())));
    for (const char* const person : {kBob, kCarol, kDave}) desks.try_emplace(person, daemon, person);
    desk(kBob).does({"approver", "enroll", kBob, "--first"});
  }

  [[nodiscard]] const ApproverDesk& desk(const std::string& person) const { return desks.at(person); }
  [[nodiscard]] Words where_made(const std::string& person) const {
    if (person != kCarol) return {};
    return {"--key-in", "tpm", "--tcti", carols_tpm.tcti(), "--allow-simulator"};
  }
  /// \return the key
  std::string enrols(const std::string& person) const {
    return desk(kBob).vouches(desk(person).enrolment(where_made(person)));
  }
  void rotates(const std::string& person) const { desk(person).does({"approver", "rotate", "--yes"}); }

  /// Keeps the gate with what the TPM proves of its key.
  [[nodiscard]] Run pinning(const ApproverDesk& desk, bool in_place_of_another = false) const {
    Words arguments{"gate", "pin", "refunds", "--yes", "--emulator-roots", root_of(tpm)};
    if (in_place_of_another) arguments.emplace_back("--replace");
    return desk.run(arguments);
  }
  void pins(const ApproverDesk& desk, bool in_place_of_another = false) const {
    const Run done = pinning(desk, in_place_of_another);
    BOOST_REQUIRE_MESSAGE(done.exit == 0, desk.person + ": " + done.err);
    BOOST_TEST((done.out.find("tpm-certified-emulated") != std::string::npos), done.out);
  }
  void pin_at(const Words& persons, bool in_place_of_another = false) const {
    for (const std::string& person : persons) pins(desk(person), in_place_of_another);
  }

  /// As a script approves that has looked at what waits.
  [[nodiscard]] static Run approving(const ApproverDesk& desk, const api::PendingApproval& request) {
    return desk.run({"approve", request.id, "--yes", "--sha256", request.sha256});
  }
  void approve(const std::string& person, const api::PendingApproval& request) const {
    const Run done = approving(desk(person), request);
    BOOST_REQUIRE_MESSAGE(done.exit == 0, person + ": " + done.err);
  }

  static api::CreateGrant refunds(const std::string& principal) {
    api::CreateGrant request = grant_to("orchestrator");
    request.principal = principal;
    request.authority = {};
    request.authority.scopes = {"payments.refund"};
    return request;
  }
  /// The request that waits when a grant is asked for.
  [[nodiscard]] api::PendingApproval waiting(const std::string& principal = kAlice) const {
    const api::Grant answer = answered(daemon.client().grant(refunds(principal)));
    BOOST_REQUIRE(answer.approval);
    BOOST_TEST(answer.chain.empty());
    return *answer.approval;
  }
  /// The grant, which must be given now.
  [[nodiscard]] std::vector<std::string> granted(const std::string& principal = kAlice) const {
    const api::Grant answer = answered(daemon.client().grant(refunds(principal)));
    BOOST_TEST(!answer.approval);
    BOOST_REQUIRE(answer.chain.size() == 1u);
    return answer.chain;
  }

  [[nodiscard]] api::Approval shown(const api::PendingApproval& request) const {
    const Client client = daemon.client();
    return answered(ApprovalClient(client).approval(request.id));
  }
  [[nodiscard]] std::string state_of(const api::PendingApproval& request) const {
    return shown(request).state;
  }
  /// How many persons count.
  [[nodiscard]] std::int64_t approvals_of(const api::PendingApproval& request) const {
    const api::Approval approval = shown(request);
    BOOST_REQUIRE(approval.gates.size() == 1u);
    return approval.gates.front().approvals;
  }
  [[nodiscard]] api::Gate gate() const {
    const Client client = daemon.client();
    const auto gates = answered(ApprovalClient(client).gates()).gates;
    BOOST_REQUIRE(gates.size() == 1u);
    return gates.front();
  }
  [[nodiscard]] PublicKey gate_key() const { return required(parse_jwk(gate().key)); }

  [[nodiscard]] std::string verdict_of(const std::vector<std::string>& chain) const {
    return answered(daemon.client().verify({chain, {}, {}})).outcome;
  }
  /// What a verifier elsewhere finds that trusts these keys for refunds, and nobody for anything else.
  [[nodiscard]] std::string verdict_under(const std::vector<PublicKey>& keys,
                                          const std::vector<std::string>& chain) const {
    TrustConfig trust = published_trust(daemon.client(), chain);
    trust.anchors.front().keys = keys;
    trust.anchors.front().ceiling = Authority{{"payments.refund"}, {}};
    const std::vector<std::string_view> tokens(chain.begin(), chain.end());
    return std::string(
        outcome_name(verify_chain(tokens, TrustSnapshot(std::move(trust)), wall_clock()).outcome()));
  }

  simulators::Swtpm tpm = certified_tpm();
  simulators::Swtpm carols_tpm = start_tpm();
  DaemonProcess daemon;
  std::map<std::string, ApproverDesk> desks;
};

/// Refused by whoever says these words: with 1 by the daemon, with 2 by the approver's own program.
void expect_refused(const Run& run, int status, std::string_view words) {
  BOOST_TEST(run.exit == status, run.out);
  BOOST_TEST((run.err.find(words) != std::string::npos), run.err);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gate_quorums)

// --- how many it takes

struct Rule {
  const char* name;
  Words persons;
  std::vector<std::pair<std::string, std::string>> pairs;  ///< who approves, in this order
};
std::ostream& operator<<(std::ostream& out, const Rule& row) { return out << row.name; }

const std::array kRules{
    Rule{"2 of 2", kTwo, {{kBob, kCarol}, {kCarol, kBob}}},
    Rule{"2 of 3", kThree, {{kBob, kCarol}, {kBob, kDave}, {kDave, kCarol}}},
};

BOOST_DATA_TEST_CASE(one_approval_issues_nothing_and_the_second_of_any_pair_does, data::make(kRules), rule) {
  const Site site(rule.persons);
  for (const std::string& person : rule.persons)
    if (person != kBob) site.enrols(person);
  (void)site.waiting();  // which makes the gate's key
  site.pin_at(rule.persons);
  for (const auto& pair : rule.pairs) {
    BOOST_TEST_CONTEXT(pair.first << ", then " << pair.second) {
      const api::PendingApproval request = site.waiting();
      site.approve(pair.first, request);
      BOOST_TEST(site.state_of(request) == "pending");
      BOOST_TEST(site.approvals_of(request) == 1);
      BOOST_TEST(site.waiting().id == request.id);

      site.approve(pair.second, request);
      const api::Approval approved = site.shown(request);
      BOOST_TEST(approved.state == "approved");
      BOOST_TEST(approved.enforcement == api::kTpmEnforced);
      const std::vector<std::string> chain = site.granted();
      BOOST_TEST(chain.front().starts_with(member(request.document, "unsigned_token") + "."));
      BOOST_TEST(site.verdict_of(chain) == "valid");
      BOOST_TEST(site.verdict_under({site.gate_key()}, chain) == "valid");
      const std::vector<PublicKey> others = answered(site.daemon.client().jwks()).keys;
      BOOST_TEST(site.verdict_under(others, chain) == "signature_invalid");
      BOOST_TEST(site.state_of(request) == "used");
    }
  }
}

BOOST_AUTO_TEST_CASE(one_denial_ends_what_another_has_approved) {
  const Site site(kThree);
  site.enrols(kCarol);
  site.enrols(kDave);
  const api::PendingApproval request = site.waiting();
  site.pin_at(kThree);
  site.approve(kBob, request);
  site.desk(kDave).does({"deny", request.id, "--yes", "--sha256", request.sha256, "--reason", "not agreed"});
  BOOST_TEST(site.state_of(request) == "denied");
  expect_refused(Site::approving(site.desk(kCarol), request), 2, "waits for nobody any more");
  const auto asked_again = site.daemon.client().grant(Site::refunds(kAlice));
  BOOST_REQUIRE(!asked_again);
  BOOST_TEST(asked_again.error().code == "forbidden", asked_again.error().detail);
}

// --- who counts

BOOST_AUTO_TEST_CASE(keys_of_one_person_count_once) {
  const Site site(kThree);
  site.enrols(kCarol);
  const SigningKey second = required(SigningKey::generate(Algorithm::kES256));
  Enrolment enrolment;
  enrolment.principal = kBob;
  enrolment.key = second.public_key();
  enrolment.kind = "file";
  const ApproverDesk& bob = site.desk(kBob);
  bob.vouches(bob.chancery.file("second.json", enrolment_document(enrolment) + "\n"));
  const ApproverDesk laptop(site.daemon, kBob);
  bob.vouches(laptop.enrolment());

  const api::PendingApproval request = site.waiting();
  site.pins(laptop);
  site.pins(site.desk(kCarol));
  const Run approved = Site::approving(laptop, request);
  BOOST_REQUIRE_MESSAGE(approved.exit == 0, approved.err);
  expect_refused(Site::approving(laptop, request), 1, "nobody counts twice, by whichever key (conflict)");
  expect_refused(site.pinning(bob), 2, "of a person with several the last one does");
  // The daemon holds that too, of a program that signs for whatever it is told.
  const std::string token = member(request.document, "unsigned_token");
  const Client client = site.daemon.client();
  const auto by_second = ApprovalClient(client).decide(
      request.id, {approval_by(second, kBob, request), policy_signature_by(second, site.gate(), token)});
  BOOST_REQUIRE(!by_second);
  BOOST_TEST(by_second.error().code == "forbidden", by_second.error().detail);

  BOOST_TEST(site.approvals_of(request) == 1);
  BOOST_TEST(site.waiting().id == request.id);
  site.approve(kCarol, request);
  BOOST_TEST(site.verdict_of(site.granted()) == "valid");
}

struct Excluded {
  const char* name;
  std::string person;
  std::string more;       ///< of the configuration
  std::string principal;  ///< for whom it is
  std::string other;      ///< who makes up for it
};
std::ostream& operator<<(std::ostream& out, const Excluded& row) { return out << row.name; }

const std::array kExcluded{
    Excluded{"who asks", kCarol, "separation = \"requester\"\n" + known_asker_section(kCarol), kAlice, kDave},
    Excluded{"for whom it is", kDave, "separation = \"requester\"\n" + known_asker_section(), kDave, kCarol},
};

BOOST_DATA_TEST_CASE(whom_separation_excludes_is_none_of_the_two, data::make(kExcluded), row) {
  const Site site(kThree, row.more);
  site.enrols(kCarol);
  site.enrols(kDave);
  const api::PendingApproval request = site.waiting(row.principal);
  site.pin_at(kThree);
  site.approve(kBob, request);
  expect_refused(Site::approving(site.desk(row.person), request), 1, "somebody else has to (forbidden)");
  BOOST_TEST(site.approvals_of(request) == 1);
  BOOST_TEST(site.waiting(row.principal).id == request.id);
  site.approve(row.other, request);
  BOOST_TEST(site.verdict_of(site.granted(row.principal)) == "valid");
}

// So it is separation that excluded them above, and nothing else.
BOOST_AUTO_TEST_CASE(without_separation_both_of_them_count) {
  const Site site(kThree, "separation = \"none\"\n" + known_asker_section(kCarol));
  site.enrols(kCarol);
  site.enrols(kDave);
  const api::PendingApproval request = site.waiting(kDave);
  site.pin_at({kCarol, kDave});
  site.approve(kCarol, request);
  site.approve(kDave, request);
  BOOST_TEST(site.verdict_of(site.granted(kDave)) == "valid");
}

// --- approvers that change

struct Change {
  const char* name;
  Words before;          ///< who is enrolled
  std::string stays;     ///< has the same key before and after; beside bob
  std::string newcomer;  ///< has a key that opens nothing before
  std::function<void(const Site&)> does;
};
std::ostream& operator<<(std::ostream& out, const Change& row) { return out << row.name; }

const std::array kChanges{
    Change{"an approver's next key", kThree, kDave, kCarol, [](const Site& site) { site.rotates(kCarol); }},
    Change{"one approver more", kTwo, kCarol, kDave, [](const Site& site) { site.enrols(kDave); }},
};

BOOST_DATA_TEST_CASE(what_was_pinned_and_approved_is_for_the_former_approvers_alone, data::make(kChanges),
                     row) {
  const Site site(kThree);
  for (const std::string& person : row.before)
    if (person != kBob) site.enrols(person);
  const api::PendingApproval first = site.waiting();
  site.pin_at(row.before);
  site.approve(kBob, first);
  site.approve(kCarol, first);
  const std::vector<std::string> former = site.granted();
  const PublicKey former_key = site.gate_key();
  const std::string former_name = site.gate().key_name;
  const api::PendingApproval approved = site.waiting(kErin);
  site.approve(kBob, approved);
  site.approve(kCarol, approved);
  const api::PendingApproval half = site.waiting(kFrank);
  site.approve(kBob, half);

  row.does(site);
  BOOST_TEST(site.gate().key_name != former_name);  // none, or the next one by now
  expect_refused(Site::approving(site.desk(row.stays), half), 1, "has another key now");
  BOOST_TEST(site.state_of(half) == "pending");
  // Nothing is granted by what was approved in full, either.
  const api::PendingApproval anew = site.waiting(kErin);
  BOOST_TEST(anew.id != approved.id);
  BOOST_TEST(site.approvals_of(anew) == 0);
  BOOST_TEST(site.gate().key_name != former_name);

  const ApproverDesk& bob = site.desk(kBob);
  expect_refused(Site::approving(bob, anew), 2, "another key than the gate's");
  expect_refused(site.pinning(bob), 2, "--replace");
  expect_refused(Site::approving(bob, anew), 2, "another key than the gate's");
  BOOST_TEST(site.approvals_of(anew) == 0);
  site.pin_at({kBob, row.newcomer}, true);
  site.approve(kBob, anew);
  site.approve(row.newcomer, anew);
  const std::vector<std::string> next = site.granted(kErin);
  BOOST_TEST(site.verdict_of(next) == "valid");
  BOOST_TEST(site.verdict_under({site.gate_key()}, next) == "valid");
  BOOST_TEST(site.verdict_under({former_key}, next) == "signature_invalid");
  BOOST_TEST(site.verdict_of(former) == "valid");
}

BOOST_AUTO_TEST_CASE(with_a_revoked_key_ends_what_the_gate_granted_and_those_who_are_left_open_it) {
  const Site site(kThree);
  const std::string carols = site.enrols(kCarol);
  const std::string daves = site.enrols(kDave);
  const api::PendingApproval request = site.waiting();
  site.pin_at(kThree);
  site.approve(kBob, request);
  site.approve(kCarol, request);
  const std::vector<std::string> chain = site.granted();
  BOOST_TEST(site.verdict_of(chain) == "valid");

  // Whether dave's key has signed for it or not: with any other of the three it would have been enough.
  site.desk(kBob).does({"approver", "revoke", daves, "--reason", "lost", "--yes"});
  BOOST_TEST(site.verdict_of(chain) == "signature_invalid");
  const api::PendingApproval anew = site.waiting();
  expect_refused(site.pinning(site.desk(kDave), true), 2, "your key does not open this gate");
  site.pin_at({kBob, kCarol}, true);
  site.approve(kBob, anew);
  site.approve(kCarol, anew);
  BOOST_TEST(site.verdict_of(site.granted()) == "valid");

  site.desk(kBob).does({"approver", "revoke", carols, "--reason", "lost", "--yes"});
  const auto by_one = site.daemon.client().grant(Site::refunds(kAlice));
  BOOST_REQUIRE(!by_one);
  BOOST_TEST(by_one.error().code == "config_invalid", by_one.error().detail);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
