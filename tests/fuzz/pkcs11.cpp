#include <algorithm>
#include <cstring>
#include <variant>

#include "hsm/pkcs11/key_attributes.hpp"
#include "hsm/pkcs11/key_claims.hpp"
#include "hsm/pkcs11/sealing.hpp"
#include "hsm/pkcs11/token_messages.hpp"
#include "hsm/pkcs11/uri.hpp"
#include "tests/fuzz/target.hpp"

// An input is what a token's module says of a key's attributes, call by call; and, as it is, a packet between the daemon
// and the process that holds the module, a secret that was sealed, and a pkcs11: URI.

namespace chancery::fuzz {
namespace {

// PKCS#11 has no place for a context: what the module has left to say.
thread_local std::string_view script;

std::uint8_t next_octet() {
  if (script.empty()) return 0;
  const auto octet = static_cast<std::uint8_t>(script.front());
  script.remove_prefix(1);
  return octet;
}

CK_RV answer_code() {
  constexpr CK_RV kCodes[] = {CKR_OK,
                              CKR_OK,
                              CKR_OK,
                              CKR_ATTRIBUTE_TYPE_INVALID,
                              CKR_ATTRIBUTE_SENSITIVE,
                              CKR_BUFFER_TOO_SMALL,
                              CKR_DEVICE_ERROR};
  return kCodes[next_octet() % std::size(kCodes)];
}

// A module that says any length, also one beyond the buffer that it was given; it writes no further than that.
CK_RV get_attribute_value(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE* wanted, CK_ULONG count) {
  for (CK_ATTRIBUTE& attribute : std::span(wanted, count)) {
    const std::uint8_t kind = next_octet();
    const CK_ULONG said = kind == 0xFF   ? CK_UNAVAILABLE_INFORMATION
                          : kind >= 0xF0 ? CK_ULONG{next_octet()} << 8 | next_octet()
                                         : CK_ULONG{kind};
    if (attribute.pValue != nullptr) {
      const std::size_t size =
          std::min({std::size_t{said}, std::size_t{attribute.ulValueLen}, script.size()});
      if (said != CK_UNAVAILABLE_INFORMATION) std::memcpy(attribute.pValue, script.data(), size);
      script.remove_prefix(said == CK_UNAVAILABLE_INFORMATION ? 0 : size);
    }
    attribute.ulValueLen = said;
  }
  return answer_code();
}

void read_attributes(std::string_view input) {
  CK_FUNCTION_LIST functions{};
  functions.C_GetAttributeValue = get_attribute_value;
  const hsm::TokenObject object{functions, 1, 2};
  const Algorithm algorithm =
      !input.empty() && (input.front() & 1) != 0 ? Algorithm::kEd25519 : Algorithm::kES256;
  script = input;
  (void)hsm::check_private_key(object, algorithm);
  script = input;
  if (const auto key = hsm::read_public_key(object, algorithm)) require(key->algorithm() == algorithm);
  script = input;
  (void)hsm::read_claims(object);
  script = input;
  (void)hsm::check_sealing_key(object);
  script = input;
  if (const auto id = hsm::read_id(object)) require(id->size() <= 64);
  script = input;
  const auto certificate = hsm::read_certificate(object);
  if (certificate && *certificate) require((*certificate)->size() <= hsm::kLargestCertificate);
}

// What is read says the same when it is written, octet for octet.
void read_packets(ByteView packet) {
  if (const auto order = hsm::decode_order(packet))
    require(std::ranges::equal(hsm::encode(order->id, order->request), packet));
  if (const auto start = hsm::decode_start(packet))
    require(std::ranges::equal(hsm::encode(*start).view(), packet));
  const auto message = hsm::decode_from_owner(packet);
  if (!message) return;
  const CleansedBytes again = std::visit([](const auto& value) { return hsm::encode(value); }, *message);
  require(hsm::decode_from_owner(again).has_value());
}

// The parts are the whole, in their order.
void read_sealed(ByteView sealed) {
  const auto parts = hsm::read_sealed(sealed);
  if (!parts) return;
  require(parts->key_id.data() == sealed.data() + 1 &&
          parts->iv.data() == parts->key_id.data() + parts->key_id.size());
  require(parts->ciphertext.data() == parts->iv.data() + parts->iv.size());
  require(parts->ciphertext.data() + parts->ciphertext.size() == sealed.data() + sealed.size());
}

void read_uri(std::string_view text) {
  const auto uri = hsm::Pkcs11Uri::parse(text);
  if (!uri) return;
  const auto again = hsm::Pkcs11Uri::parse(uri->text());
  require(again && *again == *uri);
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  fuzz::read_attributes(fuzz::text_of(data, size));
  fuzz::read_packets({data, size});
  fuzz::read_sealed({data, size});
  fuzz::read_uri(fuzz::text_of(data, size));
  return 0;
}
