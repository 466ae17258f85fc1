#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <chancery/passkeys.hpp>

#include "sdk/crypto/signing_key.hpp"

namespace chancery::tests {

/// What a browser and an authenticator make of a challenge; a test changes a member to have one thing wrong in an
/// answer whose signature is good.
struct PasskeyAnswer {
  std::string type;
  std::string challenge;  ///< base64url
  std::string origin = "https://localhost:8443";
  std::string more_client_data = R"(,"crossOrigin":false)";  ///< members behind the first three
  std::optional<std::string> client_data{};                  ///< instead of all of these
  std::string rp_id = "localhost";
  std::uint8_t flags = 0;
  std::uint32_t counter = 7;
  Bytes rest{};  ///< behind the counter

  [[nodiscard]] std::string client_data_json() const;
  [[nodiscard]] Bytes authenticator_data() const;
};

/// An authenticator with one credential, made of software.
class MadePasskey {
 public:
  static constexpr std::uint8_t kUserPresent = 0x01;
  static constexpr std::uint8_t kUserVerified = 0x04;
  static constexpr std::uint8_t kBackedUp = 0x10;
  static constexpr std::uint8_t kHasCredential = 0x40;
  static constexpr std::uint8_t kHasExtensions = 0x80;

  MadePasskey() : key_(*SigningKey::generate(Algorithm::kES256)) {}

  [[nodiscard]] const PublicKey& public_key() const noexcept { return key_.public_key(); }
  [[nodiscard]] const Bytes& credential_id() const noexcept { return credential_id_; }

  /// What is answered to `navigator.credentials.get()`, to be changed or signed as it is.
  [[nodiscard]] static PasskeyAnswer answer_to(ByteView challenge);
  [[nodiscard]] PasskeyAssertion sign(const PasskeyAnswer& answer) const;
  /// Both at once: the compact form of a signing input that this passkey signed.
  [[nodiscard]] std::string sign_jws(const std::string& signing_input) const;

  /// What is answered to `navigator.credentials.create()`; its `rest` is credential_data().
  [[nodiscard]] PasskeyAnswer registration_for(ByteView challenge) const;
  [[nodiscard]] PasskeyRegistration register_with(const PasskeyAnswer& answer) const;
  /// AAGUID, the id with its length, and the key as COSE.
  [[nodiscard]] Bytes credential_data() const;

 private:
  SigningKey key_;
  Bytes credential_id_{0xC0, 0xFF, 0xEE, 0x01};
};

/// The relying party that a PasskeyAnswer is for.
[[nodiscard]] RelyingParty local_party();

}  // namespace chancery::tests
