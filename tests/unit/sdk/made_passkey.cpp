#include "tests/unit/sdk/made_passkey.hpp"

#include <chancery/approval_decision.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/ecdsa_der.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::tests {
namespace {

void append(Bytes& to, ByteView octets) { to.insert(to.end(), octets.begin(), octets.end()); }

}  // namespace

std::string PasskeyAnswer::client_data_json() const {
  if (client_data) return *client_data;
  return R"({"type":")" + type + R"(","challenge":")" + challenge + R"(","origin":")" + origin + "\"" +
         more_client_data + "}";
}

Bytes PasskeyAnswer::authenticator_data() const {
  Bytes out;
  append(out, sha256(as_bytes(rp_id)));
  out.push_back(flags);
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(counter >> shift));
  append(out, rest);
  return out;
}

PasskeyAnswer MadePasskey::answer_to(ByteView challenge) {
  PasskeyAnswer answer;
  answer.type = "webauthn.get";
  answer.challenge = base64url_encode(challenge);
  answer.flags = kUserPresent | kUserVerified;
  return answer;
}

PasskeyAssertion MadePasskey::sign(const PasskeyAnswer& answer) const {
  PasskeyAssertion out{answer.authenticator_data(), answer.client_data_json(), {}};
  Bytes message = out.authenticator_data;
  append(message, sha256(as_bytes(out.client_data)));
  EcdsaDer der;
  const std::size_t size = ecdsa_der_from_raw(*key_.sign(message), der);
  out.signature.assign(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(size));
  return out;
}

std::string MadePasskey::sign_jws(const std::string& signing_input) const {
  return signed_by_passkey(signing_input, sign(answer_to(passkey_challenge(signing_input))));
}

Bytes MadePasskey::credential_data() const {
  Bytes out(16, 0xAA);
  out.push_back(0);
  out.push_back(static_cast<std::uint8_t>(credential_id_.size()));
  append(out, credential_id_);
  append(out, Bytes{0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20});
  append(out, public_key().x());
  append(out, Bytes{0x22, 0x58, 0x20});
  append(out, public_key().y());
  return out;
}

PasskeyAnswer MadePasskey::registration_for(ByteView challenge) const {
  PasskeyAnswer answer;
  answer.type = "webauthn.create";
  answer.challenge = base64url_encode(challenge);
  answer.flags = kUserPresent | kUserVerified | kHasCredential;
  answer.rest = credential_data();
  return answer;
}

PasskeyRegistration MadePasskey::register_with(const PasskeyAnswer& answer) const {
  return {credential_id_, answer.authenticator_data(), answer.client_data_json()};
}

RelyingParty local_party() { return {"localhost", {"https://localhost:9443", "https://localhost:8443"}}; }

}  // namespace chancery::tests
