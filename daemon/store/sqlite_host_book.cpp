#include "daemon/store/sqlite_host_book.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "daemon/store/sqlite_rows.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::store {
namespace {

constexpr Error kUnknownHost{ErrorCode::kNotFound, "no host of that name is enrolled"};

#define CHANCERY_SEEN(when) \
#when "_clock, " #when "_resets, " #when "_restarts, " #when "_safe, " #when "_firmware, " #when "_at"
#define CHANCERY_HOST_COLUMNS                                                                     \
  "name, backend, state, reason, worth, endorsement, ek_name, ek_public, ak_public, srk_public, " \
  "ek_fingerprint, manufacturer, " CHANCERY_SEEN(first) ", " CHANCERY_SEEN(                       \
      last) ", measured, measured_value "
#define CHANCERY_HOST "SELECT " CHANCERY_HOST_COLUMNS "FROM hosts "

constexpr const char* kInsert =
    "INSERT INTO hosts (" CHANCERY_HOST_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kByName = CHANCERY_HOST "WHERE name = ?";
constexpr const char* kByEk = CHANCERY_HOST "WHERE ek_name = ?";
constexpr const char* kByBackend = CHANCERY_HOST "WHERE backend = ? AND backend <> ''";
constexpr const char* kAfter = CHANCERY_HOST "WHERE name > ? ORDER BY name LIMIT ?";

#undef CHANCERY_HOST
#undef CHANCERY_HOST_COLUMNS
#undef CHANCERY_SEEN

constexpr const char* kApprove =
    "UPDATE hosts SET state = 'enrolled', worth = ?2 WHERE name = ?1 AND state = 'waiting'";
constexpr const char* kQuarantine = "UPDATE hosts SET state = 'quarantined', reason = ?2 WHERE name = ?1";
constexpr const char* kRemove = "DELETE FROM hosts WHERE name = ?";
constexpr const char* kSaw = R"sql(
UPDATE hosts SET last_clock = ?2, last_resets = ?3, last_restarts = ?4, last_safe = ?5, last_firmware = ?6, last_at = ?7
WHERE name = ?1 AND (last_resets, last_restarts, last_clock) <= (?3, ?4, ?2)
)sql";

constexpr const char* kSawMeasurements =
    "UPDATE hosts SET measured = ?2, measured_value = ?3 WHERE name = ?1 AND measured <= ?2";

constexpr const char* kMeasurements =
    "SELECT seq, at, agent, executable, manifest FROM measurements WHERE backend = ? ORDER BY seq";
constexpr const char* kAddMeasurement =
    "INSERT INTO measurements (backend, seq, at, agent, executable, manifest) VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kForgetMeasurements = "DELETE FROM measurements WHERE backend = ?";

constexpr const char* kForgetResults = "DELETE FROM attestation_results WHERE host = ?";
constexpr const char* kOtherHosts =
    "SELECT host FROM attestation_results WHERE thumbprint = ? AND host NOT IN (?, '')";
constexpr const char* kRecord = R"sql(
INSERT INTO attestation_results (thumbprint, issuer, host, custody, evidence_at, expires_at, compact)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (thumbprint, issuer) DO UPDATE SET host = excluded.host, custody = excluded.custody,
evidence_at = excluded.evidence_at, expires_at = excluded.expires_at, compact = excluded.compact
)sql";
constexpr const char* kResults = R"sql(
SELECT thumbprint, issuer, host, custody, evidence_at, expires_at, compact FROM attestation_results
WHERE thumbprint = ? AND expires_at > ? ORDER BY issuer
)sql";
constexpr const char* kForgetIssuer = "DELETE FROM attestation_results WHERE issuer = ?";
constexpr const char* kForgetOwn = R"sql(
DELETE FROM attestation_results
WHERE issuer = ? AND (host = '' OR host IN (SELECT name FROM hosts WHERE backend <> ''))
)sql";
constexpr const char* kPrune = "DELETE FROM attestation_results WHERE expires_at <= ?";

constexpr const char* kAttestationKey = "SELECT blob FROM attestation_keys WHERE backend = ?";
constexpr const char* kKeepAttestationKey =
    "INSERT INTO attestation_keys (backend, blob) VALUES (?, ?) ON CONFLICT DO UPDATE SET blob = excluded.blob";

constexpr std::array kStates{HostState::kWaiting, HostState::kEnrolled, HostState::kQuarantined};

Result<HostState> state_of(std::string_view name) {
  const auto* const found = std::ranges::find(kStates, name, host_state_name);
  if (found != kStates.end()) return *found;
  return Error{ErrorCode::kStoreCorrupt, "a host's record has a state that is none: restore the database"};
}

Result<Custody> custody_of(std::string_view name) {
  if (const auto custody = parse_custody(name)) return *custody;
  return Error{ErrorCode::kStoreCorrupt,
               "a record has a level of custody that is none: restore the database"};
}

// Of 64 bits, all may be set: SQLite's integers are signed.
std::int64_t kept(std::uint64_t number) { return static_cast<std::int64_t>(number); }

Query& bind_time(Query& query, const HostSeen& seen) {
  return query.bind(kept(seen.clock_ms))
      .bind(std::int64_t{seen.reset_count})
      .bind(std::int64_t{seen.restart_count});
}

Query& bind_seen(Query& query, const HostSeen& seen) {
  return bind_time(query, seen).bind(std::int64_t{seen.is_safe}).bind(kept(seen.firmware)).bind(seen.at);
}

HostSeen seen_from(const Query& row, int column) {
  return {
      static_cast<std::uint64_t>(row.number(column)),     static_cast<std::uint32_t>(row.number(column + 1)),
      static_cast<std::uint32_t>(row.number(column + 2)), row.number(column + 3) != 0,
      static_cast<std::uint64_t>(row.number(column + 4)), row.time(column + 5)};
}

constexpr int kFirstSeen = 12;
constexpr int kLastSeen = 18;
constexpr int kMeasured = 24;

Result<Host> host_from(const Query& row) {
  Host host;
  host.name = row.text(0);
  host.backend = row.text(1);
  CHANCERY_ASSIGN(host.state, state_of(row.text(2)));
  host.reason = row.text(3);
  if (!row.is_null(4)) {
    CHANCERY_ASSIGN(host.worth, custody_of(row.text(4)));
  }
  host.endorsement = row.text(5);
  host.ek_name = row.text(6);
  host.ek_public = row.octets(7);
  host.ak_public = row.octets(8);
  host.srk_public = row.octets(9);
  host.ek_fingerprint = row.text(10);
  host.manufacturer = row.text(11);
  host.first_seen = seen_from(row, kFirstSeen);
  host.last_seen = seen_from(row, kLastSeen);
  host.measured = static_cast<std::uint64_t>(row.number(kMeasured));
  host.measured_value = row.text(kMeasured + 1);
  return host;
}

Result<HeldResult> result_from(const Query& row, const Thumbprint& key) {
  HeldResult result;
  result.key = key;
  result.issuer = row.text(1);
  result.host = row.text(2);
  CHANCERY_ASSIGN(result.custody, custody_of(row.text(3)));
  result.evidence_at = row.time(4);
  result.expires_at = row.time(5);
  result.compact = row.text(6);
  return result;
}

Result<Sha256Digest> digest_from(const std::string& hex) {
  if (const auto digest = hex_decode_exactly<std::tuple_size_v<Sha256Digest>>(hex)) return *digest;
  return Error{ErrorCode::kStoreCorrupt, "a record has a digest that is none: restore the database"};
}

Result<attest::AgentMeasurement> measurement_from(const Query& row) {
  attest::AgentMeasurement entry;
  entry.seq = static_cast<std::uint64_t>(row.number(0));
  entry.at = row.time(1);
  entry.agent = row.text(2);
  CHANCERY_ASSIGN(entry.executable, digest_from(row.text(3)));
  CHANCERY_ASSIGN(entry.manifest, digest_from(row.text(4)));
  return entry;
}

class SqliteHostBook final : public HostBook {
 public:
  explicit SqliteHostBook(std::shared_ptr<Journal> journal) noexcept : journal_(std::move(journal)) {}

  Result<std::uint64_t> add(const Host& host, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database().query(kInsert));
      insert.bind(host.name).bind(host.backend).bind(host_state_name(host.state)).bind(host.reason);
      const std::optional<std::string> worth =
          host.worth ? std::optional<std::string>(custody_name(*host.worth)) : std::nullopt;
      insert.bind_optional(worth).bind(host.endorsement).bind(host.ek_name);
      insert.bind(host.ek_public).bind(host.ak_public).bind(host.srk_public);
      insert.bind(host.ek_fingerprint).bind(host.manufacturer);
      bind_seen(insert, host.first_seen);
      bind_seen(insert, host.last_seen);
      return insert.bind(kept(host.measured)).bind(host.measured_value).run();
    });
  }

  Result<std::uint64_t> approve(std::string_view name, Custody worth, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(require_known(name));
      CHANCERY_ASSIGN(Query update, database().query(kApprove));
      CHANCERY_TRY(update.bind(name).bind(custody_name(worth)).run());
      if (database().changes() == 1) return {};
      return Error{ErrorCode::kConflict, "the host does not wait for an approval"};
    });
  }

  Result<std::uint64_t> quarantine(std::string_view name, std::string_view reason,
                                   const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(require_known(name));
      {
        CHANCERY_ASSIGN(Query update, database().query(kQuarantine));
        CHANCERY_TRY(update.bind(name).bind(reason).run());
      }
      return forget_results_of(name);
    });
  }

  Result<std::uint64_t> remove(std::string_view name, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_TRY(require_known(name));
      CHANCERY_TRY(forget_results_of(name));
      CHANCERY_ASSIGN(Query remove, database().query(kRemove));
      return remove.bind(name).run();
    });
  }

  Status saw(std::string_view name, const HostSeen& seen) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query update, database().query(kSaw));
      return bind_seen(update.bind(name), seen).run();
    });
  }

  Result<Host> host(std::string_view name) override { return find(kByName, name); }
  Result<Host> host_by_ek(std::string_view ek_name) override { return find(kByEk, ek_name); }
  Result<Host> host_of_backend(std::string_view backend) override { return find(kByBackend, backend); }

  Result<std::vector<Host>> hosts(std::size_t limit, std::string_view after) override {
    if (limit == 0 || limit > kMaxPage)
      return Error{ErrorCode::kInvalidArgument, "a page has 1 to 1000 hosts"};
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kAfter));
    rows.bind(after).bind(static_cast<std::int64_t>(limit));
    std::vector<Host> hosts;
    for (;;) {
      CHANCERY_ASSIGN(const bool row, rows.step());
      if (!row) return hosts;
      CHANCERY_ASSIGN(hosts.emplace_back(), host_from(rows));
    }
  }

  Result<std::uint64_t> record(const HeldResult& result, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      const std::string key = result.key.text();
      if (!result.host.empty()) CHANCERY_TRY(require_sole_host(key, result.host));
      CHANCERY_ASSIGN(Query insert, database().query(kRecord));
      insert.bind(key).bind(result.issuer).bind(result.host).bind(custody_name(result.custody));
      return insert.bind(result.evidence_at).bind(result.expires_at).bind(result.compact).run();
    });
  }

  Result<std::vector<HeldResult>> results(const Thumbprint& key, sys_seconds now) override {
    const auto held = journal_->hold();
    return results_about(database(), key, now);
  }

  Status forget_results(std::string_view issuer) override { return forget(kForgetIssuer, issuer); }
  Status forget_own_results(std::string_view issuer) override { return forget(kForgetOwn, issuer); }

  Status prune(sys_seconds now) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query prune, database().query(kPrune));
      return prune.bind(now).run();
    });
  }

  Status saw_measurements(std::string_view name, std::uint64_t entries, std::string_view value) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query update, database().query(kSawMeasurements));
      return update.bind(name).bind(kept(entries)).bind(value).run();
    });
  }

  Result<attest::MeasurementLog> measurements(std::string_view backend) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query rows, database().query(kMeasurements));
    rows.bind(backend);
    attest::MeasurementLog log;
    for (;;) {
      CHANCERY_ASSIGN(const bool row, rows.step());
      if (!row) return log;
      CHANCERY_ASSIGN(log.emplace_back(), measurement_from(rows));
    }
  }

  Result<std::uint64_t> add_measurement(std::string_view backend, const attest::AgentMeasurement& entry,
                                        const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      const std::string executable = hex_encode(entry.executable);
      const std::string manifest = hex_encode(entry.manifest);
      CHANCERY_ASSIGN(Query insert, database().query(kAddMeasurement));
      insert.bind(backend).bind(kept(entry.seq)).bind(entry.at).bind(entry.agent);
      return insert.bind(executable).bind(manifest).run();
    });
  }

  Result<std::uint64_t> forget_measurements(std::string_view backend, const AuditEntry& audit) override {
    return journal_->mutate(audit, [&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(kForgetMeasurements));
      return forget.bind(backend).run();
    });
  }

  Result<Bytes> attestation_key(std::string_view backend) override {
    const auto held = journal_->hold();
    CHANCERY_ASSIGN(Query row, database().query(kAttestationKey));
    CHANCERY_ASSIGN(const bool found, row.bind(backend).step());
    return found ? row.octets(0) : Bytes();
  }

  Status keep_attestation_key(std::string_view backend, ByteView blob) override {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query insert, database().query(kKeepAttestationKey));
      return insert.bind(backend).bind(blob).run();
    });
  }

 private:
  [[nodiscard]] Database& database() noexcept { return journal_->database(); }

  Result<Host> find(const char* sql, std::string_view text) {
    const auto held = journal_->hold();
    return find_within(sql, text);
  }

  Result<Host> find_within(const char* sql, std::string_view text) {
    CHANCERY_ASSIGN(Query row, database().query(sql));
    CHANCERY_ASSIGN(const bool found, row.bind(text).step());
    return found ? host_from(row) : Result<Host>(kUnknownHost);
  }

  Status require_known(std::string_view name) {
    CHANCERY_TRY(find_within(kByName, name));
    return {};
  }

  Status require_sole_host(std::string_view key, std::string_view name) {
    CHANCERY_ASSIGN(const Host host, find_within(kByName, name));
    if (host.state != HostState::kEnrolled)
      return Error{ErrorCode::kForbidden, "the host is not enrolled, or waits for an approval"};
    CHANCERY_ASSIGN(Query others, database().query(kOtherHosts));
    CHANCERY_ASSIGN(const bool other, others.bind(key).bind(name).step());
    if (!other) return {};
    return Error{ErrorCode::kConflict, "another host has attested this key"};
  }

  Status forget(const char* sql, std::string_view issuer) {
    return journal_->write([&]() -> Status {
      CHANCERY_ASSIGN(Query forget, database().query(sql));
      return forget.bind(issuer).run();
    });
  }

  Status forget_results_of(std::string_view host) {
    CHANCERY_ASSIGN(Query forget, database().query(kForgetResults));
    return forget.bind(host).run();
  }

  const std::shared_ptr<Journal> journal_;
};

}  // namespace

std::string_view host_state_name(HostState state) noexcept {
  switch (state) {
    case HostState::kWaiting:
      return "waiting";
    case HostState::kEnrolled:
      return "enrolled";
    case HostState::kQuarantined:
      return "quarantined";
  }
  return "";
}

Result<std::vector<HeldResult>> results_about(Database& database, const Thumbprint& key, sys_seconds now) {
  const std::string thumbprint = key.text();
  CHANCERY_ASSIGN(Query rows, database.query(kResults));
  rows.bind(thumbprint).bind(now);
  return read_all<HeldResult>(rows, [&](const Query& row) { return result_from(row, key); });
}

std::unique_ptr<HostBook> make_sqlite_host_book(std::shared_ptr<Journal> journal) {
  return std::make_unique<SqliteHostBook>(std::move(journal));
}

}  // namespace chancery::store
