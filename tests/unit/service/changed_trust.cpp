// Anchors and verifiers that change while chains are judged.
#include <atomic>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "daemon/service/trust.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

namespace chancery::tests {
namespace {

using service::TrustPublisher;

struct Foreign {
  [[nodiscard]] TrustConfig anchors() const {
    TrustConfig config;
    config.anchors.emplace_back().keys = {chain.keys.front().public_key()};
    return config;
  }
  [[nodiscard]] bool is_valid(const TrustPublisher& trust) const {
    return verify_chain(chain.views(), trust.current(), kIssuedNow).valid();
  }

  IssuedChain chain = issue_chain(2);
  TrustPublisher trust{"https://own.example", {}};
};

Status recorded() { return {}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(changed_trust)

BOOST_FIXTURE_TEST_CASE(an_anchor_counts_from_the_change_on_until_the_next, Foreign) {
  BOOST_TEST(!is_valid(trust));
  BOOST_TEST(!trust.has_partners());
  BOOST_REQUIRE(trust.configure(anchors(), {}, {}, recorded));
  BOOST_TEST(is_valid(trust));
  BOOST_TEST(trust.has_partners());
  BOOST_REQUIRE(trust.configure({}, {}, {}, recorded));
  BOOST_TEST(!is_valid(trust));
  BOOST_TEST(!trust.has_partners());
}

BOOST_FIXTURE_TEST_CASE(a_change_that_cannot_be_recorded_is_none, Foreign) {
  const Error full{ErrorCode::kStoreUnavailable, "the disk is full"};
  const Status changed = trust.configure(anchors(), {}, {}, [&]() -> Status { return full; });
  BOOST_REQUIRE(!changed);
  BOOST_TEST((changed.error().code == ErrorCode::kStoreUnavailable));
  BOOST_TEST(!is_valid(trust));
  BOOST_TEST(!trust.has_partners());
}

BOOST_FIXTURE_TEST_CASE(an_anchor_that_cannot_be_followed_is_not_taken_and_nothing_is_recorded, Foreign) {
  service::PartnerOptions follow;
  follow.follow_keys = true;
  bool is_recorded = false;
  const Status changed = trust.configure(anchors(), {}, follow, [&]() -> Status {
    is_recorded = true;
    return {};
  });
  BOOST_REQUIRE(!changed);
  BOOST_TEST((changed.error().code == ErrorCode::kConfigInvalid));
  BOOST_TEST(!is_recorded);
  BOOST_TEST(!is_valid(trust));
}

BOOST_FIXTURE_TEST_CASE(whoever_judges_meanwhile_sees_one_of_both, Foreign) {
  constexpr int kChanges = 200;
  std::atomic<bool> over = false;
  std::atomic<std::size_t> judged = 0, torn = 0;
  std::jthread reader([&] {
    while (!over) {
      const TrustSnapshot held = trust.current();
      const bool first = verify_chain(chain.views(), held, kIssuedNow).valid();
      torn += first != verify_chain(chain.views(), held, kIssuedNow).valid() ? 1 : 0;
      ++judged;
      (void)trust.fetch_for(chain.views(), {});
    }
  });
  for (int i = 0; i < kChanges; ++i)
    BOOST_REQUIRE(trust.configure(i % 2 == 0 ? anchors() : TrustConfig{}, {}, {}, recorded));
  while (judged == 0) std::this_thread::yield();
  over = true;
  reader.join();
  BOOST_TEST(torn == 0U);
  BOOST_TEST(!is_valid(trust));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::tests
