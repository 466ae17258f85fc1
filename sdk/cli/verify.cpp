#include <memory>
#include <utility>

#include <chancery/verify.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/action_arguments.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/judged_case.hpp"
#include "sdk/cli/verdict_text.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

struct VerifyArguments {
  JudgeArguments judge;
  bool remote = false;
};

Checked<api::VerifyChain> prepare_remote(const JudgeArguments& arguments) {
  CHANCERY_TRY(allow_remote(arguments));
  api::VerifyChain request;
  CHANCERY_ASSIGN(request.request, parse_action(arguments.action));
  CHANCERY_ASSIGN(Bundle bundle, read_bundle(arguments.chain));
  request.chain = std::move(bundle.tokens);
  CHANCERY_ASSIGN(request.custody,
                  read_custody_terms(arguments.custody, std::move(bundle.attestation_results)));
  return request;
}

ExitCode exit_code(const api::Verification& verification) {
  return verification.valid() ? ExitCode::kSuccess : denial_exit(verification.outcome);
}

// `leaf` of a valid verdict.
void show_leaf(Output& output, const std::string& verdict_json) {
  const auto document = json::Document::parse_borrowed(verdict_json);
  const json::Value* leaf = document ? document->root().find("leaf") : nullptr;
  if (leaf == nullptr) return;
  const auto text = [&](std::string_view name) {
    const json::Value* member = leaf->find(name);
    return std::string(member == nullptr ? "" : member->string().value_or(member->source()));
  };
  output.field("principal", text("principal"));
  output.field("agent", text("agent") + " (as its delegator calls it)");
  if (const json::Value* authority = leaf->find("authority")) {
    for (const char* name : {"scopes", "constraints"}) {
      if (const json::Value* member = authority->find(name)) output.field(name, member->source());
    }
  }
  if (const json::Value* exp = leaf->find("exp"); exp != nullptr && exp->number()) {
    output.field("valid until", utc_text(*exp->number()));
  }
}

void show(Output& output, const api::Verification& verification) {
  if (output.json()) return output.document(verification.json);
  if (verification.valid()) {
    output.line(output.paint(Colour::kGreen, "VALID"));
    show_leaf(output, verification.json);
  } else {
    show_denial(output, {verification.outcome, verification.step, verification.hop, verification.reason});
  }
  show_custody(output, verification.json);
  if (!verification.not_performed.empty()) output.field("not checked", joined(verification.not_performed));
}

Checked<api::Verification> verify_remotely(const JudgeArguments& arguments, const Context& context) {
  CHANCERY_ASSIGN(const api::VerifyChain request, prepare_remote(arguments));
  const auto client = connect(context);
  if (!client) return client.error();
  auto verification = client->verify(request);
  if (!verification) return not_judged(verification.error());
  return *std::move(verification);
}

Checked<api::Verification> verify_offline(const JudgeArguments& arguments, const Context& context) {
  CHANCERY_ASSIGN(const Case judged, prepare(arguments, context));
  const wire::TermsToJudge terms(judged.custody);
  return api::to_verification(verify_chain(judged.tokens(), judged.trust, judged.now, judged.options(terms)));
}

Checked<ExitCode> verify(Context& context, const VerifyArguments& arguments) {
  CHANCERY_ASSIGN(const api::Verification verification, arguments.remote
                                                            ? verify_remotely(arguments.judge, context)
                                                            : verify_offline(arguments.judge, context));
  show(context.output, verification);
  return exit_code(verification);
}

Checked<ExitCode> explain_remotely(Context& context, const JudgeArguments& arguments) {
  CHANCERY_ASSIGN(const api::VerifyChain request, prepare_remote(arguments));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto verification = client->explain(request);
  if (!verification) return not_judged(verification.error());
  if (context.output.json()) {
    context.output.document(verification->json);
    return exit_code(*verification);
  }
  const auto text = client->explain_text(request);
  if (!text) return not_judged(text.error());
  context.output.lines(*text);
  return exit_code(*verification);
}

Checked<ExitCode> explain(Context& context, const VerifyArguments& arguments) {
  if (arguments.remote) return explain_remotely(context, arguments.judge);
  CHANCERY_ASSIGN(const Case judged, prepare(arguments.judge, context));
  const wire::TermsToJudge terms(judged.custody);
  const Explanation explanation =
      chancery::explain(judged.tokens(), judged.trust, judged.now, judged.options(terms));
  if (context.output.json()) {
    context.output.document(wire::write(explanation));
  } else {
    context.output.lines(explanation.text());
  }
  return exit_code(api::to_verification(explanation.verdict));
}

void add_verify_options(CLI::App& command, VerifyArguments& arguments) {
  add_judge_options(command, arguments.judge);
  command.add_flag("--remote", arguments.remote, "let the daemon judge, by its own trust");
}

constexpr const char* kExitHelp =
    "Exit status: 0 valid; 1 denied; 2 could not tell (status_unknown, custody_unproven, no trust, "
    "unreadable input).\n"
    "A valid chain says what its holder may do, not that the holder is here: see `not checked`.\n\n";

}  // namespace

void add_verify(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand("verify", "Verify a chain offline, or an action under it");
  add_verify_options(*command, *arguments);
  command->footer(std::string(kExitHelp) +
                  "Examples:\n  chancery verify chain.txt\n"
                  "  chancery verify --require hardware bundle.json\n"
                  "  chancery verify chain.txt --audience https://crm.example.org --scope payments.refund "
                  "--param amount=75 \\\n"
                  "    --proof proof.txt --htm POST --htu https://crm.example.org/refunds");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return verify(context, *arguments); };
  });
}

void add_explain(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command =
      app.add_subcommand("explain", "Verify a chain and tell hop by hop who gave what to whom");
  add_verify_options(*command, *arguments);
  command->footer(std::string(kExitHelp) + "Example:\n  chancery explain chain.txt");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return explain(context, *arguments); };
  });
}

}  // namespace chancery::cli
