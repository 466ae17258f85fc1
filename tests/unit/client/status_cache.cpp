#include <array>
#include <atomic>
#include <fstream>
#include <ostream>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/status_cache.hpp>

#include "tests/unit/client/document_server.hpp"
#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/made_status_list.hpp"

// Status lists of another domain, fetched over real TLS from a server on loopback; the clock is the test's.

namespace {

using namespace chancery;
using namespace std::chrono_literals;
using chancery::testing::Connection;
using chancery::testing::DocumentServer;
using chancery::testing::FakeDaemon;
using chancery::testing::http_answer;
using chancery::tests::IssuedChain;
using chancery::tests::kIssuedNow;
using chancery::tests::MadeStatusList;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr const char* kPath = "/status/1";
constexpr double kStart = static_cast<double>(kIssuedNow.time_since_epoch().count());

SigningKey new_key() { return SigningKey::generate(Algorithm::kES256).value(); }

/// A server, an anchor whose chains refer to its lists, and a cache on a clock that stands still.
struct Domain {
  DocumentServer server;
  SigningKey status_key = new_key();
  std::string uri = server.origin() + kPath;
  IssuedChain valid = chain_at(0);
  IssuedChain revoked = chain_at(1);
  std::atomic<std::int64_t> clock{kIssuedNow.time_since_epoch().count()};

  [[nodiscard]] IssuedChain chain_at(std::uint64_t index) const { return chain_to(uri, index); }
  [[nodiscard]] static IssuedChain chain_to(const std::string& list, std::uint64_t index) {
    Claims claims = tests::root_claims({});
    claims.has_status = true;
    claims.status = StatusReference{list, index};
    return tests::issue_root(claims);
  }
  [[nodiscard]] TrustConfig trust() const {
    TrustConfig trust;
    TrustAnchor& anchor = trust.anchors.emplace_back();
    anchor.keys = {valid.keys.front().public_key(), revoked.keys.front().public_key()};
    anchor.status_prefixes = {server.origin() + "/status/"};
    anchor.status_keys = {status_key.public_key()};
    return trust;
  }
  [[nodiscard]] StatusCacheOptions options() {
    StatusCacheOptions options;
    options.ca_file = server.ca_file();
    options.timeout = 20s;
    options.now = [this] { return now(); };
    return options;
  }
  [[nodiscard]] StatusCache cache() { return StatusCache::open(trust(), options()).value(); }
  [[nodiscard]] sys_seconds now() const { return sys_seconds(seconds(clock.load())); }
  [[nodiscard]] MadeStatusList list(double made_at = kStart) const {
    return {uri, {0x02}, made_at, made_at + 120, 60};
  }
  void serve(const MadeStatusList& list) { serve(list, status_key); }
  void serve(const MadeStatusList& list, const SigningKey& key) {
    server.set(kPath, http_answer(200, "application/statuslist+jwt", tests::sign_status_list(list, key)));
  }
  [[nodiscard]] bool is_revoked_in(const TrustSnapshot& trust) const {
    return verify_chain(revoked.views(), trust, now()).outcome() == Outcome::kRevoked;
  }
  [[nodiscard]] Outcome outcome(StatusCache& cache, const IssuedChain& chain) const {
    return verify_chain(chain.views(), cache.trust_for(chain.views()), now()).outcome();
  }
};

template <typename Condition>
bool eventually(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(20ms);
  return condition();
}

/// Another domain, whose server answers once and from then on holds up whoever asks. Its list is due after 20 seconds.
struct SlowDomain {
  SigningKey status_key = new_key();
  std::atomic<int> asked{0};
  std::unique_ptr<FakeDaemon> server =
      FakeDaemon::on_tls([this](Connection& connection) { serve(connection); });
  IssuedChain chain = Domain::chain_to(server->address() + kPath, 0);

  void serve(Connection& connection) {
    connection.read_request();
    if (asked++ > 0) return connection.wait_for_peer();
    const MadeStatusList list{server->address() + kPath, {0x02}, kStart, kStart + 120, 40};
    connection.write(
        http_answer(200, "application/statuslist+jwt", tests::sign_status_list(list, status_key)));
  }
  [[nodiscard]] TrustAnchor anchor() const {
    TrustAnchor anchor;
    anchor.keys = {chain.keys.front().public_key()};
    anchor.status_prefixes = {server->address() + "/"};
    anchor.status_keys = {status_key.public_key()};
    return anchor;
  }
  [[nodiscard]] bool holds_somebody_up() const {
    return eventually([&] { return asked == 2; });
  }
};

struct Bad {
  const char* name;
  void (*spoil)(MadeStatusList&);
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.name; }

constexpr std::array kBad{
    Bad{"no exp", [](MadeStatusList& list) { list.exp.reset(); }},
    Bad{"no iat", [](MadeStatusList& list) { list.iat.reset(); }},
    Bad{"expired", [](MadeStatusList& list) { list.exp = kStart; }},
    Bad{"made in the future", [](MadeStatusList& list) { list.iat = kStart + 61; }},
    Bad{"about another list", [](MadeStatusList& list) { list.uri += "0"; }},
};

struct Place {
  const char* name;
  const char* uri;  ///< after the origin
  std::vector<std::string> prefixes;
};
std::ostream& operator<<(std::ostream& out, const Place& row) { return out << row.name; }

const std::array kForbidden{
    Place{"no prefixes at all", "/status/1", {}},
    Place{"another folder", "/private/1", {"/status/"}},
    Place{"up from the folder", "/status/../private/1", {"/status/"}},
    Place{"up from the folder, escaped", "/status/%2e%2e/private/1", {"/status/"}},
    Place{"with a query", "/status/1?x=1", {"/status/"}},
    Place{"a prefix that ends inside of the host's name", "/status/1", {""}},
};

struct Costly {
  const char* name;
  void (*answer)(Connection&);
};
std::ostream& operator<<(std::ostream& out, const Costly& row) { return out << row.name; }

const std::array kCostly{
    Costly{"says nothing", [](Connection& connection) { connection.wait_for_peer(); }},
    Costly{"takes more than half of the time-out",
           [](Connection& connection) {
             std::this_thread::sleep_for(600ms);
             connection.write(http_answer(404, "text/plain", "none"));
           }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(status_cache)

BOOST_AUTO_TEST_CASE(a_list_is_fetched_once_for_all_chains_that_refer_to_it) {
  Domain domain;
  domain.serve(domain.list());
  StatusCache cache = domain.cache();
  BOOST_TEST(
      (verify_chain(domain.valid.views(), cache.trust(), kIssuedNow).outcome() == Outcome::kStatusUnknown));
  BOOST_TEST(domain.server.requests().empty());
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
  BOOST_TEST(domain.server.requests().size() == 1);
  BOOST_TEST((verify_chain(domain.valid.views(), cache.trust(), kIssuedNow).outcome() == Outcome::kValid));
}

BOOST_DATA_TEST_CASE(a_list_that_breaks_a_rule_is_not_taken, boost::unit_test::data::make(kBad), row) {
  Domain domain;
  MadeStatusList list = domain.list();
  row.spoil(list);
  domain.serve(list);
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kStatusUnknown));
  BOOST_TEST(domain.server.requests().size() == 1);
}

BOOST_AUTO_TEST_CASE(a_list_by_a_key_that_is_not_the_anchors_is_not_taken) {
  Domain domain;
  const SigningKey other = new_key();
  TrustConfig trust = domain.trust();
  trust.anchors.emplace_back().keys = {new_key().public_key()};
  trust.anchors.back().status_keys = {other.public_key()};
  trust.anchors.back().status_prefixes = domain.trust().anchors.front().status_prefixes;
  trust.status_keys = {other.public_key()};
  domain.serve(domain.list(), other);
  StatusCache cache = StatusCache::open(trust, domain.options()).value();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kStatusUnknown));
}

BOOST_DATA_TEST_CASE(nothing_is_fetched_from_beside_the_prefixes, boost::unit_test::data::make(kForbidden),
                     row) {
  Domain domain;
  const IssuedChain chain = Domain::chain_to(domain.server.origin() + row.uri, 0);
  TrustConfig trust = domain.trust();
  trust.anchors.front().keys = {chain.keys.front().public_key()};
  trust.anchors.front().status_prefixes.clear();
  for (const std::string& prefix : row.prefixes)
    trust.anchors.front().status_prefixes.push_back(domain.server.origin() + prefix);
  StatusCache cache = StatusCache::open(trust, domain.options()).value();
  BOOST_TEST((domain.outcome(cache, chain) == Outcome::kStatusUnknown));
  BOOST_TEST(domain.server.requests().empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_fetched_for_a_chain_that_is_not_rooted_here_or_has_expired) {
  Domain domain;
  StatusCache cache = domain.cache();
  const IssuedChain foreign = domain.chain_at(0);
  BOOST_TEST((domain.outcome(cache, foreign) == Outcome::kSignatureInvalid));
  domain.clock += 3601;
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kExpired));
  BOOST_TEST(domain.server.requests().empty());
}

BOOST_AUTO_TEST_CASE(a_list_is_renewed_when_half_of_its_time_is_over) {
  Domain domain;
  domain.serve({domain.uri, {0x00}, kStart, kStart + 120, 60});
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kValid));
  domain.serve(domain.list(kStart + 1));
  domain.clock += 29;
  cache.refresh_due();
  BOOST_TEST(domain.server.requests().size() == 1);
  domain.clock += 1;
  cache.refresh_due();
  BOOST_TEST(domain.server.requests().size() == 2);
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
}

BOOST_AUTO_TEST_CASE(its_own_thread_renews_it) {
  Domain domain;
  domain.serve({domain.uri, {0x00}, kStart, kStart + 120, 60});
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kValid));
  domain.serve(domain.list(kStart + 1));
  domain.clock += 30;
  BOOST_TEST(eventually([&] { return domain.is_revoked_in(cache.trust()); }));
}

BOOST_AUTO_TEST_CASE(an_older_list_does_not_take_the_place_of_the_one_held) {
  Domain domain;
  domain.serve(domain.list());
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
  domain.serve({domain.uri, {0x00}, kStart - 1, kStart + 120, 60});
  domain.clock += 30;
  cache.refresh_due();
  BOOST_TEST(domain.server.requests().size() == 2);
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
  domain.clock += 31;  // the one held is over, the older one is not taken in its place either
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kStatusUnknown));
}

BOOST_AUTO_TEST_CASE(a_silent_server_is_survived_until_the_ttl_and_no_longer) {
  Domain domain;
  domain.serve(domain.list());
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
  domain.server.be_silent(true);
  for (const int later : {30, 40, 50, 60}) {
    domain.clock = kIssuedNow.time_since_epoch().count() + later;
    cache.refresh_due();
    BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid), later);
  }
  BOOST_TEST(domain.server.requests().size() == 5);
  domain.clock += 1;
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kStatusUnknown));
  domain.server.be_silent(false);
  domain.serve(domain.list(kStart + 61));
  domain.clock += 10;
  cache.refresh_due();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(a_list_that_could_not_be_had_is_asked_for_again_after_ten_seconds) {
  Domain domain;
  domain.server.be_silent(true);
  StatusCache cache = domain.cache();
  for (int i = 0; i < 5; ++i) BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kStatusUnknown));
  BOOST_TEST(domain.server.requests().size() == 1);
  domain.server.be_silent(false);
  domain.serve(domain.list());
  domain.clock += 9;
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kStatusUnknown));
  domain.clock += 1;
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(a_list_that_is_missing_does_not_hold_up_the_others_of_its_server) {
  Domain domain;
  domain.serve(domain.list());
  const IssuedChain missing = Domain::chain_to(domain.server.origin() + "/status/2", 0);
  TrustConfig trust = domain.trust();
  trust.anchors.front().keys.push_back(missing.keys.front().public_key());
  StatusCache cache = StatusCache::open(trust, domain.options()).value();
  BOOST_TEST((domain.outcome(cache, missing) == Outcome::kStatusUnknown));
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
}

BOOST_DATA_TEST_CASE(a_server_that_costs_time_does_so_once_for_all_of_its_lists,
                     boost::unit_test::data::make(kCostly), row) {
  std::atomic<int> asked{0};
  const auto server = FakeDaemon::on_tls([&](Connection& connection) {
    connection.read_request();
    ++asked;
    row.answer(connection);
  });
  const IssuedChain one = Domain::chain_to(server->address() + "/status/1", 0);
  const IssuedChain two = Domain::chain_to(server->address() + "/status/2", 0);
  TrustConfig trust;
  trust.anchors.emplace_back().keys = {one.keys.front().public_key(), two.keys.front().public_key()};
  trust.anchors.front().status_prefixes = {server->address() + "/status/"};
  trust.anchors.front().status_keys = {new_key().public_key()};
  StatusCacheOptions options;
  options.ca_file = server->ca_file();
  options.timeout = 1s;
  options.now = [] { return kIssuedNow; };
  StatusCache cache = StatusCache::open(trust, options).value();
  for (const IssuedChain* chain : {&one, &two, &one})
    BOOST_TEST((verify_chain(chain->views(), cache.trust_for(chain->views()), kIssuedNow).outcome() ==
                Outcome::kStatusUnknown));
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(many_chains_at_once_cost_one_fetch_and_all_of_them_see_its_list) {
  constexpr std::size_t kRounds = 20;
  Domain domain;
  domain.serve(domain.list());
  for (std::size_t round = 1; round <= kRounds; ++round) {
    StatusCache cache = domain.cache();
    std::atomic<int> valid{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i)
      threads.emplace_back([&] { valid += domain.outcome(cache, domain.valid) == Outcome::kValid ? 1 : 0; });
    threads.clear();
    BOOST_TEST(valid == 16);
    BOOST_TEST(domain.server.requests().size() == round);
  }
}

BOOST_AUTO_TEST_CASE(what_no_chain_refers_to_is_forgotten) {
  Domain domain;
  domain.serve({domain.uri, {0x00}, kStart, kStart + 1e6, 1e6});
  StatusCacheOptions options = domain.options();
  options.forget_after = 100s;
  StatusCache cache = StatusCache::open(domain.trust(), options).value();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
  domain.clock += 101;
  cache.refresh_due();
  BOOST_TEST(
      (verify_chain(domain.valid.views(), cache.trust(), domain.now()).outcome() == Outcome::kStatusUnknown));
}

BOOST_AUTO_TEST_CASE(an_anchor_gets_room_for_so_many_lists) {
  Domain domain;
  domain.serve(domain.list());
  StatusCacheOptions options = domain.options();
  options.max_lists = 1;
  const IssuedChain other = Domain::chain_to(domain.server.origin() + "/status/2", 0);
  TrustConfig trust = domain.trust();
  trust.anchors.front().keys.push_back(other.keys.front().public_key());
  StatusCache cache = StatusCache::open(trust, options).value();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
  BOOST_TEST((domain.outcome(cache, other) == Outcome::kStatusUnknown));
  BOOST_TEST(domain.server.requests().size() == 1);
}

BOOST_AUTO_TEST_CASE(lists_of_an_anchor_that_is_gone_go_with_it) {
  Domain domain;
  domain.serve(domain.list());
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));
  TrustConfig trust = domain.trust();
  cache.replace_trust(trust);
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kValid));  // still allowed
  trust.anchors.front().status_keys = {new_key().public_key()};
  cache.replace_trust(trust);
  domain.clock += 30;
  cache.refresh_due();
  BOOST_TEST(domain.server.requests().size() == 1);
  BOOST_TEST((domain.outcome(cache, domain.valid) == Outcome::kStatusUnknown));
}

BOOST_AUTO_TEST_CASE(a_rotation_of_status_keys_throws_no_list_away) {
  Domain domain;
  domain.serve(domain.list());
  StatusCache cache = domain.cache();
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
  const SigningKey next = new_key();
  TrustConfig trust = domain.trust();
  trust.anchors.front().status_keys.push_back(next.public_key());
  cache.replace_trust(trust);
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
  BOOST_TEST(domain.server.requests().size() == 1);
  // What is older than the list held is not taken from the new key either.
  domain.serve({domain.uri, {0x00}, kStart - 1, kStart + 120, 60}, next);
  domain.clock += 30;
  cache.refresh_due();
  BOOST_TEST(domain.server.requests().size() == 2);
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kRevoked));
  domain.serve({domain.uri, {0x00}, kStart + 30, kStart + 150, 60}, next);
  domain.clock += 10;
  cache.refresh_due();
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kValid));
  trust.anchors.front().status_keys = {next.public_key()};
  cache.replace_trust(trust);
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kValid));
  BOOST_TEST(domain.server.requests().size() == 3);
}

BOOST_AUTO_TEST_CASE(a_slow_server_holds_up_no_list_of_another) {
  Domain domain;
  SlowDomain slow;
  domain.serve({domain.uri, {0x00}, kStart, kStart + 120, 60});
  TrustConfig trust = domain.trust();
  trust.anchors.push_back(slow.anchor());
  const testing::TemporaryFolder folder;
  StatusCacheOptions options = domain.options();
  options.ca_file = (folder.path() / "ca.pem").string();
  std::ofstream(options.ca_file) << std::ifstream(domain.server.ca_file()).rdbuf()
                                 << std::ifstream(slow.server->ca_file()).rdbuf();
  options.timeout = 24h;
  StatusCache cache = StatusCache::open(trust, options).value();
  BOOST_TEST((domain.outcome(cache, slow.chain) == Outcome::kValid));
  BOOST_TEST((domain.outcome(cache, domain.revoked) == Outcome::kValid));
  domain.serve(domain.list(kStart + 1));
  domain.clock += 30;
  BOOST_REQUIRE(slow.holds_somebody_up());
  BOOST_REQUIRE(eventually([&] { return domain.is_revoked_in(cache.trust()); }));
  // Nor one that is fetched for the first time.
  TrustConfig wider = trust;
  const IssuedChain missing = Domain::chain_to(domain.server.origin() + "/status/2", 0);
  wider.anchors.front().keys.push_back(missing.keys.front().public_key());
  cache.replace_trust(wider);
  BOOST_TEST((domain.outcome(cache, missing) == Outcome::kStatusUnknown));
  BOOST_TEST(domain.server.requests().back() == "/status/2");
}

BOOST_AUTO_TEST_CASE(its_end_does_not_wait_for_a_server) {
  SlowDomain slow;
  TrustConfig trust;
  trust.anchors.push_back(slow.anchor());
  std::atomic<std::int64_t> clock{kIssuedNow.time_since_epoch().count()};
  StatusCacheOptions options;
  options.ca_file = slow.server->ca_file();
  options.timeout = 24h;
  options.now = [&] { return sys_seconds(seconds(clock.load())); };
  StatusCache cache = StatusCache::open(trust, options).value();
  BOOST_TEST(verify_chain(slow.chain.views(), cache.trust_for(slow.chain.views()), kIssuedNow).valid());
  clock += 30;
  BOOST_TEST(slow.holds_somebody_up());
}

BOOST_AUTO_TEST_CASE(times_that_are_not_positive_are_refused) {
  StatusCacheOptions options;
  options.timeout = 0ms;
  BOOST_TEST((StatusCache::open({}, options).error().code == ErrorCode::kInvalidArgument));
  options.timeout = 1s;
  options.forget_after = 0s;
  BOOST_TEST((StatusCache::open({}, options).error().code == ErrorCode::kInvalidArgument));
}

BOOST_AUTO_TEST_SUITE_END()
