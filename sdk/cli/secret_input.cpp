#include "sdk/cli/secret_input.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <termios.h>
#include <unistd.h>

#include "sdk/base/printable.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kLongestLine =
    4094;                               // a terminal drops what comes behind it (termios(3), canonical mode)
constexpr std::uint8_t kInterrupt = 3;  // Ctrl-C, which comes as a character while signals are off

/// A terminal that shows nothing of what is typed, until this ends. Ctrl-C is a character meanwhile: what ended the process
/// would leave the terminal as it is.
class QuietTerminal {
 public:
  explicit QuietTerminal(int terminal) : terminal_(terminal) {
    is_quiet_ = ::tcgetattr(terminal, &former_) == 0;
    termios quiet = former_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    is_quiet_ = is_quiet_ && ::tcsetattr(terminal, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (is_quiet_) ::tcsetattr(terminal_, TCSAFLUSH, &former_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  [[nodiscard]] bool is_quiet() const noexcept { return is_quiet_; }

 private:
  const int terminal_;
  termios former_{};
  bool is_quiet_ = false;
};

Failure too_long(const char* where) {
  return failure({ErrorCode::kTooLarge, "is longer than a credential's value may be"}, where);
}

SecretBytes without_newline(SecretBytes text) {
  ByteView view = text.view();
  if (!view.empty() && view.back() == '\n') {
    view = view.first(view.size() - 1);
    if (!view.empty() && view.back() == '\r') view = view.first(view.size() - 1);
  }
  return view.size() == text.size() ? std::move(text) : SecretBytes(view);
}

Checked<SecretBytes> read_standard_input(std::size_t limit) {
  SecretBytes text(limit + 1);
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::read(STDIN_FILENO, text.writable().data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return failure({ErrorCode::kFileUnreadable, "cannot be read", static_cast<std::uint64_t>(errno)},
                     "standard input");
    }
    if (got == 0) return SecretBytes(text.view().first(filled));
    filled += static_cast<std::size_t>(got);
  }
  return too_long("standard input");
}

Checked<SecretBytes> read_line(const std::string& prompt) {
  std::fprintf(stderr, "%s: ", printable(prompt).c_str());
  std::fflush(stderr);
  SecretBytes line(kLongestLine + 1);
  std::size_t filled = 0;
  bool is_whole = false;
  while (!is_whole && filled < line.size()) {
    std::uint8_t octet = 0;
    const ssize_t got = ::read(STDIN_FILENO, &octet, 1);
    if (got < 0 && errno == EINTR) continue;
    is_whole = got <= 0 || octet == '\n';
    if (!is_whole) line.writable()[filled++] = octet;
  }
  std::fputc('\n', stderr);
  const ByteView typed = line.view().first(filled);
  if (std::ranges::find(typed, kInterrupt) != typed.end()) return misuse("given up: nothing was put");
  if (filled >= kLongestLine)
    return misuse("this is longer than a terminal takes in one line: give it with --file or --stdin");
  return SecretBytes(typed);
}

Checked<SecretBytes> ask_for(const std::string& prompt, std::size_t limit) {
  if (::isatty(STDIN_FILENO) != 1) {
    return misuse(
        "say where the value comes from: --file FILE or --stdin, or run this on a terminal, which asks for it");
  }
  const QuietTerminal terminal(STDIN_FILENO);
  if (!terminal.is_quiet())
    return misuse("this terminal shows what is typed: give the value with --file or --stdin");
  CHANCERY_ASSIGN(SecretBytes first, read_line(prompt));
  CHANCERY_ASSIGN(const SecretBytes second, read_line(prompt + ", again"));
  if (!std::ranges::equal(first.view(), second.view()))
    return misuse("the two are not the same: nothing was put");
  if (first.size() > limit) return too_long("what was typed");
  return first;
}

Checked<SecretBytes> read_source(const SecretSource& source, const std::string& prompt, std::size_t limit) {
  if (source.is_stdin && !source.file.empty()) return misuse("give --file or --stdin, not both");
  if (source.is_stdin) return read_standard_input(limit);
  if (!source.file.empty()) return read_key_file(source.file, limit);
  return ask_for(prompt, limit);
}

}  // namespace

Checked<SecretBytes> read_secret_value(const SecretSource& source, const std::string& prompt,
                                       std::size_t limit) {
  CHANCERY_ASSIGN(SecretBytes text, read_source(source, prompt, limit + 2));
  SecretBytes value = without_newline(std::move(text));
  if (value.empty()) return misuse("the value is empty: nothing was put");
  if (value.size() > limit) return too_long("the value");
  return value;
}

}  // namespace chancery::cli
