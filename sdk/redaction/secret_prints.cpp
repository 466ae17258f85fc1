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
constexpr std::size_t kBlock = 8192;      // anchors around which hashes are in memory at a time
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

// Words one behind the other, and one more.
SecretBytes with(ByteView words, std::uint64_t word) {
  SecretBytes more(words.size() + sizeof word);
  std::ranges::copy(words, more.writable().begin());
  std::memcpy(more.writable().last(sizeof word).data(), &word, sizeof word);
  return more;
}

// The same without the one at that place.
SecretBytes without(ByteView words, std::size_t index) {
  const std::size_t before = index * sizeof(Hash);
  SecretBytes fewer(words.size() - sizeof(Hash));
  std::ranges::copy(words.first(before), fewer.writable().begin());
  std::ranges::copy(words.subspan(before + sizeof(Hash)), fewer.writable().subspan(before).begin());
  return fewer;
}

// The octets in the middle: in front of it many secrets say of what kind they are, and are alike.
std::size_t before_anchor(std::size_t length, std::size_t width) noexcept { return (length - width) / 2; }

std::string_view anchor_of(std::string_view secret, std::size_t width) {
  return secret.substr(before_anchor(secret.size(), width), width);
}

}  // namespace

struct SecretPrints::Multipliers {
  Hash hash = 0;
  SecretAnchors::Multipliers anchors{};
};

/// One look at a text, for all secrets whose anchors are in one table.
class SecretPrints::Search {
 public:
  using Lengths = std::map<std::size_t, Prints>::const_iterator;

  Search(std::string_view text, const SecretAnchors& anchors, const Multipliers& multipliers)
      : text_(text), anchors_(anchors), multipliers_(multipliers) {}

  void find(Lengths first, Lengths last, std::vector<Found>& out);

 private:
  struct Length {
    std::size_t size = 0;
    Hash weight = 0;
    const Prints* prints = nullptr;
  };

  void prepare(Lengths first, Lengths last);
  void hash_around(std::size_t begin, std::size_t end);
  void check(std::size_t anchor, const Length& length, std::vector<Found>& out) const;

  const std::string_view text_;
  const SecretAnchors& anchors_;
  const Multipliers& multipliers_;
  std::vector<Length> lengths_;
  std::vector<Hash> hashes_;  // of each beginning of a part of the text
  std::size_t begin_ = 0;     // of that part
};

void SecretPrints::Search::find(Lengths first, Lengths last, std::vector<Found>& out) {
  if (text_.size() < anchors_.width()) return;
  const std::size_t end_of_all = text_.size() - anchors_.width() + 1;
  for (std::size_t begin = 0; begin < end_of_all; begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, end_of_all);
    const auto next = [&](std::size_t at) { return anchors_.next(text_, at, end, multipliers_.anchors); };
    std::size_t anchor = next(begin);
    if (anchor == end) continue;
    if (lengths_.empty()) prepare(first, last);
    hash_around(begin, end);
    for (; anchor < end; anchor = next(anchor + 1)) {
      for (const Length& length : lengths_) check(anchor, length, out);
    }
  }
}

void SecretPrints::Search::prepare(Lengths first, Lengths last) {
  for (; first != last; ++first)
    lengths_.push_back({first->first, power(multipliers_.hash, first->first), &first->second});
}

// Rabin and Karp. Of a window's hash the beginning before it is taken away, so that no step waits for another and all
// lengths share one pass of hashing.
void SecretPrints::Search::hash_around(std::size_t begin, std::size_t end) {
  const std::size_t longest = lengths_.back().size;
  begin_ = begin - std::min(begin, longest);
  const std::string_view part = text_.substr(begin_, end + longest - begin_);
  hashes_.resize(part.size() + 1);
  Hash value = hashes_[0] = 0;
  for (std::size_t i = 0; i < part.size(); ++i)
    hashes_[i + 1] = value = value * multipliers_.hash + octet(part[i]);
}

void SecretPrints::Search::check(std::size_t anchor, const Length& length, std::vector<Found>& out) const {
  const std::size_t before = before_anchor(length.size, anchors_.width());
  if (anchor < before || length.size > text_.size() - (anchor - before)) return;
  const Extent extent{anchor - before, anchor - before + length.size};
  const Hash window = hashes_[extent.end - begin_] - hashes_[extent.begin - begin_] * length.weight;
  const ByteView filter = length.prints->filter.view();
  const std::size_t bit = filter_bit(window, filter.size());
  if ((filter[bit / 8] >> (bit % 8) & 1) == 0) return;
  const auto index = index_of(length.prints->hashes.view(), window);
  if (!index || (length.size < kLongEnough && !stands_alone(text_, extent))) return;
  for (const std::uint32_t label : length.prints->known[*index].labels) out.push_back({extent, label});
}

SecretPrints::SecretPrints() : multipliers_(3 * sizeof(Hash)) {
  const std::span<std::uint8_t> octets = multipliers_.writable();
  if (::getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) std::abort();
  // Odd ones, so that each octet counts.
  for (std::size_t at = 0; at < octets.size(); at += sizeof(Hash)) {
    const Hash odd = load(&octets[at]) | 1;
    std::memcpy(&octets[at], &odd, sizeof odd);
  }
}

SecretPrints::Multipliers SecretPrints::multipliers() const noexcept {
  const std::uint8_t* const octets = multipliers_.view().data();
  return {load(octets), {load(octets + sizeof(Hash)), load(octets + 2 * sizeof(Hash))}};
}

SecretAnchors& SecretPrints::anchors_of(std::size_t length) noexcept {
  return length < kLongEnough ? short_ : long_;
}

SecretPrints::Handle SecretPrints::add(std::string_view secret, std::uint32_t label) {
  if (secret.size() < kShortest) return {};
  Prints& prints = prints_[secret.size()];
  const Multipliers all = multipliers();
  const Hash print = hash(secret, all.hash);
  if (const auto index = index_of(prints.hashes.view(), print)) {
    Known& known = prints.known[*index];
    ++known.times;
    if (std::ranges::find(known.labels, label) == known.labels.end()) known.labels.push_back(label);
    return {secret.size(), known.number};
  }
  SecretAnchors& anchors = anchors_of(secret.size());
  prints.hashes = with(prints.hashes.view(), print);
  prints.filter = filter_of(prints.hashes.view());
  prints.anchors = with(prints.anchors.view(), anchors.add(anchor_of(secret, anchors.width()), all.anchors));
  prints.known.push_back({{label}, 1, ++last_number_});
  return {secret.size(), last_number_};
}

bool SecretPrints::remove(std::string_view secret) {
  const auto found = prints_.find(secret.size());
  if (found == prints_.end()) return false;
  const auto index = index_of(found->second.hashes.view(), hash(secret, multipliers().hash));
  if (!index) return false;
  take_back(found, *index);
  return true;
}

bool SecretPrints::remove(const Handle& handle) {
  const auto found = prints_.find(handle.length);
  if (found == prints_.end()) return false;
  const std::vector<Known>& known = found->second.known;
  const auto one = std::ranges::find(known, handle.number, &Known::number);
  if (one == known.end()) return false;
  take_back(found, static_cast<std::size_t>(one - known.begin()));
  return true;
}

void SecretPrints::take_back(std::map<std::size_t, Prints>::iterator found, std::size_t index) {
  Prints& prints = found->second;
  if (--prints.known[index].times > 0) return;
  anchors_of(found->first).remove(load(&prints.anchors.view()[index * sizeof(Hash)]));
  if (prints.known.size() == 1) {
    prints_.erase(found);
    return;
  }
  prints.hashes = without(prints.hashes.view(), index);
  prints.filter = filter_of(prints.hashes.view());
  prints.anchors = without(prints.anchors.view(), index);
  prints.known.erase(prints.known.begin() + static_cast<std::ptrdiff_t>(index));
}

std::vector<Extent> SecretPrints::find(std::string_view text) const {
  std::vector<Extent> found;
  for (const Found& one : find_all(text)) found.push_back(one.extent);
  return merged(std::move(found));
}

std::vector<SecretPrints::Found> SecretPrints::find_all(std::string_view text) const {
  std::vector<Found> found;
  const Multipliers all = multipliers();
  const auto first_long = prints_.lower_bound(kLongEnough);
  if (!short_.empty()) Search(text, short_, all).find(prints_.begin(), first_long, found);
  if (!long_.empty()) Search(text, long_, all).find(first_long, prints_.end(), found);
  return found;
}

}  // namespace chancery::redaction
