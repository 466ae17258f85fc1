// `chancery vault import`: what stands in an `.env` file, put into the vault.

#include <algorithm>
#include <memory>
#include <utility>

#include <sys/stat.h>

#include <chancery/vault_client.hpp>

#include "sdk/base/cleanse.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/env_file.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/vault_commands.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

constexpr std::size_t kLargestFile = 256 * 1024;

struct ImportArguments {
  std::string file;
  std::vector<std::string> only;
  std::string type, scope, owner, environment;
  std::vector<std::string> tools;
};

/// What became of a line; never its value.
struct Imported {
  std::size_t line = 0;
  std::string variable;
  std::string credential{};  ///< empty: it was skipped
  std::int64_t version = 0;
  std::string state{};
  std::string skipped{};    ///< why
  std::string suspicion{};  ///< why it looks like a secret; empty: it does not
};

bool is_named(const ImportArguments& arguments, const std::string& variable) {
  return std::ranges::find(arguments.only, variable) != arguments.only.end();
}

// Why a line is not imported; empty when it is.
std::string reason_to_skip(const ImportArguments& arguments, const EnvLine& line) {
  if (line.problem != nullptr) return line.problem;
  if (!arguments.only.empty() && !is_named(arguments, line.name)) return "not named with --only";
  if (arguments.only.empty() && line.suspicion == nullptr)
    return "does not look like a secret: name it with --only if it is one";
  if (line.value.empty()) return "it is empty";
  if (credential_name_for(line.name).empty()) return "its name makes no credential's name";
  return {};
}

Checked<Imported> import_line(const VaultClient& vault, const ImportArguments& arguments,
                              const EnvLine& line) {
  api::PutCredential request;
  request.name = credential_name_for(line.name);
  request.value = SecretBytes(line.value.view());
  request.type =
      arguments.type.empty() ? credential_type_for(line.name, as_text(line.value.view())) : arguments.type;
  request.scope = arguments.scope;
  request.tools = arguments.tools;
  request.owner = arguments.owner;
  request.environment = arguments.environment;
  const auto credential = vault.put(request);
  if (!credential) {
    Failure why = failure(credential.error());
    why.message = "line " + std::to_string(line.line) + " (" + line.name + "): " + why.message;
    return why;
  }
  Imported out{line.line, line.name, credential->name};
  if (!credential->versions.empty()) {
    out.version = credential->versions.back().number;
    out.state = credential->versions.back().state;
  }
  return out;
}

Imported skipped_line(const EnvLine& line, std::string why) {
  Imported out{line.line, line.name};
  out.skipped = std::move(why);
  if (line.suspicion != nullptr) out.suspicion = line.suspicion;
  return out;
}

Node report_node(const std::vector<Imported>& lines) {
  Node list = Node::array();
  for (const Imported& line : lines) {
    Node node = Node::object({{"line", line.line}});
    if (!line.variable.empty()) node.set("variable", line.variable);
    if (line.credential.empty()) {
      node.set("skipped", line.skipped);
      if (!line.suspicion.empty()) node.set("looks_like_a_secret", line.suspicion);
    } else {
      node.set("credential", line.credential);
      node.set("version", line.version);
      node.set("state", line.state);
    }
    list.push_back(std::move(node));
  }
  return Node::object({{"lines", std::move(list)}});
}

void show(Output& output, const Imported& line) {
  std::string text = "line " + std::to_string(line.line) + "  ";
  if (!line.variable.empty()) text += printable(line.variable) + "  ";
  if (!line.credential.empty()) {
    return output.line(text + output.paint(Colour::kGreen, "put") + " as " + printable(line.credential) +
                       ", version " + std::to_string(line.version) + ", " + printable(line.state));
  }
  text += "skipped: " + line.skipped;
  if (!line.suspicion.empty())
    text += "; " + output.paint(Colour::kYellow, "looks like a secret") + ": " + line.suspicion;
  output.line(text);
}

void advise(Output& output, const ImportArguments& arguments, const std::vector<Imported>& lines) {
  struct stat status {};
  if (arguments.file != "-" && ::stat(arguments.file.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
    output.note("others may read " + arguments.file + ": have new values made of what stands in it");
  const bool has_put =
      std::ranges::any_of(lines, [](const Imported& line) { return !line.credential.empty(); });
  if (has_put) output.note("what was put still stands in " + arguments.file + ": take it out");
}

Checked<std::vector<EnvLine>> read_lines(const ImportArguments& arguments) {
  CHANCERY_ASSIGN(std::string text, read_input(arguments.file, kLargestFile));
  std::vector<EnvLine> lines = read_env_file(text);
  cleanse(text);
  for (const std::string& wanted : arguments.only) {
    const bool is_there =
        std::ranges::any_of(lines, [&](const EnvLine& line) { return line.name == wanted; });
    if (!is_there)
      return misuse("--only " + wanted + ": there is no such variable in the file; nothing was put");
  }
  return lines;
}

// In the file's order, and up to the first that the daemon refuses: what was put before is told.
Checked<ExitCode> import(Context& context, const ImportArguments& arguments) {
  CHANCERY_ASSIGN(const std::vector<EnvLine> lines, read_lines(arguments));
  const auto client = connect(context);
  if (!client) return client.error();
  const VaultClient vault(*client);
  std::vector<Imported> report;
  std::optional<Failure> refused;
  for (const EnvLine& line : lines) {
    std::string why = refused ? "not reached" : reason_to_skip(arguments, line);
    if (!why.empty()) {
      report.push_back(skipped_line(line, std::move(why)));
      continue;
    }
    auto imported = import_line(vault, arguments, line);
    if (!imported) refused = imported.error();
    report.push_back(imported ? *std::move(imported) : skipped_line(line, "the daemon refused it"));
  }
  if (context.output.json()) {
    context.output.document(json::to_jcs(report_node(report)));
  } else {
    for (const Imported& line : report) show(context.output, line);
  }
  advise(context.output, arguments, report);
  if (refused) return *refused;
  return ExitCode::kSuccess;
}

}  // namespace

void add_vault_import(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command =
      group.add_subcommand("import", "Put what stands in an .env file, and tell what else does");
  command->add_option("FILE", arguments->file, "the file; -: standard input")->required();
  add_repeatable(*command, "--only", arguments->only,
                 "a variable to put; default: all that look like secrets; repeatable");
  command->add_option("--scope", arguments->scope, "the scope under which they may be used")->required();
  add_repeatable(*command, "--tool", arguments->tools, "a tool that they are for; repeatable")->required();
  command->add_option("--type", arguments->type, "of all of them; default: what each variable's name tells");
  command->add_option("--owner", arguments->owner, "who answers for them");
  command->add_option("--environment", arguments->environment, "where they are good: production, staging");
  command->footer(
      "STRIPE_API_KEY becomes the credential stripe-api-key. Of each line it is told what became of it, and of those that\n"
      "were skipped why, and whether they look like secrets; no value is ever printed. The file stays as it is.\n\n"
      "Example:\n  chancery vault import .env --only STRIPE_API_KEY --scope payments.refund --tool refund");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return import(context, *arguments); };
  });
}

}  // namespace chancery::cli
