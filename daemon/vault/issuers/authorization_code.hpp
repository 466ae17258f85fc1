#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/vault/issuer.hpp"
#include "daemon/vault/issuers/grant_store.hpp"
#include "daemon/vault/issuers/oauth_client.hpp"

namespace chancery::vault {

struct AuthorizationCodeOptions {
  std::vector<std::string> scopes{};  ///< that the person is asked for
  std::string resource{};             ///< RFC 8707; empty: none is named
  /// Where the person's browser is sent with the answer: an https address, or one on loopback (RFC 8252 section 7.3), of which
  /// begin() may choose the port.
  std::string redirect_uri;
  /// What else a server wants to be told, as `prompt=consent` or `access_type=offline`. None of what the flow says itself.
  std::vector<std::pair<std::string, std::string>> parameters{};
  std::chrono::seconds patience = std::chrono::minutes(10);  ///< for the person
};

/// What a person opens.
struct BegunConsent {
  std::string authorization_url;
  std::string state;  ///< comes back with the redirect, and tells which consent it belongs to
  std::chrono::sys_seconds expires_at{};
};

/// What a browser brings back, of a redirect's query.
struct RedirectParameters {
  std::string state;
  std::string issuer{};  ///< `iss`; empty when there is none
  std::string error{};   ///< empty: there is none
  SecretBytes code{};
};

/// Reads the query of a redirect, without its `?`. A parameter that is there twice is refused (RFC 6749 section 3.1).
/// \return kMalformed
[[nodiscard]] Result<RedirectParameters> parse_redirect(std::string_view query);

/// A person's consent: the authorization code grant of OAuth 2.1 with PKCE (RFC 7636, S256), for public and confidential clients.
/// What it brings is a refresh token in the store, from which RefreshTokenIssuer lives. Thread-safe.
///
/// What is begun is in memory only: a restart ends it. Each begun consent is good for one redirect.
class AuthorizationCode {
 public:
  /// How many may be begun at a time; the oldest gives way to another one.
  static constexpr std::size_t kMostBegun = 16;

  AuthorizationCode(std::shared_ptr<const OAuthClient> client, std::shared_ptr<GrantStore> store,
                    AuthorizationCodeOptions options, Clock now)
      : client_(std::move(client)),
        store_(std::move(store)),
        options_(std::move(options)),
        now_(std::move(now)) {}

  /// \param loopback_port  on which the caller listens, where the redirect address is one on loopback; 0: the configured one
  /// \return kConfigInvalid, kInvalidArgument
  [[nodiscard]] Result<BegunConsent> begin(std::uint16_t loopback_port = 0);

  /// Exchanges the code, and puts the grant into the store in place of what was there.
  /// \param into  the same store, for who has more to note with the grant; null: as it was given
  /// \return kNotFound (nobody began it, or it took too long), kForbidden (the person said no, or the redirect is another server's),
  ///         kBadResponse (no refresh token was given), or the errors of an Issuer
  [[nodiscard]] Status finish(const RedirectParameters& redirect, Deadline deadline,
                              GrantStore* into = nullptr);

 private:
  struct Begun {
    SecretBytes verifier;
    std::string redirect_uri;
    std::chrono::sys_seconds expires_at{};
  };

  [[nodiscard]] Result<std::string> redirect_uri(std::uint16_t loopback_port) const;
  [[nodiscard]] std::string url(const std::string& redirect_uri, const std::string& state,
                                ByteView verifier) const;
  void remember(const std::string& state, Begun begun);
  [[nodiscard]] std::optional<Begun> take(const std::string& state);
  [[nodiscard]] Status check(const RedirectParameters& redirect) const;
  [[nodiscard]] Status store(GrantStore& into, ByteView refresh_token) const;

  const std::shared_ptr<const OAuthClient> client_;
  const std::shared_ptr<GrantStore> store_;
  const AuthorizationCodeOptions options_;
  const Clock now_;
  std::mutex mutex_;
  std::map<Sha256Digest, Begun> begun_;  // by the hash of the state, so that a look-up tells nothing of it
};

}  // namespace chancery::vault
