#include "hsm/pkcs11/token_session.hpp"

#include <array>

#include "hsm/pkcs11/check.hpp"
#include "hsm/pkcs11/key_attributes.hpp"

namespace chancery::hsm {
namespace {

constexpr const char* kNotFound = "the token did not search for the key: look at the module's own log";

}  // namespace

Result<std::unique_ptr<TokenSession>> TokenSession::open(std::shared_ptr<Module> module,
                                                         const FoundToken& token, std::size_t key_cache) {
  CK_SESSION_HANDLE handle = 0;
  CHANCERY_TRY(check_pkcs11(module->functions().C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                                              nullptr, nullptr, &handle),
                            "the token opens no session: look at the module's own log"));
  return std::unique_ptr<TokenSession>(new TokenSession(std::move(module), handle, token, key_cache));
}

TokenSession::~TokenSession() { call().C_CloseSession(handle_); }

Status TokenSession::ping() {
  CK_SESSION_INFO info{};
  CHANCERY_TRY(check_pkcs11(call().C_GetSessionInfo(handle_, &info), "the token does not answer"));
  if (info.state == CKS_RW_USER_FUNCTIONS || !needs_login_) return {};
  return check_pkcs11(CKR_USER_NOT_LOGGED_IN, "");
}

Status TokenSession::check_token(const KeyReference& key) const {
  if (key.serial == serial_) return {};
  return Error{
      ErrorCode::kWrongDevice,
      "this is not the token that holds the key: connect the right one, or register the agent again"};
}

Result<PublicKey> TokenSession::create(const KeyReference& key) {
  CHANCERY_ASSIGN(const KeyPairHandles made, generate_p256(call(), handle_, key));
  const auto judge = [&]() -> Result<PublicKey> {
    CHANCERY_TRY(check_private_key({call(), handle_, made.private_half}));
    return read_public_key({call(), handle_, made.public_half});
  };
  auto public_key = judge();
  if (public_key) {
    if (handles_.size() < key_cache_) handles_[key.id] = made.private_half;
    return public_key;
  }
  call().C_DestroyObject(handle_, made.private_half);
  call().C_DestroyObject(handle_, made.public_half);
  return public_key;
}

Result<Signature> TokenSession::sign(const KeyReference& key, const Sha256Digest& digest) {
  constexpr const char* kWhat = "the token did not sign: look at the module's own log";
  CHANCERY_TRY(check_token(key));
  CHANCERY_ASSIGN(const CK_OBJECT_HANDLE private_half, private_key(key));
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  CHANCERY_TRY(check_pkcs11(call().C_SignInit(handle_, &mechanism, private_half), kWhat));
  Signature signature{};
  CK_ULONG size = signature.size();
  CHANCERY_TRY(check_pkcs11(
      call().C_Sign(handle_, mutable_octets(digest), digest.size(), signature.data(), &size), kWhat));
  if (size == signature.size()) return signature;
  return Error{ErrorCode::kDeviceError, "the token gave a signature of another size than P-256 has"};
}

Status TokenSession::destroy(const KeyReference& key) {
  CHANCERY_TRY(check_token(key));
  handles_.erase(key.id);
  return remove(key.label, key.id);
}

Status TokenSession::discard(const std::string& label) { return remove(label, {}); }

Status TokenSession::remove(const std::string& label, ByteView id) {
  // The private half first: a signature fails from here on, whatever becomes of the other.
  for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    CHANCERY_ASSIGN(const std::vector<CK_OBJECT_HANDLE> found, find(kind, label, id));
    for (const CK_OBJECT_HANDLE object : found) {
      CHANCERY_TRY(check_pkcs11(call().C_DestroyObject(handle_, object),
                                "the token did not remove the key: look at the module's own log"));
    }
  }
  return {};
}

Result<CK_OBJECT_HANDLE> TokenSession::private_key(const KeyReference& key) {
  if (const auto known = handles_.find(key.id); known != handles_.end()) return known->second;
  CHANCERY_ASSIGN(const std::vector<CK_OBJECT_HANDLE> found, find(CKO_PRIVATE_KEY, key.label, key.id));
  if (found.empty()) {
    return Error{ErrorCode::kKeyLost, "the token has no such key any more: register the agent again"};
  }
  if (found.size() > 1) {
    return Error{ErrorCode::kKeyMismatch,
                 "the token has several keys of this label and id: look for tampering"};
  }
  CHANCERY_TRY(check_private_key({call(), handle_, found.front()}));
  if (handles_.size() >= key_cache_) handles_.clear();  // they are soon found again
  if (key_cache_ > 0) handles_[key.id] = found.front();
  return found.front();
}

Result<std::vector<CK_OBJECT_HANDLE>> TokenSession::find(CK_OBJECT_CLASS kind, const std::string& label,
                                                         ByteView id) {
  std::vector wanted{CK_ATTRIBUTE{CKA_CLASS, &kind, sizeof kind}, attribute(CKA_LABEL, as_bytes(label))};
  if (!id.empty()) wanted.push_back(attribute(CKA_ID, id));
  CHANCERY_TRY(check_pkcs11(call().C_FindObjectsInit(handle_, wanted.data(), wanted.size()), kNotFound));
  std::vector<CK_OBJECT_HANDLE> found(8);
  CK_ULONG count = 0;
  const CK_RV searched = call().C_FindObjects(handle_, found.data(), found.size(), &count);
  const CK_RV ended = call().C_FindObjectsFinal(handle_);
  CHANCERY_TRY(check_pkcs11(searched, kNotFound));
  CHANCERY_TRY(check_pkcs11(ended, kNotFound));
  found.resize(count);
  // Whoever is not logged in finds no private objects: that must not pass for a key that is lost.
  if (found.empty()) CHANCERY_TRY(ping());
  return found;
}

}  // namespace chancery::hsm
