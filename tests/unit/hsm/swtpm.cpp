#include "simulators/swtpm/swtpm.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hsm/tpm/backend.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/hsm/simulated_tpm.hpp"

namespace chancery::simulators {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

// As the kernel tells it, without who asks: 'T' when stopped.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string word;
  file >> word >> word >> word;
  return word.empty() ? '?' : word.front();
}

class ChangedPath {
 public:
  explicit ChangedPath(const char* path) : before_(std::getenv("PATH")) { ::setenv("PATH", path, 1); }
  ~ChangedPath() { ::setenv("PATH", before_.c_str(), 1); }
  ChangedPath(const ChangedPath&) = delete;
  ChangedPath& operator=(const ChangedPath&) = delete;

 private:
  const std::string before_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(one_of_its_own_is_private_and_leaves_nothing) {
  fs::path folder;
  pid_t pid = -1;
  {
    const Swtpm tpm = hsm::start_swtpm();
    folder = tpm.folder();
    pid = tpm.pid();
    struct stat found {};
    BOOST_REQUIRE(::stat(folder.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777) == 0700u);
    BOOST_REQUIRE(::stat(tpm.socket().c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 077) == 0u);
    BOOST_TEST(is_alive(pid));
  }
  BOOST_TEST(!is_alive(pid));
  BOOST_TEST(!fs::exists(folder));
}

BOOST_AUTO_TEST_CASE(several_at_once_are_different_tpms) {
  const Swtpm a = hsm::start_swtpm(), b = hsm::start_swtpm();
  const auto first = hsm::open_backend(hsm::options_for(a.tcti()));
  const auto second = hsm::open_backend(hsm::options_for(b.tcti()));
  BOOST_TEST((first->storage_key_name() != second->storage_key_name()));
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_the_state_and_replacing_it_does_not) {
  Swtpm tpm = hsm::start_swtpm();
  const auto name = [&] { return hsm::open_backend(hsm::options_for(tpm.tcti()))->storage_key_name(); };
  const Bytes before = name();
  tpm.stop();
  BOOST_TEST(tpm.pid() == -1);
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST(name() == before);
  tpm.replace_state();
  BOOST_REQUIRE(tpm.restart());
  BOOST_TEST((name() != before));
}

BOOST_AUTO_TEST_CASE(pausing_stops_it_and_stopping_ends_even_then) {
  Swtpm tpm = hsm::start_swtpm();
  const pid_t pid = tpm.pid();
  tpm.pause();
  hsm::eventually([&] { return state_of(pid) == 'T'; });
  tpm.resume();
  hsm::eventually([&] { return state_of(pid) != 'T'; });
  tpm.pause();
  tpm.stop();
  BOOST_TEST(!is_alive(pid));
}

BOOST_AUTO_TEST_CASE(moving_takes_process_and_folder_along) {
  Swtpm first = hsm::start_swtpm();
  const pid_t pid = first.pid();
  Swtpm second = std::move(first);
  BOOST_TEST(second.pid() == pid);
  second = hsm::start_swtpm();
  BOOST_TEST(!is_alive(pid));
}

BOOST_AUTO_TEST_CASE(a_manufactured_one_has_certificates) {
  auto tpm = Swtpm::start({.folder = {}, .certificates = true});
  BOOST_REQUIRE_MESSAGE(tpm, (tpm ? "" : tpm.error().what));
  std::size_t certificates = 0;
  for (const auto& entry : fs::directory_iterator(tpm->certificates())) certificates += entry.file_size() > 0;
  BOOST_TEST(certificates >= 2u);  // RSA and ECC endorsement keys
  const auto backend = hsm::open_backend(hsm::options_for(tpm->tcti()));
  hsm::create_key(*backend);
}

// The caller's folder stays the caller's.
BOOST_AUTO_TEST_CASE(a_given_folder_is_kept_if_it_was_there) {
  const testing::TemporaryFolder folder;
  {
    const auto tpm = Swtpm::start({.folder = folder.path()});
    BOOST_REQUIRE(tpm);
    const auto made = Swtpm::start({.folder = folder.path() / "new"});
    BOOST_REQUIRE(made);
  }
  BOOST_TEST(fs::exists(folder.path() / "state"));
  BOOST_TEST(!fs::exists(folder.path() / "new"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_others_may_enter_is_refused) {
  const testing::TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::group_exec, fs::perm_options::add);
  const auto tpm = Swtpm::start({.folder = folder.path()});
  BOOST_REQUIRE(!tpm);
  BOOST_TEST((tpm.error().code == ErrorCode::kFilePermissions));
}

BOOST_AUTO_TEST_CASE(a_place_where_no_folder_can_be_is_refused) {
  const auto tpm = Swtpm::start({.folder = "/proc/nowhere/tpm"});
  BOOST_REQUIRE(!tpm);
  BOOST_TEST((tpm.error().code == ErrorCode::kFileUnwritable));
}

BOOST_AUTO_TEST_CASE(a_path_too_long_for_a_socket_is_refused_and_the_longest_is_not) {
  const testing::TemporaryFolder folder;
  const std::size_t base = folder.path().string().size();
  constexpr std::size_t kLongestFolder = 107 - std::string_view("/s.ctrl").size();
  for (const std::size_t length : {kLongestFolder, kLongestFolder + 1}) {
    const auto tpm = Swtpm::start({.folder = folder.path() / std::string(length - base - 1, 'x')});
    BOOST_TEST(tpm.has_value() == (length == kLongestFolder));
    if (!tpm) BOOST_TEST((tpm.error().code == ErrorCode::kInvalidArgument));
  }
  BOOST_TEST(fs::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(what_is_not_installed_is_named) {
  const ChangedPath nothing("/nonexistent");
  for (const bool certificates : {false, true}) {
    const auto tpm = Swtpm::start({.folder = {}, .certificates = certificates});
    BOOST_REQUIRE(!tpm);
    BOOST_TEST((tpm.error().code == ErrorCode::kProcessFailed));
    BOOST_TEST(std::string(tpm.error().what).find("Debian packages swtpm and swtpm-tools") !=
               std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_second_one_in_the_same_folder_is_refused_and_the_first_goes_on) {
  const testing::TemporaryFolder folder;
  const auto first = Swtpm::start({.folder = folder.path()});
  BOOST_REQUIRE(first);
  const auto second = Swtpm::start({.folder = folder.path()});
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ErrorCode::kProcessFailed));
  hsm::create_key(*hsm::open_backend(hsm::options_for(first->tcti())));
}

// Nobody is left to call the destructor.
BOOST_AUTO_TEST_CASE(it_dies_with_its_parent) {
  const testing::TemporaryFolder folder;
  std::array<int, 2> channel{};
  BOOST_REQUIRE(::pipe(channel.data()) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto tpm = Swtpm::start({.folder = folder.path()});
    const pid_t pid = tpm ? tpm->pid() : -1;
    const bool told = ::write(channel[1], &pid, sizeof pid) == sizeof pid;
    ::raise(told ? SIGKILL : SIGABRT);
  }
  pid_t child = -1;
  BOOST_REQUIRE(::read(channel[0], &child, sizeof child) == sizeof child);
  BOOST_REQUIRE(child > 0);
  ::waitpid(parent, nullptr, 0);
  // Its new parent may be slow to notice, so a zombie is dead enough.
  hsm::eventually([&] { return !is_alive(child) || state_of(child) == 'Z'; });
  ::close(channel[0]);
  ::close(channel[1]);
}

// A daemon blocks the signals that it waits for; what it starts must not inherit that.
BOOST_AUTO_TEST_CASE(blocked_signals_are_not_handed_down) {
  sigset_t terminate, before;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &terminate, &before);
  const Swtpm tpm = hsm::start_swtpm();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const pid_t pid = tpm.pid();
  ::kill(pid, SIGTERM);
  hsm::eventually([&] { return state_of(pid) == 'Z'; });
}

}  // namespace chancery::simulators
