#include "hsm/tpm/interrupt.hpp"

#include <cstdint>
#include <cstdlib>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace chancery::hsm {

Interrupt::Interrupt() noexcept : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) std::abort();  // out of descriptors before anything has begun
}

Interrupt::~Interrupt() { ::close(descriptor_); }

void Interrupt::raise() const noexcept {
  constexpr std::uint64_t kOne = 1;
  if (::write(descriptor_, &kOne, sizeof kOne) != sizeof kOne) std::abort();
}

bool Interrupt::raised() const noexcept {
  pollfd descriptor{descriptor_, POLLIN, 0};
  return ::poll(&descriptor, 1, 0) > 0;
}

void Interrupt::sleep_for(std::chrono::milliseconds time) const noexcept {
  pollfd descriptor{descriptor_, POLLIN, 0};
  ::poll(&descriptor, 1, static_cast<int>(time.count()));
}

}  // namespace chancery::hsm
