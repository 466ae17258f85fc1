#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <chancery/client.hpp>

namespace chancery::cli {

enum class Level : std::uint8_t { kFine, kRemark, kProblem };

/// One thing that `doctor` looked at. `remedy` is what to do, empty when there is nothing to do.
struct Finding {
  Level level = Level::kFine;
  std::string subject;
  std::string found;
  std::string remedy;
};

/// What the daemon tells its operator of its devices and of its own process. A caller who is not the operator,
/// or comes from elsewhere than the socket, is told so by a remark.
void check_hardware(std::vector<Finding>& findings, const Client& client);

}  // namespace chancery::cli
