#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Messages that show the daemon at a glance, and what its agents do otherwise than they used to. Times are seconds since
// 1970.

namespace chancery::api {

/// One of the daemon's own keys.
struct OverviewKey {
  std::string purpose;  ///< "issuer", "status lists", "attestation", "audit log", "webhook"
  std::string jkt;
  std::string backend;
  std::string state;      ///< as chancery key list has them
  std::string custody{};  ///< what a result that counts says of it; empty: nothing does
  std::int64_t created_at = 0;
};

struct OverviewBackend {
  std::string name;
  std::string type;
  bool is_up = false;
  bool is_simulator = false;
  std::uint64_t queued = 0;
  std::uint64_t signatures = 0;  ///< since the start
  double mean_ms = 0;            ///< a signature's, its wait included; 0 when there was none
};

/// How many there are; nothing when the store does not answer.
struct OverviewCounts {
  std::uint64_t active_agents = 0;
  std::uint64_t lost_agents = 0;
  std::uint64_t retired_agents = 0;
  std::uint64_t tokens = 0;
  std::uint64_t revoked_tokens = 0;  ///< this and the next: that have not expired
  std::uint64_t suspended_tokens = 0;
  std::uint64_t status_lists = 0;
};

struct OverviewCheckpoint {
  std::uint64_t size = 0;  ///< how many entries it vouches for
  std::int64_t signed_at = 0;
};

/// The audit log, and what is signed of it.
struct OverviewAudit {
  std::uint64_t entries = 0;
  std::uint64_t failures =
      0;  ///< entries that could not be recorded, since the start: what they were about did not happen
  bool is_behind = false;                          ///< the checkpoint that was due last could not be made
  std::optional<OverviewCheckpoint> checkpoint{};  ///< the newest; nothing before the first
};

struct Overview {
  std::string version;
  std::int64_t started_at = 0;
  std::int64_t now = 0;  ///< by the daemon's clock
  bool ready = false;
  std::vector<std::string> missing{};  ///< why it is not
  std::string issuer;
  std::vector<OverviewKey> keys{};
  std::vector<OverviewBackend> backends{};
  std::optional<OverviewCounts> counts{};
  std::string budgets;  ///< "open", "waiting", "halted", "unset": as chancery budget show has them
  std::uint64_t reservations = 0;
  OverviewAudit audit{};
  std::optional<std::int64_t> status_list_signed_at{};
  std::uint64_t anomalies = 0;  ///< since the start
  std::string json{};           ///< the answer as it came
};

/// Something that an agent does otherwise than it used to (docs/operations/anomalies.md).
struct Anomaly {
  std::int64_t id = 0;
  std::int64_t at = 0;
  std::string agent;  ///< name
  std::string
      kind;  ///< "call_rate", "denial_rate", "latency", "new_scope", "new_resource", "new_host", "time_of_day"
  double measured = 0;  ///< calls a minute, a share of calls, or microseconds; 0 for what is new
  double usual = 0;
  std::string what{};  ///< the new scope, resource or host; the hour, in UTC
  std::optional<std::int64_t>
      suspension{};  ///< the act by which the agent was suspended; `chancery lift` ends it
};

struct AnomalyList {
  std::vector<Anomaly> anomalies;  ///< newest first
};

}  // namespace chancery::api
