#include "sdk/redaction/stream_redactor.hpp"

#include <algorithm>
#include <utility>

#include "sdk/redaction/entropy.hpp"

namespace chancery::redaction {
namespace {

constexpr std::size_t kSurroundings = 2 * kEntropyContext;  // what finders look at in front of a place

}  // namespace

StreamRedactor::StreamRedactor(const SecretFinder& finder, std::function<void(const Hit&)> on_hit)
    : finder_(finder), on_hit_(std::move(on_hit)), reach_(finder.reach()) {}

// Looks are taken where the text says, whatever the chunks: else two divisions of a text could come out differently.
std::string StreamRedactor::feed(std::string_view chunk) {
  std::string out;
  while (!chunk.empty() && !cut_) {
    const std::size_t room = emitted_ + 3 * reach_ - held_.size();
    const std::string_view part = chunk.substr(0, room);
    held_ += part;
    chunk.remove_prefix(part.size());
    if (part.size() == room) advance(held_.size() - reach_, out);
  }
  return out;
}

std::string StreamRedactor::finish() {
  std::string out;
  if (!cut_) advance(held_.size(), out);
  held_.clear();
  emitted_ = 0;
  return out;
}

// Has all come out that stands before `end`, and what began there and ends later.
void StreamRedactor::advance(std::size_t end, std::string& out) {
  const bool is_last = end == held_.size();
  std::size_t at = emitted_;
  for (Hit& hit : finder_.find(held_)) {
    if (hit.extent.end <= emitted_ || hit.extent.begin >= end) continue;
    const bool goes_on = !is_last && hit.extent.end == held_.size();
    if (hit.extent.begin > at) out.append(held_, at, hit.extent.begin - at);
    // Those that overlap or touch are one, also where they met between two looks.
    if (hit.extent.begin > at || (at == emitted_ && !ends_redacted_)) out.append(kRedacted);
    at = std::max(at, hit.extent.end);
    ends_redacted_ = true;
    hit.extent.begin += begin_;
    hit.extent.end += begin_;
    if (on_hit_) on_hit_(hit);
    if (!goes_on) continue;
    cut_ = true;
    return held_.clear();
  }
  if (at < end) {
    out.append(held_, at, end - at);
    ends_redacted_ = false;
  }
  emitted_ = std::max(at, end);
  const std::size_t dropped = emitted_ - std::min(emitted_, kSurroundings);
  held_.erase(0, dropped);
  emitted_ -= dropped;
  begin_ += dropped;
}

}  // namespace chancery::redaction
