#include "tests/bench/large_store.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "daemon/store/journal.hpp"
#include "daemon/store/sqlite_audit_book.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;

constexpr std::uint64_t kEntriesTogether = 100'000;  // in a transaction
constexpr std::uint64_t kPrincipals = 500;
// What is written in one transaction stays in memory until its end: the index of references is written at random places.
constexpr const char* kLargeCache = "PRAGMA cache_size = -524288";
constexpr const char* kAgents =
    "SELECT a.id, a.name, k.thumbprint FROM agents a JOIN keys k ON k.seq = a.key ORDER BY a.seq";
constexpr const char* kInsertToken =
    "INSERT INTO tokens (id, jti, parent_id, holder, agent_id, principal, issued_at, expires_at, compact) "
    "VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?)";

struct Agent {
  std::string id;
  std::string name;
  std::string key;
};

sys_seconds now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::string principal_of(std::uint64_t number) {
  return "user:person-" + std::to_string(number % kPrincipals) + "@example.org";
}

// As a random identifier is, and the same each time.
std::string id_of(std::string_view kind, std::uint64_t number) {
  return hex_encode(sha256(as_bytes(std::string(kind) + std::to_string(number)))).substr(0, 32);
}

std::vector<Agent> agents_in(store::Journal& journal) {
  const auto guard = journal.hold();
  store::Query rows = required(journal.database().query(kAgents));
  std::vector<Agent> agents;
  while (required(rows.step())) agents.push_back({rows.text(0), rows.text(1), rows.text(2)});
  if (agents.empty()) fail("there are no agents");
  return agents;
}

// --- tokens

Thumbprint thumbprint_of(const std::string& text) {
  const auto octets = base64url_decode_exactly<32>(text);
  if (!octets) fail("a key has no thumbprint");
  return {*octets};
}

/// A token as an issuer would make it for that holder, which bounds what is spent.
std::string token_for(const Agent& agent, std::uint64_t number, const SigningKey& signer) {
  Claims claims = tests::root_claims({});
  claims.sub = principal_of(number);
  claims.jti = id_of("token", number);
  claims.client_id = "spiffe://bench.example/agent/" + agent.name;
  claims.iat = static_cast<double>(now().time_since_epoch().count());
  claims.exp = claims.iat + 3600;
  claims.holder = thumbprint_of(agent.key);
  claims.authority.constraints = {{"amount", NumberBound{NumberBound::Type::kMaxSubtree, 500}}};
  return tests::sign_token(claims, signer, false);
}

Status insert_token(store::Database& database, const Agent& agent, std::uint64_t number,
                    const SigningKey& signer) {
  const std::string compact = token_for(agent, number, signer);
  const std::string id = hex_encode(sha256(as_bytes(compact.substr(0, compact.rfind('.')))));
  const std::string jti = id_of("token", number);
  const std::string principal = principal_of(number);
  auto insert = database.query(kInsertToken);
  if (!insert) return insert.error();
  insert->bind(id).bind(jti).bind(agent.key).bind(agent.id).bind(principal);
  return insert->bind(now()).bind(now() + 1h).bind(compact).run();
}

void add_tokens(store::Journal& journal, const std::vector<Agent>& agents, int of_each) {
  const SigningKey signer = required(SigningKey::generate(Algorithm::kES256));
  std::uint64_t number = 0;
  const Status written = journal.write([&]() -> Status {
    for (const Agent& agent : agents) {
      for (int i = 0; i < of_each; ++i) {
        if (const Status done = insert_token(journal.database(), agent, ++number, signer); !done) return done;
      }
    }
    return {};
  });
  if (!written) fail(written.error().what);
}

// --- the log

/// What a decision leaves in the log, as long as one is.
store::AuditEntry decision_numbered(std::uint64_t number, const Agent& agent) {
  const std::string decision = id_of("decision", number);
  const std::string token = hex_encode(sha256(as_bytes(agent.id + std::to_string(number % 50))));
  const std::string request = id_of("request", number);
  const std::string principal = principal_of(number);
  store::AuditEntry entry;
  entry.at = now();
  entry.action = "action.authorize";
  entry.members = json::Node::object(
      {{"agent", agent.name},
       {"caller", json::Node::object({{"gid", 1000}, {"pid", 4242}, {"uid", 1000}})},
       {"details", json::Node::object({{"audience", "https://api.example.org"},
                                       {"params", decision + request},
                                       {"scope", "crm.refund"}})},
       {"ids", json::Node::object({{"decision", decision}, {"key", agent.key}, {"token", token}})},
       {"outcome", number % 20 == 0 ? "deny" : "permit"},
       {"principal", principal},
       {"request_id", request}});
  entry.refs = {agent.name, decision, agent.key, token, principal, request};
  return entry;
}

void add_entries(store::Journal& journal, const std::vector<Agent>& agents, std::uint64_t wanted) {
  std::uint64_t number = journal.audit_counts().size;
  const auto entry = [&](std::uint64_t at) {
    return decision_numbered(at, agents[at * 7919 % agents.size()]);
  };
  while (number < wanted) {
    const std::uint64_t last = std::min(wanted, number + kEntriesTogether);
    static_cast<void>(required(journal.mutate(entry(last), [&]() -> Status {
      for (std::uint64_t at = number + 1; at < last; ++at) {
        if (const Status done = journal.append_before(entry(at)); !done) return done;
      }
      return {};
    })));
    number = last;
  }
}

// What the daemon does with its log in the background, for the whole log.
void verify_log(const std::shared_ptr<store::Journal>& journal) {
  const auto log = store::make_sqlite_audit_book(journal);
  const std::uint64_t blocks = journal->audit_counts().size / store::kBlockEntries;
  if (required(log->check_blocks(0, blocks)) != blocks) fail("the log was not read to its end");
}

}  // namespace

FilledStore fill_store(const std::filesystem::path& state, const LargeStore& wanted) {
  const auto journal = required(store::Journal::open(state));
  {
    const auto guard = journal->hold();
    if (!journal->database().execute(kLargeCache)) fail("no memory for the database");
  }
  const std::vector<Agent> agents = agents_in(*journal);
  add_tokens(*journal, agents, wanted.tokens_of_agent);
  add_entries(*journal, agents, wanted.entries);
  verify_log(journal);
  const std::uint64_t middle = wanted.entries / 2;
  return {middle, id_of("request", middle), agents[agents.size() / 2].key};
}

}  // namespace chancery::bench
