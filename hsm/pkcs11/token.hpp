#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "hsm/pkcs11/module.hpp"
#include "hsm/pkcs11/token_session.hpp"

namespace chancery::hsm {

/// How a login goes on: the PIN is presented between kBegins and what follows.
enum class LoginStep : std::uint8_t { kBegins, kAccepted, kRefused, kFailed };

/// Is told what happens to a token, by the thread to which it happens and before anybody acts on it.
class TokenWatch {
 public:
  virtual ~TokenWatch() = default;
  virtual void on_facts(const TokenFacts& facts) = 0;
  /// \param rv  what C_Login said; CKR_OK for kBegins
  virtual void on_login(LoginStep step, CK_RV rv) = 0;
};

struct TokenOptions {
  std::filesystem::path module;
  TokenSelector selector;
  bool allow_simulator = false;
  SecretBytes pin;
  std::size_t key_cache = 4096;  ///< handles that each session keeps
  /// Whether the PIN was presented before by a process that then ended, so that nobody knows what became of it.
  /// If the token says that a try has failed since the last that did not, it counts as refused.
  bool is_pin_in_doubt = false;
  /// Whether it was refused before: it is not presented, and need not be here.
  bool is_pin_refused = false;
  TokenWatch* watch = nullptr;  ///< borrowed; may be null
};

/// One token: found anew for every session, and logged in to when nobody is. Thread-safe.
///
/// The PIN goes to C_Login directly: PKCS11_login would keep a copy of it in memory of its own.
class Token {
 public:
  explicit Token(TokenOptions options) : options_(std::move(options)) {}

  /// Loads the module if it is not yet, finds the token, opens a session and logs in.
  /// \return the session, or why there is none. A PIN that was refused once is never presented again; every
  ///         later call has the same error.
  [[nodiscard]] Result<std::unique_ptr<TokenSession>> open_session();

  /// Asks the token for its state, without a session and without the PIN.
  [[nodiscard]] Result<TokenCondition> condition();

  /// What the token that was met last says of itself; empty before the first.
  [[nodiscard]] TokenFacts facts() const;

 private:
  [[nodiscard]] Status accept(const TokenFacts& facts) const;
  void keep_facts(const TokenFacts& facts);
  [[nodiscard]] Status log_in(const FoundToken& token, CK_SESSION_HANDLE session);
  [[nodiscard]] Status present_pin(CK_SESSION_HANDLE session);
  void tell(LoginStep step, CK_RV rv) const {
    if (options_.watch != nullptr) options_.watch->on_login(step, rv);
  }

  const TokenOptions options_;
  std::mutex opening_;  // one session at a time, so that one wrong PIN is presented once
  std::shared_ptr<Module> module_;
  std::optional<Error> refusal_;  // of the PIN
  bool was_accepted_ = false;
  const std::shared_ptr<std::mutex> sealing_keys_ = std::make_shared<std::mutex>();
  mutable std::mutex facts_mutex_;
  TokenFacts facts_;
};

}  // namespace chancery::hsm
