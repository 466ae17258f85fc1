#pragma once

#include <cstdint>
#include <optional>

#include <chancery/bytes.hpp>

namespace chancery::attest {

/// Takes fields off the front of octets, little-endian as firmware and Linux write logs. What is asked for beyond the
/// end makes it fail for good, so that a record is read straight on and judged once.
class OctetReader {
 public:
  explicit OctetReader(ByteView octets) noexcept : rest_(octets) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  [[nodiscard]] std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
  [[nodiscard]] std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
  [[nodiscard]] std::uint32_t u32() noexcept { return number(4); }

  [[nodiscard]] ByteView take(std::size_t size) noexcept {
    ok_ = ok_ && size <= rest_.size();
    if (!ok_) return {};
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

 private:
  std::uint32_t number(std::size_t size) noexcept {
    std::uint32_t value = 0;
    const ByteView octets = take(size);
    for (std::size_t i = octets.size(); i > 0; --i) value = value << 8 | octets[i - 1];
    return value;
  }

  ByteView rest_;
  bool ok_ = true;
};

}  // namespace chancery::attest
