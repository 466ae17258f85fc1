// What a partner may cost the daemon, from a server on loopback over TLS. What its chains may say is shown with two
// real daemons.

#include "daemon/service/partners.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "tests/unit/client/fake_daemon.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using service::PartnerOptions;
using service::Partners;

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// A server that takes requests and answers none, and a chain whose status list would be there.
struct SilentPartner {
  [[nodiscard]] static IssuedChain chain_to(const std::string& list) {
    Claims claims = root_claims({});
    claims.exp = static_cast<double>((now() + 1h).time_since_epoch().count());
    claims.has_status = true;
    claims.status = StatusReference{list, 0};
    return issue_root(claims);
  }
  [[nodiscard]] TrustConfig trust() const {
    TrustConfig trust;
    TrustAnchor& anchor = trust.anchors.emplace_back();
    anchor.iss = "https://as.example.net";
    anchor.keys = {chain.keys.front().public_key()};
    anchor.status_prefixes = {server->address() + "/status/"};
    anchor.status_keys = anchor.keys;
    return trust;
  }
  [[nodiscard]] PartnerOptions options() const {
    PartnerOptions options;
    options.ca_file = server->ca_file();
    options.timeout = 60s;
    return options;
  }

  std::unique_ptr<testing::FakeDaemon> server =
      testing::FakeDaemon::on_tls([](testing::Connection& connection) {
        static_cast<void>(connection.read_request());
        connection.wait_for_peer();
      });
  IssuedChain chain = chain_to(server->address() + "/status/1");
};

}  // namespace

BOOST_AUTO_TEST_SUITE(partners)

BOOST_FIXTURE_TEST_CASE(two_requests_at_a_time_wait_for_a_list, SilentPartner) {
  constexpr int kRequests = 8;
  const auto partners = Partners::open(trust(), options(), {}).value();
  std::atomic<int> turned_away = 0;
  {
    std::vector<std::jthread> requests;
    for (int i = 0; i < kRequests; ++i)
      requests.emplace_back([&] { turned_away += partners->fetch_for(chain.views(), {}) ? 0 : 1; });
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (turned_away < kRequests - 2 && std::chrono::steady_clock::now() < give_up)
      std::this_thread::sleep_for(10ms);
    BOOST_TEST(turned_away == kRequests - 2);
    server.reset();
  }
  BOOST_TEST(turned_away == kRequests - 2);
}

BOOST_FIXTURE_TEST_CASE(what_is_held_is_had_while_others_wait, SilentPartner) {
  const auto partners = Partners::open(trust(), options(), {}).value();
  std::jthread request([&] { static_cast<void>(partners->fetch_for(chain.views(), {})); });
  BOOST_TEST((verify_chain(chain.views(), partners->held(), now()).outcome() == Outcome::kStatusUnknown));
  server.reset();
}

BOOST_FIXTURE_TEST_CASE(an_anchor_without_an_address_is_not_followed, SilentPartner) {
  PartnerOptions follow = options();
  follow.follow_keys = true;
  BOOST_TEST(Partners::check(trust(), follow).has_value());
  for (const char* const iss : {"https://as.example.net/", "https://as.example.net/a",
                                "http://as.example.net", "https://", "as.example.net"}) {
    TrustConfig bad = trust();
    bad.anchors.front().iss = iss;
    BOOST_TEST((Partners::check(bad, follow).error().code == ErrorCode::kConfigInvalid), iss);
    BOOST_TEST(Partners::check(bad, options()).has_value(), iss);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
