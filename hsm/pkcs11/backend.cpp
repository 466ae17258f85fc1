#include "hsm/pkcs11/backend.hpp"

#include <utility>

#include "hsm/binding_octets.hpp"
#include "hsm/pkcs11/condition.hpp"
#include "hsm/pkcs11/isolated_token.hpp"
#include "hsm/pkcs11/pin.hpp"
#include "hsm/pkcs11/sealing.hpp"
#include "hsm/pkcs11/session_pool.hpp"
#include "hsm/pkcs11/uri.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::hsm {
namespace {

constexpr std::size_t kMasterSize = 32;
constexpr std::size_t kIdSize = 16;

Error invalid(const char* what) { return Error{ErrorCode::kInvalidArgument, what}; }

Result<TokenSelector> select(const Pkcs11Options& options) {
  if (options.serial.empty() == options.uri.empty()) {
    return invalid("say which token by `serial` or by `uri`: one of both");
  }
  if (options.uri.empty()) return TokenSelector{{}, {}, {}, options.serial};
  CHANCERY_ASSIGN(const Pkcs11Uri uri, Pkcs11Uri::parse(options.uri));
  if (!uri.module_path.empty() && uri.module_path != options.module) {
    return invalid("the URI's module-path is another than `module`: leave it out");
  }
  if (!uri.object.empty() || !uri.id.empty()) {
    return invalid("the URI names an object: a token is meant, keys are made and found on it");
  }
  if (uri.token.empty() && uri.serial.empty()) {
    return invalid("the URI must name the token: give its serial, or its label as `token`");
  }
  return TokenSelector{uri.token, uri.manufacturer, uri.model, uri.serial};
}

Result<TokenOptions> token_options(const Pkcs11Options& options) {
  if (options.sessions == 0) return invalid("a token needs at least one session");
  TokenOptions token;
  CHANCERY_ASSIGN(token.selector, select(options));
  CHANCERY_ASSIGN(token.pin, load_pin(options.name, options.pin_file));
  token.module = options.module;
  token.allow_simulator = options.allow_simulator;
  token.key_cache = options.key_cache;
  return token;
}

std::unique_ptr<TokenOwner> start_owner(const Pkcs11Options& options, TokenOptions token) {
  const PoolOptions pool{options.sessions, options.queue};
  if (!options.isolate) return std::make_unique<SessionPool>(std::make_shared<Token>(std::move(token)), pool);
  return std::make_unique<IsolatedToken>(
      IsolationOptions{std::move(token), pool, options.owner_program, options.timeout});
}

// Who opens what was sealed: of one length, whatever the binding's, since modules have bounds of their own.
Sha256Digest sealing_context(const KeyBinding& binding) {
  return sha256(as_bytes("chancery pkcs11 sealed" + binding_octets(binding)));
}

// Of another process's error only the code comes here, and the text for keys.
Error of_sealing(const Error& error) {
  switch (error.code) {
    case ErrorCode::kKeyLost:
      return {
          error.code,
          "the token does not open what was sealed: it was initialized anew or exchanged, this was sealed for another "
          "name, or its record was changed",
          error.native};
    case ErrorCode::kUnsupportedAlgorithm:
      return {
          error.code,
          "the token does not seal: it must offer CKM_AES_KEY_GEN, and CKM_AES_GCM with an IV that it is given; use "
          "another token, or a TPM",
          error.native};
    default:
      return error;
  }
}

// What no token that comes back would cure.
bool is_final(const Error& error) {
  using enum ErrorCode;
  return error.code == kInvalidArgument || error.code == kFileUnreadable || error.code == kFilePermissions ||
         error.code == kSimulatorRefused || error.code == kUnsupportedAlgorithm;
}

}  // namespace

Status Pkcs11Backend::check_options(const Pkcs11Options& options) {
  CHANCERY_TRY(token_options(options));
  return {};
}

Result<std::unique_ptr<Pkcs11Backend>> Pkcs11Backend::open(Pkcs11Options options) {
  if (options.master.size() != kMasterSize) return invalid("the master secret must have exactly 32 octets");
  CHANCERY_ASSIGN(TokenOptions token, token_options(options));
  std::unique_ptr<Pkcs11Backend> backend(new Pkcs11Backend(options, start_owner(options, std::move(token))));
  const Status first = backend->check(std::chrono::steady_clock::now() + options.timeout);
  if (!first && is_final(first.error())) return first.error();
  return backend;
}

Result<StoredKey> Pkcs11Backend::create(const KeyBinding& binding, Algorithm algorithm, Deadline deadline) {
  TokenRequest request{TokenVerb::kCreate, binding.agent_id, deadline};
  request.algorithm = algorithm;
  request.key.label = key_label(binding);
  request.key.id.resize(kIdSize);
  CHANCERY_TRY(random_bytes(request.key.id));
  KeyReference reference = request.key;
  CHANCERY_ASSIGN(const TokenReply made, token_->perform(std::move(request)));
  if (made.public_key.algorithm() != algorithm) {
    return Error{ErrorCode::kDeviceError, "the token made a key of another kind than was asked for"};
  }
  reference.serial = made.serial;
  return StoredKey{binding, made.public_key, seal_.seal(reference, binding, made.public_key)};
}

Result<Signature> Pkcs11Backend::sign(const StoredKey& key, ByteView message, Deadline deadline) {
  TokenRequest request{TokenVerb::kSign, key.binding.agent_id, deadline};
  CHANCERY_ASSIGN(request.key, seal_.open(key));
  request.public_key = key.public_key;
  const bool is_hashed = key.public_key.algorithm() == Algorithm::kES256;
  const Sha256Digest digest = is_hashed ? sha256(message) : Sha256Digest{};
  const ByteView input = is_hashed ? ByteView(digest) : message;
  request.input.assign(input.begin(), input.end());
  for (;;) {
    CHANCERY_ASSIGN(const TokenReply reply, token_->perform(request));
    if (reply.may_pass && allow_simulator_ && !is_distrusted_) return reply.signature;
    // On the caller's thread: the session is free for the next request meanwhile.
    if (verify_signature(key.public_key, digest, message, reply.signature)) return reply.signature;
    is_distrusted_ = true;
    // Once more without the handle that the session knows: a token may give it to another object.
    if (std::exchange(request.seeks_anew, true)) break;
  }
  return Error{ErrorCode::kKeyMismatch,
               "the token signed with another key than the agent's: the signature was discarded"};
}

Status Pkcs11Backend::destroy(const StoredKey& key, Deadline deadline) {
  TokenRequest request{TokenVerb::kDestroy, key.binding.agent_id, deadline};
  CHANCERY_ASSIGN(request.key, seal_.open(key));
  CHANCERY_TRY(token_->perform(std::move(request)));
  return {};
}

Status Pkcs11Backend::discard(const KeyBinding& binding, Deadline deadline) {
  TokenRequest request{TokenVerb::kDiscard, binding.agent_id, deadline};
  request.key.label = key_label(binding);
  CHANCERY_TRY(token_->perform(std::move(request)));
  return {};
}

Status Pkcs11Backend::check(Deadline deadline) {
  CHANCERY_TRY(token_->perform({TokenVerb::kCheck, {}, deadline}));
  return {};
}

Status Pkcs11Backend::adopt(const std::function<Status(ByteView name)>&) {
  return Error{ErrorCode::kConflict,
               "a token is adopted by configuring it: set `serial` or `uri` of its [[backend]] and restart"};
}

Result<std::vector<Fact>> Pkcs11Backend::facts(Deadline deadline) {
  TokenRequest request;
  request.verb = TokenVerb::kCondition;
  request.deadline = deadline;
  CHANCERY_ASSIGN(const TokenReply reply, token_->perform(std::move(request)));
  return judge(reply.condition, token_->facts());
}

Result<attest::KeyClaims> Pkcs11Backend::claims(const StoredKey& key, Deadline deadline) {
  TokenRequest request{TokenVerb::kClaims, key.binding.agent_id, deadline};
  CHANCERY_ASSIGN(request.key, seal_.open(key));
  request.public_key = key.public_key;
  CHANCERY_ASSIGN(TokenReply reply, token_->perform(std::move(request)));
  return std::move(reply.claims);
}

// --- secrets

Result<Bytes> Pkcs11Backend::seal(const KeyBinding& binding, const SecretBytes& secret, Deadline deadline) {
  if (secret.empty() || secret.size() > kMaxSecret) return invalid("a device seals 1 to 64 octets at once");
  TokenRequest request{TokenVerb::kSeal, binding.agent_id, deadline};
  request.context = sealing_context(binding);
  request.secret = std::make_shared<const SecretBytes>(secret.view());
  request.key.id.resize(kSealingIdSize);
  CHANCERY_TRY(random_bytes(request.key.id));
  auto reply = token_->perform(std::move(request));
  if (!reply) return of_sealing(reply.error());
  if (!read_sealed(reply->sealed))
    return Error{ErrorCode::kDeviceError, "the token's owner answered with what it cannot have sealed"};
  return std::move(reply->sealed);
}

Result<SecretBytes> Pkcs11Backend::unseal(const KeyBinding& binding, ByteView sealed, Deadline deadline) {
  if (const auto parts = read_sealed(sealed); !parts) return of_sealing(parts.error());
  TokenRequest request{TokenVerb::kUnseal, binding.agent_id, deadline};
  request.context = sealing_context(binding);
  request.input.assign(sealed.begin(), sealed.end());
  const auto reply = token_->perform(std::move(request));
  if (!reply) return of_sealing(reply.error());
  if (!reply->opened) return Error{ErrorCode::kDeviceError, "the token's owner answered without a secret"};
  return SecretBytes(reply->opened->view());
}

BackendInfo Pkcs11Backend::describe() const {
  const TokenFacts facts = token_->facts();
  return {name_, "pkcs11", facts.manufacturer, facts.firmware, facts.emulated, facts.algorithms};
}

}  // namespace chancery::hsm
