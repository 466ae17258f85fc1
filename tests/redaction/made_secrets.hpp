#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/sdk/random_source.hpp"

namespace chancery::tests {

/// A secret as it stands in a text, with what belongs to it.
struct MadeSecret {
  std::string before{};
  std::string secret{};
  std::string after{};
};

/// A kind of secret, and how one is made.
struct SecretKind {
  std::string_view detector;  ///< the name of the pattern, or of another detector
  MadeSecret (*make)(RandomSource& random);
};

/// Every kind that is found by how it looks.
[[nodiscard]] const std::vector<SecretKind>& secret_kinds();

inline constexpr std::string_view kAlphanumeric =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
inline constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
inline constexpr std::string_view kLowerHex = "0123456789abcdef";

[[nodiscard]] std::string random_text(RandomSource& random, std::string_view alphabet, std::size_t size);

/// A way to write a value, and where within what is written its octets stand.
struct WrittenForm {
  std::string form;
  std::string text;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A value in every form that KnownSecrets says it finds.
[[nodiscard]] std::vector<WrittenForm> written_forms(std::string_view value);

}  // namespace chancery::tests
