#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/vault/issuer.hpp"

struct pg_conn;
struct pg_result;

namespace chancery::vault {

/// Where a database is, and who we are there.
struct PostgresAddress {
  std::string host;  ///< a name, or the folder of a Unix socket
  std::uint16_t port = 5432;
  std::string database;
  std::string user;
  SecretBytes password{};          ///< empty: the server knows us otherwise, as by the socket's peer
  SecretSource password_source{};  ///< in place of `password`
  std::string ca_file{};           ///< PEM of the authorities to accept; needed unless it is a socket
};

/// One connection to PostgreSQL. Over TCP it is TLS with the certificate and its name verified. Whatever it waits for ends with the
/// deadline, also at the server. Move-only; one thread at a time.
class PostgresConnection {
 public:
  /// \return kConfigInvalid (no CA), kConnectFailed, kTlsFailed, kTimeout, kRequestRefused (not let in), kOverloaded
  [[nodiscard]] static Result<PostgresConnection> open(const PostgresAddress& address, Deadline deadline);

  /// Rows of text; NULL is the empty text.
  using Rows = std::vector<std::vector<std::string>>;

  /// Runs one or more commands, as one transaction. \param sql  with what comes from elsewhere quoted
  /// \return the rows of the last, or the errors of an Issuer, kNotFound (a name that is not there), kForbidden (we may not),
  ///         kConflict (something depends on it); `native` is the SQLSTATE, read as a number of base 36
  [[nodiscard]] Result<Rows> run(const std::string& sql, Deadline deadline);

  /// As it stands in a command.
  [[nodiscard]] Result<std::string> quoted_name(std::string_view name) const;
  [[nodiscard]] Result<std::string> quoted_text(std::string_view text) const;

  /// What the server keeps of a password (SCRAM-SHA-256, RFC 5803): from it nobody gets the password back.
  /// \param password  without NUL
  [[nodiscard]] Result<std::string> password_verifier(const SecretBytes& password,
                                                      const std::string& user) const;

 private:
  struct End {
    void operator()(pg_conn* connection) const noexcept;
  };
  using Handle = std::unique_ptr<pg_conn, End>;

  explicit PostgresConnection(Handle connection) : connection_(std::move(connection)) {}
  [[nodiscard]] Status establish(Deadline deadline);
  [[nodiscard]] Status flush(Deadline deadline);
  [[nodiscard]] Status wait_for_answer(Deadline deadline);

  Handle connection_;
};

}  // namespace chancery::vault
