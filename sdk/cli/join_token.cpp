#include <memory>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/stored_context.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct JoinTokenArguments {
  std::string agent;
  std::string lifetime = "10m";
  std::string access = "24h";
  std::string out;
};

// The operator's chain goes to the agent's own key, with the agent's use alone; the agent's hardware hands it on
// to whoever joins.
Checked<std::vector<std::string>> access_of(const Context& context, const JoinTokenArguments& arguments,
                                            const api::Agent& agent) {
  CHANCERY_ASSIGN(const HeldChain held, operator_chain(context));
  const auto lifetime = parse_duration(arguments.access);
  if (!lifetime) return failure(lifetime.error(), "--access " + arguments.access);
  const auto digest = base64url_decode_exactly<32>(agent.jkt);
  if (!digest) return failure({ErrorCode::kBadResponse, "the daemon named no key of the agent"}, agent.name);
  DelegationRequest request;
  request.client_id = agent.id;
  request.holder = Thumbprint{*digest};
  request.lifetime = *lifetime;
  request.authority.scopes = {"chancery.agents.read", "chancery.delegations.create", "chancery.proofs.create",
                              "chancery.sessions.create"};
  request.authority.constraints = {
      {"agent", Membership{false, {json::to_jcs(Node(std::string_view(agent.name)))}}}};
  auto chain = delegate_with(held.key, held.chain, request, context.now);
  if (!chain) return failure(chain.error(), "the operator's chain");
  return *std::move(chain);
}

// To a file that its owner alone may read, or to standard output.
Checked<ExitCode> give_secret(Output& output, const api::JoinToken& token, const std::string& out) {
  constexpr unsigned kPrivate = 0600;
  if (!out.empty()) CHANCERY_TRY(replace_file(out, token.token + "\n", kPrivate));
  Node answer = Node::object({{"expires_at", token.expires_at}});
  if (out.empty()) answer.set("token", token.token);
  if (output.json()) {
    output.document(json::to_jcs(answer));
    return ExitCode::kSuccess;
  }
  if (out.empty()) output.line(printable(token.token));
  output.note("good once, until " + utc_text(static_cast<double>(token.expires_at)));
  return ExitCode::kSuccess;
}

Checked<ExitCode> create_join_token(Context& context, const JoinTokenArguments& arguments) {
  const auto client = connect(context);
  if (!client) return client.error();
  const auto agent = client->agent(arguments.agent);
  if (!agent) return failure(agent.error());
  api::CreateJoinToken request;
  request.agent = arguments.agent;
  CHANCERY_ASSIGN(request.chain, access_of(context, arguments, *agent));
  const auto lifetime = parse_duration(arguments.lifetime);
  if (!lifetime) return failure(lifetime.error(), "--lifetime " + arguments.lifetime);
  request.lifetime = *lifetime;
  const auto token = client->create_join_token(request);
  if (!token) return failure(token.error());
  return give_secret(context.output, *token, arguments.out);
}

}  // namespace

void add_join_token(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<JoinTokenArguments>();
  CLI::App* command =
      app.add_subcommand("join-token", "Make a secret by which an agent's process elsewhere joins, once");
  command->add_option("AGENT", arguments->agent, "the agent whose process it is")->required();
  command->add_option("--lifetime", arguments->lifetime,
                      "how long the secret is good; at most 1h; default 10m");
  command->add_option("--access", arguments->access,
                      "how long who joins may use the agent's key; default 24h");
  command->add_option("--out", arguments->out,
                      "write it to this file, for its owner alone, instead of standard output");
  command->footer(
      "It takes a context with an operator's chain: see `chancery init`. Who has the secret first is the agent: it\n"
      "travels where nobody else reads, and `chancery run --join` uses it there.\n\n"
      "Examples:\n  chancery join-token support --out token.txt\n"
      "  chancery join-token support | ssh host chancery run --agent support --chain support.txt --join - \\\n"
      "    --addr https://chancery.example.org:8443 -- ./support-agent");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return create_join_token(context, *arguments); };
  });
}

}  // namespace chancery::cli
