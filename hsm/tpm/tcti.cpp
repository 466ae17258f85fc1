#include "hsm/tpm/tcti.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace chancery::hsm {
namespace {

constexpr std::size_t kHeaderSize = 10;  // tag, size, response code (TPM 2.0 part 1, section 18)

Error unavailable(const char* what) {
  return Error{ErrorCode::kDeviceUnavailable, what, static_cast<std::uint64_t>(errno)};
}

Result<int> open_device(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unavailable("the TPM device cannot be opened: check that it exists and that the daemon may use it");
  return fd;
}

Result<int> connect_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Non-blocking: a stopped simulator whose backlog is full answers EAGAIN at once.
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const Error error = unavailable("nothing answers at the TPM's socket: start the simulator");
    if (fd >= 0) ::close(fd);
    return error;
  }
  return fd;
}

std::uint32_t big_endian(const std::uint8_t* octets) noexcept {
  return static_cast<std::uint32_t>(octets[0]) << 24 | static_cast<std::uint32_t>(octets[1]) << 16 |
         static_cast<std::uint32_t>(octets[2]) << 8 | octets[3];
}

}  // namespace

Result<TctiAddress> TctiAddress::parse(std::string_view text) {
  constexpr std::string_view kDevicePrefix = "device:";
  constexpr std::string_view kSwtpmPrefix = "swtpm:path=";
  const bool device = text.starts_with(kDevicePrefix);
  if (!device && !text.starts_with(kSwtpmPrefix)) {
    return Error{ErrorCode::kInvalidArgument, "a TPM is reached by device:/dev/tpmrm0 or swtpm:path=/absolute/socket, nothing else"};
  }
  const std::string_view path = text.substr(device ? kDevicePrefix.size() : kSwtpmPrefix.size());
  if (!path.starts_with('/') || path.find_first_of(std::string_view(",\0", 2)) != std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument, "the TPM's path must be absolute, without commas"};
  }
  if (!device && path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::kInvalidArgument, "the TPM's socket path is too long: at most 107 characters"};
  }
  return TctiAddress{device ? Kind::kDevice : Kind::kSwtpm, std::string(path)};
}

Result<std::unique_ptr<DeadlineTcti>> DeadlineTcti::connect(const TctiAddress& address) {
  const bool device = address.kind == TctiAddress::Kind::kDevice;
  CHANCERY_ASSIGN(const int fd, device ? open_device(address.path) : connect_socket(address.path));
  return std::unique_ptr<DeadlineTcti>(new DeadlineTcti(fd, device));
}

DeadlineTcti::DeadlineTcti(int fd, bool whole_messages) noexcept : fd_(fd), whole_messages_(whole_messages) {
  constexpr std::uint64_t kMagic = 0x6368616e63657279;  // "chancery"; the TSS wants it not to be zero
  interface_.v1.magic = kMagic;
  interface_.v1.version = 1;
  interface_.v1.transmit = &DeadlineTcti::transmit;
  interface_.v1.receive = &DeadlineTcti::receive;
  interface_.v1.finalize = &DeadlineTcti::finalize;
  interface_.self = this;
}

DeadlineTcti::~DeadlineTcti() { ::close(fd_); }

TSS2_RC DeadlineTcti::fail() noexcept {
  broken_ = true;
  return TSS2_TCTI_RC_IO_ERROR;
}

bool DeadlineTcti::wait(short events) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      timed_out_ = true;
      return false;
    }
    pollfd descriptor{fd_, events, 0};
    const int ready = ::poll(&descriptor, 1, static_cast<int>(std::min<std::int64_t>(left, 60000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

TSS2_RC DeadlineTcti::send_all(const std::uint8_t* command, std::size_t size) {
  if (broken_) return TSS2_TCTI_RC_IO_ERROR;
  received_ = 0;
  while (size > 0) {
    if (!wait(POLLOUT)) return fail();
    const ssize_t sent = whole_messages_ ? ::write(fd_, command, size) : ::send(fd_, command, size, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent <= 0) return fail();
    command += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return TSS2_RC_SUCCESS;
}

TSS2_RC DeadlineTcti::read_at_least(std::size_t wanted) {
  while (received_ < wanted) {
    if (!wait(POLLIN)) return fail();
    const std::size_t room = whole_messages_ ? response_.size() - received_ : wanted - received_;
    const ssize_t got = ::read(fd_, response_.data() + received_, room);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return fail();
    received_ += static_cast<std::size_t>(got);
  }
  return TSS2_RC_SUCCESS;
}

TSS2_RC DeadlineTcti::read_response() {
  if (broken_) return TSS2_TCTI_RC_IO_ERROR;
  if (const TSS2_RC rc = read_at_least(kHeaderSize); rc != TSS2_RC_SUCCESS) return rc;
  const std::size_t size = big_endian(response_.data() + 2);
  if (size < kHeaderSize || size > response_.size()) return fail();
  if (const TSS2_RC rc = read_at_least(size); rc != TSS2_RC_SUCCESS) return rc;
  return received_ == size ? TSS2_RC_SUCCESS : fail();
}

TSS2_RC DeadlineTcti::transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
  return reinterpret_cast<Interface*>(context)->self->send_all(command, size);
}

// The TSS's own time-out is ignored: it knows only "for ever".
TSS2_RC DeadlineTcti::receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response, std::int32_t) {
  DeadlineTcti& self = *reinterpret_cast<Interface*>(context)->self;
  if (size == nullptr) return TSS2_TCTI_RC_BAD_REFERENCE;
  if (self.received_ == 0) {
    if (const TSS2_RC rc = self.read_response(); rc != TSS2_RC_SUCCESS) return rc;
  }
  const std::size_t room = *size;
  *size = self.received_;
  if (response == nullptr) return TSS2_RC_SUCCESS;  // the caller asks for the size first
  if (room < self.received_) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::memcpy(response, self.response_.data(), self.received_);
  self.received_ = 0;
  return TSS2_RC_SUCCESS;
}

void DeadlineTcti::finalize(TSS2_TCTI_CONTEXT*) {}  // the owner closes the connection

}  // namespace chancery::hsm
