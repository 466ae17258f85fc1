#include <memory>
#include <optional>
#include <utility>

#include <chancery/proof.hpp>
#include <chancery/session.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/action_arguments.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/client/transport.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::cli {
namespace {

/// The request that a proof is for, and the action that it is bound to.
struct ProvedRequest {
  std::string htm;
  std::string htu;
  std::string nonce;
  std::string scope;
  std::vector<std::string> params;
};

struct ProofArguments {
  std::vector<std::string> chain;
  ProvedRequest request;
};

// The digest of the action that the arguments give; nothing when they give none.
Checked<std::optional<std::string>> bound_action(const ProvedRequest& arguments) {
  if (arguments.scope.empty() && arguments.params.empty()) return std::optional<std::string>();
  if (arguments.scope.empty()) return misuse("--param goes with --scope: the action that the proof is for");
  CHANCERY_ASSIGN(const std::string params, parse_params(arguments.params));
  const auto parameters = parse_parameters(params);
  if (!parameters) return failure(parameters.error(), "--param");
  const auto digest = action_digest(arguments.scope, *parameters);
  if (!digest) return failure(digest.error(), "--param");
  return std::optional(*digest);
}

Checked<ProofClaims> claims_of(const ProvedRequest& request) {
  ProofClaims claims{request.htm, request.htu, {}};
  if (!request.nonce.empty()) claims.nonce = request.nonce;
  CHANCERY_ASSIGN(claims.ada, bound_action(request));
  return claims;
}

Checked<ExitCode> prove(Context& context, const ProofArguments& arguments) {
  CHANCERY_ASSIGN(const ProofClaims claims, claims_of(arguments.request));
  api::CreateProof request;
  request.htm = claims.htm;
  request.htu = claims.htu;
  request.nonce = claims.nonce;
  request.ada = claims.ada;
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

Checked<ExitCode> present(Context& context, const ProvedRequest& request) {
  CHANCERY_ASSIGN(const ProofClaims claims, claims_of(request));
  const auto session = Session::inherited();
  if (!session) return failure(session.error());
  const auto presented = (*session)->present(claims);
  if (!presented) return failure(presented.error());
  if (context.output.json()) {
    context.output.document(json::to_jcs(
        json::Node::object({{"chain", wire::text_array(presented->chain)}, {"proof", presented->proof}})));
    return ExitCode::kSuccess;
  }
  for (const auto& [name, value] : client::authorization_headers(*presented)) {
    context.output.line(printable(name + ": " + value));
  }
  return ExitCode::kSuccess;
}

void add_request_options(CLI::App& command, ProvedRequest& request) {
  command.add_option("--htm", request.htm, "the request's method")->required();
  command.add_option("--htu", request.htu, "the request's URI")->required();
  command.add_option("--nonce", request.nonce, "the nonce that the server demanded");
  command.add_option("--scope", request.scope,
                     "bind the proof to one action: its scope; other actions are then refused");
  add_repeatable(command, "--param", request.params,
                 "and its parameters, NAME=VALUE; VALUE is JSON, else a text; repeatable");
}

}  // namespace

void add_proof(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<ProofArguments>();
  CLI::App* command =
      app.add_subcommand("proof", "Sign a DPoP proof for one request, with the holder's key (its agent)");
  add_chain_argument(*command, arguments->chain);
  add_request_options(*command, arguments->request);
  command->footer(
      "Examples:\n  chancery proof chain.txt --htm POST --htu https://crm.example.org/refunds\n"
      "  chancery proof chain.txt --htm POST --htu https://crm.example.org/refunds --scope payments.refund "
      "--param amount=75");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return prove(context, *arguments); };
  });
}

void add_present(CLI::App& app, Command& chosen) {
  const auto request = std::make_shared<ProvedRequest>();
  CLI::App* command = app.add_subcommand(
      "present", "Show the session that this program runs in: its chain, and a proof by its key");
  add_request_options(*command, *request);
  command->footer(
      "For programs that `chancery run` started. The text is the request's headers, as curl takes them; with\n"
      "--format json there are `chain` and `proof`.\n\n"
      "Example:\n  chancery present --htm POST --htu https://crm.example.org/refunds --scope payments.refund "
      "--param amount=75 \\\n"
      "    | curl -H @- --json '{\"amount\":75}' https://crm.example.org/refunds");
  command->callback(
      [request, &chosen] { chosen = [request](Context& context) { return present(context, *request); }; });
}

}  // namespace chancery::cli
