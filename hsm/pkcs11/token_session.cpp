#include "hsm/pkcs11/token_session.hpp"

#include <algorithm>

#include "hsm/pkcs11/check.hpp"
#include "hsm/pkcs11/key_attributes.hpp"
#include "hsm/pkcs11/key_claims.hpp"
#include "hsm/pkcs11/sealing.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

// A simulator signs as fast as we verify. To find out that a handle leads to another key, its first signature
// does, before a second one is made; one in so many after it, which whoever receives it verifies, finds out what
// goes wrong later.
constexpr std::uint32_t kSample = 128;

constexpr std::size_t kFound = 8;  // objects of one search

constexpr Error kSealLost{
    ErrorCode::kKeyLost,
    "the token does not have the key any more that this was sealed with: it was initialized anew, or "
    "is another one"};

constexpr const char* kNotFound = "the token did not search for the key: look at the module's own log";

bool verifies(const TokenRequest& request, const Signature& signature) {
  Sha256Digest digest{};
  if (request.input.size() == digest.size()) std::ranges::copy(request.input, digest.begin());
  return verify_signature(request.public_key, digest, request.input, signature);
}

}  // namespace

Result<std::unique_ptr<TokenSession>> TokenSession::open(std::shared_ptr<Module> module,
                                                         const FoundToken& token, std::size_t key_cache,
                                                         std::shared_ptr<std::mutex> sealing_keys) {
  CK_SESSION_HANDLE handle = 0;
  CHANCERY_TRY(check_pkcs11(module->functions().C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                                              nullptr, nullptr, &handle),
                            "the token opens no session: look at the module's own log"));
  return std::unique_ptr<TokenSession>(
      new TokenSession(std::move(module), handle, token, key_cache, std::move(sealing_keys)));
}

TokenSession::~TokenSession() { call().C_CloseSession(handle_); }

Status TokenSession::ping() {
  CK_SESSION_INFO info{};
  CHANCERY_TRY(check_pkcs11(call().C_GetSessionInfo(handle_, &info), "the token does not answer"));
  if (info.state == CKS_RW_USER_FUNCTIONS || !needs_login_) return {};
  return check_pkcs11(CKR_USER_NOT_LOGGED_IN, "");
}

Status TokenSession::check_token(const KeyReference& key) const {
  if (key.serial == token_.serial) return {};
  return Error{
      ErrorCode::kWrongDevice,
      "this is not the token that holds the key: connect the right one, or register the agent again"};
}

Result<TokenReply> TokenSession::perform(const TokenRequest& request) {
  switch (request.verb) {
    case TokenVerb::kCreate:
      return create(request);
    case TokenVerb::kSign:
      return sign(request);
    case TokenVerb::kDestroy:
      if (!request.key.serial.empty()) CHANCERY_TRY(check_token(request.key));
      CHANCERY_TRY(destroy(request.key));
      return TokenReply{};
    case TokenVerb::kDiscard:
      CHANCERY_TRY(remove(request.key.label, {}));
      return TokenReply{};
    case TokenVerb::kCheck:
      CHANCERY_TRY(ping());
      return TokenReply{};
    case TokenVerb::kClaims:
      return claims(request);
    case TokenVerb::kSeal:
      return seal(request);
    case TokenVerb::kUnseal:
      return unseal(request);
    case TokenVerb::kCondition:  // the token's, not a session's
      break;
  }
  return Error{ErrorCode::kInternal, "a request to a token that nobody obeys"};
}

void TokenSession::undo(const TokenRequest& request) {
  if (request.verb == TokenVerb::kCreate) static_cast<void>(destroy(request.key));
}

Result<TokenReply> TokenSession::create(const TokenRequest& request) {
  const KeyReference& key = request.key;
  if (std::ranges::find(token_.algorithms, request.algorithm) == token_.algorithms.end()) {
    return Error{ErrorCode::kUnsupportedAlgorithm,
                 "the token makes no keys of this kind: ask for an algorithm that it offers"};
  }
  // A pair of which only the answer was lost is there already.
  if (request.is_repeated) CHANCERY_TRY(destroy(key));
  CHANCERY_ASSIGN(const KeyPairHandles made, generate_pair(call(), handle_, key, request.algorithm));
  const auto judge = [&]() -> Result<PublicKey> {
    CHANCERY_TRY(check_private_key({call(), handle_, made.private_half}, request.algorithm));
    return read_public_key({call(), handle_, made.public_half}, request.algorithm);
  };
  const auto public_key = judge();
  if (public_key) {
    if (keys_.size() < key_cache_) keys_[key.id] = {made.private_half, request.algorithm};
    TokenReply reply;
    reply.public_key = *public_key;
    reply.serial = token_.serial;
    return reply;
  }
  call().C_DestroyObject(handle_, made.private_half);
  call().C_DestroyObject(handle_, made.public_half);
  return public_key.error();
}

Result<TokenReply> TokenSession::sign(const TokenRequest& request) {
  CHANCERY_TRY(check_token(request.key));
  if (request.seeks_anew) keys_.erase(request.key.id);
  auto known = keys_.find(request.key.id);
  Key found;
  if (known == keys_.end()) {
    CHANCERY_ASSIGN(found, find_key(request));
    if (keys_.size() >= key_cache_) keys_.clear();  // they are soon found again
    if (key_cache_ > 0) known = keys_.emplace(request.key.id, found).first;
  }
  Key& key = known == keys_.end() ? found : known->second;
  if (key.algorithm != request.public_key.algorithm()) {
    return Error{ErrorCode::kKeyMismatch, "the token's key is of another kind than the agent's: refused"};
  }
  TokenReply reply;
  CHANCERY_ASSIGN(reply.signature, sign_with(key, request.input));
  if (!token_.emulated) return reply;
  const std::uint32_t before = key.signatures++;
  reply.may_pass = before % kSample != 0 || before == 0;
  if (before != 0 || verifies(request, reply.signature)) return reply;
  keys_.erase(request.key.id);
  return Error{ErrorCode::kKeyMismatch,
               "the token signed with another key than the agent's: the signature was discarded"};
}

Result<Signature> TokenSession::sign_with(const Key& key, ByteView input) {
  constexpr const char* kWhat = "the token did not sign: look at the module's own log";
  CK_MECHANISM mechanism{signing_mechanism(key.algorithm), nullptr, 0};
  CHANCERY_TRY(check_pkcs11(call().C_SignInit(handle_, &mechanism, key.handle), kWhat));
  static constexpr std::uint8_t kNothing = 0;  // modules refuse a null pointer, also to an empty message
  const ByteView message = input.data() == nullptr ? ByteView(&kNothing, 0) : input;
  Signature signature{};
  CK_ULONG size = signature.size();
  CHANCERY_TRY(check_pkcs11(
      call().C_Sign(handle_, mutable_octets(message), message.size(), signature.data(), &size), kWhat));
  if (size == signature.size()) return signature;
  return Error{ErrorCode::kDeviceError, "the token gave a signature of another size than its algorithm has"};
}

Status TokenSession::destroy(const KeyReference& key) {
  keys_.erase(key.id);
  return remove(key.label, key.id);
}

Status TokenSession::remove(const std::string& label, ByteView id) {
  // The private half first: a signature fails from here on, whatever becomes of the other.
  for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    std::vector<CK_OBJECT_HANDLE> found;
    do {
      CHANCERY_ASSIGN(found, find(kind, label, id));
      for (const CK_OBJECT_HANDLE object : found) {
        CHANCERY_TRY(check_pkcs11(call().C_DestroyObject(handle_, object),
                                  "the token did not remove the key: look at the module's own log"));
      }
    } while (found.size() == kFound);
  }
  return {};
}

Result<CK_OBJECT_HANDLE> TokenSession::find_half(CK_OBJECT_CLASS kind, const KeyReference& key) {
  CHANCERY_ASSIGN(const std::vector<CK_OBJECT_HANDLE> found, find(kind, key.label, key.id));
  if (found.empty()) {
    return Error{ErrorCode::kKeyLost, "the token has no such key any more: register the agent again"};
  }
  if (found.size() > 1) {
    return Error{ErrorCode::kKeyMismatch,
                 "the token has several keys of this label and id: look for tampering"};
  }
  return found.front();
}

Result<TokenSession::Key> TokenSession::find_key(const TokenRequest& request) {
  const Algorithm algorithm = request.public_key.algorithm();
  CHANCERY_ASSIGN(const CK_OBJECT_HANDLE found, find_half(CKO_PRIVATE_KEY, request.key));
  CHANCERY_TRY(check_private_key({call(), handle_, found}, algorithm));
  return Key{found, algorithm};
}

Result<TokenReply> TokenSession::claims(const TokenRequest& request) {
  CHANCERY_TRY(check_token(request.key));
  CHANCERY_ASSIGN(const CK_OBJECT_HANDLE private_half, find_half(CKO_PRIVATE_KEY, request.key));
  CHANCERY_ASSIGN(const CK_OBJECT_HANDLE public_half, find_half(CKO_PUBLIC_KEY, request.key));
  CHANCERY_ASSIGN(const PublicKey present,
                  read_public_key({call(), handle_, public_half}, request.public_key.algorithm()));
  if (present != request.public_key)
    return Error{ErrorCode::kKeyMismatch, "the token has another key in the place of the agent's: refused"};
  TokenReply reply;
  CHANCERY_ASSIGN(reply.claims, read_claims({call(), handle_, private_half}));
  CHANCERY_TRY(add_certificates(request.key.id, reply.claims.certificates));
  CHANCERY_TRY(add_certificates({}, reply.claims.certificates));
  return reply;
}

// What is sealed is opened once before anybody relies on it: a module may encrypt, and not decrypt.
Result<TokenReply> TokenSession::seal(const TokenRequest& request) {
  if (!token_.seals) {
    return Error{
        ErrorCode::kUnsupportedAlgorithm,
        "the token does not offer AES-GCM with keys of its own (CKM_AES_KEY_GEN, CKM_AES_GCM): seal with another "
        "device"};
  }
  if (!request.secret) return Error{ErrorCode::kInternal, "a request to seal nothing"};
  CHANCERY_ASSIGN(const SealingKey key, sealing_key(request.key.id));
  const TokenObject object{call(), handle_, key.handle};
  TokenReply reply;
  CHANCERY_ASSIGN(reply.sealed, seal_with(object, key.id, request.context, request.secret->view()));
  CHANCERY_ASSIGN(const SealedParts parts, read_sealed(reply.sealed));
  const auto opened = unseal_with(object, request.context, parts);
  if (!opened && opened.error().code != ErrorCode::kKeyLost) return opened.error();
  if (opened && equal_constant_time(opened->view(), request.secret->view())) return reply;
  return Error{ErrorCode::kDeviceError,
               "the token does not open what it has just sealed: look at the module's own log"};
}

// By the tag it shows which one it was, should several have the id.
Result<TokenReply> TokenSession::unseal(const TokenRequest& request) {
  CHANCERY_ASSIGN(const SealedParts parts, read_sealed(request.input));
  const auto found = [&] {
    const std::lock_guard lock(*sealing_keys_);
    return find(CKO_SECRET_KEY, kSealingLabel, parts.key_id);
  }();
  if (!found) return found.error();
  Error error = kSealLost;
  for (const CK_OBJECT_HANDLE object : *found) {
    auto opened = unseal_with({call(), handle_, object}, request.context, parts);
    if (opened) {
      TokenReply reply;
      reply.opened = std::make_shared<const SecretBytes>(*std::move(opened));
      return reply;
    }
    error = opened.error();
    if (error.code != ErrorCode::kKeyLost) break;
  }
  return error;
}

Result<TokenSession::SealingKey> TokenSession::sealing_key(const Bytes& id) {
  const std::lock_guard lock(*sealing_keys_);
  CHANCERY_ASSIGN(std::optional<SealingKey> key, find_sealing_key());
  if (key) return *std::move(key);
  return make_sealing_key(id);
}

// Several are there when two daemons made one at the same moment. All then take the one with the lowest id, which is the same
// for whoever looks, so that the other falls out of use; a handle or the order of a search may be another in each session.
// What was sealed with the other one opens still, since it names its key. Whoever has the PIN can put a key of their own
// there, which is passed over unless the token says that it was made inside and cannot leave.
Result<std::optional<TokenSession::SealingKey>> TokenSession::find_sealing_key() {
  CHANCERY_ASSIGN(const std::vector<CK_OBJECT_HANDLE> found, find(CKO_SECRET_KEY, kSealingLabel, {}));
  std::optional<SealingKey> lowest;
  for (const CK_OBJECT_HANDLE object : found) {
    const Status judged = check_sealing_key({call(), handle_, object});
    if (!judged && judged.error().code == ErrorCode::kKeyMismatch) continue;
    CHANCERY_TRY(judged);
    CHANCERY_ASSIGN(Bytes id, read_id({call(), handle_, object}));
    if (id.size() != kSealingIdSize) continue;
    if (!lowest || id < lowest->id) lowest = SealingKey{object, std::move(id)};
  }
  return lowest;
}

Result<TokenSession::SealingKey> TokenSession::make_sealing_key(const Bytes& id) {
  if (id.size() != kSealingIdSize)
    return Error{ErrorCode::kInternal, "a sealing key needs an id of 16 octets"};
  CHANCERY_ASSIGN(const CK_OBJECT_HANDLE made,
                  generate_sealing_key(call(), handle_, KeyReference{token_.serial, kSealingLabel, id}));
  const Status judged = check_sealing_key({call(), handle_, made});
  if (!judged) {
    call().C_DestroyObject(handle_, made);
    return judged.error();
  }
  // Perhaps another made one meanwhile, which comes first.
  CHANCERY_ASSIGN(std::optional<SealingKey> lowest, find_sealing_key());
  return lowest ? *std::move(lowest) : SealingKey{made, id};
}

Status TokenSession::add_certificates(ByteView id, std::vector<Bytes>& out) {
  CHANCERY_ASSIGN(const std::vector<CK_OBJECT_HANDLE> found, find(CKO_CERTIFICATE, {}, id));
  for (const CK_OBJECT_HANDLE object : found) {
    if (out.size() == kMostCertificates) break;
    CHANCERY_ASSIGN(std::optional<Bytes> der, read_certificate({call(), handle_, object}));
    if (der && std::ranges::find(out, *der) == out.end()) out.push_back(*std::move(der));
  }
  return {};
}

Result<std::vector<CK_OBJECT_HANDLE>> TokenSession::find(CK_OBJECT_CLASS kind, const std::string& label,
                                                         ByteView id) {
  std::vector wanted{CK_ATTRIBUTE{CKA_CLASS, &kind, sizeof kind}};
  if (!label.empty()) wanted.push_back(attribute(CKA_LABEL, as_bytes(label)));
  if (!id.empty()) wanted.push_back(attribute(CKA_ID, id));
  CHANCERY_TRY(check_pkcs11(call().C_FindObjectsInit(handle_, wanted.data(), wanted.size()), kNotFound));
  std::vector<CK_OBJECT_HANDLE> found(kFound);
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
