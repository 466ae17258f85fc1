#include "sdk/cli/commands.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

void show(Output& output, const api::Budget& budget) {
  if (output.json()) return output.document(wire::write(budget));
  output.field("spending", budget.state);
  if (!budget.reason.empty()) output.field("why", budget.reason);
  output.field("copies found by", budget.checkpoint);
  output.field("totals", std::to_string(budget.totals));
  output.field("reservations", std::to_string(budget.reservations));
}

// Halted spending is an answer, and no success.
Checked<ExitCode> show_answer(Context& context, const ClientResult<api::Budget>& budget) {
  if (!budget) return failure(budget.error());
  show(context.output, *budget);
  return budget->state == "open" ? ExitCode::kSuccess : ExitCode::kUndecided;
}

Checked<ExitCode> show_budget(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, client->budget());
}

Checked<ExitCode> accept_budget(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, client->accept_budget());
}

}  // namespace

void add_budget(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("budget", "Whether budgets are spent (operator)");
  group->require_subcommand(1);
  CLI::App* one = group->add_subcommand("show", "Show whether budgets are spent, and why not");
  one->footer("Exit status: 0 when they are, 2 when they are not.");
  one->callback([&chosen] { chosen = show_budget; });
  CLI::App* accept =
      group->add_subcommand("accept", "Spend from this state folder though it may be an older copy");
  accept->footer(
      "After a backup was restored, a TPM cleared, or a clock set right. What was spent since the copy was made\n"
      "can then be spent again: end the chains with budgets first if that matters (`chancery key revoke`).");
  accept->callback([&chosen] { chosen = accept_budget; });
}

}  // namespace chancery::cli
