#include <memory>

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

Checked<ExitCode> accept_budget(Context& context, const api::AcceptBudget& request) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto accepted = client->accept_budget(request);
  if (accepted && request.tokens == "end") {
    context.output.note(
        "the issuer's key has ended with its tokens: `chancery issuer rotate` makes another, and operators "
        "begin with `chancery init`");
  }
  return show_answer(context, accepted);
}

void add_accept(CLI::App& group, Command& chosen) {
  const auto request = std::make_shared<api::AcceptBudget>();
  CLI::App* accept =
      group.add_subcommand("accept", "Spend and issue from this state folder though it may be an older copy");
  CLI::Option* end = accept->add_flag_callback(
      "--end-tokens", [request] { request->tokens = "end"; },
      "revoke every token that was issued before, and the issuer's key");
  accept
      ->add_flag_callback(
          "--keep-tokens", [request] { request->tokens = "keep"; },
          "let them count, those that were revoked since the copy too")
      ->excludes(end);
  accept->footer(
      "After a backup was restored, a TPM cleared, or a clock set right. Of an older copy say what becomes of the tokens of\n"
      "before: nobody can know which of them were revoked since. What was spent since the copy was made can be spent again\n"
      "with tokens that are kept. The audit log has another name from then on.\n\n"
      "Example:\n  chancery budget accept --end-tokens");
  accept->callback([request, &chosen] {
    chosen = [request](Context& context) { return accept_budget(context, *request); };
  });
}

}  // namespace

void add_budget(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("budget", "Whether budgets are spent (operator)");
  group->require_subcommand(1);
  CLI::App* one = group->add_subcommand("show", "Show whether budgets are spent, and why not");
  one->footer("Exit status: 0 when they are, 2 when they are not.");
  one->callback([&chosen] { chosen = show_budget; });
  add_accept(*group, chosen);
}

}  // namespace chancery::cli
