#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::tests {

/// An object's members by name, each value as JSON text, so that a draft can say anything, right or wrong. A
/// value of no text leaves the member out.
struct Utf16Less {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using Members = std::map<std::string, std::string, Utf16Less>;

/// `{"name":value,…}` in JCS order.
[[nodiscard]] std::string object_text(const Members& members);

/// A text as a JSON string.
[[nodiscard]] std::string quoted(std::string_view text);

using Edit = std::function<std::string(std::string)>;

/// A JWS that is not signed yet, and may be wrong in any way.
struct Draft {
  Members header;
  Members payload;
  const SigningKey* signer = nullptr;
  Edit edit_header;   ///< changes the header's JSON text before it is encoded
  Edit edit_payload;  ///< the same for the payload
  Edit edit_input;    ///< changes the signing input before it is signed
  Edit edit_compact;  ///< changes the finished token

  [[nodiscard]] std::string compact() const;
};

/// The test keys of one run, fresh in every process.
struct TestKeys {
  SigningKey root;
  SigningKey ed_root;
  SigningKey issuer;
  SigningKey status;
  SigningKey ed_status;
  SigningKey stranger;
  std::vector<SigningKey> holders;     ///< of DT_0, DT_1, …: Ed25519 and ES256 in turn
  std::vector<SigningKey> ed_holders;  ///< Ed25519 only
};
[[nodiscard]] const TestKeys& test_keys();

/// What a child of that compact token says in `par_hash`.
[[nodiscard]] std::string parent_hash(std::string_view compact);

/// The signature's base64url part of a compact token replaced.
[[nodiscard]] std::string with_signature(const std::string& compact, ByteView signature);

}  // namespace chancery::tests
