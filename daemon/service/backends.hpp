#pragma once

#include <string_view>

#include <chancery/api.hpp>
#include <chancery/result.hpp>

#include "daemon/service/office.hpp"

namespace chancery::service {

/// The configured backends in the order of their sections. Each device is asked whether it answers, within a
/// share of the time that is left, so that one that is silent leaves the others theirs. kForbidden.
[[nodiscard]] Result<api::BackendList> list_backends(Office& office, const CallContext& context);

/// One backend with its facts, for which the device is asked. kForbidden, kNotFound.
[[nodiscard]] Result<api::Backend> show_backend(Office& office, const CallContext& context,
                                                std::string_view name);

/// The facts of this process. kForbidden.
[[nodiscard]] Result<api::Process> show_process(const Office& office, const CallContext& context);

}  // namespace chancery::service
