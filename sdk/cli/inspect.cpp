#include <memory>
#include <utility>

#include "sdk/base/printable.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/json_text.hpp"
#include "sdk/json/ascii.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::cli {
namespace {

using json::Document;
using json::Node;

constexpr const char* kWarning =
    "UNVERIFIED: anybody can write this; no signature, time or limit has been checked";

/// A token's two JSON parts, or why they cannot be shown.
struct Contents {
  Document header;
  Document payload;
};

Result<Contents> open(std::string_view compact) {
  CHANCERY_ASSIGN(const JwsParts parts, JwsParts::split(compact));
  CHANCERY_ASSIGN(Document header, decode_json_object(parts.header));
  CHANCERY_ASSIGN(Document payload, decode_json_object(parts.payload));
  return Contents{std::move(header), std::move(payload)};
}

void show_part(Output& output, std::string_view title, const json::Value& value) {
  output.line(output.paint(Colour::kBold, title));
  output.lines(indented_json(value), "  ");
}

void show_times(Output& output, const json::Value& payload) {
  for (const char* name : {"iat", "nbf", "exp"}) {
    const json::Value* time = payload.find(name);
    if (time != nullptr && time->number())
      output.line("  " + std::string(name) + " is " + utc_text(*time->number()));
  }
}

bool show_text(Output& output, const std::vector<std::string>& chain) {
  bool all_readable = true;
  output.line(output.paint(Colour::kRed, kWarning));
  for (std::size_t hop = 0; hop < chain.size(); ++hop) {
    const auto contents = open(chain[hop]);
    const std::string title = "token " + std::to_string(hop);
    if (!contents) {
      all_readable = false;
      output.line(output.paint(Colour::kRed, title + " cannot be read: " + contents.error().what));
      continue;
    }
    show_part(output, title + ", header", contents->header.root());
    show_part(output, title + ", claims", contents->payload.root());
    show_times(output, contents->payload.root());
  }
  output.line(output.paint(Colour::kRed, kWarning));
  return all_readable;
}

bool show_json(Output& output, const std::vector<std::string>& chain) {
  bool all_readable = true;
  Node tokens = Node::array();
  for (const std::string& compact : chain) {
    const auto contents = open(compact);
    all_readable = all_readable && contents;
    tokens.push_back(contents ? Node::object({{"header", Node::copy(contents->header.root())},
                                              {"claims", Node::copy(contents->payload.root())}})
                              : Node::object({{"error", contents.error().what}}));
  }
  const Node document =
      Node::object({{"verified", false}, {"warning", kWarning}, {"tokens", std::move(tokens)}});
  output.line(json::ascii_json(json::to_jcs(document)));
  return all_readable;
}

Checked<ExitCode> inspect(Context& context, const std::vector<std::string>& arguments) {
  CHANCERY_ASSIGN(const std::vector<std::string> chain, read_chain(arguments));
  if (chain.empty()) return misuse("there is no token in it");
  const bool readable =
      context.output.json() ? show_json(context.output, chain) : show_text(context.output, chain);
  return readable ? ExitCode::kSuccess : ExitCode::kUndecided;
}

}  // namespace

void add_inspect(CLI::App& app, Command& chosen) {
  const auto chain = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("inspect", "Show the header and claims of each token, unverified");
  add_chain_argument(*command, *chain);
  command->footer(
      "Nothing is checked: to know what a chain is worth, use `chancery verify`.\n\nExample:\n  chancery "
      "inspect chain.txt");
  command->callback(
      [chain, &chosen] { chosen = [chain](Context& context) { return inspect(context, *chain); }; });
}

}  // namespace chancery::cli
