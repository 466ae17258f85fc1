#pragma once

#include <csignal>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chancery::tests {

/// tests/integration/webhook/receiver.py on a port of its own.
class ReceiverProcess {
 public:
  explicit ReceiverProcess(const std::vector<std::string>& arguments) : pid_(::fork()) {
    BOOST_REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<std::string> command{"/usr/bin/python3", "-B",
                                     CHANCERY_SOURCE_DIR "/tests/integration/webhook/receiver.py"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : command) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  ~ReceiverProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ReceiverProcess(const ReceiverProcess&) = delete;
  ReceiverProcess& operator=(const ReceiverProcess&) = delete;

 private:
  pid_t pid_;
};

}  // namespace chancery::tests
