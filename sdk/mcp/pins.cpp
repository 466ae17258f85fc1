#include "sdk/mcp/pins.hpp"

#include <algorithm>

namespace chancery::mcp {
namespace {

PinFinding judge(const Tool& tool, std::span<const Pin> pins) {
  PinFinding finding{tool.name, PinState::kNew};
  const auto digest = description_digest(tool);
  const auto pin = std::ranges::find(pins, tool.name, &Pin::name);
  if (digest) finding.digest = *digest;
  if (pin == pins.end()) return finding;
  finding.state = digest && *digest == pin->digest ? PinState::kAsReviewed : PinState::kChanged;
  return finding;
}

}  // namespace

std::vector<PinFinding> check_pins(std::span<const Tool> offered, std::span<const Pin> pins) {
  std::vector<PinFinding> findings;
  for (const Tool& tool : offered) findings.push_back(judge(tool, pins));
  for (const Pin& pin : pins) {
    const bool is_offered = std::ranges::find(offered, pin.name, &Tool::name) != offered.end();
    if (!is_offered) findings.push_back({pin.name, PinState::kGone});
  }
  std::ranges::sort(findings, {}, &PinFinding::name);
  return findings;
}

}  // namespace chancery::mcp
