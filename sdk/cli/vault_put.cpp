// `chancery vault put` and `chancery vault rotate`: how values get in.

#include <memory>
#include <utility>

#include <chancery/vault_client.hpp>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/secret_input.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/vault_commands.hpp"

namespace chancery::cli {
namespace {

struct PutArguments {
  std::string name;
  SecretSource source;
  std::string expires;
  std::string type, issuer, scope, owner, environment;
  std::vector<std::string> tools;
  bool rotate_on_hit = false;
  std::string drain = "10m";
  std::vector<std::string> in_vain;  ///< what somebody gave for a value
};

// The library would quote what it does not expect; this is taken, and refused without a word of it.
Checked<void> require_no_value(const PutArguments& arguments) {
  if (!arguments.in_vain.empty()) {
    return misuse(
        "a credential's value is never an argument, which every process of this machine sees and shells keep: give it "
        "with --stdin or --file, or type it when you are asked. Rotate the one that you gave");
  }
  return require_credential_name(arguments.name);
}

Checked<ExitCode> put(Context& context, const PutArguments& arguments) {
  CHANCERY_TRY(require_no_value(arguments));
  if (!arguments.issuer.empty() && (arguments.source.is_stdin || !arguments.source.file.empty()))
    return misuse("what an issuer makes has no value to put: leave --stdin and --file out");
  CHANCERY_ASSIGN(auto expires_at, read_expiry(arguments.expires, context.now));
  const auto client = connect(context);
  if (!client) return client.error();
  api::PutCredential request;
  if (arguments.issuer.empty()) {
    CHANCERY_ASSIGN(request.value,
                    read_secret_value(arguments.source, "value of " + arguments.name, kLongestValue));
  }
  request.issuer = arguments.issuer;
  request.name = arguments.name;
  request.type = arguments.type;
  request.scope = arguments.scope;
  request.tools = arguments.tools;
  request.owner = arguments.owner;
  request.environment = arguments.environment;
  request.rotate_on_hit = arguments.rotate_on_hit;
  request.expires_at = expires_at;
  const auto credential = VaultClient(*client).put(request);
  if (!credential) return failure(credential.error());
  show_credential(context.output, *credential);
  if (!credential->versions.empty() && credential->versions.back().state == "pending") {
    context.output.note("version " + std::to_string(credential->versions.back().number) +
                        " waits: `chancery vault activate " + arguments.name +
                        "` has it released in place of the present one");
  }
  return ExitCode::kSuccess;
}

Checked<ExitCode> rotate(Context& context, const PutArguments& arguments) {
  CHANCERY_TRY(require_no_value(arguments));
  const auto drain = parse_duration(arguments.drain);
  if (!drain) return failure(drain.error(), "--drain");
  CHANCERY_ASSIGN(auto expires_at, read_expiry(arguments.expires, context.now));
  const auto client = connect(context);
  if (!client) return client.error();
  api::RotateCredential request;
  CHANCERY_ASSIGN(request.value,
                  read_secret_value(arguments.source, "new value of " + arguments.name, kLongestValue));
  request.expires_at = expires_at;
  request.drain = *drain;
  const auto credential = VaultClient(*client).rotate(arguments.name, request);
  if (!credential) return failure(credential.error());
  show_credential(context.output, *credential);
  return ExitCode::kSuccess;
}

void add_value_options(CLI::App& command, PutArguments& arguments) {
  command.add_option("NAME", arguments.name, "the credential")->required();
  command.add_option("--file", arguments.source.file,
                     "read the value from this file, which nobody else may read");
  command.add_flag("--stdin", arguments.source.is_stdin, "read the value from standard input");
  command.add_option("--expires", arguments.expires, "when the value expires: 90d, or 2027-01-31T12:00:00Z");
  command.add_option("VALUE", arguments.in_vain)->group("");
  command.add_option("--value,--secret,--password", arguments.in_vain)->group("");
}

void add_put(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<PutArguments>();
  CLI::App* command = group.add_subcommand("put", "Put a credential, or its next value");
  add_value_options(*command, *arguments);
  command->add_option("--type", arguments->type, "api_key, client_secret, password or service_account_key");
  command->add_option("--issuer", arguments->issuer,
                      "who makes it for each call, in place of a value and a type: `chancery vault issuers`");
  command->add_option("--scope", arguments->scope, "the scope under which it may be used: payments.refund");
  add_repeatable(*command, "--tool", arguments->tools, "a tool that it is for; repeatable");
  command->add_option("--owner", arguments->owner, "who answers for it");
  command->add_option("--environment", arguments->environment, "where it is good: production, staging");
  command->add_flag("--rotate-on-hit", arguments->rotate_on_hit,
                    "it is to be replaced when it is found where it does not belong");
  command->footer(
      "A new credential needs --type, --scope and --tool, and is released at once. Of one that is there this is the next\n"
      "value: it waits for `chancery vault activate`. Without --file or --stdin the value is asked for on the terminal,\n"
      "twice, and not shown. One newline behind it is not a part of it. No command gives it out again.\n"
      "With --issuer there is no value: what is released was made a moment before.\n\n"
      "Examples:\n  chancery vault put psp --type api_key --scope payments.refund --tool refund\n"
      "  chancery vault put orders-db --issuer shop --scope orders.read --tool list-orders\n"
      "  pass show psp | chancery vault put psp --stdin --expires 90d");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return put(context, *arguments); }; });
}

void add_rotate(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<PutArguments>();
  CLI::App* command =
      group.add_subcommand("rotate", "Put a credential's next value and have it released from now on");
  add_value_options(*command, *arguments);
  command->add_option("--drain", arguments->drain,
                      "how long what is under way may use the former value; default 10m");
  command->footer("Example:\n  chancery vault rotate psp --file new-key.txt --drain 1m");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return rotate(context, *arguments); };
  });
}

}  // namespace

void add_vault_put(CLI::App& group, Command& chosen) {
  add_put(group, chosen);
  add_rotate(group, chosen);
}

}  // namespace chancery::cli
