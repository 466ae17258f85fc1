// `chancery vault activate`, `change`, `revoke` and `reset`.

#include <memory>
#include <utility>

#include <chancery/vault_client.hpp>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/cli/vault_commands.hpp"
#include "sdk/wire/vault_messages.hpp"

namespace chancery::cli {
namespace {

/// Connects, and shows the credential that `call` gives: VaultClient → ClientResult<api::Credential>.
template <typename Ask>
Checked<ExitCode> ask(Context& context, const std::string& name, Ask call) {
  CHANCERY_TRY(require_credential_name(name));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto credential = call(VaultClient(*client));
  if (!credential) return failure(credential.error());
  show_credential(context.output, *credential);
  return ExitCode::kSuccess;
}

struct ActivateArguments {
  std::string name;
  std::string drain = "10m";
};

void add_activate(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<ActivateArguments>();
  CLI::App* command = group.add_subcommand("activate", "Release the value that waits from now on");
  command->add_option("NAME", arguments->name, "the credential")->required();
  command->add_option("--drain", arguments->drain,
                      "how long what is under way may use the former value; default 10m");
  command->footer(
      "The former value is revoked as soon as nothing uses it any more, and after --drain at the latest.\n\n"
      "Example:\n  chancery vault activate psp --drain 1m");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) -> Checked<ExitCode> {
      const auto drain = parse_duration(arguments->drain);
      if (!drain) return failure(drain.error(), "--drain");
      return ask(context, arguments->name, [&](const VaultClient& vault) {
        return vault.activate(arguments->name, api::ActivateCredential{*drain});
      });
    };
  });
}

struct ChangeArguments {
  std::string name;
  api::ChangeCredential change;
  std::string type, scope, owner, environment, rotate_on_hit;
  std::vector<std::string> tools;
};

api::ChangeCredential change_of(const CLI::App& command, const ChangeArguments& arguments) {
  const auto if_said = [&](const char* option, const std::string& value) {
    return command.count(option) > 0 ? std::optional(value) : std::nullopt;
  };
  api::ChangeCredential out;
  out.type = if_said("--type", arguments.type);
  out.scope = if_said("--scope", arguments.scope);
  out.owner = if_said("--owner", arguments.owner);
  out.environment = if_said("--environment", arguments.environment);
  if (command.count("--tool") > 0) out.tools = arguments.tools;
  if (command.count("--rotate-on-hit") > 0) out.rotate_on_hit = arguments.rotate_on_hit == "yes";
  return out;
}

void add_change(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<ChangeArguments>();
  CLI::App* command =
      group.add_subcommand("change", "Say anew what a credential is for; its values stay as they are");
  command->add_option("NAME", arguments->name, "the credential")->required();
  command->add_option("--type", arguments->type, "api_key, client_secret, password or service_account_key");
  command->add_option("--scope", arguments->scope, "the scope under which it may be used");
  add_repeatable(*command, "--tool", arguments->tools,
                 "a tool that it is for, in place of all former ones; repeatable");
  command->add_option("--owner", arguments->owner, "who answers for it; \"\" for nobody");
  command->add_option("--environment", arguments->environment, "where it is good; \"\" to leave it open");
  command
      ->add_option("--rotate-on-hit", arguments->rotate_on_hit,
                   "yes or no: it is to be replaced when it is found where it does not belong")
      ->check(CLI::IsMember({"yes", "no"}));
  command->footer("Example:\n  chancery vault change psp --tool refund --tool refund-status");
  command->callback([arguments, command, &chosen] {
    arguments->change = change_of(*command, *arguments);
    chosen = [arguments](Context& context) {
      return ask(context, arguments->name,
                 [&](const VaultClient& vault) { return vault.change(arguments->name, arguments->change); });
    };
  });
}

struct RevokeArguments {
  std::string name;
  std::int64_t version = 0;
};

void add_revoke(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<RevokeArguments>();
  CLI::App* command = group.add_subcommand("revoke", "Erase a credential's values for good, or one of them");
  command->add_option("NAME", arguments->name, "the credential")->required();
  command->add_option("--version", arguments->version, "only this one, as `chancery vault show` numbers them")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  command->footer(
      "It is not released any more. Whoever has it already can use it until its issuer revokes it: do that too.\n\n"
      "Example:\n  chancery vault revoke psp --version 1");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) {
      return ask(context, arguments->name, [&](const VaultClient& vault) {
        return vault.revoke(arguments->name, api::RevokeCredential{arguments->version});
      });
    };
  });
}

void add_reset(CLI::App& group, Command& chosen) {
  const auto is_confirmed = std::make_shared<bool>(false);
  CLI::App* command =
      group.add_subcommand("reset", "Forget every credential, when the device with the vault's key is gone");
  command->add_flag("--forget-all-credentials", *is_confirmed, "yes, every one of them is to be put again");
  command->footer(
      "A device that was only away comes back by itself: nothing is to be forgotten for that.\n\n"
      "Example:\n  chancery vault reset --forget-all-credentials");
  command->callback([is_confirmed, &chosen] {
    chosen = [is_confirmed](Context& context) -> Checked<ExitCode> {
      if (!*is_confirmed)
        return misuse("every credential is lost by this: if that is meant, say --forget-all-credentials");
      const auto client = connect(context);
      if (!client) return client.error();
      const auto reset = VaultClient(*client).reset();
      if (!reset) return failure(reset.error());
      if (context.output.json()) {
        context.output.document(wire::write(*reset));
      } else {
        context.output.line(
            std::to_string(reset->versions) +
            " values are forgotten; the vault has a new key with the next `chancery vault put`.");
      }
      return ExitCode::kSuccess;
    };
  });
}

}  // namespace

void add_vault_change(CLI::App& group, Command& chosen) {
  add_activate(group, chosen);
  add_change(group, chosen);
  add_revoke(group, chosen);
  add_reset(group, chosen);
}

}  // namespace chancery::cli
