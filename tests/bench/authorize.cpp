// Decisions a second, with proof and a budget at two levels, durable, beside the same SQLite transaction alone.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <sqlite3.h>

#include <chancery/proof.hpp>

#include "daemon/service/premises.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "simulators/memory/memory_counter.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using chancery::testing::TemporaryFolder;
using tests::IssuedChain;
using tests::kIssuedNow;

constexpr int kRounds = 9;
constexpr int kCallers = 16;
constexpr int kDecisionsACaller = 100;  // a holder may have a thousand unexpired proofs
constexpr int kBareTransactions = 400;

constexpr const char* kUri = "https://ledger.example.net/transfers";

/// The daemon's use cases on a store of their own, with an operator who is uid 0.
struct Scene {
  explicit Scene(const IssuedChain& chain)
      : premises(store::make_sqlite_books(required(store::Journal::open(folder.path() / "state"))), devices(),
                 required(service::Nonces::create()), options(chain, counter)) {
    premises.trust.publish({}, {});
    premises.spending.tick(kIssuedNow);
  }

  static service::Backends devices() {
    service::Backends backends;
    backends.add("memory", std::make_unique<simulators::MemoryBackend>());
    return backends;
  }

  static service::PremisesOptions options(const IssuedChain& chain, simulators::MemoryCounter& counter) {
    service::PremisesOptions options;
    options.policy.issuer_url = "https://as.example.net";
    options.policy.operators.uids = {0};
    options.anchors.anchors.emplace_back().keys = {chain.keys.front().public_key()};
    options.issuer = {store::kIssuer, "memory", 8h, 32h};
    options.status_keys = {store::kStatusLists, "memory", 8h, 32h};
    options.audit_keys = {store::kAudit, "memory", 8h, 32h};
    options.audit.salts = SecretBytes(Bytes(32, 9));
    options.spending = {.counter = &counter};
    options.cache_tokens = 4096;
    options.complain = [](const char* what, const Error&) { fail(what); };
    return options;
  }

  TemporaryFolder folder;
  simulators::MemoryCounter counter;
  service::Premises premises;
};

// A chain whose root and leaf both bound the same sum.
IssuedChain parents() {
  Claims root = tests::root_claims({});
  root.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 1e9}}};
  return tests::issue_root(root);
}

/// Questions of one holder, each with a proof of its own.
std::vector<api::Authorize> questions_of(const IssuedChain& parent) {
  const SigningKey holder = required(SigningKey::generate(Algorithm::kES256));
  const std::string leaf =
      tests::sign_token(tests::child_claims(parent.leaf(), holder.public_key()), parent.leaf_key(), true);
  std::vector<api::Authorize> questions;
  for (int i = 0; i < kDecisionsACaller; ++i) {
    ProofClaims claims;
    claims.htm = "POST";
    claims.htu = kUri;
    claims.jti = "proof-" + std::to_string(i);
    const auto proof = required(UnsignedProof::encode(claims, leaf, holder.public_key(), kIssuedNow));
    api::Authorize question;
    question.chain = {parent.tokens.front(), leaf};
    question.proof = proof.with(required(holder.sign(as_bytes(proof.signing_input()))));
    question.method = "POST";
    question.uri = kUri;
    question.audience = "https://ledger.example.net";
    question.scope = "ledger.transfer";
    question.params = R"({"amount":0.01})";
    questions.push_back(std::move(question));
  }
  return questions;
}

/// Calls work(0) … work(kCallers - 1) at once, each on a thread; how many of their things a second were done.
template <typename Work>
double per_second(int things, Work work) {
  std::latch start(kCallers + 1);
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < kCallers; ++caller) {
    threads.emplace_back([&, caller] {
      start.arrive_and_wait();
      work(caller);
    });
  }
  start.arrive_and_wait();
  const auto begin = std::chrono::steady_clock::now();
  threads.clear();
  return things / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double decide(Scene& scene, const IssuedChain& parent) {
  std::vector<std::vector<api::Authorize>> questions;
  for (int caller = 0; caller < kCallers; ++caller) questions.push_back(questions_of(parent));
  return per_second(kCallers * kDecisionsACaller, [&](int caller) {
    service::CallContext context;
    context.caller.process = service::Process{};
    context.now = kIssuedNow;
    context.deadline = far_away();
    context.request_id = "bench";
    for (const api::Authorize& question : questions[static_cast<std::size_t>(caller)]) {
      if (!required(service::authorize(scene.premises.office, context, question)).permitted)
        fail("a decision was denied");
    }
  });
}

// --- the same transaction, and nothing else

void expect(int code, int wanted) {
  if (code != wanted) fail("SQLite did not do its part");
}

/// SQLite's own interface on a copy of the schema: one connection, prepared statements, a transaction for each
/// decision with the octets that one writes.
class BareTransactions {
 public:
  explicit BareTransactions(const std::filesystem::path& folder) {
    required(store::Journal::open(folder));  // for the schema; closed at once
    expect(sqlite3_open((folder / "chancery.db").c_str(), &database_), SQLITE_OK);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    proof_ = prepare(
        "INSERT INTO proofs (holder, jti, expires_at) SELECT ?1, ?2, 2 WHERE "
        "(SELECT count(*) FROM proofs WHERE holder = ?1 AND expires_at >= 1) < 1000");
    debit_ = prepare(
        "INSERT INTO totals (token, kind, key, window, spent, expires_at) VALUES (?1, 2, 'amount', 0, 10000, 1) "
        "ON CONFLICT DO UPDATE SET spent = spent + 10000 WHERE spent <= 1000000000000000");
    audit_ = prepare("INSERT INTO audit (at, entry) VALUES (1, ?1)");
  }
  ~BareTransactions() {
    for (sqlite3_stmt* const statement : {begin_, commit_, proof_, debit_, audit_})
      sqlite3_finalize(statement);
    sqlite3_close(database_);
  }
  BareTransactions(const BareTransactions&) = delete;
  BareTransactions& operator=(const BareTransactions&) = delete;

  double per_second() {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kBareTransactions; ++i) transact();
    return kBareTransactions /
           std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

 private:
  void transact() {
    ++count_;
    const std::string holder = base64url_encode(sha256(as_bytes(std::to_string(count_ / kDecisionsACaller))));
    const std::string digest = hex_encode(sha256(as_bytes(std::to_string(count_))));
    step(begin_);
    step(proof_, {holder, digest});
    step(debit_, {hex_encode(sha256(as_bytes(holder)))});
    step(debit_, {kRoot});
    step(audit_, {kEntry});
    step(commit_);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    expect(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr), SQLITE_OK);
    return statement;
  }
  void run(const char* sql) { expect(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr), SQLITE_OK); }
  static void step(sqlite3_stmt* statement, const std::vector<std::string>& texts = {}) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      expect(sqlite3_bind_text(statement, static_cast<int>(i) + 1, texts[i].data(),
                               static_cast<int>(texts[i].size()), SQLITE_STATIC),
             SQLITE_OK);
    }
    expect(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
  }

  const std::string kRoot = std::string(64, 'a');
  const std::string kEntry = std::string(480, 'x');  // an entry of a decision has as many octets
  sqlite3* database_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* proof_ = nullptr;
  sqlite3_stmt* debit_ = nullptr;
  sqlite3_stmt* audit_ = nullptr;
  int count_ = 0;
};

}  // namespace

void bench_authorize(Report& report) {
  const IssuedChain parent = parents();
  Scene scene(parent);
  const TemporaryFolder bare_folder;
  BareTransactions bare(bare_folder.path() / "state");
  const SideBySide figures =
      median_ratio([&] { return decide(scene, parent); }, [&] { return bare.per_second(); }, kRounds);
  report.add("authorize_per_second", figures.a);
  report.add("authorize_bare_per_second", figures.b);
  report.add("authorize_ratio", figures.ratio);
}

}  // namespace chancery::bench
