#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <chancery/bytes.hpp>

#include "sdk/mcp/tool.hpp"

namespace chancery::mcp {

/// A tool as somebody reviewed it.
struct Pin {
  std::string name;
  Sha256Digest digest;  ///< description_digest()
};

enum class PinState : std::uint8_t {
  kAsReviewed,  ///< may be used
  kChanged,     ///< describes itself otherwise: disabled until it is reviewed
  kNew,         ///< nobody reviewed it: disabled
  kGone,        ///< reviewed, and not offered any more
};

struct PinFinding {
  std::string name;
  PinState state = PinState::kNew;
  std::optional<Sha256Digest> digest = {};  ///< of what is offered now; none when it is gone
};

/// What an upstream offers against what was reviewed, by name: one finding for each tool that either of them has.
/// \param offered  usable tools, with names that are unique
[[nodiscard]] std::vector<PinFinding> check_pins(std::span<const Tool> offered, std::span<const Pin> pins);

}  // namespace chancery::mcp
