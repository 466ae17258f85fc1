// Decisions of the daemon, for enforcement points: `authorize --remote`, `settle`, `release`.

#include "sdk/cli/decision.hpp"

#include <memory>
#include <utility>

#include <chancery/proof.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/verdict_text.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

Checked<api::Authorize> request_of(const JudgeArguments& judge, const DecisionArguments& arguments) {
  CHANCERY_TRY(allow_remote(judge));
  if (!judge.action.nonce.empty()) {
    return misuse("--nonce is yours to compare: the daemon demanded none of who shows this proof");
  }
  CHANCERY_ASSIGN(std::optional<api::Action> action, parse_action(judge.action));
  if (!action || !action->dpop) {
    return misuse("say what is to be done: --audience, --scope, and --proof with --htm and --htu");
  }
  api::Authorize request;
  request.proof = action->dpop->proof;
  request.method = action->dpop->htm;
  request.uri = action->dpop->htu;
  request.audience = std::move(action->audience);
  request.scope = std::move(action->scope);
  request.params = std::move(action->params);
  request.idempotency_key = arguments.idempotency_key;
  request.ada_required = arguments.ada_required;
  if (!arguments.reserve.empty()) {
    const auto reserve = parse_duration(arguments.reserve);
    if (!reserve) return failure(reserve.error(), "--reserve " + arguments.reserve);
    request.reserve = *reserve;
  }
  CHANCERY_ASSIGN(Bundle bundle, read_bundle(judge.chain));
  request.chain = std::move(bundle.tokens);
  CHANCERY_ASSIGN(request.custody, read_custody_terms(judge.custody, std::move(bundle.attestation_results)));
  return request;
}

void show_permit(Output& output, const api::Decision& decision) {
  output.line(output.paint(Colour::kGreen, "PERMITTED"));
  output.field("decision", decision.id);
  if (decision.leaf) {
    output.field("principal", decision.leaf->principal);
    output.field("agent", decision.leaf->agent + " (as its delegator calls it)");
  }
  if (decision.expires_at) {
    output.field("reserved", "until " + utc_text(static_cast<double>(*decision.expires_at)) +
                                 ": chancery settle, or chancery release");
  }
}

void show_waiting(Output& output, const api::PendingApproval& approval) {
  output.field("request", approval.id);
  output.field("waits", "until " + utc_text(static_cast<double>(approval.expires_at)));
  if (!approval.url.empty()) output.field("decided at", approval.url);
}

void show(Output& output, const api::Decision& decision) {
  if (output.json()) return output.document(wire::write(decision));
  if (decision.permitted) {
    show_permit(output, decision);
  } else {
    show_denial(output, {decision.outcome, decision.step, decision.hop.value_or(-1), decision.reason});
    if (!decision.expected.empty()) output.field("expected", decision.expected);
    if (!decision.found.empty()) output.field("found", decision.found);
    if (!decision.remedy.empty()) output.field("remedy", decision.remedy);
    if (decision.approval) show_waiting(output, *decision.approval);
  }
  show_custody(output, wire::write(decision));
  if (!decision.not_performed.empty()) output.field("not checked", joined(decision.not_performed));
}

// What was judged has used up the proof. Where the file has another by now, whoever holds the chain has put it there; else the daemon makes
// one, for its holder alone.
Checked<std::string> fresh_proof(const Client& client, const JudgeArguments& judge,
                                 const api::Authorize& asked) {
  if (judge.action.proof != "-" && is_input(judge.action.proof)) {
    CHANCERY_ASSIGN(const std::optional<api::Action> action, parse_action(judge.action));
    if (action && action->dpop && action->dpop->proof != asked.proof) return action->dpop->proof;
  }
  api::CreateProof request;
  request.chain = asked.chain;
  request.htm = asked.method;
  request.htu = asked.uri;
  const auto parameters = parse_parameters(asked.params);
  if (!parameters) return failure(parameters.error(), "--param");
  const auto digest = action_digest(asked.scope, *parameters);
  if (!digest) return failure(digest.error(), "--param");
  request.ada = *digest;
  auto proof = client.prove(request);
  if (!proof) {
    Failure out = not_judged(proof.error());
    out.message = "it is approved, and takes a fresh proof by the chain's holder: " + out.message;
    return out;
  }
  return std::move(proof->proof);
}

Checked<api::Decision> decision_in_time(Context& context, const Client& client, const JudgeArguments& judge,
                                        api::Authorize request, const WaitArgument& wait) {
  auto decision = client.authorize(request);
  if (!decision) return not_judged(decision.error());
  if (!decision->approval || wait.empty()) return *std::move(decision);
  CHANCERY_ASSIGN(const bool is_approved, await_approval(context, client, *decision->approval, wait));
  if (!is_approved) return *std::move(decision);
  CHANCERY_ASSIGN(request.proof, fresh_proof(client, judge, request));
  auto again = client.authorize(request);
  if (!again) return not_judged(again.error());
  return *std::move(again);
}

Checked<ExitCode> show_ended(Context& context, const ClientResult<api::EndedReservation>& ended) {
  if (!ended) return failure(ended.error());
  if (context.output.json()) {
    context.output.document(wire::write(*ended));
  } else {
    context.output.line(printable(ended->state));
  }
  return ExitCode::kSuccess;
}

std::optional<double> number_of(std::string_view text) {
  const auto document = json::Document::parse_borrowed(text);
  return document ? document->root().number() : std::nullopt;
}

Checked<api::Settlement> settlement_of(const std::vector<std::string>& used) {
  api::Settlement out;
  for (const std::string& item : used) {
    const std::size_t equals = item.find('=');
    const auto amount =
        equals == std::string::npos ? std::nullopt : number_of(std::string_view(item).substr(equals + 1));
    if (!amount || equals == 0) return misuse("--used takes NAME=AMOUNT, such as amount=12.5");
    const std::string name = item.substr(0, equals);
    if (!out.amounts.emplace(name, *amount).second) return misuse("--used gives " + name + " twice");
  }
  return out;
}

struct SettleArguments {
  std::string decision;
  std::vector<std::string> used;
};

Checked<ExitCode> settle(Context& context, const SettleArguments& arguments) {
  CHANCERY_ASSIGN(const api::Settlement settlement, settlement_of(arguments.used));
  const auto client = connect(context);
  if (!client) return client.error();
  return show_ended(context, client->settle(arguments.decision, settlement));
}

Checked<ExitCode> release(Context& context, const std::string& decision) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_ended(context, client->release(decision));
}

constexpr const char* kDecisionHelp = "the decision, as `chancery authorize --remote --reserve` shows it";

}  // namespace

Checked<ExitCode> authorize_remotely(Context& context, const JudgeArguments& judge,
                                     const DecisionArguments& arguments) {
  CHANCERY_TRY(check_wait(arguments.wait));
  if (!arguments.wait.empty() && !arguments.idempotency_key.empty())
    return misuse("--wait asks twice, and under one --idempotency-key only one of both could be decided");
  CHANCERY_ASSIGN(api::Authorize request, request_of(judge, arguments));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto decision = decision_in_time(context, *client, judge, std::move(request), arguments.wait);
  if (!decision) return decision.error();
  show(context.output, *decision);
  return decision->permitted ? ExitCode::kSuccess : denial_exit(decision->outcome);
}

void add_decision_ends(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<SettleArguments>();
  CLI::App* one = app.add_subcommand("settle", "End a reservation of one's own with what was used of it");
  one->add_option("DECISION", arguments->decision, kDecisionHelp)->required();
  add_repeatable(*one, "--used", arguments->used,
                 "what was used of a parameter, NAME=AMOUNT; default: all that was reserved; repeatable");
  one->footer("Example:\n  chancery settle DECISION --used amount=12.5");
  one->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return settle(context, *arguments); };
  });

  const auto decision = std::make_shared<std::string>();
  CLI::App* other = app.add_subcommand("release", "End a reservation of one's own of which nothing was used");
  other->add_option("DECISION", *decision, kDecisionHelp)->required();
  other->footer("Example:\n  chancery release DECISION");
  other->callback(
      [decision, &chosen] { chosen = [decision](Context& context) { return release(context, *decision); }; });
}

}  // namespace chancery::cli
