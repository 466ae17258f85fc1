#include "tests/integration/cli/terminal.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chancery::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;

// `condition` waits a little by itself.
bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
  }
  return true;
}

[[noreturn]] void become(const std::string& terminal, std::vector<std::string> command,
                         const std::map<std::string, std::string>& environment) {
  std::vector<char*> pointers;
  for (std::string& argument : command) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::setsid();
  const int file = ::open(terminal.c_str(), O_RDWR);
  for (int number = 0; number < 3; ++number) ::dup2(file, number);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execv(pointers.front(), pointers.data());
  ::_exit(127);
}

}  // namespace

Terminal::Terminal(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& environment)
    : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  BOOST_REQUIRE((master_ && ::grantpt(master_.get()) == 0 && ::unlockpt(master_.get()) == 0));
  const std::string slave = ::ptsname(master_.get());
  std::vector<std::string> command{CHANCERY_BINARY_DIR "/chancery"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  pid_ = ::fork();
  BOOST_REQUIRE(pid_ >= 0);
  if (pid_ == 0) become(slave, std::move(command), environment);
}

Terminal::~Terminal() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::expect(const std::string& text) {
  const bool is_said = eventually([&] {
    read_some();
    return shown_.find(text) != std::string::npos;
  });
  BOOST_REQUIRE_MESSAGE(is_said, shown_);
}

void Terminal::type(const std::string& text) const {
  BOOST_REQUIRE(::write(master_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

int Terminal::end() {
  int status = 0;
  BOOST_REQUIRE(eventually([&] {
    read_some();
    return ::waitpid(pid_, &status, WNOHANG) == pid_;
  }));
  read_some();
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Terminal::read_some() {
  constexpr int kMoment = 20;  // milliseconds
  for (pollfd ready{master_.get(), POLLIN, 0};
       ::poll(&ready, 1, kMoment) > 0 && (ready.revents & POLLIN) != 0;) {
    std::array<char, 4096> octets{};
    const ssize_t got = ::read(master_.get(), octets.data(), octets.size());
    if (got <= 0) return;
    shown_.append(octets.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace chancery::testing
