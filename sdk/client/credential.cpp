#include <cerrno>
#include <utility>
#include <variant>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/credential.hpp>

#include "sdk/base/descriptor.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery {
namespace {

constexpr std::size_t kMostPem = 16 * 1024;
constexpr std::size_t kIdSize = 16;

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Result<std::string> random_id() {
  Bytes octets(kIdSize);
  CHANCERY_TRY(random_bytes(octets));
  return hex_encode(octets);
}

Error errno_error(ErrorCode code, const char* what) {
  return {code, what, static_cast<std::uint64_t>(errno)};
}

Result<Token> held_leaf(std::span<const std::string> chain, const HolderKey& key) {
  if (chain.empty()) return Error{ErrorCode::kMalformed, "the chain is empty"};
  CHANCERY_ASSIGN(Token leaf, Token::parse(chain.back()));
  if (leaf.claims().holder == key.public_key().thumbprint()) return leaf;
  return Error{ErrorCode::kNotHolder, "the chain's last token is held by another key than this one"};
}

class KeyCredential final : public Credential {
 public:
  KeyCredential(std::vector<std::string> chain, double expires_at, HolderKey key)
      : chain_(std::move(chain)), expires_at_(expires_at), key_(std::move(key)) {}

  Result<Presented> present(const std::string& method, const std::string& uri,
                            const std::optional<std::string>& nonce) const override {
    const std::chrono::sys_seconds now = wall_clock();
    if (static_cast<double>(now.time_since_epoch().count()) > expires_at_) {
      return Error{ErrorCode::kCredentialExpired, "the chain to call with has expired: obtain a new one"};
    }
    CHANCERY_ASSIGN(std::string proof, prove_with(key_, chain_.back(), {method, uri, {}, nonce}, now));
    return Presented{chain_, std::move(proof)};
  }

 private:
  const std::vector<std::string> chain_;
  const double expires_at_;
  const HolderKey key_;
};

// The token stands where a chain's last one would, and the proof is bound to it in the same way.
class JoinCredential final : public Credential {
 public:
  JoinCredential(std::string token, HolderKey key) : token_(std::move(token)), key_(std::move(key)) {}

  Result<Presented> present(const std::string& method, const std::string& uri,
                            const std::optional<std::string>& nonce) const override {
    CHANCERY_ASSIGN(std::string proof, prove_with(key_, token_, {method, uri, {}, nonce}, wall_clock()));
    return Presented{{token_}, std::move(proof)};
  }

 private:
  const std::string token_;
  const HolderKey key_;
};

}  // namespace

struct HolderKey::Impl {
  struct KeyElsewhere {
    std::shared_ptr<const Signer> signer;
    VerifyKey verifier;

    [[nodiscard]] const PublicKey& public_key() const noexcept { return verifier.public_key(); }
    [[nodiscard]] Result<Signature> sign(ByteView message) const;
  };

  std::variant<SigningKey, KeyElsewhere> key;
};

Result<Signature> HolderKey::Impl::KeyElsewhere::sign(ByteView message) const {
  CHANCERY_ASSIGN(const Signature signature, signer->sign(message));
  if (verifier.verify(message, signature)) return signature;
  return Error{ErrorCode::kKeyMismatch,
               "the signer gave no signature of the key that it names: is it set to another key?"};
}

Result<HolderKey> HolderKey::generate(Algorithm algorithm) {
  CHANCERY_ASSIGN(SigningKey key, SigningKey::generate(algorithm));
  return HolderKey(std::make_shared<const Impl>(Impl{std::move(key)}));
}

Result<HolderKey> HolderKey::held_by(std::shared_ptr<const Signer> signer) {
  if (signer == nullptr) return Error{ErrorCode::kInvalidArgument, "give the signer that holds the key"};
  CHANCERY_ASSIGN(VerifyKey verifier, VerifyKey::from(signer->public_key()));
  return HolderKey(
      std::make_shared<const Impl>(Impl{Impl::KeyElsewhere{std::move(signer), std::move(verifier)}}));
}

Result<HolderKey> HolderKey::load(const std::string& path) {
  constexpr const char* kUnreadable = "the key file cannot be read";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return errno_error(ErrorCode::kFileUnreadable, kUnreadable);
  if ((status.st_mode & 077) != 0) {
    return Error{ErrorCode::kFilePermissions,
                 "others may read the key file: give it mode 0600, and make a new key if they may have"};
  }
  SecretBytes pem(kMostPem);
  const ssize_t size = ::read(file.get(), pem.writable().data(), pem.size());
  if (size < 0) return errno_error(ErrorCode::kFileUnreadable, kUnreadable);
  return from_pem(pem.view().first(static_cast<std::size_t>(size)));
}

Result<HolderKey> HolderKey::from_pem(ByteView pem) {
  CHANCERY_ASSIGN(SigningKey key, SigningKey::from_pem(pem));
  return HolderKey(std::make_shared<const Impl>(Impl{std::move(key)}));
}

Result<SecretBytes> HolderKey::pem() const {
  if (const auto* in_memory = std::get_if<SigningKey>(&impl_->key)) return in_memory->pem();
  return Error{
      ErrorCode::kInvalidArgument,
      "the key stays with its signer: delegate or open a session for a key in memory, and hand that on"};
}

Status HolderKey::save(const std::string& path) const {
  CHANCERY_ASSIGN(const SecretBytes pem, this->pem());
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file && errno == EEXIST) {
    return Error{ErrorCode::kConflict, "there is a key file already: use it, or name another"};
  }
  const bool written =
      file && ::write(file.get(), pem.view().data(), pem.size()) == static_cast<ssize_t>(pem.size()) &&
      ::fsync(file.get()) == 0;
  if (written) return {};
  return errno_error(ErrorCode::kFileUnwritable, "the key file cannot be written");
}

const PublicKey& HolderKey::public_key() const noexcept {
  return std::visit([](const auto& key) -> const PublicKey& { return key.public_key(); }, impl_->key);
}

Result<Signature> HolderKey::sign(ByteView message) const {
  return std::visit([message](const auto& key) { return key.sign(message); }, impl_->key);
}

Result<std::shared_ptr<const Credential>> credential_of(std::vector<std::string> chain, HolderKey key) {
  CHANCERY_ASSIGN(const Token leaf, held_leaf(chain, key));
  return std::shared_ptr<const Credential>(
      std::make_shared<KeyCredential>(std::move(chain), leaf.claims().exp, std::move(key)));
}

std::shared_ptr<const Credential> join_credential(std::string token, HolderKey key) {
  return std::make_shared<JoinCredential>(std::move(token), std::move(key));
}

Result<std::string> prove_with(const HolderKey& key, std::string_view leaf, ProofClaims claims,
                               std::chrono::sys_seconds now) {
  if (claims.jti.empty()) {
    CHANCERY_ASSIGN(claims.jti, random_id());
  }
  CHANCERY_ASSIGN(const UnsignedProof proof, UnsignedProof::encode(claims, leaf, key.public_key(), now));
  CHANCERY_ASSIGN(const Signature signature, key.sign(as_bytes(proof.signing_input())));
  return proof.with(signature);
}

Result<std::vector<std::string>> delegate_with(const HolderKey& key, std::span<const std::string> chain,
                                               const DelegationRequest& request,
                                               std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(const Token leaf, held_leaf(chain, key));
  std::int64_t max_depth = INT64_MAX;
  for (const std::string& compact : chain) {
    CHANCERY_ASSIGN(const Token token, Token::parse(compact));
    max_depth = std::min(max_depth, token.claims().del_max_depth.value_or(max_depth));
  }
  DelegationRequest wanted = request;
  if (wanted.jti.empty()) {
    CHANCERY_ASSIGN(wanted.jti, random_id());
  }
  CHANCERY_ASSIGN(const Attenuation child, attenuate(leaf, max_depth, wanted, now));
  const UnsignedToken unsigned_token = UnsignedToken::encode(child.claims, key.public_key(), true);
  CHANCERY_ASSIGN(const Signature signature, key.sign(as_bytes(unsigned_token.signing_input())));
  std::vector<std::string> longer(chain.begin(), chain.end());
  longer.push_back(unsigned_token.with(signature));
  return longer;
}

}  // namespace chancery
