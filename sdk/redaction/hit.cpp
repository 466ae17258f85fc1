#include "sdk/redaction/hit.hpp"

#include <algorithm>

namespace chancery::redaction {

std::string_view hit_kind_name(HitKind kind) noexcept {
  switch (kind) {
    case HitKind::kKnown:
      return "known";
    case HitKind::kPattern:
      return "pattern";
    case HitKind::kConfigured:
      return "configured";
    case HitKind::kNamed:
      return "named";
    case HitKind::kEntropy:
      return "entropy";
    case HitKind::kPersonal:
      return "personal";
    case HitKind::kField:
      return "field";
  }
  return "";
}

std::vector<Extent> merged(std::vector<Extent> extents) {
  std::ranges::sort(extents, {}, &Extent::begin);
  std::vector<Extent> out;
  for (const Extent& extent : extents) {
    if (!out.empty() && extent.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, extent.end);
    } else {
      out.push_back(extent);
    }
  }
  return out;
}

std::string without(std::string_view text, std::span<const Hit> hits) {
  std::vector<Extent> extents;
  extents.reserve(hits.size());
  for (const Hit& hit : hits) extents.push_back(hit.extent);
  std::string out;
  std::size_t at = 0;
  for (const Extent& extent : merged(std::move(extents))) {
    out.append(text.substr(at, extent.begin - at)).append(kRedacted);
    at = extent.end;
  }
  return out.append(text.substr(at));
}

}  // namespace chancery::redaction
