#include "daemon/vault/issuers/postgres_roles.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/secret_writer.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::vault {
namespace {

// Longer names are cut by PostgreSQL, which would make two roles one.
constexpr std::size_t kMostNameOctets = 63;
constexpr std::size_t kRandomOctets = 8;

constexpr Error kExpired{ErrorCode::kLimitExceeded, "the chain's leaf has expired: nothing is issued for it"};
constexpr Error kSessionsStay{ErrorCode::kConflict,
                              "a session of the role does not end: see what it is at, in pg_stat_activity"};

/// As PostgreSQL reads it, in UTC.
std::string timestamp(std::chrono::sys_seconds at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 48> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d+00", int{date.year()},
                    unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(time.hours().count()),
                    static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

Result<SecretBytes> new_password() {
  SecretBytes octets(32);
  CHANCERY_TRY(random_bytes(octets.writable()));
  SecretWriter text;
  text.absorb(base64url_encode(octets.view()));
  return text.take();
}

}  // namespace

Result<std::string> new_role_name(std::string_view tool) {
  std::array<std::uint8_t, kRandomOctets> octets{};
  CHANCERY_TRY(random_bytes(octets));
  constexpr std::size_t kMostToolOctets =
      kMostNameOctets - PostgresRoleIssuer::kPrefix.size() - 1 - 2 * kRandomOctets;
  std::string name(PostgresRoleIssuer::kPrefix);
  for (const char c : tool.substr(0, kMostToolOctets)) {
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += is_kept ? c : '_';
  }
  return name + "_" + hex_encode(octets);
}

Status PostgresRoleIssuer::note(const Status& outcome) {
  if (outcome) {
    condition_.note_success(now_());
  } else {
    condition_.note_failure(now_(), outcome.error());
  }
  return outcome;
}

Result<IssuedCredential> PostgresRoleIssuer::issue(const IssueRequest& request, Deadline deadline) {
  const std::chrono::sys_seconds now = now_();
  if (request.not_after <= now) return kExpired;
  IssuedCredential out;
  CHANCERY_ASSIGN(out.username, new_role_name(request.tool));
  CHANCERY_ASSIGN(out.value, new_password());
  out.id = out.username;
  out.issued_at = now;
  out.expires_at = std::min(request.not_after, now + options_.longest_life);
  out.ends_with_call = true;
  CHANCERY_TRY(note(make(out, deadline)));
  lifetimes_.note_issued(now, out.expires_at);
  return out;
}

// What is run together is one transaction: there is no role of ours without its mark.
Status PostgresRoleIssuer::make(const IssuedCredential& credential, Deadline deadline) {
  CHANCERY_ASSIGN(PostgresConnection database, PostgresConnection::open(address_, deadline));
  CHANCERY_ASSIGN(const std::string role, database.quoted_name(credential.username));
  CHANCERY_ASSIGN(const std::string verifier,
                  database.password_verifier(credential.value, credential.username));
  CHANCERY_ASSIGN(const std::string password, database.quoted_text(verifier));
  CHANCERY_ASSIGN(const std::string until, database.quoted_text(timestamp(credential.expires_at)));
  CHANCERY_ASSIGN(const std::string comment, database.quoted_text(mark()));
  std::string groups;
  for (const std::string& group : options_.groups) {
    CHANCERY_ASSIGN(const std::string name, database.quoted_name(group));
    groups.append(groups.empty() ? " IN ROLE " : ", ").append(name);
  }
  CHANCERY_TRY(database.run("CREATE ROLE " + role + " LOGIN PASSWORD " + password + " VALID UNTIL " + until +
                                groups + "; COMMENT ON ROLE " + role + " IS " + comment,
                            deadline));
  return {};
}

Status PostgresRoleIssuer::revoke(const IssuedCredential& credential, Deadline deadline) {
  return note([&]() -> Status {
    CHANCERY_ASSIGN(PostgresConnection database, PostgresConnection::open(address_, deadline));
    return drop(database, credential.username, deadline);
  }());
}

void PostgresRoleIssuer::report_unauthorized(const IssuedCredential&) {}

/// Drops a role that this issuer made; one that is not there, or is another's, is left alone.
Status PostgresRoleIssuer::drop(PostgresConnection& database, const std::string& role,
                                Deadline deadline) const {
  CHANCERY_ASSIGN(const std::string name, database.quoted_name(role));
  CHANCERY_ASSIGN(const std::string text, database.quoted_text(role));
  CHANCERY_ASSIGN(const std::string comment, database.quoted_text(mark()));
  CHANCERY_ASSIGN(const auto found, database.run("SELECT oid FROM pg_roles WHERE rolname = " + text +
                                                     " AND shobj_description(oid, 'pg_authid') = " + comment,
                                                 deadline));
  if (found.empty()) return {};
  // Nobody enters any more; as a member we may end its sessions and dispose of what it owns.
  CHANCERY_TRY(database.run("ALTER ROLE " + name + " NOLOGIN; GRANT " + name + " TO CURRENT_USER", deadline));
  // Ends each session and waits, a second at most for each; a false says that one is left.
  CHANCERY_ASSIGN(
      const auto ended,
      database.run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usesysid = " +
                       found.front().front(),
                   deadline));
  const auto is_left = [](const auto& row) { return row.front() != "t"; };
  if (std::ranges::any_of(ended, is_left)) return kSessionsStay;
  std::string reassign;
  if (!options_.heir.empty()) {
    CHANCERY_TRY(check_heir(database, deadline));
    CHANCERY_ASSIGN(const std::string heir, database.quoted_name(options_.heir));
    reassign = "REASSIGN OWNED BY " + name + " TO " + heir + "; ";
  }
  CHANCERY_TRY(database.run(reassign + "DROP OWNED BY " + name + "; DROP ROLE " + name, deadline));
  return {};
}

Status PostgresRoleIssuer::check_heir(PostgresConnection& database, Deadline deadline) const {
  CHANCERY_ASSIGN(const std::string heir, database.quoted_text(options_.heir));
  CHANCERY_ASSIGN(
      const auto powers,
      database.run("SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls "
                   "OR rolname = CURRENT_USER FROM pg_roles WHERE rolname = " +
                       heir,
                   deadline));
  if (powers.size() == 1 && powers.front().front() == "f") return {};
  return Error{ErrorCode::kConfigInvalid,
               "the heir of issued roles must be there, and a role without powers over roles or the cluster"};
}

Status PostgresRoleIssuer::sweep(Deadline deadline) {
  const Status swept = sweep_all(deadline);
  // That it is swept says nothing of whether roles can be made.
  if (!swept) condition_.note_failure(now_(), swept.error());
  return swept;
}

Status PostgresRoleIssuer::sweep_all(Deadline deadline) const {
  CHANCERY_ASSIGN(PostgresConnection database, PostgresConnection::open(address_, deadline));
  CHANCERY_ASSIGN(const std::string prefix, database.quoted_text(kPrefix));
  CHANCERY_ASSIGN(const std::string comment, database.quoted_text(mark()));
  // Its own clock judges, as it does when one of them wants to enter.
  CHANCERY_ASSIGN(
      const auto expired,
      database.run("SELECT rolname FROM pg_roles WHERE starts_with(rolname, " + prefix +
                       ") AND rolvaliduntil < now() AND shobj_description(oid, 'pg_authid') = " + comment,
                   deadline));
  Status outcome;
  for (const auto& row : expired) {
    const Status dropped = drop(database, row.front(), deadline);
    if (!dropped) outcome = dropped;  // one that cannot go keeps none of the others
  }
  return outcome;
}

}  // namespace chancery::vault
