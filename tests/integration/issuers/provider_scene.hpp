#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/vault/issuers/authorization_code.hpp"
#include "daemon/vault/issuers/client_credentials.hpp"
#include "daemon/vault/issuers/refresh_token.hpp"
#include "sdk/crypto/signing_key.hpp"
#include "tests/integration/issuers/memory_grant_store.hpp"
#include "tests/integration/issuers/server_process.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {

/// The system's clock, moved on as a test wants it.
class MovedClock {
 public:
  void move(std::chrono::seconds by) { moved_ += by.count(); }
  [[nodiscard]] std::chrono::sys_seconds now() const {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
           std::chrono::seconds(moved_.load());
  }
  [[nodiscard]] vault::Clock clock() {
    return [this] { return now(); };
  }

 private:
  std::atomic<std::int64_t> moved_ = 0;
};

[[nodiscard]] vault::Deadline soon(std::chrono::milliseconds patience = std::chrono::seconds(20));

/// oidc-provider with four clients, and what a vault has of it.
class ProviderScene {
 public:
  static constexpr std::chrono::seconds kLifetime{600};  ///< of access tokens
  static constexpr const char* kResource = "https://orders.example";
  static constexpr const char* kSecret = "s3cr3t &=%:+";

  ProviderScene();

  /// Ends the server; start() has it come back at the same address, with nothing that it knew.
  void stop() { process_.reset(); }
  void start();

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::string ca_file() const { return (folder_.path() / "tls.pem").string(); }

  /// What the server says of itself. The token endpoint may be reached by another way.
  [[nodiscard]] vault::OAuthServer server(const std::string& token_origin = {}) const;
  [[nodiscard]] std::shared_ptr<vault::OAuthClient> secret_client(const std::string& secret = kSecret);
  [[nodiscard]] std::shared_ptr<vault::OAuthClient> key_client();
  [[nodiscard]] std::shared_ptr<vault::OAuthClient> public_client();
  [[nodiscard]] std::shared_ptr<vault::OAuthClient> client(vault::OAuthServer server,
                                                           vault::ClientIdentity identity);

  [[nodiscard]] vault::IssueRequest request(std::chrono::seconds leaf = std::chrono::hours(1)) const;

  [[nodiscard]] vault::AuthorizationCodeOptions consent_options() const;
  /// What the browser of a person brings back who opens that, and consents or does not.
  /// \param redirect  where the browser is sent then; empty: to the port of which consent() tells
  [[nodiscard]] std::string browse(const vault::BegunConsent& begun, bool consents = true,
                                   std::string redirect = {}) const;
  /// Has a person consent, for this client.
  void consent(const std::shared_ptr<vault::OAuthClient>& client,
               const std::shared_ptr<vault::GrantStore>& store);

  /// How often the server answered so, as `/token refresh_token 200`.
  [[nodiscard]] std::size_t count(const std::string& event) const;
  /// What the server says of a token, as JSON (RFC 7662).
  [[nodiscard]] std::string introspect(const vault::IssuedCredential& credential) const;
  [[nodiscard]] bool is_active(const vault::IssuedCredential& credential) const;

  MovedClock time;
  vault::LifetimeTally lifetimes;

 private:
  void write_scene(std::uint16_t port) const;

  testing::TemporaryFolder folder_;
  SigningKey key_;
  std::string address_;
  std::unique_ptr<ServerProcess> process_;
};

/// The value of something that must be there; a Boost requirement.
template <typename T>
[[nodiscard]] T must(Result<T> result) {
  BOOST_REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  return *std::move(result);
}
void must(const Status& status);

[[nodiscard]] std::string text_of(const vault::IssuedCredential& credential);
/// The code of an error that must be there.
template <typename T>
[[nodiscard]] std::string error_of(const Result<T>& result) {
  return result ? "none" : std::string(error_name(result.error().code));
}

}  // namespace chancery::tests
