#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/json/reader.hpp"
#include "tests/integration/daemon/remote_office.hpp"
#include "tests/integration/edge/raw_client.hpp"

namespace chancery::tests {

/// Parameters of a form, in order.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// What an assertion says. Empty members are left out.
struct AssertionClaims {
  std::string iss;
  std::string sub;
  std::vector<std::string> aud;
  std::optional<std::int64_t> iat;
  std::optional<std::int64_t> exp;
  std::optional<std::int64_t> nbf;
  std::string jti;
  std::string typ;
  std::optional<HolderKey> shown;  ///< as `jwk`
};

/// What the daemon answered, and its body read.
struct OAuthAnswer {
  testing::Answer http;
  std::optional<json::Document> body;

  /// A member as text: a string's, or the JSON that it stands in; empty when there is none.
  [[nodiscard]] std::string member(std::string_view name) const;
};

/// A daemon, that of a developer unless another is given, with the agents `support` and `lookup`, and a client that may mint for `support`,
/// delegate with its key, open its sessions, and introspect.
struct OAuthScene : RemoteOffice {
  explicit OAuthScene(std::unique_ptr<DaemonProcess> started = DaemonProcess::development());

  /// The certificate authority of the daemon's address, in PEM.
  [[nodiscard]] std::string authority_file() const { return options(nullptr).ca_file; }

  /// What a client says that does everything right.
  [[nodiscard]] AssertionClaims right_claims() const;
  /// An assertion by this key.
  [[nodiscard]] static std::string assertion(const AssertionClaims& claims, const HolderKey& signer);
  /// The parameters by which the client authenticates, with a fresh assertion.
  [[nodiscard]] Fields authentication() const;
  /// The same and these.
  [[nodiscard]] Fields as_client(const Fields& fields) const;

  /// Asks for DT_0 for `support`.
  [[nodiscard]] Fields credentials_request() const;

  /// Sends a form over TLS.
  /// \param headers  lines beyond those that every request has, each with its CR LF
  [[nodiscard]] OAuthAnswer post(std::string_view path, const Fields& fields,
                                 const std::string& headers = {}) const;
  [[nodiscard]] OAuthAnswer get(std::string_view path) const;

  /// A proof by a new key that comes before any token, for the token endpoint.
  [[nodiscard]] std::string binding_proof(const HolderKey& by, const std::optional<std::string>& nonce) const;

  HolderKey key = new_key();
  std::vector<std::string> chain;
  std::string issuer = address();
  std::string host = issuer.substr(std::string_view("https://").size());  ///< as requests name it

 private:
  [[nodiscard]] OAuthAnswer exchange(const std::string& request) const;
};

/// `DT_0~…~DT_n`
[[nodiscard]] std::string text_of(const std::vector<std::string>& chain);

}  // namespace chancery::tests
