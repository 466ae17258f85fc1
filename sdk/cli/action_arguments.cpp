#include "sdk/cli/action_arguments.hpp"

#include <algorithm>
#include <utility>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/json_text.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

Checked<DpopPresentation> parse_presentation(const ActionArguments& arguments) {
  if (arguments.htm.empty() || arguments.htu.empty()) {
    return misuse("--proof needs --htm and --htu: the method and URI of the request that it came with");
  }
  DpopPresentation dpop;
  CHANCERY_ASSIGN(dpop.proof, read_token(arguments.proof));
  dpop.htm = arguments.htm;
  dpop.htu = arguments.htu;
  if (!arguments.nonce.empty()) dpop.nonce = arguments.nonce;
  return dpop;
}

}  // namespace

Checked<std::string> parse_params(const std::vector<std::string>& params) {
  Node object = Node::object();
  std::vector<std::string_view> names;
  for (const std::string& param : params) {
    const std::size_t equals = param.find('=');
    if (equals == std::string::npos || equals == 0)
      return misuse("--param takes NAME=VALUE, such as amount=75");
    const std::string_view name = std::string_view(param).substr(0, equals);
    if (std::ranges::find(names, name) != names.end())
      return misuse("--param gives " + std::string(name) + " twice");
    auto value = json_or_text(std::string_view(param).substr(equals + 1));
    if (!value) return failure(value.error(), param);
    object.set(std::string(name), *std::move(value));
    names.push_back(name);
  }
  return json::to_jcs(object);
}

Checked<std::optional<api::Action>> parse_action(const ActionArguments& arguments) {
  const bool asked = !arguments.audience.empty() || !arguments.scope.empty();
  const bool details = !arguments.params.empty() || !arguments.proof.empty() || !arguments.htm.empty() ||
                       !arguments.htu.empty() || !arguments.nonce.empty();
  if (!asked && !details) return std::optional<api::Action>();
  if (arguments.audience.empty() || arguments.scope.empty()) {
    return misuse("to judge an action give both --audience (who enforces) and --scope (what is asked)");
  }
  if (arguments.proof.empty() &&
      (!arguments.htm.empty() || !arguments.htu.empty() || !arguments.nonce.empty())) {
    return misuse("--htm, --htu and --nonce go with --proof");
  }
  api::Action action{arguments.audience, arguments.scope, {}, std::nullopt};
  CHANCERY_ASSIGN(action.params, parse_params(arguments.params));
  if (!arguments.proof.empty()) {
    CHANCERY_ASSIGN(action.dpop, parse_presentation(arguments));
  }
  return std::optional(std::move(action));
}

}  // namespace chancery::cli
