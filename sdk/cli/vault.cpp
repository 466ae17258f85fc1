#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <chancery/audit_client.hpp>
#include <chancery/vault_client.hpp>

#include "sdk/audit/entry.hpp"
#include "sdk/base/name.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/vault_commands.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kPage = 1000;

std::string time_text(std::int64_t time) { return utc_text(static_cast<double>(time)); }

std::string version_text(const api::CredentialVersion& version) {
  std::string text = printable(version.state) + ", put " + time_text(version.created_at);
  if (version.expires_at) text += ", expires " + time_text(*version.expires_at);
  if (version.retire_at) text += ", ends by " + time_text(*version.retire_at);
  if (version.revoked_at) text += ", revoked " + time_text(*version.revoked_at);
  text += ", " + std::to_string(version.uses) + " uses";
  if (version.open_uses > 0) text += " (" + std::to_string(version.open_uses) + " open)";
  if (version.last_used_at) text += ", last " + time_text(*version.last_used_at);
  return text;
}

/// Who used a credential, by the audit log.
struct Users {
  std::map<std::string, std::uint64_t> agents;  ///< by name: how often
  std::uint64_t others = 0;                     ///< releases that name no agent
};

Checked<Users> users_of(const Client& client, const api::Credential& credential) {
  Users out;
  for (std::uint64_t after = 0;;) {
    const auto page = AuditClient(client).entries({.after = after, .limit = kPage, .ref = credential.id});
    if (!page) return failure(page.error());
    for (const api::AuditEntry& entry : page->entries) {
      const auto read = audit::Entry::parse(entry.number, entry.json);
      if (!read || read->text("action") != "credential.release") continue;
      const std::string_view agent = read->text("agent");
      if (agent.empty()) ++out.others;
      if (!agent.empty()) ++out.agents[std::string(agent)];
    }
    if (page->entries.empty()) return out;
    after = page->entries.back().number;
  }
}

json::Node impact_node(const api::Credential& credential, const Users& users) {
  json::Node agents = json::Node::array();
  for (const auto& [name, uses] : users.agents)
    agents.push_back(json::Node::object({{"name", name}, {"uses", uses}}));
  return json::Node::object({{"credential", json::Node::canonical(wire::write(credential))},
                             {"agents", std::move(agents)},
                             {"uses_without_agent", users.others}});
}

}  // namespace

const api::CredentialVersion* active_version(const api::Credential& credential) {
  const auto found = std::ranges::find(credential.versions, "active", &api::CredentialVersion::state);
  return found == credential.versions.end() ? nullptr : &*found;
}

void show_credential(Output& output, const api::Credential& credential) {
  if (output.json()) return output.document(wire::write(credential));
  output.line(output.paint(Colour::kBold, printable(credential.name)) + "  " + printable(credential.type));
  output.field("id", credential.id);
  if (!credential.issuer.empty()) output.field("issuer", credential.issuer);
  output.field("scope", credential.scope);
  output.field("tools", joined(credential.tools));
  if (!credential.owner.empty()) output.field("owner", credential.owner);
  if (!credential.environment.empty()) output.field("environment", credential.environment);
  output.field("rotate on hit", credential.rotate_on_hit ? "yes" : "no");
  for (const api::CredentialVersion& version : credential.versions)
    output.field("version " + std::to_string(version.number), version_text(version));
}

Checked<void> require_credential_name(const std::string& name) {
  if (is_name(name)) return {};
  return misuse(
      "NAME is the credential's name, [a-z0-9][a-z0-9._-]{0,62}. Its value is never an argument, which every process of "
      "this machine sees and shells keep: give it with --stdin or --file, or type it when you are asked. If it "
      "was one just now, rotate it");
}

Checked<std::optional<std::int64_t>> read_expiry(const std::string& text, std::chrono::sys_seconds now) {
  if (text.empty()) return std::optional<std::int64_t>();
  if (text.find(':') != std::string::npos) {
    const auto instant = parse_instant(text);
    if (!instant) return failure(instant.error(), "--expires");
    return std::optional(std::int64_t{instant->time_since_epoch().count()});
  }
  const auto duration = parse_duration(text);
  if (!duration) return failure(duration.error(), "--expires");
  return std::optional(std::int64_t{(now + *duration).time_since_epoch().count()});
}

Checked<ExitCode> show_credential_impact(Context& context, const std::string& name) {
  CHANCERY_TRY(require_credential_name(name));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto credential = VaultClient(*client).credential(name);
  if (!credential) return failure(credential.error());
  CHANCERY_ASSIGN(const Users users, users_of(*client, *credential));
  if (context.output.json()) {
    context.output.document(json::to_jcs(impact_node(*credential, users)));
    return ExitCode::kSuccess;
  }
  std::uint64_t open_uses = 0;
  std::optional<std::int64_t> last_used_at;
  for (const api::CredentialVersion& version : credential->versions) {
    open_uses += version.open_uses;
    if (version.last_used_at) last_used_at = std::max(last_used_at.value_or(0), *version.last_used_at);
  }
  Output& output = context.output;
  output.line(output.paint(Colour::kBold, "Without the credential " + printable(credential->name) + ":"));
  output.field("tools that fail", joined(credential->tools));
  output.field("scope", credential->scope);
  output.field("open uses", std::to_string(open_uses));
  output.field("last used", last_used_at ? time_text(*last_used_at) : "never");
  for (const auto& [agent, uses] : users.agents)
    output.field("agent " + printable(agent), std::to_string(uses) + " uses");
  if (users.others > 0) output.field("without an agent", std::to_string(users.others) + " uses");
  return ExitCode::kSuccess;
}

void add_vault(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand(
      "vault", "Credentials that tools are given for one call, and agents never (operator)");
  group->require_subcommand(1);
  add_vault_put(*group, chosen);
  add_vault_show(*group, chosen);
  add_vault_change(*group, chosen);
  add_vault_import(*group, chosen);
  add_vault_issuers(*group, chosen);
}

}  // namespace chancery::cli
