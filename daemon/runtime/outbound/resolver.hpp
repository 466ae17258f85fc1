#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/runtime/outbound/addresses.hpp"

namespace chancery::runtime {

/// Finds the addresses of a host's name, one at least, within `patience`. Thread-safe. \return kConnectFailed, kTimeout
using Resolver =
    std::function<Result<std::vector<Address>>(const std::string& host, std::chrono::milliseconds patience)>;

/// Asks the system (getaddrinfo), on a thread of its own, since the system has no deadline. A thread that is not waited for any
/// longer ends when the system has answered it; of such threads there are 32 at most, then kOverloaded.
[[nodiscard]] Result<std::vector<Address>> resolve_by_system(const std::string& host,
                                                             std::chrono::milliseconds patience);

}  // namespace chancery::runtime
