// Status lists of a million tokens, and how long a revocation takes until the daemon denies.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/service/token_statuses.hpp"
#include "daemon/store/sqlite_status_book.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/verify/status_list_writer.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/random_source.hpp"

namespace chancery::bench {

void bench_status_serving(Report& report);

namespace {

using tests::IssuedChain;

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kEntries = 1'000'000;
constexpr std::size_t kEnded = 10'000;  // one in a hundred
constexpr int kRounds = 11;
constexpr int kRevocations = 200;
constexpr std::size_t kKnown = 100'000;  // that have ended before

template <typename Work>
double milliseconds(Work work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

StatusList list_of_a_million() {
  tests::RandomSource random(1);
  std::vector<StatusEntry> entries;
  for (std::size_t i = 0; i < kEnded; ++i) {
    entries.push_back({random.below(kEntries), 1 + static_cast<unsigned>(random.below(2))});
  }
  return {"https://issuer.example/v1/status-lists/1",   1'800'000'000.0, 1'800'000'120.0, 60.0, 2,
          required(pack_statuses(entries, kEntries, 2))};
}

std::string sign(const std::string& input, const SigningKey& key) {
  return input + "." + base64url_encode(required(key.sign(as_bytes(input))));
}

void bench_list(Report& report) {
  const SigningKey key = required(SigningKey::generate(Algorithm::kES256));
  const std::vector<VerifyKey> keys{required(VerifyKey::from(key.public_key()))};
  std::vector<double> builds, opens, checks;
  std::string compact;
  for (int round = 0; round < kRounds; ++round) {
    builds.push_back(milliseconds([&] {
      const StatusList list = list_of_a_million();
      compact = sign(required(status_list_signing_input(list, tests::kIssuedNow, key.public_key())), key);
    }));
    opens.push_back(milliseconds([&] { static_cast<void>(required(open_status_list(compact, keys))); }));
    const StatusList list = required(open_status_list(compact, keys)).list;
    unsigned sum = 0;
    checks.push_back(milliseconds([&] {
      for (std::uint64_t index = 0; index < kEntries; ++index) sum += list.at(index).value_or(4);
    }));
    if (sum == 0 || sum > 2 * kEnded) fail("the list says something else than was written");
  }
  report.add("status_list_million_build_ms", median(builds));
  report.add("status_list_million_kib", static_cast<double>(compact.size()) / 1024);
  report.add("status_list_million_open_ms", median(opens));
  report.add("status_list_check_one_ns", median(checks) * 1e6 / static_cast<double>(kEntries));
}

/// A store with one token of an issuer, in a folder of its own.
struct Scene {
  Scene() {
    std::string name = (std::filesystem::temp_directory_path() / "status-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail("no folder can be made");
    folder = name;
    const auto journal = required(store::Journal::open(folder / "state"));
    store = store::make_sqlite_store(journal);
    book = store::make_sqlite_status_book(journal);
  }
  ~Scene() {
    std::error_code ignored;
    book.reset();
    store.reset();
    std::filesystem::remove_all(folder, ignored);
  }

  std::filesystem::path folder;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::StatusBook> book;
};

EndedTokens known_tokens() {
  tests::RandomSource random(2);
  std::vector<EndedTokens::Change> changes(kKnown);
  for (auto& change : changes) {
    for (std::size_t i = 0; i < change.token.size(); ++i) {
      change.token[i] = static_cast<std::uint8_t>(random.bits());
    }
    change.end = TokenEnd::kRevoked;
  }
  return EndedTokens().with(changes);
}

/// The chain's token as the store knows it, signed by this key.
store::IssuedToken record_of(const Token& token) {
  const auto seconds = [](double time) {
    return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(time)));
  };
  store::IssuedToken record;
  record.id = hex_encode(token.digest());
  record.jti = token.claims().jti;
  record.holder = token.claims().holder;
  record.principal = token.claims().sub;
  record.issued_at = seconds(token.claims().iat);
  record.expires_at = seconds(token.claims().exp);
  record.compact = token.compact();
  return record;
}

/// From the call to the denial, among many tokens that have ended before; the commit's sync is in it. The token
/// is suspended, which takes the way that a revocation takes, and can be done again.
void bench_revocation(Report& report) {
  const Scene scene;
  const store::AuditEntry audit{tests::kIssuedNow, "bench"};
  const IssuedChain chain = tests::issue_chain(1);
  store::Key issuer;
  issuer.owner = store::kIssuer;
  issuer.backend = "tpm";
  issuer.stored = {{"daemon", "1"}, chain.keys.front().public_key(), {}};
  required(scene.store->add_key(issuer, {}, audit));
  const Token token = chain.leaf();
  required(scene.store->record_token(record_of(token), issuer.stored.public_key.thumbprint(), audit));
  service::TrustPublisher trust("https://as.example.net", TrustConfig{});
  trust.publish({issuer}, {});
  trust.publish_ended_tokens(known_tokens());
  const auto is_valid = [&] {
    return verify_chain(chain.views(), trust.current(), tests::kIssuedNow).valid();
  };
  if (!is_valid()) fail("the chain should be valid");
  service::TokenStatuses statuses(*scene.book, trust);
  const store::StatusAct act{.kind = store::StatusAct::Kind::kSuspend,
                             .target = {store::StatusTarget::Kind::kToken, hex_encode(token.digest())},
                             .reason = {},
                             .at = tests::kIssuedNow};
  std::vector<double> times;
  for (int i = 0; i < kRevocations; ++i) {
    std::int64_t id = 0;
    times.push_back(milliseconds([&] {
      id = required(statuses.add(act, audit)).id;
      if (is_valid()) fail("a suspended token was accepted");
    }));
    required(statuses.lift(id, audit));
  }
  report.add("revoke_to_deny_ms", median(times));
}

}  // namespace

void bench_status(Report& report) {
  bench_list(report);
  bench_revocation(report);
  bench_status_serving(report);
}

}  // namespace chancery::bench
