#include "simulators/faults/tcti_proxy.hpp"

#include <algorithm>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace chancery::simulators {

using enum TctiFault::Kind;

/// The proxy's own connection to the TPM.
class TpmProxy::Upstream {
 public:
  explicit Upstream(const std::filesystem::path& socket) : socket_(socket), fd_(connect_to(socket)) {}
  ~Upstream() { end(); }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  /// The TPM's answer; empty when it, or the client on `front`, has gone.
  [[nodiscard]] Bytes ask(const Bytes& command, int front) {
    if (fd_ < 0) return {};
    write_octets(fd_, command);
    pollfd descriptors[] = {{fd_, POLLIN, 0}, {front, POLLRDHUP, 0}};
    while (::poll(descriptors, 2, -1) < 0) {
    }
    return descriptors[0].revents != 0 ? read_message(fd_) : Bytes{};
  }

  void reconnect() {
    end();
    fd_ = connect_to(socket_);
  }

 private:
  void end() const noexcept {
    if (fd_ >= 0) ::close(fd_);
  }

  const std::filesystem::path& socket_;
  int fd_;
};

TpmProxy::TpmProxy(std::filesystem::path tpm_socket, ResponseHook hook)
    : tpm_socket_(std::move(tpm_socket)), hook_(std::move(hook)), front_([this](int fd) { relay(fd); }) {}

void TpmProxy::inject(std::uint32_t command_code, TctiFault fault, int times) {
  const std::lock_guard lock(mutex_);
  pending_[command_code] = {std::move(fault), times};
}

void TpmProxy::heal() {
  const std::lock_guard lock(mutex_);
  pending_.clear();
}

bool TpmProxy::has_seen(ByteView octets) {
  const std::lock_guard lock(mutex_);
  return std::search(traffic_.begin(), traffic_.end(), octets.begin(), octets.end()) != traffic_.end();
}

Bytes TpmProxy::last_answer(std::uint32_t command_code) {
  const std::lock_guard lock(mutex_);
  return last_answers_[command_code];
}

// --- the proxy's thread

void TpmProxy::relay(int fd) {
  Upstream tpm(tpm_socket_);
  for (;;) {
    Bytes command = read_message(fd);
    if (command.empty() || !exchange(fd, tpm, std::move(command))) return;
  }
}

bool TpmProxy::exchange(int fd, Upstream& tpm, Bytes command) {
  constexpr std::size_t kHandleEnd = 13;  // the last octet of the first handle
  const TctiFault fault = take_fault(code_of(command));
  if (fault.kind == kRefuse) {
    write_octets(fd, response_of(fault.code));
    return true;
  }
  if (fault.kind == kSwapHandles && command.size() > kHandleEnd) command[kHandleEnd] ^= 1;

  Bytes answer = tpm.ask(command, fd);
  if (answer.empty() && hides_restarts_) {
    tpm.reconnect();
    answer = tpm.ask(command, fd);
  }
  if (answer.empty()) return false;
  record(command, answer);
  if (hook_ && !hook_(code_of(command), answer)) return false;
  return deliver(fd, fault, std::move(answer));
}

/// False when the connection ends here.
bool TpmProxy::deliver(int fd, const TctiFault& fault, Bytes answer) const {
  const auto size = static_cast<std::ptrdiff_t>(answer.size());
  switch (fault.kind) {
    case kCut:
      return false;
    case kSilence:
      wait_for_end(fd);
      return false;
    case kDelay:
      wait_on(fd, fault.delay);
      break;
    case kTruncate:
      write_octets(fd, ByteView(answer).first(static_cast<std::size_t>(std::min(fault.offset, size))));
      return false;
    case kShorten:
      answer.resize(static_cast<std::size_t>(std::min(fault.offset, size)));
      fix_size(answer);
      break;
    case kCorrupt:
      answer[static_cast<std::size_t>(fault.offset < 0 ? size + fault.offset
                                                       : std::min(fault.offset, size - 1))] ^= 1;
      break;
    case kExchange:
      answer = fault.answer;
      break;
    case kNone:
    case kRefuse:
    case kSwapHandles:
      break;
  }
  write_octets(fd, answer);
  return true;
}

TctiFault TpmProxy::take_fault(std::uint32_t command_code) {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(command_code);
  if (found == pending_.end() || found->second.times == 0) return {};
  if (found->second.times != kAlways) --found->second.times;
  ++struck_;
  return found->second.fault;
}

void TpmProxy::record(const Bytes& command, const Bytes& answer) {
  const std::lock_guard lock(mutex_);
  last_answers_[code_of(command)] = answer;
  traffic_.insert(traffic_.end(), command.begin(), command.end());
  traffic_.insert(traffic_.end(), answer.begin(), answer.end());
}

}  // namespace chancery::simulators
