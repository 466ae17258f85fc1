#include "sdk/cli/judged_case.hpp"

#include <cstdlib>
#include <utility>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/trust_file.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

Checked<TrustSnapshot> snapshot(const JudgeArguments& arguments) {
  const auto environment = [](const char* name) { return std::getenv(name); };
  CHANCERY_ASSIGN(TrustConfig trust, load_trust(arguments.trust, environment));
  CHANCERY_ASSIGN(trust.status_lists, load_status_lists(arguments.status_lists));
  return TrustSnapshot(std::move(trust));
}

void add_action_options(CLI::App& command, ActionArguments& action) {
  command.add_option("--audience", action.audience,
                     "judge an action: the enforcement point's own identifier");
  command.add_option("--scope", action.scope, "the action's scope");
  add_repeatable(command, "--param", action.params,
                 "a parameter NAME=VALUE; VALUE is JSON, else a text; repeatable");
  command.add_option("--proof", action.proof,
                     "the holder's DPoP proof: a file, - or its text; without one an action is denied");
  command.add_option("--htm", action.htm, "the method of the request that the proof came with");
  command.add_option("--htu", action.htu, "its URI");
  command.add_option("--nonce", action.nonce, "the nonce that was demanded");
}

}  // namespace

Checked<void> allow_remote(const JudgeArguments& arguments) {
  if (arguments.trust.empty() && arguments.status_lists.empty() && arguments.now.empty() &&
      !arguments.issuer_signed) {
    return {};
  }
  return misuse(
      "--remote takes the daemon's trust, clock and policy: leave out --trust, --status-list, --now, "
      "--issuer-signed");
}

Checked<Case> prepare(const JudgeArguments& arguments, const Context& context) {
  Case out;
  out.now = context.now;
  out.issuer_signed = arguments.issuer_signed;
  if (!arguments.now.empty()) {
    const auto now = parse_instant(arguments.now);
    if (!now) return failure(now.error(), "--now " + arguments.now);
    out.now = *now;
  }
  CHANCERY_ASSIGN(const std::optional<api::Action> action, parse_action(arguments.action));
  if (action) {
    auto request = wire::to_action_request(*action);
    if (!request) return failure(request.error(), "--param");
    out.request = *std::move(request);
    // A machine without them still judges every chain that has no time window, and denies those that have one.
    if (auto zones = load_system_time_zones()) out.zones = *std::move(zones);
  }
  CHANCERY_ASSIGN(out.trust, snapshot(arguments));
  CHANCERY_ASSIGN(Bundle bundle, read_bundle(arguments.chain));
  out.chain = std::move(bundle.tokens);
  CHANCERY_ASSIGN(out.custody, read_custody_terms(arguments.custody, std::move(bundle.attestation_results)));
  return out;
}

void add_judge_options(CLI::App& command, JudgeArguments& arguments) {
  add_chain_argument(command, arguments.chain);
  add_repeatable(
      command, "--trust", arguments.trust,
      "a file of trust anchors; repeatable; default: CHANCERY_TRUST, else what `chancery trust add` wrote");
  add_repeatable(
      command, "--status-list", arguments.status_lists,
      R"(a file of fetched status lists: {"uri","token","fetched_at"} or an array of them; repeatable)");
  command.add_option("--now", arguments.now,
                     "the instant to judge for: RFC 3339 or seconds since 1970; default: now");
  command.add_flag("--issuer-signed", arguments.issuer_signed,
                   "accept hops that an issuer signed in the delegator's place");
  add_action_options(command, arguments.action);
  add_custody_options(command, arguments.custody);
}

}  // namespace chancery::cli
