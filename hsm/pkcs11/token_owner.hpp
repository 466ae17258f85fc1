#pragma once

#include <memory>
#include <string>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/key_claims.hpp"
#include "hsm/key_backend.hpp"
#include "hsm/pkcs11/key_reference.hpp"
#include "hsm/pkcs11/module.hpp"
#include "hsm/sealer.hpp"

namespace chancery::hsm {

enum class TokenVerb : std::uint8_t {
  kCreate,
  kSign,
  kDestroy,
  kDiscard,
  kCheck,
  kCondition,
  kClaims,
  kSeal,
  kUnseal,
};

/// A secret on its way through queues, of which there is one copy. Null: none.
using SharedSecret = std::shared_ptr<const SecretBytes>;

/// What is asked of a token. Only values, so that it may be asked of another process.
struct TokenRequest {
  TokenVerb verb = TokenVerb::kCheck;
  std::string owner;  ///< whose turn in the queue it takes
  Deadline deadline;  ///< by which it must be answered; of one clock for all processes of a machine
  /// kCreate: the label and id that the pair gets, on whatever token is there; kDestroy without a serial number
  /// likewise. kDiscard: the label alone. kSeal: the id that the sealing key gets if there is none yet.
  KeyReference key{};
  Algorithm algorithm = Algorithm::kES256;  ///< kCreate
  /// kSign: which key must have signed; kClaims: which one is meant.
  PublicKey public_key = PublicKey::ed25519({});
  /// kSign: the SHA-256 of the message for ES256, the message itself for Ed25519. kUnseal: what was sealed.
  Bytes input{};
  /// kSign: the handle that is known of the key led to another one: it is given up, and the key sought.
  bool seeks_anew = false;
  /// An earlier try may have been obeyed although its answer was lost.
  bool is_repeated = false;
  Sha256Digest context{};  ///< kSeal, kUnseal: for whom; what was sealed in one opens in no other
  SharedSecret secret{};   ///< kSeal
};

/// The answer to a request that succeeded.
struct TokenReply {
  Signature signature{};                          ///< kSign
  PublicKey public_key = PublicKey::ed25519({});  ///< kCreate
  std::string serial{};                           ///< kCreate: of the token that keeps the pair
  /// kSign: the token says that it is a simulator, and this signature is none of those of it that have to be
  /// verified, or was verified already (TokenSession).
  bool may_pass = false;
  TokenCondition condition{};  ///< kCondition
  attest::KeyClaims claims{};  ///< kClaims
  Bytes sealed{};              ///< kSeal
  SharedSecret opened{};       ///< kUnseal
};

/// Whoever has the token's module loaded, and does with it what the backend asks: this process or another
/// one, so that a crash inside of the module ends that one alone. Thread-safe; every call ends by its
/// deadline.
class TokenOwner {
 public:
  virtual ~TokenOwner() = default;

  /// kCreate leaves nothing behind if it does not succeed, but for kDeviceTimeout and kDeviceUnavailable: a pair
  /// that was made all the same is removed later, or is left if the process ends, and kDiscard removes it. kDestroy
  /// removes both halves, kDiscard whatever has the label, and there may be nothing; kSeal makes the sealing key if the
  /// token has none, which stays; kCondition needs no session, and so asks a token too that lets nobody log in.
  virtual Result<TokenReply> perform(TokenRequest request) = 0;

  [[nodiscard]] virtual TokenFacts facts() const = 0;
  [[nodiscard]] virtual BackendLoad load() const = 0;
};

}  // namespace chancery::hsm
