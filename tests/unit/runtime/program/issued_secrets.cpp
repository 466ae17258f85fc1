// How long what was issued for calls is looked for in answers.

#include "daemon/runtime/issued_secrets.hpp"

#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::runtime {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kNow{seconds{1'000'000}};
constexpr sys_seconds kLater = kNow + seconds{600};

api::ReleasedCredential issued(const std::string& value, std::optional<sys_seconds> end) {
  api::ReleasedCredential out;
  out.name = "orders";
  out.value = SecretBytes(as_bytes(value));
  out.is_issued = true;
  if (end) out.expires_at = end->time_since_epoch().count();
  return out;
}

struct Scene {
  void begin(const std::string& value, std::optional<sys_seconds> end, sys_seconds now = kNow) {
    BOOST_TEST_REQUIRE(secrets.call_begins(issued(value, end), now).has_value());
  }
  void end(const std::string& value, sys_seconds now = kNow) {
    secrets.call_ended(IssuedSecrets::id_of(issued(value, {})), now);
  }
  /// A call with something else, which ends at once.
  void look_again(sys_seconds now) {
    begin("something-else", {}, now);
    end("something-else", now);
  }
  [[nodiscard]] bool finds(const std::string& value) const {
    std::vector<redaction::Hit> hits;
    known.find("it is " + value + ".", hits);
    return !hits.empty();
  }

  redaction::KnownSecrets known;
  IssuedSecrets secrets{known};
};

struct Life {
  const char* name;
  std::optional<sys_seconds> end;
  sys_seconds now;
  bool is_found;
};

std::ostream& operator<<(std::ostream& out, const Life& life) { return out << life.name; }

const std::array kLives{
    Life{"no end that is known", {}, kNow, false},
    Life{"before its end", kLater, kNow, true},
    Life{"at its end", kLater, kLater, true},
    Life{"the last second of the leeway", kLater, kLater + IssuedSecrets::kLeeway, true},
    Life{"a second later", kLater, kLater + IssuedSecrets::kLeeway + seconds{1}, false},
    Life{"expired when the call ends", kNow - seconds{3600}, kNow, false},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(issued_secrets)

BOOST_DATA_TEST_CASE(a_value_is_looked_for_after_its_call_until_its_end, boost::unit_test::data::make(kLives),
                     life) {
  Scene scene;
  scene.begin("token-of-a-call", life.end);
  BOOST_TEST(scene.finds("token-of-a-call"));
  scene.end("token-of-a-call");
  scene.look_again(life.now);
  BOOST_TEST(scene.finds("token-of-a-call") == life.is_found);
}

BOOST_AUTO_TEST_CASE(a_call_under_way_keeps_its_value_known_beyond_its_end) {
  Scene scene;
  scene.begin("a-shared-token", kLater);
  scene.end("a-shared-token");
  scene.begin("a-shared-token", kLater);
  scene.begin("a-shared-token", kLater);
  const sys_seconds long_after = kLater + seconds{86'400};
  scene.look_again(long_after);
  scene.end("a-shared-token", long_after);
  BOOST_TEST(scene.finds("a-shared-token"));
  scene.end("a-shared-token", long_after);
  BOOST_TEST(!scene.finds("a-shared-token"));
}

BOOST_AUTO_TEST_CASE(the_later_end_counts_of_two_that_were_told) {
  Scene scene;
  for (const auto& end : std::vector<std::optional<sys_seconds>>{kLater, kLater + seconds{600}, kLater, {}}) {
    scene.begin("a-shared-token", end);
    scene.end("a-shared-token");
  }
  scene.look_again(kLater + seconds{600});
  BOOST_TEST(scene.finds("a-shared-token"));
  scene.look_again(kLater + seconds{661});
  BOOST_TEST(!scene.finds("a-shared-token"));
}

BOOST_AUTO_TEST_CASE(a_value_is_found_by_the_names_of_all_records_that_gave_it) {
  Scene scene;
  for (const char* const name : {"orders", "invoices", "orders"}) {
    api::ReleasedCredential given = issued("a-shared-token", kLater);
    given.name = name;
    BOOST_TEST_REQUIRE(scene.secrets.call_begins(given, kNow).has_value());
    scene.end("a-shared-token");
  }
  std::vector<redaction::Hit> hits;
  scene.known.find("a-shared-token", hits);
  BOOST_TEST_REQUIRE(hits.size() == 2u);
  BOOST_TEST(hits[0].name == "orders");
  BOOST_TEST(hits[1].name == "invoices");
  scene.look_again(kLater + seconds{3600});
  BOOST_TEST(!scene.finds("a-shared-token"));
}

BOOST_AUTO_TEST_CASE(of_too_many_those_that_end_next_are_looked_for_no_more) {
  Scene scene;
  scene.begin("with-a-call", kNow);
  const auto value = [](std::size_t i) { return "token-number-" + std::to_string(10'000 + i); };
  const std::size_t all = IssuedSecrets::kMostEnded + 3;
  for (std::size_t i = 0; i < all; ++i) {  // the last one ends first
    scene.begin(value(i), kLater + seconds{all - i});
    scene.end(value(i));
  }
  BOOST_TEST(scene.finds("with-a-call"));
  BOOST_TEST(scene.finds(value(0)));
  BOOST_TEST(scene.finds(value(all - 4)));
  for (std::size_t i = all - 3; i < all; ++i) BOOST_TEST(!scene.finds(value(i)), value(i));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_for_is_said_once_and_does_no_harm) {
  Scene scene;
  const Status refused = scene.secrets.call_begins(issued("abc", kLater), kNow);
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == ErrorCode::kInvalidArgument));
  scene.begin("abc", kLater);
  scene.end("abc");
  scene.end("abc");
  scene.end("never-issued");
  scene.look_again(kLater + seconds{3600});
  scene.begin("a-token-of-then", kLater);
  BOOST_TEST(scene.finds("a-token-of-then"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
