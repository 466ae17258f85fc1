#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/sqlite_approval_book.hpp"
#include "daemon/store/sqlite_approval_notices.hpp"
#include "daemon/store/sqlite_approver_book.hpp"
#include "daemon/store/sqlite_gate_book.hpp"
#include "daemon/store/sqlite_incident_book.hpp"
#include "daemon/store/sqlite_ledger.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/unit/daemon/store_records.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::store::testing {

using chancery::testing::TemporaryFolder;
using std::chrono::seconds;

inline constexpr sys_seconds kNow{seconds{1'800'000'000}};
inline constexpr sys_seconds kEnd = kNow + seconds{900};

inline std::string digest_of(const std::string& text) { return hex_encode(sha256(as_bytes(text))); }

inline ParkedCall call_named(const std::string& name, const std::string& key = "key") {
  ParkedCall call;
  call.id = digest_of(name).substr(0, 32);
  call.document = R"({"tool":")" + name + "\"}";
  call.digest = digest_of(call.document);
  call.subject = digest_of("subject of " + name);
  call.runtime = std::string(32, 'a');
  call.token = std::string(64, 'b');
  call.key = Thumbprint{sha256(as_bytes(key))};
  call.first = call.key;
  call.principal = "user:alice@example.org";
  call.tool = "refund";
  call.asked_at = kNow;
  call.expires_at = kEnd;
  return call;
}

/// The same behind a gate that these persons open.
inline ParkedCall gated_call(const std::string& name, std::vector<std::string> approvers,
                             std::uint32_t quorum = 1) {
  ParkedCall call = call_named(name, "key of " + name);
  GateTerms gate;
  gate.gate = "refunds";
  gate.approvers = std::move(approvers);
  gate.quorum = quorum;
  call.gates = {gate};
  return call;
}

inline const std::string kBob = "user:bob@example.org";
inline const std::string kCarol = "user:carol@example.org";
inline const std::string kDave = "user:dave@example.org";

/// A key that no other call gave.
inline ApproverKey fresh_approver_key() {
  const auto made = SigningKey::generate(Algorithm::kEd25519);
  BOOST_REQUIRE(made);
  ApproverKey key;
  key.jkt = made->public_key().thumbprint();
  key.kind = "file";
  key.jwk = made->public_key().jwk();
  key.enrolled_at = kNow;
  key.enrolled_by = "operator";
  return key;
}

/// The books of one state folder, and what tests do with them.
struct ApprovalBooks {
  ApprovalBooks() { open(); }

  void open() {
    const auto journal = must(Journal::open(folder.path()));
    store = make_sqlite_store(journal);
    must(store->seal_with(SecretBytes(Bytes(32, 7))));
    ledger = make_sqlite_ledger(journal);
    book = make_sqlite_approval_book(journal);
    approvers = make_sqlite_approver_book(journal);
    gates = make_sqlite_gate_book(journal);
    incidents = make_sqlite_incident_book(journal);
    notices = make_sqlite_approval_notices(journal);
    store_counts = [journal] { return journal->audit_counts().size; };
  }
  void close() {
    ledger.reset();
    book.reset();
    approvers.reset();
    gates.reset();
    incidents.reset();
    notices.reset();
    store.reset();
    store_counts = nullptr;
  }
  void reopen() {
    close();
    open();
  }

  static Decision decision_of(const ParkedCall& call) {
    static std::atomic<int> count = 0;
    const std::string fresh = std::to_string(++count);
    Decision decision;
    decision.caller = "uid:1";
    decision.at = call.asked_at;
    decision.proof = {Thumbprint{sha256(as_bytes(fresh))}, sha256(as_bytes(fresh)), call.asked_at,
                      call.asked_at + seconds{360}};
    decision.parked = &call;
    return decision;
  }
  Recording record(const ParkedCall& call) {
    return must(ledger->record(decision_of(call), entry("approval.request")));
  }
  void park(const ParkedCall& call) {
    BOOST_REQUIRE((record(call).outcome == Recording::Outcome::kRecorded));
  }
  std::vector<std::string> ids(const ApprovalQuery& query = {}) {
    std::vector<std::string> out;
    for (const ParkedCall& call : must(book->list(query))) out.push_back(call.id);
    return out;
  }
  ApprovalState state_of(const ParkedCall& call) { return must(book->find(call.id)).state; }

  // --- who decides

  Result<std::uint64_t> enroll(const std::string& principal, const ApproverKey& key,
                               std::vector<std::string> groups = {},
                               const std::optional<Thumbprint>& by = std::nullopt,
                               const std::optional<Thumbprint>& replaces = std::nullopt,
                               std::vector<std::string> reserved = {}) {
    NewApproverKey added{principal, std::move(groups), key, replaces, by, std::move(reserved)};
    added.key.enrolled_by = by ? "somebody" : "operator";
    return approvers->enroll(added, entry("approver.enroll", kNow.time_since_epoch().count()));
  }
  /// The first one, by the operator; each later one vouched for by that.
  Thumbprint enrolled(const std::string& principal, std::vector<std::string> groups = {}) {
    const ApproverKey key = fresh_approver_key();
    must(enroll(principal, key, std::move(groups), first_approver));
    if (!first_approver) first_approver = key.jkt;
    return key.jkt;
  }
  Result<EndedApproverKey> revoke(const Thumbprint& key, const std::optional<Thumbprint>& by = std::nullopt) {
    return approvers->revoke(
        key, by, [](const ParkedCall& call) { return entry("approval.lapse " + call.id); },
        entry("approver.revoke", kNow.time_since_epoch().count()));
  }

  static Ballot ballot(const ParkedCall& call, const std::string& principal, const Thumbprint& key,
                       bool approves = true) {
    return {call.id, principal, key, approves, "because", "jws of " + principal, {}};
  }
  Result<Counted> decide(const Ballot& cast, sys_seconds now = kNow) {
    return book->decide(cast, now, [&](const ParkedCall& call) {
      return entry("decided " + std::string(approval_state_name(call.state)));
    });
  }
  ApprovalState decided(const Ballot& cast, sys_seconds now = kNow) {
    return must(decide(cast, now)).call.state;
  }

  /// What is asked for again goes on, once.
  Recording::Outcome use(const ParkedCall& call, sys_seconds now) {
    const AuditEntry audit = entry("approval.use");
    const ApprovalUse approved{call.id, call.subject, &audit};
    Decision decision = decision_of(call);
    decision.parked = nullptr;
    decision.approved = &approved;
    decision.at = now;
    decision.proof.at = now;
    decision.proof.expires_at = now + seconds{360};
    return must(ledger->record(decision, entry("tool.permit"))).outcome;
  }

  TemporaryFolder folder;
  std::unique_ptr<Store> store;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<ApprovalBook> book;
  std::unique_ptr<ApproverBook> approvers;
  std::unique_ptr<GateBook> gates;
  std::unique_ptr<IncidentBook> incidents;
  std::unique_ptr<Outbox> notices;
  std::function<std::uint64_t()> store_counts;  ///< how many entries the log has
  std::optional<Thumbprint> first_approver{};
};

}  // namespace chancery::store::testing
