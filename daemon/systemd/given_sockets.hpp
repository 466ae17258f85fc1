#pragma once

#include <chancery/result.hpp>

#include "sdk/base/descriptor.hpp"

namespace chancery::systemd {

/// The names of socket units' descriptors (FileDescriptorName=).
inline constexpr const char* kUnixSocketName = "chancery.sock";
inline constexpr const char* kTlsSocketName = "chancery.tls";

struct GivenSockets {
  Descriptor unix_socket{};  ///< empty: not given
  Descriptor tls{};
};

/// The sockets that the service manager opened for this process (sd_listen_fds_with_names(3)). Once, before there are
/// threads: it takes the variables away that say so, which no child is to see.
/// \return kConfigInvalid for a name that is unknown, or given twice
[[nodiscard]] Result<GivenSockets> take_given_sockets();

}  // namespace chancery::systemd
