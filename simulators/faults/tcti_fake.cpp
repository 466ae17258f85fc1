#include "simulators/faults/tcti_fake.hpp"

#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace chancery::simulators {

FakeTpm::FakeTpm(Script script) : script_(std::move(script)) {
  std::string folder = (std::filesystem::temp_directory_path() / "chancery-bus-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) std::abort();
  folder_ = folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
  listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listening_, 8) != 0) {
    std::abort();
  }
  thread_ = std::thread([this] { serve(); });
}

FakeTpm::~FakeTpm() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (connected_ >= 0) ::shutdown(connected_, SHUT_RDWR);
  }
  ::shutdown(listening_, SHUT_RDWR);
  thread_.join();
  ::close(listening_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void FakeTpm::serve() {
  for (;;) {
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    {
      const std::lock_guard lock(mutex_);
      if (!ending_) connected_ = fd;
    }
    ++connections_;
    if (connected_ == fd) script_(fd);
    const std::lock_guard lock(mutex_);
    connected_ = -1;
    ::close(fd);
  }
}

}  // namespace chancery::simulators
