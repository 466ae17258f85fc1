#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <chancery/result.hpp>

#include "sdk/base/descriptor.hpp"

namespace chancery::runtime {

/// What of a tool's output is taken, in octets.
struct LineLimits {
  std::size_t max_line = 1u << 20;     ///< without its end
  std::size_t max_output = 16u << 20;  ///< of all lines together
  std::size_t max_errors = 16u << 10;  ///< of standard error; what comes after is read and dropped
};

/// Talks to a process line by line over its standard input and output, and never waits for it beyond a deadline. It reads while
/// it writes, so that a tool that answers early does not stall it. Not thread-safe. After an error other than kTimeout
/// there is nothing to be had from it any more.
class LineChannel {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// The ends of three pipes, which it sets to non-blocking: to write to, to read from, and of standard error.
  LineChannel(Descriptor input, Descriptor output, Descriptor errors, const LineLimits& limits);

  /// Writes a line and its end. \param line  one line: without LF, CR and NUL
  /// \return kInvalidArgument, kTimeout, kProcessFailed (it reads no more), kTooLarge (it wrote too much meanwhile)
  [[nodiscard]] Status write_line(std::string_view line, Instant deadline);

  /// The same in two steps, for whoever has to look up in between. What a flush that ended with kTimeout did not write, the next
  /// one does.
  [[nodiscard]] Status add_line(std::string_view line);
  [[nodiscard]] Status flush(Instant deadline);

  /// \return the next line without its end, kTimeout, kProcessFailed (it ended, or closed its output), kTooLarge (the line,
  ///         or all of them)
  [[nodiscard]] Result<std::string> read_line(Instant deadline);

  /// Lets the process see the end of its input.
  void close_input() noexcept { const Descriptor closed = std::exchange(input_, Descriptor()); }

  /// The beginning of what was read of standard error. Another's text: not to be shown without redaction.
  [[nodiscard]] const std::string& errors() const noexcept { return error_text_; }

 private:
  /// Waits until something can be moved, and moves it; takes what was written off `rest`.
  [[nodiscard]] Status move_some(std::string_view& rest, Instant deadline);
  [[nodiscard]] Status write_some(std::string_view& rest);
  [[nodiscard]] Status take_output();
  void take_errors();

  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;
  LineLimits limits_;
  std::string unwritten_;     // of lines that were added
  std::string buffer_;        // what was read, from the first line on that was not asked for
  std::size_t searched_ = 0;  // of the buffer: there is no end of a line in it
  std::size_t total_ = 0;
  std::string error_text_;
};

}  // namespace chancery::runtime
