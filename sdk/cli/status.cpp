#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <chancery/freeze_client.hpp>
#include <chancery/overview_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/freeze_messages.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct DaemonStatus {
  std::string endpoint;
  api::Readiness readiness;
  Metadata metadata;
  KeySet keys;                             ///< empty while the daemon is not ready to say
  std::optional<api::Overview> overview;   ///< for operators
  std::optional<api::FreezeState> freeze;  ///< for operators
};

Checked<DaemonStatus> ask(const Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  DaemonStatus status;
  status.endpoint = client->endpoint();
  auto readiness = client->readiness();
  if (!readiness) return failure(readiness.error());
  status.readiness = *std::move(readiness);
  auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  status.metadata = *std::move(metadata);
  if (auto keys = client->jwks()) status.keys = *std::move(keys);
  if (auto overview = OverviewClient(*client).overview()) status.overview = *std::move(overview);
  if (!status.overview) return status;
  if (auto freeze = FreezeClient(*client).state()) status.freeze = *std::move(freeze);
  return status;
}

std::string to_json(const DaemonStatus& status) {
  Node missing = Node::array();
  for (const std::string& what : status.readiness.missing) missing.push_back(what);
  Node keys = Node::array();
  for (const PublicKey& key : status.keys.keys) keys.push_back(key.thumbprint().text());
  Node node = Node::object({{"endpoint", status.endpoint},
                            {"ready", status.readiness.ready},
                            {"missing", std::move(missing)},
                            {"issuer", status.metadata.issuer},
                            {"issuer_keys", std::move(keys)}});
  if (status.overview) {
    const auto document = json::Document::parse_borrowed(status.overview->json);
    if (document) node.set("overview", Node::copy(document->root()));
  }
  if (status.freeze) node.set("freeze", Node::canonical(wire::write(*status.freeze)));
  return json::to_jcs(node);
}

// "3d 4h", of what is longer than a minute; two units are as much as anybody reads.
std::string age_text(std::int64_t from, std::int64_t to) {
  constexpr std::pair<std::int64_t, char> kUnits[]{{86'400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  std::int64_t rest = std::max<std::int64_t>(to - from, 0);
  std::string out;
  for (const auto& [seconds, unit] : kUnits) {
    if (rest < seconds && (unit != 's' || !out.empty())) continue;
    const bool is_second = !out.empty();
    out += (is_second ? " " : "") + std::to_string(rest / seconds) + unit;
    rest %= seconds;
    if (is_second) break;
  }
  return out;
}

std::string milliseconds_text(double milliseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", milliseconds);
  return text.data();
}

void show(Output& output, const api::OverviewKey& key, std::int64_t now) {
  const std::string custody = key.custody.empty() ? "custody not proved" : key.custody;
  output.field(key.purpose + " key", printable(key.jkt) + "  " + printable(key.state) + ", " +
                                         age_text(key.created_at, now) + " old, in " +
                                         printable(key.backend) + ", " + printable(custody));
}

void show(Output& output, const api::OverviewBackend& backend) {
  std::string line = printable(backend.name) + " (" + printable(backend.type) +
                     (backend.is_simulator ? ", simulator" : "") + ")  " + (backend.is_up ? "up" : "away") +
                     ", " + std::to_string(backend.queued) + " waiting, " +
                     std::to_string(backend.signatures) + " signatures";
  if (backend.signatures > 0) line += " of " + milliseconds_text(backend.mean_ms);
  output.field("backend", line);
}

void show(Output& output, const api::OverviewCounts& counts) {
  output.field("agents", std::to_string(counts.active_agents) + " active, " +
                             std::to_string(counts.lost_agents) + " without a key, " +
                             std::to_string(counts.retired_agents) + " retired");
  output.field("tokens", std::to_string(counts.tokens) + " issued, " + std::to_string(counts.revoked_tokens) +
                             " revoked and " + std::to_string(counts.suspended_tokens) + " suspended");
}

std::string audit_text(const api::OverviewAudit& audit, std::int64_t now) {
  std::string text = std::to_string(audit.entries) + " entries, ";
  if (audit.checkpoint) {
    text += "signed up to " + std::to_string(audit.checkpoint->size) + " " +
            age_text(audit.checkpoint->signed_at, now) + " ago";
  } else {
    text += "none of them signed yet";
  }
  if (audit.is_behind) text += "; BEHIND: the last checkpoint could not be made";
  if (audit.failures > 0)
    text += "; " + std::to_string(audit.failures) + " could not be recorded since the start";
  return text;
}

void show(Output& output, const api::Overview& overview) {
  output.field("version", printable(overview.version));
  output.field("since", utc_text(static_cast<double>(overview.started_at)) + ", " +
                            age_text(overview.started_at, overview.now));
  for (const api::OverviewKey& key : overview.keys) show(output, key, overview.now);
  for (const api::OverviewBackend& backend : overview.backends) show(output, backend);
  if (overview.counts) show(output, *overview.counts);
  output.field("budgets",
               printable(overview.budgets) + ", " + std::to_string(overview.reservations) + " reservations");
  output.field("audit log", audit_text(overview.audit, overview.now));
  const std::uint64_t lists = overview.counts ? overview.counts->status_lists : 0;
  const auto& signed_at = overview.status_list_signed_at;
  output.field("status lists",
               std::to_string(lists) + (signed_at ? ", signed " + age_text(*signed_at, overview.now) + " ago"
                                                  : ", none signed since the start"));
  output.field("anomalies", std::to_string(overview.anomalies) + " since the start" +
                                (overview.anomalies > 0 ? ": chancery anomaly list" : ""));
}

std::string freeze_text(const api::FreezeState& freeze) {
  std::string text = freeze.is_frozen ? "ALL AGENTS FROZEN" : "";
  if (!freeze.agents.empty() || !freeze.is_frozen)
    text += (text.empty() ? "" : ", ") + std::to_string(freeze.agents.size()) + " agents by themselves";
  text += freeze.is_armed ? "; kill switch armed" : "; no kill switch armed";
  text += ", " + std::to_string(freeze.switched_keys) + " keys hang on one, " +
          std::to_string(freeze.other_keys) + " do not";
  const bool is_anything_frozen = freeze.is_frozen || !freeze.agents.empty();
  return text + (is_anything_frozen ? ": chancery freeze show" : "");
}

void show(Output& output, const DaemonStatus& status) {
  output.line(status.readiness.ready ? output.paint(Colour::kGreen, "READY")
                                     : output.paint(Colour::kRed, "NOT READY"));
  output.field("daemon", status.endpoint);
  output.field("issuer", status.metadata.issuer);
  if (status.overview) {
    show(output, *status.overview);
    if (status.freeze) output.field("frozen", freeze_text(*status.freeze));
  } else {
    for (const PublicKey& key : status.keys.keys) output.field("issuer key", key.thumbprint().text());
  }
  for (const std::string& what : status.readiness.missing) output.field("missing", what);
}

}  // namespace

void add_status(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "status", "Show the daemon at a glance: whether it is ready, and for operators what it holds and does");
  command->callback([&chosen] {
    chosen = [](Context& context) -> Checked<ExitCode> {
      CHANCERY_ASSIGN(const DaemonStatus status, ask(context));
      if (context.output.json()) {
        context.output.document(to_json(status));
      } else {
        show(context.output, status);
      }
      return status.readiness.ready ? ExitCode::kSuccess : ExitCode::kUndecided;
    };
  });
}

}  // namespace chancery::cli
