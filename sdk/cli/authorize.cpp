#include <memory>
#include <utility>

#include <chancery/authorize.hpp>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/judged_case.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

struct AuthorizeArguments {
  JudgeArguments judge;
  bool ada_required = false;
  bool proof_is_new = false;
};

ExitCode exit_code(const Decision& decision) {
  switch (decision.ruling) {
    case Ruling::kPermit:
      return ExitCode::kSuccess;
    case Ruling::kIncomplete:
      return ExitCode::kUndecided;
    case Ruling::kDeny:
      break;
  }
  const Outcome outcome = decision.explanation.verdict.outcome();
  const bool unknown = outcome == Outcome::kStatusUnknown || outcome == Outcome::kCustodyUnproven;
  return unknown ? ExitCode::kUndecided : ExitCode::kDenied;
}

Checked<ExitCode> authorize(Context& context, const AuthorizeArguments& arguments) {
  CHANCERY_ASSIGN(Case judged, prepare(arguments.judge, context));
  if (!judged.request)
    return misuse("say what is to be done: --audience (who enforces) and --scope (what is asked)");
  judged.request->ada_required = arguments.ada_required;
  if (arguments.proof_is_new)
    judged.request->seen = [](const Thumbprint&, std::string_view) { return false; };
  const Decision decision =
      chancery::authorize(judged.tokens(), judged.trust, judged.now, *judged.request, judged.options());
  if (context.output.json()) {
    context.output.document(wire::write(decision));
  } else {
    context.output.lines(decision.text());
  }
  return exit_code(decision);
}

}  // namespace

void add_authorize(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<AuthorizeArguments>();
  CLI::App* command =
      app.add_subcommand("authorize", "Decide offline whether an action may be performed now");
  add_judge_options(*command, arguments->judge);
  command->add_flag("--ada", arguments->ada_required, "demand that the proof names this action");
  command->add_flag(
      "--proof-is-new", arguments->proof_is_new,
      "you have made sure that this proof was not used before; without it nothing is permitted");
  command->footer(
      "Exit status: 0 permitted; 1 denied; 2 could not tell, or a check is left to you.\n"
      "Nothing is remembered: whoever permits actions keeps the `jti` of proofs until they are too old to be taken,\n"
      "and holds the totals of budgets and rates, which are denied here.\n\n"
      "Example:\n  chancery authorize chain.txt --audience https://crm.example.org --scope payments.refund "
      "--param amount=75 \\\n"
      "    --proof proof.txt --htm POST --htu https://crm.example.org/refunds --proof-is-new");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return authorize(context, *arguments); };
  });
}

}  // namespace chancery::cli
