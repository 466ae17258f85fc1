#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <chancery/keys.hpp>

#include "sdk/base/hex.hpp"

namespace chancery::tests {

/// Public keys that never change: the base point of P-256 (FIPS 186-5), doubled, and so on up to five times.
inline PublicKey gate_point(std::size_t index) {
  struct Point {
    std::string_view x, y;
  };
  constexpr std::array kPoints{
      Point{"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"},
      Point{"7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
            "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1"},
      Point{"5ecbe4d1a6330a44c8f7ef951d4bf165e6c6b721efada985fb41661bc6e7fd6c",
            "8734640c4998ff7e374b06ce1a64a2ecd82ab036384fb83d9a79b127a27d5032"},
      Point{"e2534a3532d08fbba02dde659ee62bd0031fe2db785596ef509302446b030852",
            "e0f1575a4c633cc719dfee5fda862d764efc96c3f30ee0055c42c23f184ed8c6"},
      Point{"51590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033ed",
            "e0c17da8904a727d8ae1bf36bf8a79260d012f00d4d80888d1d0bb44fda16da4"},
  };
  const Point& point = kPoints[index];
  return PublicKey::p256(hex_decode_exactly<32>(point.x).value(), hex_decode_exactly<32>(point.y).value());
}

}  // namespace chancery::tests
