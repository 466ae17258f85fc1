#include "sdk/cli/status_target.hpp"

#include <chancery/verify.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/chain_input.hpp"

namespace chancery::cli {
namespace {

struct TargetOption {
  const char* kind;
  const char* value;
  const char* help;
};

constexpr std::array<TargetOption, 6> kOptions{{
    {"token", "ID", "one token; chains through it are denied with it"},
    {"subtree", "ID", "a token and all that was delegated from it"},
    {"chain", "FILE",
     "the same of a chain's last token, also one that was delegated offline; -: standard input"},
    {"agent", "NAME", "an agent's tokens and all that was delegated from them"},
    {"key", "JKT", "the same of the holder of a key"},
    {"principal", "NAME", "the same of a principal"},
}};

std::string time_text(std::int64_t time) { return utc_text(static_cast<double>(time)); }

}  // namespace

void TargetArguments::add_to(CLI::App& command) {
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    command.add_option(std::string("--") + kOptions[i].kind, values[i], kOptions[i].help)
        ->type_name(kOptions[i].value);
  }
}

Checked<api::StatusTarget> TargetArguments::target() const {
  api::StatusTarget out;
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    if (values[i].empty()) continue;
    if (!out.kind.empty()) return misuse("name one target: --" + out.kind + " or --" + kOptions[i].kind);
    out = {kOptions[i].kind, values[i]};
  }
  if (out.kind == api::kChainTarget) {
    CHANCERY_ASSIGN(const std::vector<std::string> chain, read_chain({out.value}));
    out.value = join_chain(chain);
  }
  if (!out.kind.empty()) return out;
  return misuse("name what is meant: --token, --subtree, --chain, --agent, --key or --principal");
}

std::string target_text(const api::StatusTarget& target) { return target.kind + " " + target.value; }

void show_act(Output& output, const api::StatusAct& act) {
  output.line(output.paint(Colour::kBold, act.kind == "revoke"    ? "revoked"
                                          : act.kind == "suspend" ? "suspended"
                                                                  : "drill"));
  output.field("target", target_text(act.target));
  if (!act.reason.empty()) output.field("reason", act.reason);
  output.field("tokens", std::to_string(act.tokens));
  output.field("at", time_text(act.at));
  if (act.until && !act.lifted_at) output.field("until", time_text(*act.until));
  if (act.lifted_at) output.field("lifted", time_text(*act.lifted_at));
  if (act.kind != "revoke" && !act.lifted_at) {
    output.field("ends by", "chancery lift " + std::to_string(act.id));
  }
}

}  // namespace chancery::cli
