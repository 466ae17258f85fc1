#include <array>
#include <atomic>
#include <ostream>
#include <thread>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chancery/remote_trust.hpp>

#include "sdk/client/followed_keys.hpp"
#include "tests/unit/client/document_server.hpp"
#include "tests/unit/sdk/issued_chain.hpp"

// Another daemon's keys, followed over real TLS from a server on loopback; the clock is the test's.

namespace {

using namespace chancery;
using namespace std::chrono_literals;
using chancery::client::FollowedKeys;
using chancery::testing::DocumentServer;
using chancery::testing::http_answer;
using chancery::tests::IssuedChain;
using chancery::tests::kIssuedNow;
using std::chrono::seconds;
using std::chrono::sys_seconds;

using Keys = std::vector<PublicKey>;

PublicKey new_key() { return SigningKey::generate(Algorithm::kES256).value().public_key(); }

/// The keys that rows speak of by letter.
const PublicKey& key(char letter) {
  static const std::array<PublicKey, 4> keys{new_key(), new_key(), new_key(), new_key()};
  return keys.at(static_cast<std::size_t>(letter - 'a'));
}

Keys keys_of(std::string_view letters) {
  Keys out;
  for (const char letter : letters) out.push_back(key(letter));
  return out;
}

/// A set that is published at a second, and what is held after that.
struct Published {
  int at;
  std::string_view set;
  std::string_view held;
  bool taken = true;
};

struct Following {
  const char* name;
  std::string_view pins;
  std::vector<Published> story;
};
std::ostream& operator<<(std::ostream& out, const Following& row) { return out << row.name; }

// The overlap is ten seconds.
const std::array kStories{
    Following{"the first set is taken without pins", "", {{0, "ab", "ab"}}},
    Following{"a set with the pin", "a", {{0, "ab", "ab"}}},
    Following{"a set without the pin", "c", {{0, "ab", "", false}, {1, "bc", "bc"}}},
    Following{"an empty set", "", {{0, "", "", false}, {1, "a", "a"}, {2, "", "a", false}}},
    Following{
        "a rotation", "", {{0, "a", "a"}, {1, "ab", "ab"}, {2, "b", "ab"}, {12, "b", "ab"}, {13, "b", "b"}}},
    Following{
        "a key that comes back", "", {{0, "ab", "ab"}, {1, "b", "ab"}, {9, "ab", "ab"}, {20, "ab", "ab"}}},
    Following{"a set that changed as a whole",
              "",
              {{0, "ab", "ab"}, {1, "cd", "ab", false}, {99, "cd", "ab", false}}},
    Following{"a set that shares only a key that has disappeared",
              "",
              {{0, "ab", "ab"}, {1, "b", "ab"}, {2, "ac", "abc"}}},
    Following{
        "and that key's overlap is over", "", {{0, "ab", "ab"}, {1, "b", "ab"}, {12, "ac", "b", false}}},
};

std::string key_set(const Keys& keys) {
  std::string out = R"({"keys":[)";
  for (const PublicKey& item : keys) out.append(out.ends_with('[') ? "" : ",").append(item.jwk());
  return out + "]}";
}

/// Another daemon: what it publishes, and a chain that it issued.
struct Other {
  DocumentServer server;
  IssuedChain chain = issued();
  std::atomic<std::int64_t> clock{kIssuedNow.time_since_epoch().count()};

  Other() {
    publish({chain.keys.front().public_key()});
    publish_status({key('a')});
  }
  [[nodiscard]] IssuedChain issued() const {
    Claims claims = tests::root_claims({});
    claims.iss = server.origin();
    return tests::issue_root(claims);
  }
  void publish(const Keys& keys) { answer("/.well-known/jwks.json", key_set(keys)); }
  void publish_status(const Keys& keys) { answer("/.well-known/status-jwks.json", key_set(keys)); }
  void answer(const char* path, const std::string& json) {
    server.set(path, http_answer(200, "application/json", json));
  }
  [[nodiscard]] RemoteTrustOptions options() {
    RemoteTrustOptions options;
    options.origin = server.origin();
    options.ca_file = server.ca_file();
    options.timeout = 20s;
    options.overlap = 10s;
    options.now = [this] { return sys_seconds(seconds(clock.load())); };
    return options;
  }
  [[nodiscard]] RemoteTrust follow() { return RemoteTrust::follow(options()).value(); }
};

Outcome outcome_of(const IssuedChain& chain, const RemoteTrust& remote) {
  return verify_chain(chain.views(), remote.trust(), kIssuedNow).outcome();
}

bool becomes_valid(const IssuedChain& chain, const RemoteTrust& remote) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (outcome_of(chain, remote) != Outcome::kValid) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(remote_trust)

BOOST_DATA_TEST_CASE(keys_are_followed_while_they_hang_together, boost::unit_test::data::make(kStories),
                     row) {
  std::vector<Thumbprint> pins;
  for (const PublicKey& pinned : keys_of(row.pins)) pins.push_back(pinned.thumbprint());
  FollowedKeys followed(pins, 10s);
  for (const Published& step : row.story) {
    BOOST_TEST_CONTEXT("at " << step.at) {
      BOOST_TEST(followed.take(keys_of(step.set), kIssuedNow + seconds(step.at)).has_value() == step.taken);
      BOOST_TEST((followed.keys() == keys_of(step.held)));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_more_keys_are_followed_than_can_be_tried) {
  Keys many;
  for (int i = 0; i < 17; ++i) many.push_back(new_key());
  const Keys most(many.begin(), many.begin() + 16);
  FollowedKeys followed({}, 10s);
  BOOST_TEST((followed.take(many, kIssuedNow).error().code == ErrorCode::kTooLarge));
  BOOST_TEST(followed.keys().empty());
  BOOST_TEST(followed.take(most, kIssuedNow).has_value());
  // One for another: both count for a while.
  const Keys next(many.begin() + 1, many.end());
  BOOST_TEST((followed.take(next, kIssuedNow + 1s).error().code == ErrorCode::kTooLarge));
  BOOST_TEST((followed.keys() == most));
  BOOST_TEST(followed.take(next, kIssuedNow + 12s).has_value());
  BOOST_TEST((followed.keys() == next));
}

BOOST_AUTO_TEST_CASE(chains_of_the_other_daemon_verify_within_its_limits) {
  Other other;
  const RemoteTrust remote = other.follow();
  BOOST_TEST((outcome_of(other.chain, remote) == Outcome::kValid));
  BOOST_TEST((outcome_of(tests::issue_chain(1), remote) == Outcome::kSignatureInvalid));
  const TrustAnchor anchor = remote.anchor();
  BOOST_TEST(anchor.iss.value() == other.server.origin());
  BOOST_TEST((anchor.status_prefixes == std::vector{other.server.origin() + "/v1/status-lists/"}));
  BOOST_TEST((anchor.status_keys == keys_of("a")));
  BOOST_TEST((remote.state().seen_at == kIssuedNow));
  BOOST_TEST(!remote.state().problem);

  RemoteTrustOptions narrow = other.options();
  narrow.limits.sub = {"partner:*"};
  BOOST_TEST((outcome_of(other.chain, RemoteTrust::follow(narrow).value()) == Outcome::kSignatureInvalid));
  narrow.limits.sub = {"user:*"};
  narrow.limits.ceiling = Authority::parse(R"({"scopes":["hr.*"]})").value();
  BOOST_TEST((outcome_of(other.chain, RemoteTrust::follow(narrow).value()) == Outcome::kNotNarrower));
}

BOOST_AUTO_TEST_CASE(a_rotation_of_the_other_daemon_needs_nobody) {
  Other other;
  std::vector<std::size_t> changes;
  RemoteTrustOptions options = other.options();
  options.changed = [&](const TrustAnchor& anchor) { changes.push_back(anchor.keys.size()); };
  options.refresh = 24h * 365;
  RemoteTrust remote = RemoteTrust::follow(options).value();
  const IssuedChain next = other.issued();
  other.publish({other.chain.keys.front().public_key(), next.keys.front().public_key()});
  BOOST_TEST((outcome_of(next, remote) == Outcome::kSignatureInvalid));
  BOOST_TEST(remote.look().has_value());
  BOOST_TEST((outcome_of(next, remote) == Outcome::kValid));
  other.publish({next.keys.front().public_key()});
  BOOST_TEST(remote.look().has_value());
  BOOST_TEST((outcome_of(other.chain, remote) == Outcome::kValid));  // within the overlap
  other.clock += 11;
  BOOST_TEST(remote.look().has_value());
  BOOST_TEST((outcome_of(other.chain, remote) == Outcome::kSignatureInvalid));
  BOOST_TEST((outcome_of(next, remote) == Outcome::kValid));
  BOOST_TEST((changes == std::vector<std::size_t>{1, 2, 1}));
}

BOOST_AUTO_TEST_CASE(a_set_that_changed_as_a_whole_is_refused_and_reported) {
  Other other;
  RemoteTrust remote = other.follow();
  const IssuedChain stranger = other.issued();
  other.publish({stranger.keys.front().public_key()});
  BOOST_TEST((remote.look().error().code == ErrorCode::kConflict));
  BOOST_TEST((remote.state().problem.value().code == ErrorCode::kConflict));
  BOOST_TEST((outcome_of(stranger, remote) == Outcome::kSignatureInvalid));
  BOOST_TEST((outcome_of(other.chain, remote) == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(status_keys_are_followed_by_the_same_rule) {
  Other other;
  RemoteTrust remote = other.follow();
  other.publish_status(keys_of("bc"));
  BOOST_TEST((remote.look().error().code == ErrorCode::kConflict));
  BOOST_TEST((remote.anchor().status_keys == keys_of("a")));
  other.publish_status(keys_of("ab"));
  BOOST_TEST(remote.look().has_value());
  BOOST_TEST((remote.anchor().status_keys == keys_of("ab")));
}

BOOST_AUTO_TEST_CASE(without_the_pinned_key_nothing_is_trusted) {
  Other other;
  RemoteTrustOptions options = other.options();
  options.pins = {key('b').thumbprint()};
  const RemoteTrust stranger = RemoteTrust::follow(options).value();
  BOOST_TEST((outcome_of(other.chain, stranger) == Outcome::kSignatureInvalid));
  BOOST_TEST((stranger.state().problem.value().code == ErrorCode::kConflict));
  options.pins.push_back(other.chain.keys.front().public_key().thumbprint());
  BOOST_TEST((outcome_of(other.chain, RemoteTrust::follow(options).value()) == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_be_reached_changes_nothing) {
  Other other;
  RemoteTrust remote = other.follow();
  other.server.be_silent(true);
  BOOST_TEST((remote.look().error().code == ErrorCode::kBadResponse));
  BOOST_TEST((outcome_of(other.chain, remote) == Outcome::kValid));
  BOOST_TEST((RemoteTrust::follow(other.options())->state().problem.value().code == ErrorCode::kBadResponse));
  other.server.be_silent(false);
  other.answer("/.well-known/jwks.json", R"({"keys":{}})");
  BOOST_TEST(!remote.look().has_value());
  BOOST_TEST((outcome_of(other.chain, remote) == Outcome::kValid));
}

BOOST_AUTO_TEST_CASE(its_own_thread_looks_again) {
  Other other;
  const RemoteTrust remote = other.follow();
  const IssuedChain next = other.issued();
  other.publish({other.chain.keys.front().public_key(), next.keys.front().public_key()});
  other.clock += 300;
  BOOST_TEST(becomes_valid(next, remote));
}

BOOST_AUTO_TEST_CASE(its_own_thread_looks_first_when_nobody_waits) {
  Other other;
  RemoteTrustOptions options = other.options();
  options.wait_for_first_look = false;
  BOOST_TEST(becomes_valid(other.chain, RemoteTrust::follow(options).value()));
}

BOOST_AUTO_TEST_CASE(a_problem_is_told_once_until_another_look_succeeds) {
  Other other;
  RemoteTrustOptions options = other.options();
  std::vector<ErrorCode> told;
  options.failed = [&](const Error& error) { told.push_back(error.code); };
  RemoteTrust remote = RemoteTrust::follow(options).value();
  for (int round = 1; round <= 2; ++round) {
    other.server.be_silent(true);
    for (int look = 0; look < 2; ++look) static_cast<void>(remote.look());
    BOOST_TEST((told == std::vector(static_cast<std::size_t>(round), ErrorCode::kBadResponse)));
    other.server.be_silent(false);
    BOOST_TEST(remote.look().has_value());
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_origin_is_refused) {
  for (const char* origin : {"", "https://", "http://a.example", "https://a.example/", "https://a.example/x",
                             "https://user@a.example", "https://A.example", "https://a.example?x"}) {
    RemoteTrustOptions options;
    options.origin = origin;
    BOOST_TEST((RemoteTrust::follow(options).error().code == ErrorCode::kInvalidArgument), origin);
  }
}

BOOST_AUTO_TEST_SUITE_END()
