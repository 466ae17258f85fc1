// What the daemon knows of its clients when it was ended in between, and started again on the same state.

#include <csignal>

#include <boost/test/unit_test.hpp>

#include "tests/integration/daemon/kept_daemon.hpp"
#include "tests/integration/oauth/oauth_scene.hpp"

namespace chancery::tests {
namespace {

struct Restarted : KeptDaemon, OAuthScene {
  Restarted() : OAuthScene(started()) {}
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_assertion_that_was_used_before_a_restart_is_refused_after_it, Restarted) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const Fields request = credentials_request();
    BOOST_TEST(post("/v1/token", request).http.status == 200);
    daemon->stop(signal);
    daemon->start();
    BOOST_TEST(post("/v1/token", request).member("error") == "invalid_client");
    BOOST_TEST(post("/v1/token", credentials_request()).http.status == 200);
  }
}

}  // namespace chancery::tests
