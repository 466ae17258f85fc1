#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/vault/issuers/postgres_roles.hpp"
#include "tests/integration/issuers/provider_scene.hpp"
#include "tests/integration/issuers/server_process.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::tests {

/// A PostgreSQL of the test's own, on a Unix socket and over TLS on loopback, with database `shop`, groups `readers` and `writers`
/// (who may read, and write too, the table `orders`), `heirs`, and the role `issuer` that may make roles. It logs every statement.
class PostgresScene {
 public:
  static constexpr const char* kIssuerPassword = "issuer's password";

  PostgresScene();

  /// The address of the role `issuer`, by the socket or over TLS.
  [[nodiscard]] vault::PostgresAddress by_socket() const;
  [[nodiscard]] vault::PostgresAddress by_tls() const;

  /// What psql prints of a query by a role with a password; its error, with "psql:" in it, where that fails.
  [[nodiscard]] std::string ask(const std::string& user, const std::string& password,
                                const std::string& sql) const;
  /// The same by the superuser; a Boost requirement that it succeeds.
  [[nodiscard]] std::string ask(const std::string& sql) const;

  /// A session by psql that stays, doing that.
  [[nodiscard]] std::unique_ptr<ServerProcess> session(const std::string& user, const std::string& password,
                                                       const std::string& sql) const;

  [[nodiscard]] std::string log() const { return server_->output(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] ServerProcess& server() { return *server_; }

 private:
  [[nodiscard]] std::vector<std::string> psql(const std::string& user, const std::string& password,
                                              const std::string& database) const;
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] std::string program(const std::string& name) const;
  void prepare() const;
  void start();

  testing::TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ServerProcess> server_;
};

}  // namespace chancery::tests
