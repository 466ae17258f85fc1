#include "sdk/cli/mcp_stdio.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace chancery::cli {
namespace {

using mcp::Message;

constexpr std::size_t kLists = 4;     // threads beside those that calls take
constexpr std::size_t kWaiting = 64;  // jobs; then nothing is read until one is done

void wait_for(int file, short events) {
  pollfd waiting{file, events, 0};
  ::poll(&waiting, 1, -1);
}

/// Lines of a descriptor, each within a bound.
class LineReader {
 public:
  struct Line {
    std::string text;
    bool is_too_long = false;  // its beginning was thrown away
  };

  LineReader(int file, std::size_t longest) : file_(file), longest_(longest) {}

  // \return nullopt at the end of the input; what a last line without an end has is a line
  Result<std::optional<Line>> next() {
    Line line;
    while (true) {
      const std::size_t end = buffer_.find('\n', seen_);
      append(line, end == std::string::npos ? buffer_.size() : end);
      if (end != std::string::npos) {
        seen_ = end + 1;
        return std::optional(std::move(line));
      }
      CHANCERY_ASSIGN(const bool more, fill());
      if (more) continue;
      if (line.text.empty() && !line.is_too_long) return std::optional<Line>();
      return std::optional(std::move(line));
    }
  }

 private:
  void append(Line& line, std::size_t end) {
    if (line.text.size() + (end - seen_) > longest_) line.is_too_long = true;
    if (line.is_too_long) {
      line.text.clear();
    } else {
      line.text.append(buffer_, seen_, end - seen_);
    }
    seen_ = end;
  }

  Result<bool> fill() {
    std::array<char, 64 * 1024> part;
    while (true) {
      const ssize_t size = ::read(file_, part.data(), part.size());
      if (size >= 0) {
        buffer_.assign(part.data(), static_cast<std::size_t>(size));
        seen_ = 0;
        return size > 0;
      }
      if (errno == EAGAIN) wait_for(file_, POLLIN);
      if (errno != EAGAIN && errno != EINTR)
        return Error{ErrorCode::kFileUnreadable, "the agent's messages cannot be read",
                     static_cast<std::uint64_t>(errno)};
    }
  }

  const int file_;
  const std::size_t longest_;
  std::string buffer_;
  std::size_t seen_ = 0;  // of the buffer
};

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
    if (size < 0 && errno == EAGAIN) wait_for(file, POLLOUT);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
  }
  return true;
}

// What waits for the runtime. All else is answered at once, and so in its order.
bool takes_time(const Message& message) {
  return message.kind() == Message::Kind::kRequest &&
         (message.method() == "tools/list" || message.method() == "tools/call");
}

}  // namespace

StdioServer::StdioServer(const mcp::ServerOptions& options, mcp::ToolHost& host, int in, int out)
    : options_(options), host_(host), in_(in), out_(out), session_(options) {
  for (std::size_t i = 0; i < options.calls_at_once + kLists; ++i) threads_.emplace_back([this] { work(); });
}

StdioServer::~StdioServer() { finish(std::chrono::milliseconds(0)); }

Status StdioServer::serve(std::chrono::milliseconds grace) {
  LineReader lines(in_, options_.limits.max_octets);
  while (true) {
    auto line = lines.next();
    if (!line) return line.error();
    if (!line->has_value()) break;
    if ((*line)->is_too_long) {
      send(mcp::refusal_of({mcp::Code::kParseError, "the message is too long: send less in one message", {}})
               .text);
    } else if ((*line)->text.find_first_not_of(" \t\r") != std::string::npos) {
      take(std::move((*line)->text));
    }
    const std::lock_guard lock(mutex_);
    if (is_broken_) break;
  }
  finish(grace);
  const std::lock_guard lock(mutex_);
  if (is_broken_) return Error{ErrorCode::kFileUnwritable, "the agent takes no answers any more"};
  return {};
}

void StdioServer::take(std::string line) {
  auto message = Message::read(std::move(line), options_.limits);
  if (!message) return send(mcp::refusal_of(message.error()).text);
  if (!takes_time(*message)) return answer(*message);
  session_.expect(*message);
  const auto kept = std::make_shared<const Message>(*std::move(message));
  post([this, kept] { answer(*kept); });
}

void StdioServer::answer(const Message& message) {
  const mcp::Reply reply = session_.receive(message, {caller_, host_, *this});
  if (!reply.text.empty()) send(reply.text);
}

void StdioServer::send(std::string message) {
  message += '\n';
  bool is_written = false;
  {
    const std::lock_guard lock(output_);
    is_written = write_all(out_, message);
  }
  if (is_written) return;
  const std::lock_guard lock(mutex_);
  is_broken_ = true;
}

void StdioServer::post(Job job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.size() < kWaiting; });
  ++busy_;
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void StdioServer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_over_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
    --busy_;
    changed_.notify_all();
  }
}

void StdioServer::finish(std::chrono::milliseconds grace) {
  {
    std::unique_lock lock(mutex_);
    if (!is_broken_) changed_.wait_for(lock, grace, [this] { return busy_ == 0; });
    jobs_.clear();
    is_over_ = true;
    changed_.notify_all();
  }
  session_.cancel_all();
  threads_.clear();
}

}  // namespace chancery::cli
