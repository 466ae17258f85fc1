// The simulated store itself: private, with tokens that can be told apart, and gone afterwards.

#include "simulators/softhsm/softhsm.hpp"

#include <cstdlib>
#include <string>

#include <sys/stat.h>

#include "tests/unit/pkcs11/simulated_token.hpp"

namespace chancery::simulators {

using hsm::required;

BOOST_AUTO_TEST_CASE(a_store_is_private_and_leaves_nothing_behind) {
  std::filesystem::path folder;
  {
    SoftHsm store = required(SoftHsm::create());
    folder = store.folder();
    const SoftToken token = required(store.add_token("one"));
    struct stat status {};
    BOOST_REQUIRE(::stat(folder.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777) == 0700u);
    BOOST_REQUIRE(::stat(token.pin_file.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777) == 0600u);
    store.use_in_this_process();
    BOOST_TEST(store.environment() == std::string("SOFTHSM2_CONF=") + std::getenv("SOFTHSM2_CONF"));
  }
  BOOST_TEST(!std::filesystem::exists(folder));
  BOOST_TEST(std::getenv("SOFTHSM2_CONF") == nullptr);
}

BOOST_AUTO_TEST_CASE(tokens_of_one_store_have_serial_numbers_of_their_own) {
  SoftHsm store = required(SoftHsm::create());
  const SoftToken one = required(store.add_token("one"));
  const SoftToken two = required(store.add_token("two"));
  BOOST_TEST(one.serial.size() == 16u);
  BOOST_TEST(two.serial.size() == 16u);
  BOOST_TEST(one.serial != two.serial);
}

}  // namespace chancery::simulators
