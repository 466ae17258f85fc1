// `chancery freeze`, `chancery agent freeze|unfreeze`: agents' keys that sign nothing, and the operator's signature that ends it.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <chancery/freeze_client.hpp>

#include "attest/evidence/kill_switch.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/confirmation.hpp"
#include "sdk/cli/freeze_commands.hpp"
#include "sdk/cli/kept_key.hpp"
#include "sdk/wire/freeze_messages.hpp"

namespace chancery::cli {
namespace {

/// Who signs for a kill switch.
struct Signing {
  std::string key;  ///< file; empty: only what takes no signature
  bool is_confirmed = false;
};

struct UnfreezeArguments {
  std::string agent;
  Signing signing{};
};

/// What a signature is for.
enum class SwitchChange : std::uint8_t { kArm, kUnfreezeAll, kUnfreezeOne };

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

// --- what the operator looks at

/// What is to be signed, beside the bank as the daemon says that it is.
struct Write {
  const api::SwitchSetting& setting;
  const api::SwitchBank& bank;
  [[nodiscard]] std::uint64_t unfrozen() const { return bank.frozen & ~setting.frozen; }
};

// An arming asks for a bank of each backend at a time, of which there are 15. What is unfrozen stands in one bank of each: a
// device that was told of the freeze meanwhile is asked for once more, together with the others.
int most_rounds(SwitchChange change) { return change == SwitchChange::kArm ? 15 : 2; }

/// What a command unfreezes: the same slot of each backend, however often it is asked for.
struct Unfrozen {
  std::uint64_t bits = 0;                          ///< 0: nothing yet
  std::map<std::string, std::uint32_t> indexes{};  ///< of banks, by backend
};

// Two rounds for two slots are not one command's.
bool is_same(const Write& write, Unfrozen& before) {
  if (before.bits == 0) before.bits = write.unfrozen();
  const auto [found, is_new] = before.indexes.emplace(write.setting.backend, write.setting.index);
  return before.bits == write.unfrozen() && (is_new || found->second == write.setting.index);
}

// Which bank is the first, the daemon alone says: in none of them is this bit one agent's.
constexpr std::uint64_t kAllAgents = attest::bit_of_slot(0);

// What no change of this kind is. A daemon that lies about what is frozen passes here: what stays frozen is for the operator's eyes.
bool is_of_kind(const Write& write, SwitchChange change) {
  const bool unfreezes_all = (write.unfrozen() & kAllAgents) != 0;
  switch (change) {
    case SwitchChange::kArm:
      return !write.bank.is_armed;
    case SwitchChange::kUnfreezeAll:
      return write.bank.is_armed && write.bank.number == 0 && write.unfrozen() == kAllAgents;
    case SwitchChange::kUnfreezeOne:
      return write.bank.is_armed && !unfreezes_all && std::popcount(write.unfrozen()) == 1;
  }
  return false;
}

Checked<std::vector<Write>> judged(const std::vector<api::SwitchSetting>& to_sign,
                                   const std::vector<api::SwitchBank>& banks, SwitchChange change,
                                   Unfrozen& before) {
  std::vector<Write> out;
  for (const api::SwitchSetting& setting : to_sign) {
    const auto bank = std::ranges::find_if(banks, [&](const api::SwitchBank& each) {
      return each.backend == setting.backend && each.index == setting.index;
    });
    const bool is_second = std::ranges::any_of(
        out, [&](const Write& other) { return other.setting.backend == setting.backend; });
    if (bank == banks.end() || is_second || !is_of_kind({setting, *bank}, change) ||
        (change != SwitchChange::kArm && !is_same({setting, *bank}, before)))
      return failure(
          Error{
              ErrorCode::kBadResponse,
              "what the daemon wants signed is something else than this command is for, or something was frozen "
              "meanwhile: it was not signed; give the command again, and look at the daemon's log if it stays so"},
          setting.backend);
    out.push_back({setting, *bank});
  }
  return out;
}

std::string slots_text(std::uint64_t bits, std::uint32_t bank) {
  std::string out;
  for (std::uint32_t bit = 0; bit < attest::kSlotsOfBank; ++bit) {
    if ((bits >> bit & 1) == 0 || (bank == 0 && bit == 0)) continue;
    out += (out.empty() ? "" : ", ") + std::to_string(bank * attest::kSlotsOfBank + bit);
  }
  return out.empty() ? "none" : out;
}

// Of a bank that is none of the first by the daemon's word, and may be it all the same, too.
const char* all_agents_text(const Write& write) {
  if ((write.setting.frozen & kAllAgents) != 0) return "stay frozen";
  const bool is_lifted = (write.unfrozen() & kAllAgents) != 0;
  return is_lifted || write.bank.number == 0
             ? "are not frozen from then on"
             : "as they are, unless this is bank 0: the daemon says that it is not";
}

void tell(Output& output, const Write& write) {
  const std::uint32_t bank = write.bank.number;
  output.line(
      output.paint(Colour::kBold, printable(write.setting.backend) + ", bank " + std::to_string(bank)));
  output.field("all agents", all_agents_text(write));
  output.field("unfreezes", "slots " + slots_text(write.unfrozen(), bank));
  output.field("stay frozen", "slots " + slots_text(write.setting.frozen, bank));
}

// Who may unfreeze one agent is not told of others.
std::vector<std::string> frozen_in(const api::FreezeState& state) { return state.agents; }
std::vector<std::string> frozen_in(const api::AgentFreeze&) { return {}; }

/// What a daemon answers that wants something signed.
struct Asked {
  const std::vector<api::SwitchSetting>& to_sign;
  const std::vector<api::SwitchBank>& banks;
  std::vector<std::string> agents;  ///< that are frozen by themselves
};

void tell(Output& output, const std::vector<Write>& writes, const Asked& asked) {
  if (output.json()) return;
  for (const Write& write : writes) tell(output, write);
  for (const std::string& agent : asked.agents) output.field("frozen by itself", agent);
}

Checked<api::SignedSettings> sign_all(Output& output, SwitchChange change, const Signing& signing,
                                      const Asked& asked, Unfrozen& before) {
  if (signing.key.empty())
    return misuse(
        "the kill switch takes the operator's signature: give --key, the private key of [freeze] operator_key");
  CHANCERY_ASSIGN(const KeptKey key, KeptKey::load(signing.key));
  CHANCERY_ASSIGN(const std::vector<Write> writes, judged(asked.to_sign, asked.banks, change, before));
  tell(output, writes, asked);
  CHANCERY_TRY(confirm(output, "Have these stay frozen and no other", signing.is_confirmed));
  api::SignedSettings out;
  for (const Write& write : writes) {
    CHANCERY_ASSIGN(api::SignedSetting each, sign(key, write.setting));
    out.settings.push_back(std::move(each));
  }
  return out;
}

/// Asks, has the operator look at what is to be signed, signs, and asks again, until nothing is.
/// \param call  const api::SignedSettings& → ClientResult<Answer>
template <typename Call>
Checked<ExitCode> until_nothing_is_to_sign(Context& context, SwitchChange change, const Signing& signing,
                                           Call call) {
  api::SignedSettings settings;
  Unfrozen unfrozen;
  for (int round = 0;; ++round) {
    const auto answer = call(settings);
    if (!answer) return failure(answer.error());
    if (answer->to_sign.empty()) {
      show(context.output, *answer);
      return ExitCode::kSuccess;
    }
    if (round == most_rounds(change))
      return failure(
          Error{ErrorCode::kBadResponse, "the daemon asks for signature after signature: look at its log"});
    const Asked asked{answer->to_sign, answer->banks, frozen_in(*answer)};
    CHANCERY_ASSIGN(settings, sign_all(context.output, change, signing, asked, unfrozen));
  }
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
  return until_nothing_is_to_sign(context, SwitchChange::kUnfreezeOne, arguments.signing,
                                  [&](const api::SignedSettings& settings) {
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

using Call = ClientResult<api::FreezeState> (FreezeClient::*)(const api::SignedSettings&) const;

Checked<ExitCode> change_all(Context& context, SwitchChange change, const Signing& signing) {
  const Call call = change == SwitchChange::kArm ? &FreezeClient::arm : &FreezeClient::lift;
  const auto client = connect(context);
  if (!client) return client.error();
  return until_nothing_is_to_sign(context, change, signing, [&](const api::SignedSettings& settings) {
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

void add_signing(CLI::App& command, Signing& signing) {
  command.add_option("--key", signing.key, kKeyHelp);
  command.add_flag("--yes", signing.is_confirmed,
                   "do not ask, for scripts: what is signed then is what the daemon says");
}

void add_change(CLI::App& group, Command& chosen, const char* name, const char* help, SwitchChange change) {
  const auto signing = std::make_shared<Signing>();
  CLI::App* command = group.add_subcommand(name, help);
  add_signing(*command, *signing);
  command->callback([signing, change, &chosen] {
    chosen = [signing, change](Context& context) { return change_all(context, change, *signing); };
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
  add_signing(*command, arguments->signing);
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
             "Make the kill switch ready: the operator signs for each of its banks once", SwitchChange::kArm);
  add_change(*group, chosen, "lift", "Let agents' keys sign again that are frozen with all",
             SwitchChange::kUnfreezeAll);
}

}  // namespace chancery::cli
