// What is told of an agent that does otherwise than it used to, and what is not; the clock is the test's.

#include "daemon/anomaly/baseline.hpp"

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::anomaly {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;

constexpr sys_seconds kStart{std::chrono::days(20'000) + 9h};
constexpr Rules kRules{.multiple = 2.0, .learning = 1h, .quiet = 10min};

Use plain_use() {
  Use use;
  use.agent = "support";
  use.took = 10ms;
  return use;
}

/// An agent that is watched; its clock goes on by hand.
struct Watched {
  Baseline baseline;
  sys_seconds now = kStart;
  Rules rules = kRules;
  std::vector<Finding> found{};

  void use(const Use& use, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const auto findings = baseline.note(use, now, rules);
      found.insert(found.end(), findings.begin(), findings.end());
    }
  }

  /// Ten calls a minute, one of which is denied, each of 10 ms, for so many minutes.
  void work(int minutes) {
    for (int minute = 0; minute < minutes; ++minute, now += 1min) {
      use(plain_use(), 9);
      Use denied = plain_use();
      denied.is_denied = true;
      use(denied);
    }
  }

  [[nodiscard]] std::vector<Kind> kinds() const {
    std::vector<Kind> out;
    for (const Finding& finding : found) out.push_back(finding.kind);
    return out;
  }
};

Watched learned() {
  Watched agent;
  agent.work(120);
  BOOST_TEST_REQUIRE(agent.found.empty());
  return agent;
}

/// \param calls  in a minute, where ten are usual
struct RateCase {
  const char* name;
  int calls;
  double multiple;
  bool is_told;
};
std::ostream& operator<<(std::ostream& out, const RateCase& c) { return out << c.name; }
constexpr std::array kRates{RateCase{"as usual", 10, 2.0, false},   RateCase{"1.9 times", 19, 2.0, false},
                            RateCase{"twice", 20, 2.0, true},       RateCase{"thrice", 30, 2.0, true},
                            RateCase{"2.9 of 3", 29, 3.0, false},   RateCase{"3 of 3", 30, 3.0, true},
                            RateCase{"1.4 of 1.5", 14, 1.5, false}, RateCase{"1.5 of 1.5", 15, 1.5, true}};

}  // namespace

BOOST_DATA_TEST_CASE(a_rate_is_told_from_the_multiple_on, boost::unit_test::data::make(kRates), c) {
  Watched agent = learned();
  agent.rules.multiple = c.multiple;
  agent.use(plain_use(), c.calls);
  BOOST_TEST((agent.kinds() == (c.is_told ? std::vector{Kind::kCallRate} : std::vector<Kind>{})));
  if (c.is_told) {
    BOOST_TEST(agent.found[0].measured == 10 * c.multiple);
    BOOST_TEST(agent.found[0].usual == 10.0);
  }
}

/// \param denials  of a hundred calls in ten minutes, where ten are usual
struct ShareCase {
  const char* name;
  int denials;
  bool is_told;
};
std::ostream& operator<<(std::ostream& out, const ShareCase& c) { return out << c.name; }
constexpr std::array kShares{ShareCase{"as usual", 10, false}, ShareCase{"1.9 times", 19, false},
                             ShareCase{"twice", 20, true}};

BOOST_DATA_TEST_CASE(a_share_of_denials_is_told_from_the_multiple_on, boost::unit_test::data::make(kShares),
                     c) {
  Watched agent = learned();
  for (int call = 0; call < 100; ++call) {
    if (call > 0 && call % 10 == 0) agent.now += 1min;
    Use use = plain_use();
    use.is_denied = call >= 100 - c.denials;
    agent.use(use);
  }
  BOOST_TEST((agent.kinds() == (c.is_told ? std::vector{Kind::kDenialRate} : std::vector<Kind>{})));
}

/// \param took  each, where 10 ms are usual
struct TimeCase {
  const char* name;
  std::chrono::microseconds took;
  bool is_told;
};
std::ostream& operator<<(std::ostream& out, const TimeCase& c) { return out << c.name; }
constexpr std::array kTimes{TimeCase{"as usual", 10ms, false}, TimeCase{"1.9 times", 19ms, false},
                            TimeCase{"twice", 20ms, true}};

BOOST_DATA_TEST_CASE(a_latency_is_told_from_the_multiple_on, boost::unit_test::data::make(kTimes), c) {
  Watched agent = learned();
  Use use = plain_use();
  use.took = c.took;
  for (int minute = 0; minute < 3; ++minute, agent.now += 1min) agent.use(use, 10);
  BOOST_TEST((agent.kinds() == (c.is_told ? std::vector{Kind::kLatency} : std::vector<Kind>{})));
}

BOOST_AUTO_TEST_CASE(what_is_new_is_told_once_and_nothing_while_it_learns) {
  Watched agent;
  Use use = plain_use();
  use.scopes = {"crm.read"};
  use.resources = {"https://crm.example.org"};
  use.host = "crm.example.org";
  agent.use(use);
  agent.now += 1h - 1s;
  use.scopes = {"crm.write"};
  agent.use(use);
  BOOST_TEST(agent.found.empty());
  agent.now += 1s;
  use.scopes = {"crm.read", "crm.write", "payments.refund"};
  agent.use(use, 2);
  use.resources = {"https://pay.example.org"};
  use.host = "pay.example.org";
  agent.use(use, 2);
  const std::vector<Finding> want{{Kind::kNewScope, 0, 0, "payments.refund"},
                                  {Kind::kNewResource, 0, 0, "https://pay.example.org"},
                                  {Kind::kNewHost, 0, 0, "pay.example.org"}};
  BOOST_TEST((agent.found == want));
}

BOOST_AUTO_TEST_CASE(an_hour_in_which_it_never_worked_is_told_after_a_week) {
  const auto work_days = [](int days) {
    Watched agent;
    for (int day = 0; day < days; ++day) {
      for (int hour = 0; hour < 8; ++hour) {
        agent.now = kStart + std::chrono::days(day) + std::chrono::hours(hour);
        agent.use(plain_use());
      }
    }
    return agent;
  };
  struct {
    int days;
    std::chrono::hours hour;
    bool is_told;
  } const cases[]{{7, 3h, true}, {6, 3h, false},  {7, 8h, false},
                  {7, 7h, true}, {7, 17h, false}, {7, 18h, true}};
  for (const auto& c : cases) {
    Watched agent = work_days(c.days);
    BOOST_TEST(agent.found.empty());
    agent.now = std::chrono::floor<std::chrono::days>(kStart) + std::chrono::days(c.days) + c.hour;
    agent.use(plain_use());
    BOOST_TEST((agent.kinds() == (c.is_told ? std::vector{Kind::kTimeOfDay} : std::vector<Kind>{})),
               c.days << " days, " << c.hour.count());
    if (c.is_told) BOOST_TEST(agent.found[0].what == std::to_string(c.hour.count()));
  }
}

BOOST_AUTO_TEST_CASE(an_alert_is_followed_by_quiet) {
  Watched agent = learned();
  for (int minute = 0; minute < 10; ++minute, agent.now += 1min) agent.use(plain_use(), 40);
  BOOST_TEST((agent.kinds() == std::vector{Kind::kCallRate}));
  agent.use(plain_use(), 40);
  BOOST_TEST(agent.found.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_excess_is_learned_as_the_multiple_and_no_more) {
  Watched agent = learned();
  agent.use(plain_use(), 10'000);
  agent.now += 20min;
  agent.found.clear();
  agent.use(plain_use(), 20);
  BOOST_TEST(agent.found.empty());  // usual is a little more than ten
  agent.use(plain_use(), 1);
  BOOST_TEST((agent.kinds() == std::vector{Kind::kCallRate}));
}

BOOST_AUTO_TEST_CASE(small_numbers_say_nothing) {
  Watched agent;
  for (int minute = 0; minute < 120; ++minute, agent.now += 1min) agent.use(plain_use());
  agent.use(plain_use(), 9);
  BOOST_TEST(agent.found.empty());
  agent.use(plain_use());
  BOOST_TEST((agent.kinds() == std::vector{Kind::kCallRate}));
}

BOOST_AUTO_TEST_CASE(nights_without_calls_make_no_rate_smaller) {
  Watched agent = learned();
  agent.now += 14h;
  agent.use(plain_use(), 19);
  BOOST_TEST(agent.found.empty());
}

BOOST_AUTO_TEST_CASE(a_full_set_of_names_tells_nothing_more) {
  Watched agent = learned();
  Use use = plain_use();
  for (int i = 0; i < 300; ++i, agent.now += 1min) {
    use.host = "host-" + std::to_string(i);
    agent.use(use);
  }
  BOOST_TEST(agent.found.size() == 256u);
}

BOOST_AUTO_TEST_CASE(what_was_learned_is_kept) {
  Watched agent = learned();
  Use use = plain_use();
  use.scopes = {"crm.read"};
  agent.use(use);
  agent.found.clear();
  const auto document = json::Document::parse(json::to_jcs(agent.baseline.to_node()));
  BOOST_REQUIRE(document);
  auto kept = Baseline::from(document->root());
  BOOST_REQUIRE(kept);
  agent.baseline = *std::move(kept);
  agent.now += 20min;
  agent.use(use, 19);
  BOOST_TEST(agent.found.empty());
  agent.use(use);
  BOOST_TEST((agent.kinds() == std::vector{Kind::kCallRate}));
}

BOOST_AUTO_TEST_CASE(what_is_no_baseline_is_not_taken_for_one) {
  for (const char* const text : {"{}", "[]", "1", R"({"first":1})"}) {
    const auto document = json::Document::parse(text);
    BOOST_TEST(!Baseline::from(document->root()).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(kinds_have_names) {
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    BOOST_TEST((kind_of(kKindNames[i]) == static_cast<Kind>(i)));
  }
  BOOST_TEST(!kind_of("nothing").has_value());
}

}  // namespace chancery::anomaly
