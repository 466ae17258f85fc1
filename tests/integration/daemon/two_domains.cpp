// Two real daemons, each a trust domain with a TPM and TLS of its own, and on each side a verifier that has the SDK
// alone: it follows the other side's keys, fetches its status lists, and accepts what its anchor may say.

#include "tests/integration/daemon/two_domains.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <ostream>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <chancery/credential.hpp>
#include <chancery/status_cache.hpp>
#include <chancery/verify.hpp>

#include "sdk/base/hex.hpp"

namespace chancery::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::sys_seconds;

/// Both, started once for all cases: what a case changes in them, the later ones do not look at.
struct Domains {
  Domains() { started = this; }
  ~Domains() { started = nullptr; }

  Domain east{"east.example"};
  Domain west{"west.example"};
  static inline Domains* started = nullptr;
};

Domains& domains() { return *Domains::started; }

RemoteTrustOptions following(const Domain& other) {
  RemoteTrustOptions options;
  options.origin = other.url();
  options.limits = limits_for(other);
  options.ca_file = other.ca_file();
  options.timeout = 20s;
  return options;
}

/// A service that verifies chains of another domain, on a clock that stands still.
struct Service {
  explicit Service(const RemoteTrustOptions& chosen)
      : options(with_clock(chosen)),
        remote(required(RemoteTrust::follow(options))),
        cache(required(StatusCache::open(trust(), cache_options()))) {}

  [[nodiscard]] TrustConfig trust() const {
    TrustConfig config;
    config.anchors = {remote.anchor()};
    return config;
  }
  [[nodiscard]] sys_seconds now() const { return sys_seconds(seconds(clock->load())); }
  [[nodiscard]] Verdict verify(const std::vector<std::string>& chain) {
    const std::vector<std::string_view> tokens(chain.begin(), chain.end());
    return verify_chain(tokens, cache.trust_for(tokens), now());
  }
  /// What it is told to do when the anchor has changed.
  void look() {
    BOOST_TEST(remote.look().has_value());
    cache.replace_trust(trust());
  }

  std::shared_ptr<std::atomic<std::int64_t>> clock = std::make_shared<std::atomic<std::int64_t>>(
      std::chrono::floor<seconds>(std::chrono::system_clock::now()).time_since_epoch().count());
  RemoteTrustOptions options;
  RemoteTrust remote;
  StatusCache cache;

 private:
  [[nodiscard]] RemoteTrustOptions with_clock(RemoteTrustOptions chosen) const {
    chosen.now = [clock = clock] { return sys_seconds(seconds(clock->load())); };
    return chosen;
  }
  [[nodiscard]] StatusCacheOptions cache_options() const {
    return {.ca_file = options.ca_file, .timeout = 20s, .now = options.now};
  }
};

/// What a domain grants, or what the other lets it say, and what comes of it there.
struct Said {
  const char* name;
  void (*change)(RemoteTrustOptions& following, api::CreateGrant& grant, const Domain& verifiers_own);
  Outcome outcome;
};
std::ostream& operator<<(std::ostream& out, const Said& row) { return out << row.name; }

using Following = RemoteTrustOptions;
using Grant = api::CreateGrant;
constexpr Thumbprint kNobody{};

const std::array kSaid{
    Said{"all that it may say", [](Following&, Grant&, const Domain&) {}, Outcome::kValid},
    Said{"less than it may say",
         [](Following&, Grant& grant, const Domain&) { grant.authority.scopes = {"crm.read"}; },
         Outcome::kValid},
    Said{"a scope outside of the ceiling",
         [](Following&, Grant& grant, const Domain&) { grant.authority.scopes.push_back("hr.read"); },
         Outcome::kNotNarrower},
    Said{"a wildcard above the ceiling's scope",
         [](Following&, Grant& grant, const Domain&) { grant.authority.scopes.push_back("payments.*"); },
         Outcome::kNotNarrower},
    Said{"a bound above the ceiling's",
         [](Following&, Grant& grant, const Domain&) {
           grant.authority.constraints = {
               {"payments.refund#amount", NumberBound{NumberBound::Type::kMax, 500.01}}};
         },
         Outcome::kNotNarrower},
    Said{"no bound where the ceiling has one",
         [](Following&, Grant& grant, const Domain&) { grant.authority.constraints.clear(); },
         Outcome::kNotNarrower},
    Said{"a principal of the verifier's own domain",
         [](Following&, Grant& grant, const Domain& own) { grant.principal = "user:alice@" + own.name; },
         Outcome::kSignatureInvalid},
    Said{"an agent that is not among those it may name",
         [](Following& following, Grant&, const Domain& own) {
           following.limits.client_id = {"spiffe://" + own.name + "/agent/*"};
         },
         Outcome::kSignatureInvalid},
    Said{"an issuer that it is not",
         [](Following& following, Grant&, const Domain& own) { following.limits.iss = own.url(); },
         Outcome::kSignatureInvalid},
    Said{"by a key that is not the pinned one",
         [](Following& following, Grant&, const Domain&) { following.pins = {kNobody}; },
         Outcome::kSignatureInvalid},
    Said{"with a status list outside of the prefixes",
         [](Following& following, Grant&, const Domain& own) {
           following.limits.status_prefixes = {own.url() + "/v1/status-lists/"};
         },
         Outcome::kStatusUnknown},
    Said{"with a status list by a key that is not the pinned one",
         [](Following& following, Grant&, const Domain&) { following.status_pins = {kNobody}; },
         Outcome::kStatusUnknown},
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(Domains);

BOOST_AUTO_TEST_SUITE(two_domains)

BOOST_DATA_TEST_CASE(each_domain_accepts_of_the_other_what_its_anchor_may_say,
                     boost::unit_test::data::make(kSaid), row) {
  for (const bool eastward : {true, false}) {
    const Domain& issuer = eastward ? domains().west : domains().east;
    const Domain& own = eastward ? domains().east : domains().west;
    RemoteTrustOptions options = following(issuer);
    api::CreateGrant grant = issuer.grant();
    row.change(options, grant, own);
    const Verdict verdict = Service(options).verify(issuer.chain(grant));
    BOOST_TEST(outcome_name(verdict.outcome()) == outcome_name(row.outcome), issuer.name);
  }
}

BOOST_AUTO_TEST_CASE(authority_over_the_other_daemon_is_beyond_what_it_may_say) {
  const Domain& east = domains().east;
  const auto minted = answered(east.daemon.client().create_operator(
      {"admin", HolderKey::generate()->public_key().thumbprint().text()}));
  RemoteTrustOptions options = following(east);
  BOOST_TEST(outcome_name(Service(options).verify(minted.chain).outcome()) == "signature_invalid");
  options.limits.sub = {};
  options.limits.client_id = {};
  BOOST_TEST(outcome_name(Service(options).verify(minted.chain).outcome()) == "not_narrower");
}

BOOST_AUTO_TEST_CASE(a_revocation_there_is_seen_here_when_the_lists_ttl_is_over) {
  const Domain& east = domains().east;
  const auto kept = east.chain();
  const auto chain = east.chain();
  Service service(following(east));
  BOOST_TEST(service.verify(chain).valid());
  const std::string leaf = hex_encode(required(Token::parse(chain.back())).digest());
  answered(east.daemon.client().revoke({{"token", leaf}, "test"}));
  *service.clock += 29;  // before its half, when the cache asks again by itself
  BOOST_TEST(service.verify(chain).valid());
  *service.clock += 32;
  BOOST_TEST(!service.verify(chain).valid());
  service.cache.refresh_due();
  BOOST_TEST(outcome_name(service.verify(chain).outcome()) == "revoked");
  BOOST_TEST(service.verify(kept).valid());
}

BOOST_AUTO_TEST_CASE(a_list_is_renewed_before_its_ttl_is_over) {
  const Domain& west = domains().west;
  const auto chain = west.chain();
  Service service(following(west));
  BOOST_TEST(service.verify(chain).valid());
  const std::string root = hex_encode(required(Token::parse(chain.front())).digest());
  const auto act = answered(west.daemon.client().suspend({{"subtree", root}, "test"}));
  *service.clock += 30;
  service.cache.refresh_due();
  BOOST_TEST(outcome_name(service.verify(chain).outcome()) == "revoked");
  answered(west.daemon.client().lift(act.id));
  *service.clock += 30;
  service.cache.refresh_due();
  BOOST_TEST(service.verify(chain).valid());
}

BOOST_AUTO_TEST_CASE(rotations_there_need_nobody_here) {
  const Domain& west = domains().west;
  const auto before = west.chain();
  RemoteTrustOptions options = following(west);
  options.pins = {required(RemoteTrust::follow(options)).anchor().keys.front().thumbprint()};
  options.overlap = 600s;
  Service service(options);
  BOOST_TEST(service.verify(before).valid());

  answered(west.daemon.client().rotate_issuer({.overlap = 8s, .backend = {}, .algorithm = {}}));
  answered(west.daemon.client().rotate_status_key());
  const auto after = west.chain();
  BOOST_TEST(outcome_name(service.verify(after).outcome()) == "signature_invalid");
  service.look();
  BOOST_TEST(service.verify(after).valid());
  BOOST_TEST(service.verify(before).valid());

  BOOST_REQUIRE(eventually([&] { return answered(west.daemon.client().jwks()).keys.size() == 1; }, 40s));
  service.look();
  BOOST_TEST(service.verify(before).valid());  // within the overlap here
  *service.clock += 601;
  service.look();
  BOOST_TEST(outcome_name(service.verify(before).outcome()) == "signature_invalid");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
