#include <memory>
#include <utility>

#include "sdk/cli/authority_commands.hpp"
#include "sdk/cli/awaited_decision.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

struct GrantArguments {
  std::string principal;
  std::string agent;
  std::vector<std::string> audience;
  AuthorityArguments authority;
  std::string gate;
  std::string lifetime;
  std::int64_t depth = 1;
  std::string out;
  WaitArgument wait;
};

struct DelegateArguments {
  std::vector<std::string> chain;
  std::string to;
  std::vector<std::string> audience;
  AuthorityArguments authority;
  std::string lifetime;
  bool exact = false;
  std::string out;
};

std::string chain_text(const std::vector<std::string>& chain) { return join_chain(chain) + "\n"; }

// A chain is no secret (without the holder's key it is of no use), but it tells who may do what.
constexpr unsigned kChainFileMode = 0640;

Checked<std::chrono::seconds> lifetime_of(const std::string& text) {
  auto lifetime = parse_duration(text);
  if (!lifetime) return failure(lifetime.error(), "--lifetime " + text);
  return *lifetime;
}

// Asked for once more when people have approved it: the grant is made then.
Checked<api::Grant> granted_in_time(Context& context, const Client& client, const api::CreateGrant& request,
                                    const WaitArgument& wait) {
  auto granted = client.grant(request);
  if (!granted) return failure(granted.error());
  if (!granted->approval || wait.empty()) return *std::move(granted);
  CHANCERY_ASSIGN(const bool is_approved, await_approval(context, client, *granted->approval, wait));
  if (!is_approved) return *std::move(granted);
  auto again = client.grant(request);
  if (!again) return failure(again.error());
  return *std::move(again);
}

Checked<ExitCode> grant(Context& context, const GrantArguments& arguments) {
  CHANCERY_TRY(check_wait(arguments.wait));
  api::CreateGrant request;
  request.principal = arguments.principal;
  request.agent = arguments.agent;
  request.audience = arguments.audience;
  request.depth = arguments.depth;
  CHANCERY_ASSIGN(request.authority, parse_authority(arguments.authority));
  CHANCERY_ASSIGN(request.lifetime, lifetime_of(arguments.lifetime));
  request.gate = arguments.gate;
  const auto client = connect(context);
  if (!client) return client.error();
  const auto granted = granted_in_time(context, *client, request, arguments.wait);
  if (!granted) return granted.error();
  if (granted->approval) {
    context.output.note("nothing was granted yet: people have to approve it, `chancery approve " +
                        granted->approval->id + "`; then give the same command again");
    if (context.output.json()) context.output.document(wire::write(*granted));
    return ExitCode::kDenied;
  }
  for (const std::string& warning : granted->warnings) context.output.note("warning: " + warning);
  return give(context.output, granted->chain, wire::write(*granted), arguments.out);
}

Checked<ExitCode> delegate(Context& context, const DelegateArguments& arguments) {
  api::CreateDelegation request;
  request.to = arguments.to;
  request.audience = arguments.audience;
  request.exact = arguments.exact;
  CHANCERY_ASSIGN(request.authority, parse_authority(arguments.authority));
  if (!arguments.lifetime.empty()) {
    CHANCERY_ASSIGN(request.lifetime, lifetime_of(arguments.lifetime));
  }
  CHANCERY_ASSIGN(request.chain, read_chain(arguments.chain));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto delegated = client->delegate(request);
  if (!delegated) return failure(delegated.error());
  for (const Narrowing& item : delegated->narrowed) {
    context.output.note("narrowed: " + item.what + ": asked " + item.asked + ", given " + item.given);
  }
  return give(context.output, delegated->chain, wire::write(*delegated), arguments.out);
}

constexpr const char* kConstraintHelp =
    "Constraints: KEY:TYPE=VALUE. KEY is the name of a parameter of every action, or SCOPE#NAME: of actions\n"
    "under that scope only.\n"
    "  payments.refund#amount:max=500          max, min: at most, at least\n"
    "  currency:one_of=EUR,USD                 one_of, not_one_of: items between commas, or a JSON array\n"
    "  path:prefix=/srv/reports/               prefix: a text\n"
    "  tier:rank=silver,order=bronze,silver    rank: a rank and its order, least permissive first\n"
    "  amount:max_subtree=5000                 max_lifetime, max_subtree: totals; the key `calls` counts actions\n"
    "  calls:max_rate=10/minute                max_rate: a total per second, minute or hour\n"
    "  hours:time_window=mon-fri,09:00-17:30,Europe/Berlin\n"
    "                                          time_window: when, by local time; KEY is any name, or SCOPE#NAME\n\n";

}  // namespace

void add_authority_options(CLI::App& command, AuthorityArguments& authority) {
  add_repeatable(command, "--scope", authority.scopes,
                 "a scope: crm.read, or crm.* for all below it; repeatable")
      ->required();
  add_repeatable(command, "--constraint", authority.constraints,
                 "a bound KEY:TYPE=VALUE, see below; repeatable");
  add_repeatable(command, "--constraint-json", authority.json_constraints,
                 R"(a bound as tokens have it: {"key":"amount","max":500}; repeatable)");
}

const char* constraint_help() { return kConstraintHelp; }

Checked<ExitCode> give(Output& output, const std::vector<std::string>& chain, const std::string& answer_json,
                       const std::string& out) {
  if (!out.empty()) CHANCERY_TRY(replace_file(out, chain_text(chain), kChainFileMode));
  if (output.json()) {
    output.document(answer_json);
  } else if (out.empty()) {
    output.lines(chain_text(chain));
  }
  return ExitCode::kSuccess;
}

void add_grant(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<GrantArguments>();
  CLI::App* command =
      app.add_subcommand("grant", "Begin a chain: authority of a principal for an agent (operator)");
  command->add_option("--for", arguments->principal, "on whose behalf: user:alice@example.org")->required();
  command->add_option("--agent", arguments->agent, "the agent that receives it")->required();
  add_repeatable(*command, "--audience", arguments->audience, "who may enforce it; repeatable")->required();
  add_authority_options(*command, arguments->authority);
  command->add_option("--lifetime", arguments->lifetime, "how long it is valid: 30m, 8h, 7d")->required();
  command->add_option("--depth", arguments->depth,
                      "how many agents the chain may count, the first included; default 1");
  command->add_option("--gate", arguments->gate,
                      "a gate of the daemon's: what is done under the grant is behind it");
  command->add_option("--out", arguments->out, "write the chain to this file instead of standard output");
  add_wait_option(*command, arguments->wait);
  command->footer(std::string(kConstraintHelp) +
                  "Example:\n  chancery grant --for user:alice@example.org --agent orchestrator --audience "
                  "https://crm.example.org \\\n"
                  "    --scope 'crm.*' --scope payments.refund --constraint payments.refund#amount:max=500 "
                  "--lifetime 30m --depth 3");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return grant(context, *arguments); };
  });
}

void add_delegate(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<DelegateArguments>();
  CLI::App* command =
      app.add_subcommand("delegate", "Give a part of a chain's authority to another agent (its holder)");
  add_chain_argument(*command, arguments->chain);
  command->add_option("--to", arguments->to, "the agent that receives it: its name or SPIFFE ID")->required();
  add_authority_options(*command, arguments->authority);
  add_repeatable(*command, "--audience", arguments->audience,
                 "who may enforce it; default: as in the chain; repeatable");
  command->add_option("--lifetime", arguments->lifetime,
                      "how long it is valid: 30m; default: as the chain and the daemon allow");
  command->add_flag("--exact", arguments->exact, "refuse rather than narrow");
  command->add_option("--out", arguments->out, "write the chain to this file instead of standard output");
  command->footer(std::string(kConstraintHelp) +
                  "What is asked beyond the chain is narrowed to it, and said so.\n\n"
                  "Example:\n  chancery delegate chain.txt --to support --scope crm.read --lifetime 10m "
                  "--out support.txt");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return delegate(context, *arguments); };
  });
}

}  // namespace chancery::cli
