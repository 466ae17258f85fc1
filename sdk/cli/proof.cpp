#include <memory>
#include <optional>
#include <utility>

#include <chancery/proof.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/action_arguments.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

struct ProofArguments {
  std::vector<std::string> chain;
  std::string htm;
  std::string htu;
  std::string nonce;
  std::string scope;
  std::vector<std::string> params;
};

// The digest of the action that the arguments give; nothing when they give none.
Checked<std::optional<std::string>> bound_action(const ProofArguments& arguments) {
  if (arguments.scope.empty() && arguments.params.empty()) return std::optional<std::string>();
  if (arguments.scope.empty()) return misuse("--param goes with --scope: the action that the proof is for");
  CHANCERY_ASSIGN(const std::string params, parse_params(arguments.params));
  const auto parameters = parse_parameters(params);
  if (!parameters) return failure(parameters.error(), "--param");
  const auto digest = action_digest(arguments.scope, *parameters);
  if (!digest) return failure(digest.error(), "--param");
  return std::optional(*digest);
}

Checked<ExitCode> prove(Context& context, const ProofArguments& arguments) {
  api::CreateProof request;
  request.htm = arguments.htm;
  request.htu = arguments.htu;
  if (!arguments.nonce.empty()) request.nonce = arguments.nonce;
  CHANCERY_ASSIGN(request.ada, bound_action(arguments));
  CHANCERY_ASSIGN(request.chain, read_chain(arguments.chain));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto proof = client->prove(request);
  if (!proof) return failure(proof.error());
  if (context.output.json()) {
    context.output.document(wire::write(*proof));
  } else {
    context.output.line(printable(proof->proof));
  }
  return ExitCode::kSuccess;
}

}  // namespace

void add_proof(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<ProofArguments>();
  CLI::App* command =
      app.add_subcommand("proof", "Sign a DPoP proof for one request, with the holder's key (its agent)");
  add_chain_argument(*command, arguments->chain);
  command->add_option("--htm", arguments->htm, "the request's method")->required();
  command->add_option("--htu", arguments->htu, "the request's URI")->required();
  command->add_option("--nonce", arguments->nonce, "the nonce that the server demanded");
  command->add_option("--scope", arguments->scope,
                      "bind the proof to one action: its scope; other actions are then refused");
  add_repeatable(*command, "--param", arguments->params,
                 "and its parameters, NAME=VALUE; VALUE is JSON, else a text; repeatable");
  command->footer(
      "Examples:\n  chancery proof chain.txt --htm POST --htu https://crm.example.org/refunds\n"
      "  chancery proof chain.txt --htm POST --htu https://crm.example.org/refunds --scope payments.refund "
      "--param amount=75");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return prove(context, *arguments); };
  });
}

}  // namespace chancery::cli
