#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::vault {

using Deadline = std::chrono::steady_clock::time_point;
/// The present, from whoever reads a clock.
using Clock = std::function<std::chrono::sys_seconds()>;
/// An issuer's own secret, from whoever keeps it, each time that it is needed: so a new one counts at once.
using SecretSource = std::function<Result<SecretBytes>(Deadline)>;

/// What a credential is to be for.
struct IssueRequest {
  std::string tool;                      ///< whose call it is; a database role is named after it
  std::vector<std::string> scopes{};     ///< of OAuth; none: what the server gives by default
  std::string resource{};                ///< of OAuth (RFC 8707), an absolute URI; empty: none is named
  std::chrono::sys_seconds not_after{};  ///< when the chain's leaf expires: no credential serves longer
  bool single_use = false;               ///< nobody else is given the same one
};

/// A credential that somebody issued a moment ago, or some minutes.
struct IssuedCredential {
  std::string id;          ///< what the issuer knows it by; no secret
  std::string username{};  ///< of a database role
  SecretBytes value{};     ///< the access token, or the password
  std::chrono::sys_seconds issued_at{};
  std::chrono::sys_seconds
      expires_at{};  ///< as its provider has it; sys_seconds::max() when that is not said
  /// Whether revoke() is to be called after the call: it was made for this call alone, or would outlive the leaf.
  bool ends_with_call = false;
};

enum class IssuerState : std::uint8_t {
  kReady,
  kNeedsConsent,  ///< a person must allow it, once more perhaps; nothing else helps
  kFailing,       ///< its provider did not serve the last request
};

/// `ready`, `needs_consent` or `failing`.
[[nodiscard]] std::string_view issuer_state_name(IssuerState state) noexcept;

/// What an operator is told of an issuer.
struct IssuerFacts {
  IssuerState state = IssuerState::kReady;
  std::chrono::sys_seconds since{};  ///< when that began; of kReady zero if nothing was issued yet
  Error why{};                       ///< what the last failure was; of kReady without meaning
};

/// Issues credentials for one upstream, by that upstream's own protocol, when they are needed. Thread-safe.
///
/// A deadline holds for whatever waits for others. Errors of providers: kConnectFailed, kTlsFailed, kTimeout,
/// kBadResponse, kTooLarge, kOverloaded (try again), kRequestRefused (configure it otherwise), kCredentialExpired
/// (consent is needed), and kLimitExceeded for a credential that would outlive the leaf. None has a word of what a provider said.
class Issuer {
 public:
  Issuer() = default;
  virtual ~Issuer() = default;
  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;

  [[nodiscard]] virtual Result<IssuedCredential> issue(const IssueRequest& request, Deadline deadline) = 0;

  /// Has the provider take it back, and gives it to nobody any more. One that has ended already is a success.
  [[nodiscard]] virtual Status revoke(const IssuedCredential& credential, Deadline deadline) = 0;

  /// The upstream did not accept it (401 of HTTP). Asks nobody; the next issue() does.
  virtual void report_unauthorized(const IssuedCredential& credential) = 0;

  /// The upstream accepted it. Asks nobody.
  virtual void report_accepted(const IssuedCredential& /*credential*/) {}

  /// What falls due without a request: takes back what is over, and what a crash left behind. To be called at the start, within
  /// a minute after anything issued has expired or its leaf has, and again after a failure; else each hour or so.
  [[nodiscard]] virtual Status sweep(Deadline deadline) = 0;

  [[nodiscard]] virtual IssuerFacts facts() const = 0;
};

}  // namespace chancery::vault
