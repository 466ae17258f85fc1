#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <chancery/keys.hpp>
#include <chancery/passkeys.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {

/// The form that decisions and authorizations have in common: a JWS whose header is `{alg, kid, typ}`, header and payload
/// in JCS. Of a passkey, which signs no JWS, `alg` is chancery-webauthn-es256 and the third part is its assertion.
struct ApproverJws {
  json::Document payload;
  std::string_view signing_input;  ///< borrows from the compact text
  Thumbprint key;                  ///< `kid`
  Algorithm algorithm = Algorithm::kES256;
  std::variant<Signature, PasskeyAssertion> signature;

  /// \param type  `typ`
  /// \return kMalformed, kNonCanonical, kDuplicateMember, kNonFinite, kUnsupportedAlgorithm, kTooLarge
  [[nodiscard]] static Result<ApproverJws> parse(std::string_view compact, std::string_view type);

  [[nodiscard]] bool by_passkey() const noexcept {
    return std::holds_alternative<PasskeyAssertion>(signature);
  }

  /// Whether `key` signed it. \param passkeys  none: no passkey is accepted
  /// \return kSignatureInvalid, kUnsupportedAlgorithm, and what verify_passkey_assertion() says
  [[nodiscard]] Status verify(const PublicKey& key, const std::optional<RelyingParty>& passkeys) const;
  /// The same with verify_passkey_signature(): a passkey's for whichever party.
  [[nodiscard]] Status verify_of_any_party(const PublicKey& key) const;

 private:
  [[nodiscard]] Status check_key(const PublicKey& key) const;
};

/// Who signs, and with what.
struct ApproverSigner {
  Thumbprint key;
  Algorithm algorithm = Algorithm::kES256;
  bool by_passkey = false;
};
[[nodiscard]] std::string approver_signing_input(std::string_view type, const ApproverSigner& signer,
                                                 const json::Node& payload);

/// Lower-case hexadecimal digits, exactly as many.
[[nodiscard]] bool is_lower_hex(std::string_view text, std::size_t digits) noexcept;

/// The member's text; empty when there is none, or it is no text.
[[nodiscard]] std::string_view text_member(const json::Value& object, std::string_view name) noexcept;

/// `iat`: whole seconds since 1970. kMalformed.
[[nodiscard]] Result<std::chrono::sys_seconds> issued_at_of(const json::Value& payload);

}  // namespace chancery
