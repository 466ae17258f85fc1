#include "hsm/pkcs11/isolated_token.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hsm/pkcs11/owner_process.hpp"
#include "hsm/pkcs11/request_desk.hpp"
#include "hsm/pkcs11/restart_pause.hpp"
#include "sdk/base/descriptor.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kSilentTimeouts = 3;
constexpr auto kEndTime = 1500ms;
// Packets that are taken before anything else is looked at: a process that sends without end stops nobody.
constexpr int kMostAtOnce = 256;
constexpr int kMostAtTheEnd = 16'384;  // more than its socket holds

/// Wakes a thread out of poll().
class Bell {
 public:
  void ring() const noexcept {
    const std::uint64_t one = 1;
    while (::write(descriptor_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  void silence() const noexcept {
    std::uint64_t rings = 0;
    while (::read(descriptor_.get(), &rings, sizeof rings) < 0 && errno == EINTR) {
    }
  }
  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }

 private:
  Descriptor descriptor_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

std::vector<std::string> environment_now() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  return variables;
}

}  // namespace

/// Starts the other process, carries messages, and starts the next one.
class IsolatedToken::Supervisor {
 public:
  explicit Supervisor(IsolationOptions options)
      : program_(std::move(options.program)),
        timeout_(options.timeout),
        environment_(environment_now()),
        start_{std::move(options.token), options.pool},
        desk_(options.pool.queue + options.pool.sessions, [this] { bell_.ring(); }) {}

  RequestDesk& desk() { return desk_; }

  void run() {
    while (!is_ending_) wait_until(run_process());
    desk_.end();
  }

  void end() {
    is_ending_ = true;
    bell_.ring();
  }

 private:
  /// \return when the next one may be started
  [[nodiscard]] Clock::time_point run_process() {
    const Clock::time_point started = Clock::now();
    auto process = OwnerProcess::start(program_, environment_);
    if (process) serve(*process);
    const Clock::time_point next = Clock::now() + pause_.next(Clock::now() - started);
    desk_.close(next);  // before the socket goes
    return next;
  }

  void serve(OwnerProcess& process) {
    start_.token.is_pin_in_doubt = desk_.is_pin_in_doubt();
    start_.token.is_pin_refused = desk_.is_pin_refused();
    if (start_.token.is_pin_refused) start_.token.pin = {};  // what may not be presented is not told
    process.socket().send(encode(start_).view());
    desk_.open(process.socket());
    attend(process.socket());
    if (is_ending_) {
      process.end(kEndTime);
    } else {
      process.kill();
    }
    // What it said last still counts: above all what became of the PIN.
    static_cast<void>(take(process.socket(), kMostAtTheEnd));
  }

  /// Until the process ends, sends what is no message, stalls, or is of no more use.
  void attend(const PacketSocket& socket) {
    while (!is_ending_) {
      const bool all_sent = desk_.send_waiting();
      wait_for_news(socket, all_sent);
      if (!take(socket, kMostAtOnce)) return;
      const Clock::duration silence = desk_.silence();
      if (silence > kSilentTimeouts * timeout_) return;
      if (silence > timeout_) desk_.probe(Clock::now() + kSilentTimeouts * timeout_);
    }
  }

  void wait_for_news(const PacketSocket& socket, bool all_sent) const {
    const milliseconds tick = std::clamp(timeout_ / 4, 10ms, milliseconds(1s));
    const auto events = static_cast<short>(all_sent ? POLLIN : POLLIN | POLLOUT);
    std::array waited_for{pollfd{socket.get(), events, 0}, pollfd{bell_.get(), POLLIN, 0}};
    ::poll(waited_for.data(), waited_for.size(), static_cast<int>(tick.count()));
    if (waited_for[1].revents != 0) bell_.silence();
  }

  /// Takes what is there, up to `most` packets.
  /// \return false at the end of the process, or of its sense
  [[nodiscard]] bool take(const PacketSocket& socket, int most) {
    for (int i = 0; i < most; ++i) {
      const auto [received, size] = socket.receive(packet_, false);
      if (received != PacketSocket::Received::kPacket) return received == PacketSocket::Received::kNothing;
      const bool is_ours = desk_.take(ByteView(packet_).first(size));
      explicit_bzero(packet_.data(), size);  // it may have had a secret in it
      if (!is_ours) return false;
    }
    return true;
  }

  void wait_until(Clock::time_point time) const {
    while (!is_ending_ && Clock::now() < time) {
      const auto left = std::chrono::ceil<milliseconds>(time - Clock::now());
      pollfd bell{bell_.get(), POLLIN, 0};
      if (::poll(&bell, 1, static_cast<int>(left.count())) > 0) bell_.silence();
    }
  }

  const std::filesystem::path program_;
  const milliseconds timeout_;
  const std::vector<std::string> environment_;
  Start start_;
  const Bell bell_;
  std::atomic<bool> is_ending_ = false;
  RestartPause pause_;
  Bytes packet_ = Bytes(kLongestPacket);
  RequestDesk desk_;
};

IsolatedToken::IsolatedToken(IsolationOptions options)
    : supervisor_(std::make_unique<Supervisor>(std::move(options))),
      thread_([supervisor = supervisor_.get()] { supervisor->run(); }) {}

IsolatedToken::~IsolatedToken() {
  supervisor_->end();
  thread_.join();
}

Result<TokenReply> IsolatedToken::perform(TokenRequest request) {
  return supervisor_->desk().ask(std::move(request));
}

TokenFacts IsolatedToken::facts() const { return supervisor_->desk().facts(); }

BackendLoad IsolatedToken::load() const { return supervisor_->desk().load(); }

}  // namespace chancery::hsm
