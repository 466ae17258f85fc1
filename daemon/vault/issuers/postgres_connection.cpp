#include "daemon/vault/issuers/postgres_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <libpq-fe.h>
#include <poll.h>

#include "sdk/base/secret_writer.hpp"

namespace chancery::vault {
namespace {

constexpr Error kLate{ErrorCode::kTimeout,
                      "the database did not answer in time: is it up, and reachable from here?"};
constexpr Error kLost{ErrorCode::kConnectFailed, "the connection to the database was lost: is it up?"};
constexpr Error kNoRoom{ErrorCode::kInternal, "libpq could not make what it was asked for"};

struct ClearResult {
  void operator()(pg_result* result) const noexcept { PQclear(result); }
};
using ResultHandle = std::unique_ptr<pg_result, ClearResult>;

struct FreeText {
  void operator()(char* text) const noexcept { PQfreemem(text); }
};
using Text = std::unique_ptr<char, FreeText>;

/// What a SQLSTATE means for whoever asked: by the whole state, or by its class.
struct KnownState {
  std::string_view state;
  Error error;
};
constexpr std::array kKnownStates{
    KnownState{"28",
               {ErrorCode::kRequestRefused,
                "the database does not let the issuer in: correct its user, its password or pg_hba.conf"}},
    KnownState{"3D000", {ErrorCode::kRequestRefused, "there is no such database: correct its name"}},
    KnownState{
        "42501",
        {ErrorCode::kForbidden,
         "the issuer's role may not do this: it needs CREATEROLE, to be a member of the heir, and from PostgreSQL 16 on "
         "ADMIN of the groups"}},
    KnownState{"42704",
               {ErrorCode::kNotFound, "a group or an heir that is declared does not exist at the database"}},
    KnownState{
        "2BP01",
        {ErrorCode::kConflict,
         "something depends on the role, in this database or in another: drop it there, or declare an heir"}},
    KnownState{"53", {ErrorCode::kOverloaded, "the database has no room for another connection: try again"}},
    KnownState{"55P03", {ErrorCode::kTimeout, "somebody else holds a lock that is needed: try again"}},
    KnownState{"57014", kLate},
    KnownState{"57", {ErrorCode::kConnectFailed, "the database is starting or stopping: try again"}},
    KnownState{"08", kLost},
};

std::uint64_t number_of(std::string_view state) {
  std::uint64_t number = 0;
  for (const char c : state) {
    const bool is_digit = c >= '0' && c <= '9';
    number = number * 36 + static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'A' + 10);
  }
  return number;
}

Error error_of(const pg_result* result) {
  const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  if (state.empty()) return kLost;
  const auto known =
      std::ranges::find_if(kKnownStates, [&](const KnownState& row) { return state.starts_with(row.state); });
  Error error = known == kKnownStates.end()
                    ? Error{ErrorCode::kBadResponse, "the database refused a command: its log says why"}
                    : known->error;
  error.native = number_of(state);
  return error;
}

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 24 * 3600 * 1000));
}

/// Waits until the socket is ready for one of the events.
Status wait_for(const pg_conn* connection, short events, Deadline deadline) {
  pollfd watched{PQsocket(connection), events, 0};
  for (;;) {
    const int ready = ::poll(&watched, 1, milliseconds_until(deadline));
    if (ready > 0) return {};
    if (ready == 0) return kLate;
    if (errno != EINTR) return kLost;
  }
}

// Notices of a server may repeat what was sent. Nobody reads them.
void drop_notice(void*, const pg_result*) {}

/// What libpq is told, and where it lives meanwhile. Nothing is taken from the files of a home.
class Parameters {
 public:
  Parameters(const PostgresAddress& address, const SecretBytes& password, Deadline deadline)
      : port_(std::to_string(address.port)),
        // The server ends by itself what we no longer wait for.
        options_("-c search_path=pg_catalog -c statement_timeout=" +
                 std::to_string(std::max(milliseconds_until(deadline), 1))) {
    password_.append(password.view()).append(std::string_view("\0", 1));
    const bool is_socket = address.host.starts_with('/');
    add("host", address.host.c_str());
    add("port", port_.c_str());
    add("dbname", address.database.c_str());
    add("user", address.user.c_str());
    if (!password.empty()) add("password", as_text(password_.view()).data());
    add("passfile", "/dev/null");
    add("sslmode", is_socket ? "disable" : "verify-full");
    if (!is_socket) add("sslrootcert", address.ca_file.c_str());
    add("gssencmode", "disable");
    add("client_encoding", "UTF8");
    add("tcp_user_timeout", "10000");
    add("application_name", "chancery");
    add("options", options_.c_str());
    add(nullptr, nullptr);
  }

  [[nodiscard]] const char* const* names() const { return names_.data(); }
  [[nodiscard]] const char* const* values() const { return values_.data(); }

 private:
  void add(const char* name, const char* value) {
    names_.push_back(name);
    values_.push_back(value);
  }

  const std::string port_;
  const std::string options_;
  SecretWriter password_;  // ends with NUL
  std::vector<const char*> names_;
  std::vector<const char*> values_;
};

// libpq says in words alone why there is no connection.
Error connect_error(const pg_conn* connection) {
  const std::string_view said = PQerrorMessage(connection);
  const auto says = [&](std::string_view part) { return said.find(part) != std::string_view::npos; };
  if (says("certificate") || says("SSL"))
    return {ErrorCode::kTlsFailed,
            "the database's certificate is not trusted, or for another name, or it has no TLS: give its CA"};
  if (says("FATAL:") && (says("authentication") || says("pg_hba.conf") || says("role") || says("password")))
    return kKnownStates[0].error;
  if (says("FATAL:") && says("database")) return kKnownStates[1].error;
  if (says("too many") || says("remaining connection slots"))
    return {ErrorCode::kOverloaded, "the database has no room for another connection: try again"};
  return {ErrorCode::kConnectFailed, "nobody answers at the database's address: is it up?"};
}

}  // namespace

void PostgresConnection::End::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

Result<PostgresConnection> PostgresConnection::open(const PostgresAddress& address, Deadline deadline) {
  if (!address.host.starts_with('/') && address.ca_file.empty())
    return Error{ErrorCode::kConfigInvalid,
                 "a database over TCP needs the file of its CA: its certificate is verified"};
  SecretBytes fetched;
  if (address.password_source) {
    CHANCERY_ASSIGN(fetched, address.password_source(deadline));
  }
  const Parameters parameters(address, address.password_source ? fetched : address.password, deadline);
  PostgresConnection out(Handle(PQconnectStartParams(parameters.names(), parameters.values(), 0)));
  if (out.connection_ == nullptr) return kNoRoom;
  PQsetNoticeReceiver(out.connection_.get(), drop_notice, nullptr);
  CHANCERY_TRY(out.establish(deadline));
  if (PQsetnonblocking(out.connection_.get(), 1) != 0) return kLost;
  return out;
}

Status PostgresConnection::establish(Deadline deadline) {
  pg_conn* const connection = connection_.get();
  if (PQstatus(connection) == CONNECTION_BAD) return connect_error(connection);
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return connect_error(connection);
    CHANCERY_TRY(wait_for(connection, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline));
    next = PQconnectPoll(connection);
  }
  return {};
}

Status PostgresConnection::flush(Deadline deadline) {
  for (;;) {
    const int left = PQflush(connection_.get());
    if (left == 0) return {};
    if (left < 0) return kLost;
    CHANCERY_TRY(wait_for(connection_.get(), POLLIN | POLLOUT, deadline));
    if (PQconsumeInput(connection_.get()) == 0) return kLost;
  }
}

Status PostgresConnection::wait_for_answer(Deadline deadline) {
  while (PQisBusy(connection_.get()) != 0) {
    CHANCERY_TRY(wait_for(connection_.get(), POLLIN, deadline));
    if (PQconsumeInput(connection_.get()) == 0) return kLost;
  }
  return {};
}

Result<PostgresConnection::Rows> PostgresConnection::run(const std::string& sql, Deadline deadline) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return kLost;
  CHANCERY_TRY(flush(deadline));
  Rows rows;
  std::optional<Error> failure;
  for (;;) {
    CHANCERY_TRY(wait_for_answer(deadline));
    const ResultHandle result(PQgetResult(connection_.get()));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      if (!failure) failure = error_of(result.get());
      continue;
    }
    rows.clear();
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      std::vector<std::string>& columns = rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column)
        columns.emplace_back(PQgetvalue(result.get(), row, column));
    }
  }
  if (failure) return *failure;
  return rows;
}

Result<std::string> PostgresConnection::quoted_name(std::string_view name) const {
  const Text text(PQescapeIdentifier(connection_.get(), name.data(), name.size()));
  if (text == nullptr) return Error{ErrorCode::kInvalidArgument, "a name for the database is not UTF-8"};
  return std::string(text.get());
}

Result<std::string> PostgresConnection::quoted_text(std::string_view value) const {
  const Text text(PQescapeLiteral(connection_.get(), value.data(), value.size()));
  if (text == nullptr) return Error{ErrorCode::kInvalidArgument, "a text for the database is not UTF-8"};
  return std::string(text.get());
}

Result<std::string> PostgresConnection::password_verifier(const SecretBytes& password,
                                                          const std::string& user) const {
  SecretWriter text;
  text.append(password.view()).append(std::string_view("\0", 1));
  const Text verifier(
      PQencryptPasswordConn(connection_.get(), as_text(text.view()).data(), user.c_str(), "scram-sha-256"));
  if (verifier == nullptr) return kNoRoom;
  return std::string(verifier.get());
}

}  // namespace chancery::vault
