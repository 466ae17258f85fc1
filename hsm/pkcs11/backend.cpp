#include "hsm/pkcs11/backend.hpp"

#include "hsm/pkcs11/condition.hpp"
#include "hsm/pkcs11/pin.hpp"
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
  auto pool = std::make_unique<SessionPool>(std::make_shared<Token>(std::move(token)),
                                            PoolOptions{options.sessions, options.queue});
  const Status first = pool->check(std::chrono::steady_clock::now() + options.timeout);
  if (!first && is_final(first.error())) return first.error();
  return std::unique_ptr<Pkcs11Backend>(
      new Pkcs11Backend(std::move(options.name), options.master, std::move(pool)));
}

Result<StoredKey> Pkcs11Backend::create(const KeyBinding& binding, Algorithm algorithm, Deadline deadline) {
  if (algorithm != Algorithm::kES256) {
    return Error{ErrorCode::kUnsupportedAlgorithm, "the token makes P-256 keys only: ask for ES256"};
  }
  KeyReference reference;
  reference.label = key_label(binding);
  reference.id.resize(kIdSize);
  CHANCERY_TRY(random_bytes(reference.id));
  CHANCERY_ASSIGN(auto made, token_->create(binding.agent_id, reference, deadline));
  const PublicKey public_key = made.first;
  reference.serial = std::move(made.second);
  return StoredKey{binding, public_key, seal_.seal(reference, binding, public_key)};
}

Result<Signature> Pkcs11Backend::sign(const StoredKey& key, ByteView message, Deadline deadline) {
  CHANCERY_ASSIGN(const KeyReference reference, seal_.open(key));
  const Sha256Digest digest = sha256(message);
  CHANCERY_ASSIGN(const Signature signature, token_->sign(key.binding.agent_id, reference, digest, deadline));
  // On the caller's thread: the session is free for the next request meanwhile.
  if (!verify_signature(key.public_key, digest, message, signature)) {
    return Error{ErrorCode::kKeyMismatch,
                 "the token signed with another key than the agent's: the signature was discarded"};
  }
  return signature;
}

Status Pkcs11Backend::destroy(const StoredKey& key, Deadline deadline) {
  CHANCERY_ASSIGN(const KeyReference reference, seal_.open(key));
  return token_->destroy(key.binding.agent_id, reference, deadline);
}

Status Pkcs11Backend::discard(const KeyBinding& binding, Deadline deadline) {
  return token_->discard(binding.agent_id, key_label(binding), deadline);
}

Status Pkcs11Backend::adopt(const std::function<Status(ByteView name)>&) {
  return Error{ErrorCode::kConflict,
               "a token is adopted by configuring it: set `serial` or `uri` of its [[backend]] and restart"};
}

Result<std::vector<Fact>> Pkcs11Backend::facts(Deadline deadline) {
  CHANCERY_ASSIGN(const TokenCondition condition, token_->condition(deadline));
  return judge(condition, token_->facts());
}

BackendInfo Pkcs11Backend::describe() const {
  const TokenFacts facts = token_->facts();
  return {name_, "pkcs11", facts.manufacturer, facts.firmware, facts.emulated, facts.algorithms};
}

}  // namespace chancery::hsm
