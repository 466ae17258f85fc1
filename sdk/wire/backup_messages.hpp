#pragma once

#include <string>
#include <string_view>

#include <chancery/api_backup.hpp>
#include <chancery/result.hpp>

namespace chancery::wire {

// The JSON of chancery/api_backup.hpp, both ways, as messages.hpp has that of chancery/api.hpp.

[[nodiscard]] std::string write(const api::Backup& message);
[[nodiscard]] Result<api::Backup> read_backup(std::string_view json);

}  // namespace chancery::wire
