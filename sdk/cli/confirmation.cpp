#include "sdk/cli/confirmation.hpp"

#include <cerrno>
#include <cstdio>
#include <string_view>

#include <termios.h>
#include <unistd.h>

#include "sdk/base/printable.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kLongestAnswer = 256;

// Up to the end of the line, which is read whole: the rest of it answers nothing that is asked later.
std::string read_answer() {
  std::string answer;
  for (;;) {
    char octet = 0;
    const ssize_t got = ::read(STDIN_FILENO, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || octet == '\n') return answer;
    if (answer.size() < kLongestAnswer) answer += octet;
  }
}

}  // namespace

Checked<void> confirm(Output& output, const std::string& question, bool is_given) {
  if (is_given) return {};
  if (output.json())
    return misuse(
        "with --format json nothing is shown to a person: give --yes when you know what it is about");
  if (::isatty(STDIN_FILENO) != 1)
    return misuse("this is asked on a terminal: run it on one, or give --yes when you know what it is about");
  if (!output.flush())
    return misuse("what there is to decide about could not be shown: is the disk full, or the pipe closed?");
  // What was typed before there was anything to read is no answer to it.
  ::tcflush(STDIN_FILENO, TCIFLUSH);
  std::fprintf(stderr, "%s? Type yes: ", printable(question).c_str());
  std::fflush(stderr);
  if (trimmed(read_answer()) == "yes") return {};
  return misuse("given up: nothing was signed, and nothing was sent");
}

}  // namespace chancery::cli
