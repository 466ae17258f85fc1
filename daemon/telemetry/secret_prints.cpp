#include "daemon/telemetry/secret_prints.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <sys/random.h>

namespace chancery::telemetry {
namespace {

using Hash = std::uint64_t;

constexpr std::size_t kLongEnough = 8;

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool stands_alone(std::string_view text, const Extent& extent) {
  const bool is_joined_before = extent.begin > 0 && is_alphanumeric(text[extent.begin - 1]);
  const bool is_joined_after = extent.end < text.size() && is_alphanumeric(text[extent.end]);
  return !is_joined_before && !is_joined_after;
}

Hash octet(char c) { return static_cast<unsigned char>(c) + Hash{1}; }

Hash load(const std::uint8_t* octets) noexcept {
  Hash value = 0;
  std::memcpy(&value, octets, sizeof value);
  return value;
}

Hash hash(std::string_view text, Hash multiplier) noexcept {
  Hash value = 0;
  for (const char c : text) value = value * multiplier + octet(c);
  return value;
}

bool is_among(ByteView prints, Hash print) noexcept {
  for (std::size_t at = 0; at < prints.size(); at += sizeof print) {
    if (load(&prints[at]) == print) return true;
  }
  return false;
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

}  // namespace

SecretPrints::SecretPrints() : multiplier_(sizeof(Hash)) {
  const std::span<std::uint8_t> multiplier = multiplier_.writable();
  if (::getrandom(multiplier.data(), multiplier.size(), 0) != sizeof(Hash)) std::abort();
  const Hash odd = load(multiplier.data()) | 1;
  std::memcpy(multiplier.data(), &odd, sizeof odd);
}

void SecretPrints::add(std::string_view secret) {
  if (secret.size() < kShortest) return;
  SecretBytes& prints = prints_[secret.size()];
  const Hash print = hash(secret, load(multiplier_.view().data()));
  if (is_among(prints.view(), print)) return;
  SecretBytes more(prints.size() + sizeof print);
  std::ranges::copy(prints.view(), more.writable().begin());
  std::memcpy(more.writable().last(sizeof print).data(), &print, sizeof print);
  prints = std::move(more);
}

std::vector<Extent> SecretPrints::find(std::string_view text) const {
  std::vector<Extent> found;
  for (const auto& [length, prints] : prints_) {
    if (length <= text.size()) find(text, length, prints.view(), found);
  }
  return merged(std::move(found));
}

// Rabin and Karp: the hash of the next window follows from this one's.
void SecretPrints::find(std::string_view text, std::size_t length, ByteView prints,
                        std::vector<Extent>& out) const {
  const Hash multiplier = load(multiplier_.view().data());
  Hash leaving = 1;  // the weight of a window's first octet
  for (std::size_t i = 1; i < length; ++i) leaving *= multiplier;
  Hash window = hash(text.substr(0, length), multiplier);
  for (std::size_t begin = 0;; ++begin) {
    const Extent extent{begin, begin + length};
    if (is_among(prints, window) && (length >= kLongEnough || stands_alone(text, extent)))
      out.push_back(extent);
    if (extent.end == text.size()) return;
    window = (window - leaving * octet(text[begin])) * multiplier + octet(text[extent.end]);
  }
}

}  // namespace chancery::telemetry
