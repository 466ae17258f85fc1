#include "daemon/telemetry/secret_prints.hpp"

#include <algorithm>
#include <cstdlib>

#include <sys/random.h>

namespace chancery::telemetry {
namespace {

constexpr std::size_t kLongEnough = 8;

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool stands_alone(std::string_view text, const Extent& extent) {
  const bool is_joined_before = extent.begin > 0 && is_alphanumeric(text[extent.begin - 1]);
  const bool is_joined_after = extent.end < text.size() && is_alphanumeric(text[extent.end]);
  return !is_joined_before && !is_joined_after;
}

std::uint64_t octet(char c) { return static_cast<unsigned char>(c) + std::uint64_t{1}; }

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

}  // namespace

SecretPrints::SecretPrints() {
  if (::getrandom(&multiplier_, sizeof multiplier_, 0) != sizeof multiplier_) std::abort();
  multiplier_ |= 1;
}

void SecretPrints::add(std::string_view secret) {
  if (secret.size() < kShortest) return;
  std::vector<Hash>& prints = prints_[secret.size()];
  const Hash print = hash(secret);
  if (std::ranges::find(prints, print) == prints.end()) prints.push_back(print);
}

std::vector<Extent> SecretPrints::find(std::string_view text) const {
  std::vector<Extent> found;
  for (const auto& [length, prints] : prints_) {
    if (length <= text.size()) find(text, length, prints, found);
  }
  return merged(std::move(found));
}

SecretPrints::Hash SecretPrints::hash(std::string_view text) const noexcept {
  Hash value = 0;
  for (const char c : text) value = value * multiplier_ + octet(c);
  return value;
}

// Rabin and Karp: the hash of the next window follows from this one's.
void SecretPrints::find(std::string_view text, std::size_t length, const std::vector<Hash>& prints,
                        std::vector<Extent>& out) const {
  Hash leaving = 1;  // the weight of a window's first octet
  for (std::size_t i = 1; i < length; ++i) leaving *= multiplier_;
  Hash window = hash(text.substr(0, length));
  for (std::size_t begin = 0;; ++begin) {
    const Extent extent{begin, begin + length};
    const bool is_known = std::ranges::find(prints, window) != prints.end();
    if (is_known && (length >= kLongEnough || stands_alone(text, extent))) out.push_back(extent);
    if (extent.end == text.size()) return;
    window = (window - leaving * octet(text[begin])) * multiplier_ + octet(text[extent.end]);
  }
}

}  // namespace chancery::telemetry
