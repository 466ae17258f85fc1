// Whose program is hashed, and which is not.

#include "daemon/service/executable.hpp"

#include <fstream>
#include <iterator>

#include <boost/test/unit_test.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/service/caller.hpp"
#include "daemon/service/process.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/proc_stat.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::tests {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::string& own_program() {
  static const std::string content = content_of("/proc/self/exe");
  return content;
}

std::uint64_t own_start_time() { return start_time_of(content_of("/proc/self/stat")); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_process_name_cannot_move_the_start_time) {
  const std::string fields = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
  for (const char* name : {"(sh)", "(a b)", "(x) S 1 1 1)", "()"}) {
    BOOST_TEST(start_time_of("17 " + std::string(name) + fields) == 4242u, name);
  }
  for (const char* text : {"", "17", "17 (sh)", "17 (sh) S 1 2 3"})
    BOOST_TEST(start_time_of(text) == 0u, text);
}

BOOST_AUTO_TEST_CASE(the_running_program_is_hashed) {
  BOOST_REQUIRE(own_start_time() != 0u);
  BOOST_TEST(service::executable_digest(::getpid(), own_start_time()) ==
             hex_encode(sha256(as_bytes(own_program()))));
}

BOOST_AUTO_TEST_CASE(a_later_process_of_the_same_number_is_not_hashed) {
  BOOST_TEST(service::executable_digest(::getpid(), own_start_time() + 1).empty());
  BOOST_TEST(service::executable_digest(::getpid(), 0).empty());
}

BOOST_AUTO_TEST_CASE(a_process_that_has_ended_has_no_program) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) ::_exit(0);
  siginfo_t ended{};  // the number stays taken, so that nobody else can have it
  BOOST_REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
  const auto start = start_time_of(content_of("/proc/" + std::to_string(child) + "/stat"));
  BOOST_TEST(service::executable_digest(child, start).empty());
  BOOST_REQUIRE(::waitpid(child, nullptr, 0) == child);
}

BOOST_AUTO_TEST_CASE(a_program_beyond_the_limit_has_no_digest) {
  const std::uint64_t size = own_program().size();
  BOOST_TEST(!service::executable_digest(::getpid(), own_start_time(), size).empty());
  BOOST_TEST(service::executable_digest(::getpid(), own_start_time(), size - 1).empty());
}

BOOST_AUTO_TEST_CASE(a_hash_selector_matches_the_program_of_the_process_that_connected) {
  service::Process process;
  process.uid = 7;
  process.pid = ::getpid();
  process.start_time = own_start_time();
  api::Selectors selectors;
  selectors.uid = 7;
  selectors.executable_sha256 = hex_encode(sha256(as_bytes(own_program())));
  BOOST_TEST(service::require_match(process, selectors).has_value());
  process.start_time += 1;
  BOOST_TEST(!service::require_match(process, selectors).has_value());
  process.start_time -= 1;
  selectors.executable_sha256 = std::string(64, '0');
  BOOST_TEST(!service::require_match(process, selectors).has_value());
}

}  // namespace chancery::tests
