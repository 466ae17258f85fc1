#pragma once

#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::hsm {

/// A `pkcs11:` URI (RFC 7512): which token, and which object on it. What is empty was not given.
struct Pkcs11Uri {
  std::string token;  ///< the token's label; all texts are percent-decoded
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string object;  ///< the object's label
  Bytes id;
  std::string module_path;
  bool operator==(const Pkcs11Uri&) const = default;

  /// Reads the attributes above, each at most once and not empty. Others are refused rather than ignored, as
  /// the URI would then select more than it says; a PIN has no place in a URI.
  /// \return the URI, or kInvalidArgument
  [[nodiscard]] static Result<Pkcs11Uri> parse(std::string_view text);

  /// The one way in which we write it: attributes in the order above, `id` with every octet escaped.
  [[nodiscard]] std::string text() const;
};

}  // namespace chancery::hsm
