#include "daemon/systemd/given_sockets.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <systemd/sd-daemon.h>

namespace chancery::systemd {
namespace {

struct NamedDescriptor {
  std::string name;
  Descriptor descriptor;
};

Result<std::vector<NamedDescriptor>> listen_descriptors() {
  constexpr int kUnsetEnvironment = 1;
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(kUnsetEnvironment, &names);
  if (count < 0)
    return Error{ErrorCode::kConfigInvalid, "LISTEN_FDS of the environment is no number of sockets: unset it",
                 static_cast<std::uint64_t>(-count)};
  const std::unique_ptr<char*, decltype(&std::free)> owned(names, std::free);
  std::vector<NamedDescriptor> out;
  for (int i = 0; i < count; ++i) {
    const std::unique_ptr<char, decltype(&std::free)> name(names[i], std::free);
    out.push_back({name.get(), Descriptor(SD_LISTEN_FDS_START + i)});
  }
  return out;
}

}  // namespace

Result<GivenSockets> take_given_sockets() {
  CHANCERY_ASSIGN(std::vector<NamedDescriptor> all, listen_descriptors());
  GivenSockets given;
  for (NamedDescriptor& one : all) {
    Descriptor* const place = one.name == kUnixSocketName  ? &given.unix_socket
                              : one.name == kTlsSocketName ? &given.tls
                                                           : nullptr;
    if (place == nullptr || *place)
      return Error{
          ErrorCode::kConfigInvalid,
          "a socket unit gives a socket that is none of ours: it needs FileDescriptorName=chancery.sock or "
          "chancery.tls, each once"};
    *place = std::move(one.descriptor);
  }
  return given;
}

}  // namespace chancery::systemd
