#include "tests/unit/sdk/random_authority.hpp"

#include <algorithm>
#include <array>

namespace chancery::tests {
namespace {

constexpr std::array<const char*, 3> kWords{"a", "b", "c1"};
constexpr std::array<const char*, 3> kOpaque{"openid", "User.Read", "a"};
constexpr std::array<const char*, 4> kKeys{"n", "m", "a.b#n", "a.*#n"};
constexpr std::array<const char*, 6> kValues{"1", "\"1\"", "true", "null", R"({"x":[1]})", "\"b\""};
constexpr std::array<const char*, 6> kPrefixes{"", "/", "/a", "/a/", "/a/b", "/b"};

std::vector<std::string> random_values(RandomSource& random) {
  std::vector<std::string> out;
  for (std::size_t count = random.below(5); count > 0; --count) out.emplace_back(random.pick(kValues));
  return out;
}

Rank random_rank(RandomSource& random) {
  std::vector<std::string> order{"low", "mid", "high"};
  if (random.once_in(8)) std::ranges::reverse(order);
  return {random.pick(order), order};
}

RateBound random_rate(RandomSource& random) {
  return {static_cast<double>(random.below(5)), static_cast<RateBound::Per>(random.below(2))};
}

TimeWindow random_window(RandomSource& random) {
  const auto days = static_cast<std::uint8_t>(1 + random.below(7));
  const std::chrono::hours from{random.below(4)};
  return {days, from, from + std::chrono::hours(1 + random.below(20)),
          random.once_in(4) ? "UTC" : "Europe/Berlin"};
}

ConstraintRule random_rule(RandomSource& random) {
  const auto bound = [&](NumberBound::Type type) {
    return NumberBound{type, static_cast<double>(random.below(9)) / 2 - 2};
  };
  switch (random.below(11)) {
    case 0:
      return bound(NumberBound::Type::kMax);
    case 1:
      return bound(NumberBound::Type::kMin);
    case 2:
      return bound(NumberBound::Type::kMaxLifetime);
    case 3:
      return bound(NumberBound::Type::kMaxSubtree);
    case 4:
      return Membership{false, random_values(random)};
    case 5:
      return Membership{true, random_values(random)};
    case 6:
      return Prefix{random.pick(kPrefixes)};
    case 7:
      return random_rank(random);
    case 8:
      return random_rate(random);
    case 9:
      return random_window(random);
    default:
      return UnknownRule{"zone", random.once_in(4) ? "1" : "2"};
  }
}

}  // namespace

std::string random_scope(RandomSource& random) {
  if (random.once_in(6)) return random.pick(kOpaque);
  std::string scope = random.pick(kWords);
  const bool wildcard = random.once_in(2);
  for (std::size_t more = random.below(3) + (wildcard ? 0 : 1); more > 0; --more) {
    scope.append(".").append(random.pick(kWords));
  }
  return wildcard ? scope + ".*" : scope;
}

Authority random_authority(RandomSource& random) {
  Authority out;
  for (std::size_t count = 1 + random.below(4); count > 0; --count)
    out.scopes.push_back(random_scope(random));
  for (std::size_t count = random.below(5); count > 0; --count) {
    Constraint constraint{random.pick(kKeys), random_rule(random)};
    const bool repeated = std::ranges::any_of(out.constraints, [&](const Constraint& other) {
      return other.key == constraint.key && other.type() == constraint.type();
    });
    if (!repeated) out.constraints.push_back(std::move(constraint));
  }
  return out;
}

}  // namespace chancery::tests
