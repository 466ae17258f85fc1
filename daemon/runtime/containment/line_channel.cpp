#include "daemon/runtime/containment/line_channel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace chancery::runtime {
namespace {

constexpr std::size_t kChunk = 16384;

constexpr Error kEnded{ErrorCode::kProcessFailed,
                       "the tool ended, or closed its output: its standard error may say why"};

void set_nonblocking(const Descriptor& descriptor) {
  ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

int patience_until(LineChannel::Instant deadline) {
  constexpr std::chrono::milliseconds kMost{60'000};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, kMost).count());
}

/// Keeps a write to a pipe that nobody reads from ending this process: pipes know no MSG_NOSIGNAL. For this thread alone.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &former_);
  }
  ~WithoutPipeSignal() {
    constexpr timespec kNow{};
    if (!was_pending_) ::sigtimedwait(&pipe_, nullptr, &kNow);
    ::pthread_sigmask(SIG_SETMASK, &former_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t former_{};
  bool was_pending_ = false;
};

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

LineChannel::LineChannel(Descriptor input, Descriptor output, Descriptor errors, const LineLimits& limits)
    : input_(std::move(input)), output_(std::move(output)), errors_(std::move(errors)), limits_(limits) {
  for (const Descriptor* descriptor : {&input_, &output_, &errors_}) set_nonblocking(*descriptor);
}

Status LineChannel::write_line(std::string_view line, Instant deadline) {
  CHANCERY_TRY(add_line(line));
  return flush(deadline);
}

Status LineChannel::add_line(std::string_view line) {
  constexpr std::string_view kEnds("\n\r\0", 3);
  if (line.find_first_of(kEnds) != line.npos)
    return Error{ErrorCode::kInvalidArgument, "a line to a tool has LF, CR or NUL in it"};
  unwritten_.append(line).push_back('\n');
  return {};
}

Status LineChannel::flush(Instant deadline) {
  std::string_view rest = unwritten_;
  Status moved;
  while (moved && !rest.empty()) moved = move_some(rest, deadline);
  unwritten_.erase(0, unwritten_.size() - rest.size());
  return moved;
}

Result<std::string> LineChannel::read_line(Instant deadline) {
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (std::min(end, buffer_.size()) > limits_.max_line)
      return Error{ErrorCode::kTooLarge, "the tool wrote a line that is longer than is taken"};
    if (end != buffer_.npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return line;
    }
    searched_ = buffer_.size();
    if (!output_) return kEnded;
    std::string_view nothing;
    CHANCERY_TRY(move_some(nothing, deadline));
  }
}

Status LineChannel::move_some(std::string_view& rest, Instant deadline) {
  if (!rest.empty() && !input_) return kEnded;
  // What is not asked for stays in the pipe, once a whole line of the longest is here.
  const bool has_room = buffer_.size() <= limits_.max_line;
  std::array<pollfd, 3> waited{pollfd{rest.empty() ? -1 : input_.get(), POLLOUT, 0},
                               pollfd{has_room ? output_.get() : -1, POLLIN, 0},
                               pollfd{errors_.get(), POLLIN, 0}};
  const int ready = ::poll(waited.data(), waited.size(), patience_until(deadline));
  if (ready < 0 && errno != EINTR)
    return Error{ErrorCode::kInternal, "a tool's pipes could not be waited for",
                 static_cast<std::uint64_t>(errno)};
  // Also when it never stops to write: the deadline is for the whole.
  if (std::chrono::steady_clock::now() >= deadline)
    return Error{ErrorCode::kTimeout, "the tool did not answer in time"};
  if (ready <= 0) return {};
  if (waited[2].revents != 0) take_errors();
  if (waited[1].revents != 0) CHANCERY_TRY(take_output());
  return waited[0].revents != 0 ? write_some(rest) : Status{};
}

Status LineChannel::write_some(std::string_view& rest) {
  const WithoutPipeSignal guard;
  const ssize_t written = ::write(input_.get(), rest.data(), rest.size());
  if (written >= 0) {
    rest.remove_prefix(static_cast<std::size_t>(written));
    return {};
  }
  if (would_block(errno)) return {};
  return Error{ErrorCode::kProcessFailed, "the tool reads no more: it ended, or closed its input",
               static_cast<std::uint64_t>(errno)};
}

Status LineChannel::take_output() {
  std::array<char, kChunk> chunk;
  const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
  if (got < 0 && would_block(errno)) return {};
  if (got <= 0) {
    const Descriptor closed = std::exchange(output_, Descriptor());
    return {};
  }
  const auto size = static_cast<std::size_t>(got);
  if (size > limits_.max_output - total_) {
    total_ = limits_.max_output;  // what is lost now would be missing from any later line
    return Error{ErrorCode::kTooLarge, "the tool wrote more than is taken of it"};
  }
  total_ += size;
  buffer_.append(chunk.data(), size);
  return {};
}

void LineChannel::take_errors() {
  std::array<char, kChunk> chunk;
  const ssize_t got = ::read(errors_.get(), chunk.data(), chunk.size());
  if (got < 0 && would_block(errno)) return;
  if (got <= 0) {
    const Descriptor closed = std::exchange(errors_, Descriptor());
    return;
  }
  const std::size_t room = limits_.max_errors - error_text_.size();
  error_text_.append(chunk.data(), std::min(room, static_cast<std::size_t>(got)));
}

}  // namespace chancery::runtime
