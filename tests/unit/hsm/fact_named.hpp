#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

/// The fact of that name, which must be there.
inline Fact fact_named(const std::vector<Fact>& facts, std::string_view name) {
  const auto found = std::ranges::find(facts, name, &Fact::name);
  BOOST_REQUIRE_MESSAGE(found != facts.end(), "no fact " << name);
  return *found;
}

}  // namespace chancery::hsm
