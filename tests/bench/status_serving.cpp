// A status list of a million entries over HTTP, by the daemon's own route and edge, beside a bare Beast server that
// sends as many octets from memory.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "daemon/edge/server.hpp"
#include "daemon/rest/router.hpp"
#include "daemon/service/premises.hpp"
#include "daemon/store/sqlite_status_book.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "simulators/memory/memory_backend.hpp"
#include "simulators/memory/memory_counter.hpp"
#include "tests/bench/http_load.hpp"
#include "tests/bench/report.hpp"
#include "tests/bench/scene.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;
using std::filesystem::path;
using testing::TemporaryFolder;

constexpr std::uint64_t kEntries = 1u << 20;
constexpr int kEnded = 10'000;  // one in a hundred
constexpr int kWriters = 16;
constexpr std::size_t kRequests = 5000;
constexpr int kRounds = 5;
constexpr const char* kPrincipal = "user:ana@example.net";
constexpr const char* kRequest = "GET /v1/status-lists/1 HTTP/1.1\r\nHost: localhost\r\n";

sys_seconds now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

store::AuditEntry audit() { return {now(), "bench"}; }

store::IssuedToken token_numbered(int number) {
  store::IssuedToken token;
  token.id = hex_encode(sha256(as_bytes(std::to_string(number))));
  token.jti = token.compact = token.id;
  token.principal = kPrincipal;
  token.issued_at = now();
  token.expires_at = now() + 1h;
  return token;
}

// A state folder with one list, in which some tokens are revoked.
void fill(const path& state) {
  const auto journal = required(store::Journal::open(state));
  const store::Books books = store::make_sqlite_books(journal);
  const auto list = store::make_sqlite_status_book(journal, kEntries);
  store::Key issuer;
  issuer.owner = store::kIssuer;
  issuer.backend = "elsewhere";
  issuer.stored = {{"daemon", "1"}, required(SigningKey::generate(Algorithm::kES256)).public_key(), {}};
  required(books.store->add_key(issuer, {}, audit()));
  std::atomic<int> next = 0;
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&] {
      for (int number = next++; number < kEnded; number = next++) {
        store::IssuedToken token = token_numbered(number);
        token.status = required(list->allocate(token.expires_at));
        required(books.store->record_token(token, issuer.stored.public_key.thumbprint(), audit()));
      }
    });
  }
  writers.clear();
  const store::StatusAct act{.kind = store::StatusAct::Kind::kRevoke,
                             .target = {store::StatusTarget::Kind::kPrincipal, kPrincipal},
                             .reason = {},
                             .at = now()};
  if (required(list->add(act, audit())).act.tokens != kEnded) fail("tokens are missing in the list");
}

// The daemon without its configuration, its keys in memory. Does not return.
void serve_lists(const path& folder) {
  simulators::MemoryCounter counter;
  service::PremisesOptions options;
  options.policy.issuer_url = "https://issuer.example";
  options.issuer = {store::kIssuer, "memory", 8h, 32h};
  options.status_keys = {store::kStatusLists, "memory", 8h, 32h};
  options.spending = {.counter = &counter};
  service::Backends devices;
  devices.add("memory", std::make_unique<simulators::MemoryBackend>());
  service::Premises premises(store::make_sqlite_books(required(store::Journal::open(folder / "state"))),
                             std::move(devices), required(service::Nonces::create()), std::move(options));
  if (!premises.open(now())) fail("the statuses cannot be published");
  rest::Router router(premises.office);
  edge::ServerOptions server_options;
  server_options.unix_socket = edge::UnixAddress{folder / "s", 0600, {}};
  server_options.threads = 1;
  const edge::Server server = required(edge::Server::start(server_options, router));
  for (;;) ::pause();
}

std::string etag_of(const std::string& answer) {
  constexpr std::string_view kName = "ETag: ";
  const std::size_t at = answer.find(kName) + kName.size();
  return answer.substr(at, answer.find('\r', at) - at);
}

}  // namespace

void bench_status_serving(Report& report) {
  const TemporaryFolder folder;
  const path& at = folder.path();
  fill(at / "state");
  const ServerProcess daemon([&] { serve_lists(at); });
  await(at / "s");
  const std::string whole = std::string(kRequest) + "\r\n";
  const std::string answer = fetch(at / "s", whole);
  const std::string list = answer.substr(answer.find("\r\n\r\n") + 4);
  const ServerProcess bare([&] { serve_bare(at / "bare", [&](const std::string&) { return list; }); });
  await(at / "bare");
  pin_to_client_core();

  const Expected same{200, std::string_view(list).substr(0, 64)};
  const auto rate = [&](const char* socket, const std::string& request, const Expected& expected) {
    return run_load(at / socket, {request}, kRequests, expected).requests_per_second;
  };
  // Each with the list of the moment: it is signed anew each minute.
  const auto unmodified = [&] {
    const std::string etag = etag_of(fetch(at / "s", whole));
    return rate("s", std::string(kRequest) + "If-None-Match: " + etag + "\r\n\r\n", {304, etag});
  };
  const SideBySide served = median_ratio([&] { return rate("s", whole, same); },
                                         [&] { return rate("bare", whole, same); }, kRounds);
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) rates.push_back(unmodified());
  report.add("status_list_served_kib", static_cast<double>(list.size()) / 1024);
  report.add("status_list_serve_rps", served.a);
  report.add("status_list_bare_rps", served.b);
  report.add("status_list_serve_ratio", served.ratio);
  report.add("status_list_unmodified_rps", median(std::move(rates)));
}

}  // namespace chancery::bench
