// `chancery freeze`, `chancery agent freeze|unfreeze`: agents' keys that sign nothing, and the operator's signature that ends it.

#include <bit>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include <chancery/freeze_client.hpp>

#include "attest/evidence/kill_switch.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/freeze_commands.hpp"
#include "sdk/cli/kept_key.hpp"
#include "sdk/wire/freeze_messages.hpp"

namespace chancery::cli {
namespace {

// Each kill switch of each backend has 15 banks at most, and one round arms a bank of each.
constexpr int kMostRounds = 20;

struct UnfreezeArguments {
  std::string agent;
  std::string key;  ///< file; empty: only what takes no signature
};

struct FreezeArguments {
  std::string agent;
  std::string reason;
  bool all = false;
};

// Of what is not frozen it says who would.
std::string enforcement_text(const std::string& enforcement, bool is_frozen) {
  if (enforcement == api::kByTpm)
    return is_frozen ? "tpm: the device itself refuses to sign"
                     : "tpm: the device itself would refuse to sign";
  return is_frozen ? "software: the daemon refuses" : "software: the daemon would refuse";
}

void show(Output& output, const api::AgentFreeze& freeze) {
  if (output.json()) return output.document(wire::write(freeze));
  output.line(output.paint(Colour::kBold, printable(freeze.agent)) +
              (freeze.is_frozen ? "  frozen" : "  not frozen"));
  output.field("enforcement", enforcement_text(freeze.enforcement, freeze.is_frozen));
}

void show(Output& output, const api::FreezeState& state) {
  if (output.json()) return output.document(wire::write(state));
  output.line(output.paint(Colour::kBold, "all agents") + (state.is_frozen ? "  frozen" : "  not frozen"));
  if (state.since) output.field("since", utc_text(static_cast<double>(*state.since)));
  if (!state.reason.empty()) output.field("reason", state.reason);
  output.field("enforcement", enforcement_text(state.enforcement, state.is_frozen));
  output.field("kill switch", state.is_armed ? "armed" : "not armed, or its device is away");
  output.field("keys", std::to_string(state.switched_keys) + " hang on it, " +
                           std::to_string(state.other_keys) + " do not");
  for (const std::string& agent : state.agents) output.field("frozen by itself", agent);
}

template <typename Answer>
Checked<ExitCode> show_answer(Context& context, const ClientResult<Answer>& answer) {
  if (!answer) return failure(answer.error());
  show(context.output, *answer);
  return ExitCode::kSuccess;
}

// --- the operator's signature

// What is signed is computed here, from what the daemon says that it wants written where: never a hash that it gives.
Checked<api::SignedSetting> sign(const KeptKey& key, const api::SwitchSetting& setting) {
  const auto message =
      attest::setting_message({setting.index, setting.frozen, setting.nonce}, key.holder().public_key());
  if (!message) return failure(message.error(), setting.backend);
  const auto signature = key.holder().sign(*message);
  if (!signature) return failure(signature.error());
  return api::SignedSetting{setting, {signature->begin(), signature->end()}};
}

void tell(Output& output, const api::SwitchSetting& setting) {
  if (output.json()) return;
  output.line("signing for " + printable(setting.backend) + ": " +
              std::to_string(std::popcount(setting.frozen)) + " slots of one bank stay frozen");
}

Checked<api::SignedSettings> sign_all(Output& output, const std::string& key_file,
                                      const std::vector<api::SwitchSetting>& to_sign) {
  if (key_file.empty())
    return misuse(
        "the kill switch takes the operator's signature: give --key, the private key of [freeze] operator_key");
  CHANCERY_ASSIGN(const KeptKey key, KeptKey::load(key_file));
  api::SignedSettings out;
  for (const api::SwitchSetting& setting : to_sign) {
    tell(output, setting);
    CHANCERY_ASSIGN(api::SignedSetting each, sign(key, setting));
    out.settings.push_back(std::move(each));
  }
  return out;
}

/// Asks, signs what is to be signed, and asks again, until nothing is.
/// \param call  const api::SignedSettings& → ClientResult<Answer>
template <typename Call>
Checked<ExitCode> until_nothing_is_to_sign(Context& context, const std::string& key_file, Call call) {
  api::SignedSettings settings;
  for (int round = 0; round < kMostRounds; ++round) {
    const auto answer = call(settings);
    if (!answer) return failure(answer.error());
    if (answer->to_sign.empty()) {
      show(context.output, *answer);
      return ExitCode::kSuccess;
    }
    CHANCERY_ASSIGN(settings, sign_all(context.output, key_file, answer->to_sign));
  }
  return failure(
      Error{ErrorCode::kBadResponse, "the daemon asks for signature after signature: look at its log"});
}

// --- commands

Checked<ExitCode> freeze_agent(Context& context, const FreezeArguments& arguments) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, FreezeClient(*client).freeze(arguments.agent, {arguments.reason}));
}

Checked<ExitCode> unfreeze_agent(Context& context, const UnfreezeArguments& arguments) {
  const auto client = connect(context);
  if (!client) return client.error();
  return until_nothing_is_to_sign(context, arguments.key, [&](const api::SignedSettings& settings) {
    return FreezeClient(*client).unfreeze(arguments.agent, settings);
  });
}

Checked<ExitCode> freeze_all(Context& context, const FreezeArguments& arguments) {
  if (!arguments.all)
    return misuse(
        "give --all to freeze every agent, or `show`, `arm`, `lift` or `key`; `chancery agent freeze NAME` is "
        "for one");
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, FreezeClient(*client).freeze_all({arguments.reason}));
}

Checked<ExitCode> show_state(Context& context) {
  const auto client = connect(context);
  if (!client) return client.error();
  return show_answer(context, FreezeClient(*client).state());
}

using Change = ClientResult<api::FreezeState> (FreezeClient::*)(const api::SignedSettings&) const;

Checked<ExitCode> change(Context& context, const std::string& key, Change call) {
  const auto client = connect(context);
  if (!client) return client.error();
  return until_nothing_is_to_sign(context, key, [&](const api::SignedSettings& settings) {
    return (FreezeClient(*client).*call)(settings);
  });
}

struct KeyArguments {
  std::string file;
  KeyOptions place{};
};

Checked<KeptKey> key_or_new(const KeyArguments& arguments) {
  std::error_code ignored;
  if (std::filesystem::exists(arguments.file, ignored)) return KeptKey::load(arguments.file);
  CHANCERY_ASSIGN(const KeyPlace place, chosen_place(arguments.place));
  CHANCERY_ASSIGN(KeptKey key, KeptKey::make(place));
  CHANCERY_TRY(key.save(arguments.file));
  return key;
}

Checked<ExitCode> show_key(Context& context, const KeyArguments& arguments) {
  CHANCERY_ASSIGN(const KeptKey key, key_or_new(arguments));
  context.output.document(key.holder().public_key().jwk());
  return ExitCode::kSuccess;
}

void add_reason(CLI::App& command, FreezeArguments& arguments) {
  command.add_option("--reason", arguments.reason, "why, for people: one line");
}

constexpr const char* kKeyHelp =
    "the private key of [freeze] operator_key, 0600: PEM, or the file of one in a device";

void add_change(CLI::App& group, Command& chosen, const char* name, const char* help, Change call) {
  const auto key = std::make_shared<std::string>();
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("--key", *key, kKeyHelp);
  command->callback([key, call, &chosen] {
    chosen = [key, call](Context& context) { return change(context, *key, call); };
  });
}

void add_freeze_key(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<KeyArguments>();
  CLI::App* command = group.add_subcommand(
      "key", "Print the public key for [freeze] operator_key, of a key that is made unless FILE is there");
  command->add_option("FILE", arguments->file, "the private key's file")->required();
  add_key_options(*command, arguments->place);
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return show_key(context, *arguments); };
  });
}

}  // namespace

void add_agent_freeze(CLI::App& agents, Command& chosen) {
  {
    const auto arguments = std::make_shared<FreezeArguments>();
    CLI::App* command = agents.add_subcommand(
        "freeze", "Have an agent's keys sign nothing until they are unfrozen; tokens stay as they are");
    command->add_option("NAME", arguments->agent, "the agent's name")->required();
    add_reason(*command, *arguments);
    command->callback([arguments, &chosen] {
      chosen = [arguments](Context& context) { return freeze_agent(context, *arguments); };
    });
  }
  const auto arguments = std::make_shared<UnfreezeArguments>();
  CLI::App* command = agents.add_subcommand(
      "unfreeze", "Let an agent's keys sign again; where a TPM freezes them, by the operator's signature");
  command->add_option("NAME", arguments->agent, "the agent's name")->required();
  command->add_option("--key", arguments->key, kKeyHelp);
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return unfreeze_agent(context, *arguments); };
  });
}

void add_freeze(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<FreezeArguments>();
  CLI::App* group =
      app.add_subcommand("freeze", "Freeze every agent's keys, and the TPM's kill switch (operator)");
  group->require_subcommand(0, 1);
  group->add_flag("--all", arguments->all, "have no key of any agent sign until that is lifted");
  add_reason(*group, *arguments);
  group->callback([arguments, group, &chosen] {
    if (!group->get_subcommands().empty()) return;  // which has chosen already
    chosen = [arguments](Context& context) { return freeze_all(context, *arguments); };
  });
  CLI::App* shown = group->add_subcommand("show", "Show what is frozen, and who enforces it");
  shown->callback([&chosen] { chosen = show_state; });
  add_freeze_key(*group, chosen);
  add_change(*group, chosen, "arm",
             "Make the kill switch ready: the operator signs for each of its banks once", &FreezeClient::arm);
  add_change(*group, chosen, "lift", "Let agents' keys sign again that are frozen with all",
             &FreezeClient::lift);
}

}  // namespace chancery::cli
