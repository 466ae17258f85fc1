#include "sdk/redaction/secret_prints.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <sys/random.h>

#include "sdk/redaction/character_set.hpp"

namespace chancery::redaction {
namespace {

using Hash = std::uint64_t;

constexpr std::size_t kLongEnough = 8;
constexpr std::size_t kBlock = 8192;      // windows whose hashes are in memory at a time
constexpr std::size_t kFilterOctets = 8;  // for each secret: one octet in 64 passes by chance

bool stands_alone(std::string_view text, const Extent& extent) {
  const bool is_joined_before = extent.begin > 0 && kLettersAndDigits.has(text[extent.begin - 1]);
  const bool is_joined_after = extent.end < text.size() && kLettersAndDigits.has(text[extent.end]);
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

Hash power(Hash base, std::size_t exponent) noexcept {
  Hash value = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if ((exponent & 1) != 0) value *= base;
  }
  return value;
}

std::optional<std::size_t> index_of(ByteView hashes, Hash hash) noexcept {
  for (std::size_t at = 0; at < hashes.size(); at += sizeof hash) {
    if (load(&hashes[at]) == hash) return at / sizeof hash;
  }
  return std::nullopt;
}

// The upper bits: they depend on each octet of the window.
std::size_t filter_bit(Hash hash, std::size_t octets) noexcept {
  return hash >> (64 - std::countr_zero(octets * 8));
}

// A bit for each value of some bits of a hash, a power of two of them.
SecretBytes filter_of(ByteView hashes) {
  SecretBytes filter(kFilterOctets * std::bit_ceil(hashes.size() / sizeof(Hash)));
  for (std::size_t at = 0; at < hashes.size(); at += sizeof(Hash)) {
    const std::size_t bit = filter_bit(load(&hashes[at]), filter.size());
    filter.writable()[bit / 8] |= static_cast<std::uint8_t>(1u << (bit % 8));
  }
  return filter;
}

}  // namespace

SecretPrints::SecretPrints() : multiplier_(sizeof(Hash)) {
  const std::span<std::uint8_t> multiplier = multiplier_.writable();
  if (::getrandom(multiplier.data(), multiplier.size(), 0) != sizeof(Hash)) std::abort();
  const Hash odd = load(multiplier.data()) | 1;
  std::memcpy(multiplier.data(), &odd, sizeof odd);
}

void SecretPrints::add(std::string_view secret, std::uint32_t label) {
  if (secret.size() < kShortest) return;
  Prints& prints = prints_[secret.size()];
  const Hash print = hash(secret, load(multiplier_.view().data()));
  if (index_of(prints.hashes.view(), print)) return;
  SecretBytes more(prints.hashes.size() + sizeof print);
  std::ranges::copy(prints.hashes.view(), more.writable().begin());
  std::memcpy(more.writable().last(sizeof print).data(), &print, sizeof print);
  prints.hashes = std::move(more);
  prints.filter = filter_of(prints.hashes.view());
  prints.labels.push_back(label);
}

void SecretPrints::remove(std::string_view secret) {
  const auto found = prints_.find(secret.size());
  if (found == prints_.end()) return;
  Prints& prints = found->second;
  const auto index = index_of(prints.hashes.view(), hash(secret, load(multiplier_.view().data())));
  if (!index) return;
  if (prints.labels.size() == 1) {
    prints_.erase(found);
    return;
  }
  const ByteView hashes = prints.hashes.view();
  const std::size_t before = *index * sizeof(Hash);
  SecretBytes fewer(hashes.size() - sizeof(Hash));
  std::ranges::copy(hashes.first(before), fewer.writable().begin());
  std::ranges::copy(hashes.subspan(before + sizeof(Hash)), fewer.writable().subspan(before).begin());
  prints.hashes = std::move(fewer);
  prints.filter = filter_of(prints.hashes.view());
  prints.labels.erase(prints.labels.begin() + static_cast<std::ptrdiff_t>(*index));
}

std::vector<Extent> SecretPrints::find(std::string_view text) const {
  std::vector<Extent> found;
  for (const Found& one : find_all(text)) found.push_back(one.extent);
  return merged(std::move(found));
}

// Rabin and Karp. Of a window's hash the beginning before it is taken away, so that no step waits for another and all
// lengths share one pass of hashing.
std::vector<SecretPrints::Found> SecretPrints::find_all(std::string_view text) const {
  std::vector<Found> found;
  if (empty() || text.size() < shortest()) return found;
  const Hash multiplier = load(multiplier_.view().data());
  std::vector<Hash> hashes;
  for (std::size_t begin = 0; begin + shortest() <= text.size(); begin += kBlock) {
    const std::string_view part = text.substr(begin, kBlock + longest());
    hashes.resize(part.size() + 1);
    Hash value = hashes[0] = 0;
    for (std::size_t i = 0; i < part.size(); ++i) hashes[i + 1] = value = value * multiplier + octet(part[i]);
    const Block block{text, begin, std::min(begin + kBlock, text.size()), hashes};
    for (const auto& [length, prints] : prints_) find_in(block, length, prints, found);
  }
  return found;
}

void SecretPrints::find_in(const Block& block, std::size_t length, const Prints& prints,
                           std::vector<Found>& out) const {
  if (length > block.text.size()) return;
  const std::size_t end = std::min(block.end, block.text.size() - length + 1);
  const Hash weight = power(load(multiplier_.view().data()), length);
  const std::uint8_t* const filter = prints.filter.view().data();
  const int shift = 64 - std::countr_zero(prints.filter.size() * 8);
  const Hash* const hashes = block.hashes.data();
  for (std::size_t begin = block.begin; begin < end; ++begin) {
    const std::size_t i = begin - block.begin;
    const Hash window = hashes[i + length] - hashes[i] * weight;
    const std::size_t bit = window >> shift;
    if ((filter[bit / 8] >> (bit % 8) & 1) == 0) continue;
    const auto index = index_of(prints.hashes.view(), window);
    const Extent extent{begin, begin + length};
    if (index && (length >= kLongEnough || stands_alone(block.text, extent)))
      out.push_back({extent, prints.labels[*index]});
  }
}

}  // namespace chancery::redaction
