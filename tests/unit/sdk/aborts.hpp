#pragma once

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace chancery::tests {

/// Whether `misuse` ends the process by abort(): tried in a child of its own.
template <typename Misuse>
bool aborts(Misuse misuse) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // Boost.Test would catch it and tell of a failure
    misuse();
    _exit(0);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace chancery::tests
