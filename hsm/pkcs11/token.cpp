#include "hsm/pkcs11/token.hpp"

#include <algorithm>

#include "hsm/pkcs11/check.hpp"

namespace chancery::hsm {
namespace {

constexpr const char* kNotLoggedIn = "the token did not log us in: look at the module's own log";

// A last try that fails would lock the token: that one is a person's.
Status check_pin_tries(CK_FLAGS flags) {
  if ((flags & CKF_USER_PIN_LOCKED) != 0) {
    return Error{ErrorCode::kDeviceLockout, "the token has locked the PIN: unlock it as its security officer",
                 CKR_PIN_LOCKED};
  }
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0) {
    return Error{
        ErrorCode::kDeviceLockout,
        "the token has one try left for the PIN, which is not taken: log in once with its own tools"};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<TokenSession>> Token::open_session() {
  const std::lock_guard lock(opening_);
  if (options_.is_pin_refused && !refusal_) refusal_ = check_pkcs11(CKR_PIN_INCORRECT, kNotLoggedIn).error();
  if (refusal_) return *refusal_;
  if (!module_) {
    CHANCERY_ASSIGN(module_, Module::load(options_.module));
  }
  CHANCERY_ASSIGN(const FoundToken token, module_->find_token(options_.selector));
  CHANCERY_TRY(accept(token.facts));
  keep_facts(token.facts);
  CHANCERY_ASSIGN(std::unique_ptr<TokenSession> session,
                  TokenSession::open(module_, token, options_.key_cache, sealing_keys_));
  CHANCERY_TRY(log_in(token, session->handle()));
  return session;
}

Result<TokenCondition> Token::condition() {
  const std::lock_guard lock(opening_);
  if (!module_) {
    CHANCERY_ASSIGN(module_, Module::load(options_.module));
  }
  return module_->condition(options_.selector);
}

Status Token::accept(const TokenFacts& facts) const {
  if (facts.emulated && !options_.allow_simulator) {
    return Error{ErrorCode::kSimulatorRefused,
                 "this token is a simulator, and allow_simulator is off: use a hardware token, or allow it "
                 "knowingly"};
  }
  if (std::ranges::find(facts.algorithms, Algorithm::kES256) == facts.algorithms.end()) {
    return Error{ErrorCode::kUnsupportedAlgorithm,
                 "the token does not make P-256 keys and sign with them: use another one"};
  }
  return {};
}

void Token::keep_facts(const TokenFacts& facts) {
  {
    const std::lock_guard lock(facts_mutex_);
    if (facts_ == facts) return;
    facts_ = facts;
  }
  if (options_.watch != nullptr) options_.watch->on_facts(facts);
}

// The login is the application's: it holds for all sessions with the token, until the last one is closed.
Status Token::log_in(const FoundToken& token, CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info{};
  CHANCERY_TRY(check_pkcs11(module_->functions().C_GetSessionInfo(session, &info), kNotLoggedIn));
  if ((token.flags & CKF_LOGIN_REQUIRED) == 0 || info.state == CKS_RW_USER_FUNCTIONS) return {};
  CHANCERY_TRY(check_pin_tries(token.flags));
  const bool has_failed_before = (token.flags & CKF_USER_PIN_COUNT_LOW) != 0;
  if (options_.is_pin_in_doubt && has_failed_before && !was_accepted_) {
    refusal_ = check_pkcs11(CKR_PIN_INCORRECT, kNotLoggedIn).error();
    tell(LoginStep::kRefused, CKR_PIN_INCORRECT);
    return *refusal_;
  }
  return present_pin(session);
}

Status Token::present_pin(CK_SESSION_HANDLE session) {
  tell(LoginStep::kBegins, CKR_OK);
  const ByteView pin = options_.pin.view();
  const CK_RV rv = module_->functions().C_Login(session, CKU_USER, mutable_octets(pin), pin.size());
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    was_accepted_ = true;
    tell(LoginStep::kAccepted, rv);
    return {};
  }
  const Status done = check_pkcs11(rv, kNotLoggedIn);
  if (refuses_pin(rv)) refusal_ = done.error();
  tell(refusal_ ? LoginStep::kRefused : LoginStep::kFailed, rv);
  return done;
}

TokenFacts Token::facts() const {
  const std::lock_guard lock(facts_mutex_);
  return facts_;
}

}  // namespace chancery::hsm
