#include <memory>
#include <utility>

#include <chancery/authorize.hpp>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/decision.hpp"
#include "sdk/cli/verdict_text.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

struct AuthorizeArguments {
  JudgeArguments judge;
  DecisionArguments decision;
  bool proof_is_new = false;
  bool remote = false;
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
  return denial_exit(outcome_name(decision.explanation.verdict.outcome()));
}

Checked<ExitCode> authorize_offline(Context& context, const AuthorizeArguments& arguments) {
  if (!arguments.decision.reserve.empty() || !arguments.decision.idempotency_key.empty())
    return misuse("--reserve and --idempotency-key go with --remote: nothing is remembered here");
  if (!arguments.decision.wait.empty()) return misuse("--wait goes with --remote: nobody is asked here");
  CHANCERY_ASSIGN(Case judged, prepare(arguments.judge, context));
  if (!judged.request)
    return misuse("say what is to be done: --audience (who enforces) and --scope (what is asked)");
  judged.request->ada_required = arguments.decision.ada_required;
  if (arguments.proof_is_new)
    judged.request->seen = [](const Thumbprint&, std::string_view) { return false; };
  const wire::TermsToJudge terms(judged.custody);
  const Decision decision =
      chancery::authorize(judged.tokens(), judged.trust, judged.now, *judged.request, judged.options(terms));
  if (context.output.json()) {
    context.output.document(wire::write(decision));
  } else {
    context.output.lines(decision.text());
  }
  return exit_code(decision);
}

Checked<ExitCode> authorize(Context& context, const AuthorizeArguments& arguments) {
  if (!arguments.remote) return authorize_offline(context, arguments);
  if (arguments.proof_is_new) return misuse("--proof-is-new is for deciding offline: the daemon finds out");
  return authorize_remotely(context, arguments.judge, arguments.decision);
}

}  // namespace

void add_authorize(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<AuthorizeArguments>();
  CLI::App* command = app.add_subcommand(
      "authorize", "Decide whether an action may be performed now: offline, or by the daemon");
  add_judge_options(*command, arguments->judge);
  command->add_flag("--ada", arguments->decision.ada_required, "demand that the proof names this action");
  command->add_flag(
      "--proof-is-new", arguments->proof_is_new,
      "you have made sure that this proof was not used before; without it nothing is permitted offline");
  command->add_flag("--remote", arguments->remote,
                    "let the daemon decide, which uses up the proof and spends budgets");
  command->add_option("--reserve", arguments->decision.reserve,
                      "with --remote: reserve what the action spends for so long, to settle or release");
  command->add_option("--idempotency-key", arguments->decision.idempotency_key,
                      "with --remote: the same request under the same key gets the same answer");
  add_wait_option(*command, arguments->decision.wait);
  command->footer(
      "Exit status: 0 permitted; 1 denied; 2 could not tell, or a check is left to you.\n"
      "Offline nothing is remembered: whoever permits actions keeps the `jti` of proofs until they are too old to be\n"
      "taken, and holds the totals of budgets and rates: here a budget of the last token is denied, and one above it is\n"
      "left to you. The daemon does both (--remote), for whom it serves as enforcement point: its operator on the socket,\n"
      "or a context with `chancery.authorize`.\n"
      "--wait goes with --remote. The proof is used up by the first answer: the second takes what stands in the --proof file by then, or a\n"
      "proof that the daemon makes for the chain's holder.\n\n"
      "Examples:\n  chancery authorize chain.txt --audience https://crm.example.org --scope payments.refund "
      "--param amount=75 \\\n"
      "    --proof proof.txt --htm POST --htu https://crm.example.org/refunds --proof-is-new\n"
      "  chancery --context crm authorize --remote --reserve 5m chain.txt …");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return authorize(context, *arguments); };
  });
}

}  // namespace chancery::cli
