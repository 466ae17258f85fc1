#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {

/// The longest compact token that is looked at (docs/protocol/delegation-chain.md, section 2).
inline constexpr std::size_t kMaxTokenSize = 65536;

/// The three parts of a JWS compact serialization (RFC 7515 section 7.1), borrowed, not decoded.
struct JwsParts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signing_input;  ///< header, dot, payload

  /// \return the parts, or kMalformed when there are not exactly three within `max_size` characters
  [[nodiscard]] static Result<JwsParts> split(std::string_view compact, std::size_t max_size = kMaxTokenSize);
};

/// Decodes a part strictly and reads it as JSON; a JSON object is demanded.
[[nodiscard]] Result<json::Document> decode_json_object(std::string_view part);

/// The JWS Signing Input (RFC 7515 section 5.1) of a header and a payload, each in JCS.
[[nodiscard]] std::string signing_input_of(const json::Node& header, const json::Node& payload);

/// Refuses a header with `crit` or `b64` (RFC 7515 section 4.1.11, RFC 7797): we understand no extension.
[[nodiscard]] Status refuse_extensions(const json::Value& header);

/// The header's `alg`, borrowed from it; kMalformed when it is no string.
[[nodiscard]] Result<std::string_view> read_algorithm(const json::Value& header);

/// The key that a header's `jwk` gives, if it gives a usable one.
struct HeaderKey {
  bool present = false;
  std::optional<PublicKey> key;
};
[[nodiscard]] HeaderKey header_key(const json::Value& header);

/// A JWS whose header and signature part have been read: for ordinary JWTs (proofs, status lists), of which
/// canonical form is not required.
struct Jws {
  json::Document header;
  json::Document payload;
  JwsParts parts;  ///< borrows from the compact text
  std::optional<Algorithm> algorithm;
  Bytes signature;

  /// \return the JWS, or kMalformed, kDuplicateMember, kNonFinite; `crit` and `b64` are refused
  [[nodiscard]] static Result<Jws> parse(std::string_view compact, std::size_t max_size = kMaxTokenSize);

  /// Whether `key` has the header's algorithm and the signature verifies under it.
  [[nodiscard]] bool verifies_under(const PublicKey& key) const;
};

}  // namespace chancery
