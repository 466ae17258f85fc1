#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/vault/issuer.hpp"
#include "daemon/vault/issuers/issuer_condition.hpp"
#include "daemon/vault/issuers/lifetime_tally.hpp"
#include "daemon/vault/issuers/postgres_connection.hpp"

namespace chancery::vault {

struct PostgresRolesOptions {
  /// Which issuer's roles these are, where several make some in one database cluster: sweep() takes no other's.
  std::string owner = "chancery";
  std::vector<std::string> groups{};  ///< roles of which each issued one is a member: what it may do
  /// Who gets what an issued role made; empty: it is dropped with the role. It may have no privileges over roles or the cluster: a
  /// function that somebody made would run with them.
  std::string heir{};
  std::chrono::seconds longest_life = std::chrono::minutes(15);
};

/// Roles of a PostgreSQL cluster, each for one call: made with a password that the server never sees, good until the leaf expires
/// (`VALID UNTIL`), and dropped after the call with its sessions and what it owns.
///
/// Needs a role of its own with CREATEROLE (from PostgreSQL 16 on, with ADMIN of the groups), and each call takes a connection for each
/// of its two ends. What issued roles make in other databases than the configured one keeps them from being dropped.
class PostgresRoleIssuer final : public Issuer {
 public:
  /// What the name of every issued role begins with.
  static constexpr std::string_view kPrefix = "chancery_";

  /// \param lifetimes  must outlive it
  PostgresRoleIssuer(PostgresAddress address, PostgresRolesOptions options, Clock now,
                     LifetimeTally& lifetimes)
      : address_(std::move(address)),
        options_(std::move(options)),
        now_(std::move(now)),
        lifetimes_(lifetimes) {}

  /// Scopes and resource of the request are without meaning here: the groups say what a role may do.
  [[nodiscard]] Result<IssuedCredential> issue(const IssueRequest& request, Deadline deadline) override;
  [[nodiscard]] Status revoke(const IssuedCredential& credential, Deadline deadline) override;
  /// Nothing follows: no role is given to a second call.
  void report_unauthorized(const IssuedCredential& credential) override;
  /// Drops roles of this issuer that have expired, and ends their sessions: VALID UNTIL keeps new ones out only.
  [[nodiscard]] Status sweep(Deadline deadline) override;
  [[nodiscard]] IssuerFacts facts() const override { return condition_.facts(); }

 private:
  [[nodiscard]] Status make(const IssuedCredential& credential, Deadline deadline);
  [[nodiscard]] Status drop(PostgresConnection& database, const std::string& role, Deadline deadline) const;
  [[nodiscard]] Status check_heir(PostgresConnection& database, Deadline deadline) const;
  [[nodiscard]] Status sweep_all(Deadline deadline) const;
  [[nodiscard]] std::string mark() const { return "issued by " + options_.owner; }
  [[nodiscard]] Status note(const Status& outcome);

  const PostgresAddress address_;
  const PostgresRolesOptions options_;
  const Clock now_;
  LifetimeTally& lifetimes_;
  IssuerCondition condition_;
};

/// `chancery_TOOL_RANDOM`, in 63 octets of which each is a small letter, a digit or `_`: what a tool is called by others is no part of
/// a command.
[[nodiscard]] Result<std::string> new_role_name(std::string_view tool);

}  // namespace chancery::vault
