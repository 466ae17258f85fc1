#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

#include "daemon/vault/issuer.hpp"
#include "sdk/base/secret_writer.hpp"

namespace chancery::vault {

/// An authorization server, as its metadata (RFC 8414) describe it. All addresses are https.
struct OAuthServer {
  std::string issuer;                    ///< its identifier; what a client's assertion is for
  std::string authorization_endpoint{};  ///< empty: no person is asked
  std::string token_endpoint;
  std::string revocation_endpoint{};  ///< RFC 7009; empty: it takes nothing back
  std::string ca_file{};              ///< PEM of the authorities to accept; empty: the system's
  bool names_itself = true;           ///< that redirects have `iss` (RFC 9207) is demanded
  /// Whether it revokes an access token and leaves the grant alone. RFC 7009 section 2.1 lets it end both, and many do: unless this is
  /// said, access tokens of a person's grant are not revoked.
  bool revokes_singly = false;
};

/// Signs a client's assertions (RFC 7523), with a key that may be in a device.
struct AssertionSigner {
  Algorithm algorithm = Algorithm::kES256;
  std::string key_id{};  ///< `kid` under which the server knows the key; empty: none
  std::function<Result<Signature>(ByteView message, Deadline deadline)> sign;
};

/// Who we are for the server. With neither secret nor signer a public client.
struct ClientIdentity {
  std::string client_id;
  SecretBytes secret{};                     ///< client_secret_basic
  SecretSource secret_source{};             ///< in place of `secret`
  std::optional<AssertionSigner> signer{};  ///< private_key_jwt; comes before the secret
};

/// The parameters of a request, as a form. What they had is cleansed.
class TokenForm {
 public:
  TokenForm& add(std::string_view name, std::string_view value);
  /// Adds it unless it is empty.
  TokenForm& add_if(std::string_view name, std::string_view value) {
    return value.empty() ? *this : add(name, value);
  }
  [[nodiscard]] SecretBytes take() { return text_.take(); }

 private:
  SecretWriter text_;
};

/// What a token endpoint gave (RFC 6749 section 5.1).
struct GivenToken {
  SecretBytes access_token;
  SecretBytes refresh_token{};  ///< empty: none was given
  /// Since it was asked for; nullopt: the server does not say
  std::optional<std::chrono::seconds> lifetime{};
};

/// Reads the body of a successful answer. Only bearer tokens of visible ASCII are taken, which fit into a header.
/// \return kBadResponse
[[nodiscard]] Result<GivenToken> read_given_token(ByteView body);

/// Why there is no token, and whether the server may have acted on the request all the same.
struct TokenRefusal {
  enum class Kind : std::uint8_t {
    kNotAsked,    ///< the request did not reach it
    kRefused,     ///< it said no
    kGrantEnded,  ///< it said `invalid_grant`
    kUnknown,     ///< what it did is not known: its answer was lost, or made no sense
  };
  Kind kind = Kind::kUnknown;
  Error error;
};

/// One client of one authorization server. Thread-safe; each call makes a connection of its own.
class OAuthClient {
 public:
  OAuthClient(OAuthServer server, ClientIdentity identity, Clock now);

  [[nodiscard]] const OAuthServer& server() const noexcept { return server_; }
  [[nodiscard]] const std::string& client_id() const noexcept { return identity_.client_id; }
  [[nodiscard]] bool can_revoke() const noexcept { return !server_.revocation_endpoint.empty(); }

  /// \param form  without what authenticates the client
  [[nodiscard]] Result<GivenToken, TokenRefusal> ask_for_token(TokenForm form, Deadline deadline) const;

  /// RFC 7009. \param hint  `access_token` or `refresh_token`
  /// \return kNotFound when the server has no revocation endpoint
  [[nodiscard]] Status revoke(ByteView token, std::string_view hint, Deadline deadline) const;

 private:
  struct Exchanged;
  [[nodiscard]] Result<Exchanged, TokenRefusal> post(const std::string& endpoint, TokenForm form,
                                                     Deadline deadline) const;
  [[nodiscard]] Result<std::string> assertion(Deadline deadline) const;

  const OAuthServer server_;
  const ClientIdentity identity_;
  const Clock now_;
};

/// What access tokens are kept by: scopes in order, and the resource.
struct TokenTarget {
  std::string scope;  ///< as a request has it
  std::string resource;
  [[nodiscard]] std::string key() const { return scope + '\n' + resource; }
};

/// \return the target, or kInvalidArgument (a scope with characters that none has, a resource with a fragment, a leaf that has expired)
[[nodiscard]] Result<TokenTarget> target_of(const IssueRequest& request, std::chrono::sys_seconds now);

/// When a token ends that was asked for then.
[[nodiscard]] std::chrono::sys_seconds end_of(const GivenToken& token, std::chrono::sys_seconds asked_at);

/// A name that nothing else has, for what was issued.
[[nodiscard]] Result<std::string> new_credential_id();

}  // namespace chancery::vault
