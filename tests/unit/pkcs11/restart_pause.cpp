#include "hsm/pkcs11/restart_pause.hpp"

#include <boost/test/unit_test.hpp>

namespace chancery::hsm {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(the_first_start_is_at_once_and_the_pause_grows_to_half_a_minute) {
  RestartPause pause;
  BOOST_TEST(pause.next(5ms).count() == 0);
  for (const long want : {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}) {
    BOOST_TEST(pause.next(5ms).count() == want);
  }
}

BOOST_AUTO_TEST_CASE(who_lived_for_a_minute_starts_anew) {
  RestartPause pause;
  for (int i = 0; i < 5; ++i) static_cast<void>(pause.next(59s));
  BOOST_TEST(pause.next(60s).count() == 0);
  BOOST_TEST(pause.next(1s).count() == 100);
}

}  // namespace chancery::hsm
