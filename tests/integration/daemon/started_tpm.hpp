#pragma once

#include <utility>

#include <boost/test/unit_test.hpp>

#include "simulators/swtpm/swtpm.hpp"

namespace chancery::tests {

inline simulators::Swtpm start_tpm() {
  auto tpm = simulators::Swtpm::start();
  BOOST_REQUIRE(tpm);
  return *std::move(tpm);
}

}  // namespace chancery::tests
