#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <chancery/bytes.hpp>

#include "sdk/base/cleansed_bytes.hpp"

namespace chancery::hsm {

// The form of the packets between the daemon and the process that holds a token's module (token_messages.hpp).

inline constexpr std::uint32_t kLongestText = 4096;

enum class Tag : std::uint8_t { kStart = 1, kOrder, kAnswer, kFacts, kLogin };

class Writer {
 public:
  explicit Writer(Tag tag) { number(static_cast<std::uint8_t>(tag)); }

  template <std::unsigned_integral T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      out_.push_back(static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i)));
  }
  void flag(bool value) { number(static_cast<std::uint8_t>(value)); }
  void octets(ByteView value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void text(std::string_view value) { octets(as_bytes(value)); }
  template <std::size_t Size>
  void fixed(const std::array<std::uint8_t, Size>& value) {
    out_.insert(out_.end(), value.begin(), value.end());
  }

  [[nodiscard]] CleansedBytes take() { return std::move(out_); }

 private:
  CleansedBytes out_;
};

/// Reads what a Writer wrote. The first thing that is wrong stays: what is read after it is empty.
class Reader {
 public:
  Reader(ByteView in, Tag tag) : in_(in) {
    is_good_ = number<std::uint8_t>() == static_cast<std::uint8_t>(tag);
  }

  template <std::unsigned_integral T>
  T number() {
    std::uint64_t value = 0;
    const ByteView octets = take(sizeof(T));
    for (std::size_t i = 0; i < octets.size(); ++i) value |= std::uint64_t{octets[i]} << (8 * i);
    return static_cast<T>(value);
  }
  bool flag() { return one_of<std::uint8_t>(1) == 1; }
  /// A number from 0 to `most`.
  template <typename T>
  T one_of(std::uint8_t most) {
    const auto value = number<std::uint8_t>();
    if (value > most) is_good_ = false;
    return static_cast<T>(value > most ? 0 : value);
  }
  ByteView octets(std::uint32_t most) {
    const auto size = number<std::uint32_t>();
    if (size > most) is_good_ = false;
    return size > most ? ByteView() : take(size);
  }
  std::string text() { return std::string(as_text(octets(kLongestText))); }
  template <std::size_t Size>
  std::array<std::uint8_t, Size> fixed() {
    std::array<std::uint8_t, Size> out{};
    std::ranges::copy(take(Size), out.begin());
    return out;
  }

  /// Whether all was right, and nothing is left over.
  [[nodiscard]] bool is_done() const noexcept { return is_good_ && in_.empty(); }

 private:
  ByteView take(std::size_t size) {
    if (size > in_.size()) is_good_ = false;
    if (!is_good_) return {};
    const ByteView taken = in_.first(size);
    in_ = in_.subspan(size);
    return taken;
  }

  ByteView in_;
  bool is_good_ = true;
};

}  // namespace chancery::hsm
