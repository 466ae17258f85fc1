#include <algorithm>
#include <memory>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/status_target.hpp"
#include "sdk/cli/vault_commands.hpp"
#include "sdk/wire/status_messages.hpp"

namespace chancery::cli {
namespace {

void show(Output& output, const api::StatusAct& act) {
  if (output.json()) return output.document(wire::write(act));
  show_act(output, act);
}

std::string used_text(const std::optional<std::int64_t>& time) {
  return time ? "last used " + utc_text(static_cast<double>(*time)) : "no use seen";
}

void show(Output& output, const api::Impact& impact) {
  if (output.json()) return output.document(wire::write(impact));
  output.line(output.paint(Colour::kBold,
                           "A revocation of " + printable(target_text(impact.target)) + " would end:"));
  output.field("tokens", std::to_string(impact.tokens));
  output.field("delegated from those", std::to_string(impact.descendants));
  for (const api::ImpactAgent& agent : impact.agents) {
    output.field("agent " + printable(agent.name),
                 std::to_string(agent.tokens) + " tokens, " + used_text(agent.last_used_at));
  }
  output.field("all together", used_text(impact.last_used_at));
  output.field("open reservations", std::to_string(impact.open_reservations));
  if (impact.until) output.field("would last to", utc_text(static_cast<double>(*impact.until)));
  for (const api::StatusAct& act : impact.standing) {
    output.field("held already",
                 act.kind + " of " + target_text(act.target) + ": chancery lift " + std::to_string(act.id));
  }
}

/// Connects, and shows what `call` gives: const Client& → ClientResult<Answer>.
template <typename Ask>
Checked<ExitCode> ask(Context& context, Ask call) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto answer = call(*client);
  if (!answer) return failure(answer.error());
  show(context.output, *answer);
  return ExitCode::kSuccess;
}

struct ChangeArguments {
  TargetArguments target;
  std::string reason;
};

CLI::App* add_change(CLI::App& app, Command& chosen, const char* name, const char* what,
                     ClientResult<api::StatusAct> (Client::*change)(const api::ChangeStatus&) const) {
  const auto arguments = std::make_shared<ChangeArguments>();
  CLI::App* command = app.add_subcommand(name, what);
  arguments->target.add_to(*command);
  command->add_option("--reason", arguments->reason, "why, for the audit log");
  command->callback([arguments, change, &chosen] {
    chosen = [arguments, change](Context& context) -> Checked<ExitCode> {
      CHANCERY_ASSIGN(api::StatusTarget target, arguments->target.target());
      const api::ChangeStatus request{std::move(target), arguments->reason};
      return ask(context, [&](const Client& client) { return (client.*change)(request); });
    };
  });
  return command;
}

void add_lift(CLI::App& app, Command& chosen) {
  const auto id = std::make_shared<std::int64_t>();
  CLI::App* command = app.add_subcommand("lift", "End a suspension or a drill (operator)");
  command->add_option("ID", *id, "its number, as `chancery suspend` and `chancery impact` show it")
      ->required();
  command->footer(
      "What another suspension holds stays suspended, and what was revoked stays revoked.\n\n"
      "Example:\n  chancery lift 7");
  command->callback([id, &chosen] {
    chosen = [id](Context& context) {
      return ask(context, [&](const Client& client) { return client.lift(*id); });
    };
  });
}

struct ImpactArguments {
  TargetArguments target;
  std::string credential;
};

Checked<ExitCode> show_impact(Context& context, const ImpactArguments& arguments) {
  const auto target = arguments.target.target();
  if (!arguments.credential.empty()) {
    const bool is_alone = std::ranges::all_of(arguments.target.values, &std::string::empty);
    if (!is_alone) return misuse("name one target: --credential or another");
    return show_credential_impact(context, arguments.credential);
  }
  if (!target) return target.error();
  return ask(context, [&](const Client& client) { return client.impact(api::AskImpact{*target}); });
}

void add_impact(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<ImpactArguments>();
  CLI::App* command = app.add_subcommand("impact", "Tell what a revocation would end now (operator)");
  arguments->target.add_to(*command);
  command->add_option("--credential", arguments->credential, "a credential of the vault: who would miss it")
      ->type_name("NAME");
  command->footer(
      "A use is a delegation, or a verification by the daemon since its start. What others verify, it does\n"
      "not see: `chancery drill` tries it. Of a credential it is a release, by the audit log.\n\n"
      "Examples:\n  chancery impact --agent support\n  chancery impact --credential psp");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return show_impact(context, *arguments); };
  });
}

}  // namespace

void add_revocation(CLI::App& app, Command& chosen) {
  add_change(app, chosen, "revoke", "Revoke tokens for good (operator)", &Client::revoke)
      ->footer(
          "When the command has returned, this daemon denies every chain through them; others do so when they\n"
          "fetch the status list again, a minute later at most. It cannot be undone.\n\n"
          "Examples:\n  chancery revoke --agent support --reason \"host compromised\"\n"
          "  chancery revoke --principal user:alice@example.org");
  add_change(app, chosen, "suspend", "Suspend tokens until that is lifted (operator)", &Client::suspend)
      ->footer(
          "Meanwhile nothing is issued to the agent, key or principal. `chancery lift` ends it.\n\n"
          "Example:\n  chancery suspend --agent support --reason \"under investigation\"");
  add_lift(app, chosen);
  add_impact(app, chosen);
}

}  // namespace chancery::cli
