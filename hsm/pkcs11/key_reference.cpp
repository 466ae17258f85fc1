#include "hsm/pkcs11/key_reference.hpp"

#include "hsm/binding_octets.hpp"
#include "hsm/pkcs11/uri.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kSealSize = 32;
constexpr std::size_t kMostOpened = 4096;
constexpr char kSeparator = '\n';  // never in a URI

// HKDF as a pseudorandom function of all that the seal covers, each with its length in front.
std::string seal_text(const SecretBytes& key, std::string_view uri, const KeyBinding& binding,
                      const PublicKey& public_key) {
  const std::string jwk = public_key.jwk();
  std::string covered = "chancery pkcs11 key reference";
  for (const std::string_view part :
       {uri, std::string_view(binding.agent_id), std::string_view(binding.key_id), std::string_view(jwk)}) {
    append_with_length(covered, part);
  }
  return hex_encode(hkdf_sha256(key.view(), {}, covered, kSealSize).view());
}

}  // namespace

std::string key_label(const KeyBinding& binding) {
  // Its length makes the division of the two unambiguous.
  return "chancery:" + std::to_string(binding.agent_id.size()) + ":" + binding.agent_id + ":" +
         binding.key_id;
}

ReferenceSeal::ReferenceSeal(const SecretBytes& master)
    : key_(hkdf_sha256(master.view(), {}, "chancery pkcs11 reference seal", kSealSize)) {}

Bytes ReferenceSeal::seal(const KeyReference& reference, const KeyBinding& binding,
                          const PublicKey& public_key) const {
  Pkcs11Uri uri;
  uri.serial = reference.serial;
  uri.object = reference.label;
  uri.id = reference.id;
  const std::string text = uri.text();
  const std::string blob = text + kSeparator + seal_text(key_, text, binding, public_key);
  return {blob.begin(), blob.end()};
}

std::shared_ptr<const ReferenceSeal::Opened> ReferenceSeal::remembered(const StoredKey& key) const {
  const std::string blob(as_text(key.blob));
  const std::lock_guard lock(mutex_);
  const auto found = opened_.find(blob);
  return found == opened_.end() ? nullptr : found->second;
}

Result<KeyReference> ReferenceSeal::open(const StoredKey& key) const {
  const auto known = remembered(key);
  if (known && known->binding == key.binding && known->public_key == key.public_key) return known->reference;
  CHANCERY_ASSIGN(KeyReference reference, open_anew(key));
  const auto opened = std::make_shared<const Opened>(Opened{key.binding, key.public_key, reference});
  const std::lock_guard lock(mutex_);
  if (opened_.size() >= kMostOpened) opened_.clear();
  opened_.insert_or_assign(std::string(as_text(key.blob)), opened);
  return reference;
}

Result<KeyReference> ReferenceSeal::open_anew(const StoredKey& key) const {
  const std::string_view blob = as_text(key.blob);
  const std::size_t end = blob.find(kSeparator);
  const std::string_view text = blob.substr(0, end);
  const std::string expected = seal_text(key_, text, key.binding, key.public_key);
  if (end == std::string_view::npos ||
      !equal_constant_time(as_bytes(blob.substr(end + 1)), as_bytes(expected))) {
    return Error{ErrorCode::kKeyLost,
                 "the record of this key was changed or belongs to another agent: look for tampering, and "
                 "register the agent again"};
  }
  CHANCERY_ASSIGN(Pkcs11Uri uri, Pkcs11Uri::parse(text));
  return KeyReference{std::move(uri.serial), std::move(uri.object), std::move(uri.id)};
}

}  // namespace chancery::hsm
