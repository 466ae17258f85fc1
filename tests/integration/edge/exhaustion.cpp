// Memory that runs out while a connection is taken in costs that connection and no other.
#include <atomic>
#include <cstdlib>
#include <new>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "daemon/edge/connection.hpp"
#include "tests/integration/edge/scene.hpp"

namespace {

// The next allocation for a connection, which std::make_shared lays out behind its counters, fails.
std::atomic<bool> fails = false;

bool is_for_a_connection(std::size_t size) {
  constexpr std::size_t kCounters = 64;
  constexpr std::size_t kConnection = sizeof(chancery::edge::Connection);
  return size > kConnection && size <= kConnection + kCounters;
}

}  // namespace

// Not inlined: g++ would see malloc'd memory pass through `delete`, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (is_for_a_connection(size) && fails.exchange(false)) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace chancery::testing {
namespace {

BOOST_DATA_TEST_CASE(listener_goes_on_after_a_connection_for_which_memory_was_missing,
                     boost::unit_test::data::make({Wire::kUnix, Wire::kPlain}), wire) {
  Scene scene;
  scene.check_serves(wire);
  scene.await_connections(0);
  fails = true;
  RawClient unlucky = scene.connect(wire);
  BOOST_TEST(unlucky.is_closed_by_server());
  BOOST_TEST(!fails);
  for (int i = 0; i < 3; ++i) scene.check_serves(wire);
  scene.await_connections(0);
  BOOST_TEST(scene.server().drain(std::chrono::seconds(20)) == 0U);
}

}  // namespace
}  // namespace chancery::testing
