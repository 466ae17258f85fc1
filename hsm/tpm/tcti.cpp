#include "hsm/tpm/tcti.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <tss2/tss2_tpm2_types.h>
#include <unistd.h>

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHeaderSize = 10;  // tag, size, response code (TPM 2.0 part 1, section 18)

// What a command may still take when we are told to end: enough for a healthy TPM to be left tidy.
constexpr auto kFarewell = 1s;

Error unavailable(const char* what) {
  return Error{ErrorCode::kDeviceUnavailable, what, static_cast<std::uint64_t>(errno)};
}

Result<int> open_device(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return unavailable(
        "the TPM device cannot be opened: check that it exists and that the daemon may use it");
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
  const bool is_device = text.starts_with(kDevicePrefix);
  if (!is_device && !text.starts_with(kSwtpmPrefix)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a TPM is reached by device:/dev/tpmrm0 or swtpm:path=/absolute/socket, nothing else"};
  }
  const std::string_view path = text.substr(is_device ? kDevicePrefix.size() : kSwtpmPrefix.size());
  if (!path.starts_with('/')) return Error{ErrorCode::kInvalidArgument, "the TPM's path must be absolute"};
  // A bare TPM keeps what a dead process left in it, and is nobody's alone: the kernel's resource manager
  // sees to both.
  constexpr std::string_view kBare = "/dev/tpm";
  if (is_device && path.starts_with(kBare) &&
      path.find_first_not_of("0123456789", kBare.size()) == std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "use the TPM through the kernel's resource manager: device:/dev/tpmrm0"};
  }
  // The stock TCTI takes further parameters after a comma; who writes one expects what we do not do.
  if (path.find_first_of(std::string_view(",\0", 2)) != std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument, "the TPM's path must have no comma and no NUL"};
  }
  if (!is_device && path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::kInvalidArgument, "the TPM's socket path is too long: at most 107 characters"};
  }
  return TctiAddress{is_device ? Kind::kDevice : Kind::kSwtpm, std::string(path)};
}

Result<std::unique_ptr<DeadlineTcti>> DeadlineTcti::connect(const TctiAddress& address,
                                                            std::chrono::milliseconds time_limit,
                                                            const Interrupt& interrupt) {
  const bool is_device = address.kind == TctiAddress::Kind::kDevice;
  CHANCERY_ASSIGN(const int fd, is_device ? open_device(address.path) : connect_socket(address.path));
  return std::unique_ptr<DeadlineTcti>(new DeadlineTcti(fd, is_device, time_limit, interrupt));
}

DeadlineTcti::DeadlineTcti(int fd, bool is_device, std::chrono::milliseconds time_limit,
                           const Interrupt& interrupt) noexcept
    : fd_(fd), is_device_(is_device), time_limit_(time_limit), interrupt_(interrupt) {
  constexpr std::uint64_t kMagic = 0x6368616e63657279;  // "chancery"; the TSS wants it not to be zero
  interface_.v1.magic = kMagic;
  interface_.v1.version = 1;
  interface_.v1.transmit = &DeadlineTcti::transmit;
  interface_.v1.receive = &DeadlineTcti::receive;
  interface_.v1.finalize = &DeadlineTcti::finalize;
  interface_.self = this;
}

DeadlineTcti::~DeadlineTcti() { ::close(fd_); }

bool DeadlineTcti::connected() const noexcept {
  // Nobody has been asked anything, so whatever there is to read is the end, or noise.
  pollfd descriptor{fd_, POLLIN, 0};
  return failure_ == TSS2_RC_SUCCESS && ::poll(&descriptor, 1, 0) == 0;
}

TSS2_RC DeadlineTcti::fail(TSS2_RC rc) noexcept {
  received_ = 0;  // half a response is none
  return failure_ = rc;
}

TSS2_RC DeadlineTcti::wait(short events) noexcept {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left <= 0ms) return fail(kTctiTimedOut);
    pollfd descriptors[] = {{fd_, events, 0}, {interrupted_ ? -1 : interrupt_.descriptor(), POLLIN, 0}};
    const int ready = ::poll(descriptors, 2, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready < 0 && errno != EINTR) return fail(TSS2_TCTI_RC_IO_ERROR);
    if (ready <= 0) continue;
    if (descriptors[0].revents != 0) return TSS2_RC_SUCCESS;
    interrupted_ = true;
    deadline_ = std::min<Deadline>(deadline_, std::chrono::steady_clock::now() + kFarewell);
  }
}

TSS2_RC DeadlineTcti::send_all(const std::uint8_t* command, std::size_t size) noexcept {
  if (failure_ != TSS2_RC_SUCCESS) return failure_;
  if (!connected())
    return fail(TSS2_TCTI_RC_IO_ERROR);  // else what is left over would pass for this command's answer
  received_ = 0;
  deadline_ = std::chrono::steady_clock::now() +
              (interrupted_ ? std::min<std::chrono::milliseconds>(time_limit_, kFarewell) : time_limit_);
  while (size > 0) {
    if (const TSS2_RC rc = wait(POLLOUT); rc != TSS2_RC_SUCCESS) return rc;
    const ssize_t sent = is_device_ ? ::write(fd_, command, size) : ::send(fd_, command, size, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent <= 0) return fail(TSS2_TCTI_RC_IO_ERROR);
    command += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return TSS2_RC_SUCCESS;
}

// A device gives a response in one read or loses the rest of it, so there the room is everything that we
// have.
TSS2_RC DeadlineTcti::read_until(std::size_t wanted, std::size_t room) noexcept {
  while (received_ < wanted) {
    if (const TSS2_RC rc = wait(POLLIN); rc != TSS2_RC_SUCCESS) return rc;
    const ssize_t got = ::read(fd_, response_.data() + received_, room - received_);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return fail(TSS2_TCTI_RC_IO_ERROR);
    received_ += static_cast<std::size_t>(got);
  }
  return TSS2_RC_SUCCESS;
}

TSS2_RC DeadlineTcti::read_response() noexcept {
  if (failure_ != TSS2_RC_SUCCESS) return failure_;
  if (const TSS2_RC rc = read_until(kHeaderSize, is_device_ ? kMaxResponse : kHeaderSize);
      rc != TSS2_RC_SUCCESS) {
    return rc;
  }
  const std::size_t size = big_endian(response_.data() + 2);
  if (size < kHeaderSize || size > kMaxResponse) return fail(TSS2_TCTI_RC_MALFORMED_RESPONSE);
  if (const TSS2_RC rc = read_until(size, is_device_ ? kMaxResponse : size); rc != TSS2_RC_SUCCESS) return rc;
  return received_ == size ? TSS2_RC_SUCCESS : fail(TSS2_TCTI_RC_MALFORMED_RESPONSE);
}

// A response that is an error has no more than its header.
void DeadlineTcti::answer_myself(TSS2_RC rc) noexcept {
  const auto octet = [rc](int shift) { return static_cast<std::uint8_t>(rc >> shift & 0xFF); };
  const std::array<std::uint8_t, kHeaderSize> header{TPM2_ST_NO_SESSIONS >> 8,
                                                     TPM2_ST_NO_SESSIONS & 0xFF,
                                                     0,
                                                     0,
                                                     0,
                                                     kHeaderSize,
                                                     octet(24),
                                                     octet(16),
                                                     octet(8),
                                                     octet(0)};
  std::ranges::copy(header, response_.begin());
  received_ = header.size();
}

TSS2_RC DeadlineTcti::transmit(TSS2_TCTI_CONTEXT* context, std::size_t size, const std::uint8_t* command) {
  DeadlineTcti& self = *reinterpret_cast<Interface*>(context)->self;
  if (self.prepared_answer_ == TSS2_RC_SUCCESS) return self.send_all(command, size);
  self.answer_myself(std::exchange(self.prepared_answer_, TSS2_RC_SUCCESS));
  return TSS2_RC_SUCCESS;
}

// The TSS's own time-out is ignored: it knows only "for ever".
TSS2_RC DeadlineTcti::receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response,
                              std::int32_t) {
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
