#include "sdk/redaction/secret_anchors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace chancery::redaction {
namespace {

constexpr std::size_t kBitsForEach = 256;
constexpr std::size_t kLeastBits = 1u << 13;
constexpr std::size_t kMostBits = 1u << 19;
constexpr int kHashBits = 19;  // as many as the largest table takes

template <typename Word>
std::uint64_t load(const void* octets) noexcept {
  Word word = 0;
  std::memcpy(&word, octets, sizeof word);
  return word;
}

std::uint64_t load_anchor(std::string_view text) noexcept {
  return text.size() == sizeof(std::uint64_t) ? load<std::uint64_t>(text.data())
                                              : load<std::uint32_t>(text.data());
}

bool has_bit(const std::uint8_t* table, std::uint64_t bit) noexcept {
  return (table[bit / 8] >> (bit % 8) & 1) != 0;
}

/// What a search needs, all of it in registers.
struct Tables {
  const std::uint8_t* first;
  const std::uint8_t* second;
  int shift;
};

template <typename Word>
std::size_t next_word(std::string_view text, std::size_t at, std::size_t end, const Tables& tables,
                      const SecretAnchors::Multipliers& multipliers) noexcept {
  const auto [first, second, shift] = tables;
  const auto [one, other] = multipliers;
  const char* const octets = text.data();
  for (; at < end; ++at) {
    const std::uint64_t word = load<Word>(octets + at);
    if (!has_bit(first, word * one >> shift)) continue;
    if (has_bit(second, word * other >> shift)) return at;
  }
  return end;
}

// The upper bits: they depend on each octet.
std::uint64_t print_of(std::string_view anchor, const SecretAnchors::Multipliers& multipliers) noexcept {
  const std::uint64_t word = load_anchor(anchor);
  return (word * multipliers[0] >> (64 - kHashBits)) << 32 | word * multipliers[1] >> (64 - kHashBits);
}

}  // namespace

std::uint64_t SecretAnchors::add(std::string_view anchor, const Multipliers& multipliers) {
  const std::uint64_t print = print_of(anchor, multipliers);
  SecretBytes more(prints_.size() + sizeof print);
  std::ranges::copy(prints_.view(), more.writable().begin());
  std::memcpy(more.writable().last(sizeof print).data(), &print, sizeof print);
  prints_ = std::move(more);
  resize();
  mark(print);
  return print;
}

void SecretAnchors::remove(std::uint64_t print) {
  std::size_t at = 0;
  while (at < prints_.size() && load<std::uint64_t>(&prints_.view()[at]) != print) at += sizeof print;
  if (at == prints_.size()) return;
  SecretBytes fewer(prints_.size() - sizeof print);
  std::ranges::copy(prints_.view().first(at), fewer.writable().begin());
  std::ranges::copy(prints_.view().subspan(at + sizeof print), fewer.writable().subspan(at).begin());
  prints_ = std::move(fewer);
  bits_ = 0;  // others may have marked the same: all are marked anew
  resize();
}

void SecretAnchors::resize() {
  const std::size_t wanted = std::bit_ceil(prints_.size() / sizeof(std::uint64_t) * kBitsForEach);
  const std::size_t bits = std::clamp(wanted, kLeastBits, kMostBits);
  if (bits == bits_) return;
  bits_ = bits;
  tables_ = SecretBytes(2 * bits / 8);
  for (std::size_t at = 0; at < prints_.size(); at += sizeof(std::uint64_t))
    mark(load<std::uint64_t>(&prints_.view()[at]));
}

void SecretAnchors::mark(std::uint64_t print) {
  const int less = kHashBits - std::countr_zero(bits_);
  const std::span<std::uint8_t> tables = tables_.writable();
  for (const std::size_t bit : {(print >> 32) >> less, bits_ + ((print & 0xFFFFFFFF) >> less)})
    tables[bit / 8] |= static_cast<std::uint8_t>(1u << (bit % 8));
}

std::size_t SecretAnchors::next(std::string_view text, std::size_t at, std::size_t end,
                                const Multipliers& multipliers) const {
  const std::uint8_t* const first = tables_.view().data();
  const Tables tables{first, first + bits_ / 8, 64 - std::countr_zero(bits_)};
  return width_ == sizeof(std::uint64_t) ? next_word<std::uint64_t>(text, at, end, tables, multipliers)
                                         : next_word<std::uint32_t>(text, at, end, tables, multipliers);
}

}  // namespace chancery::redaction
