#include <memory>
#include <utility>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/context_commands.hpp"
#include "sdk/cli/stored_context.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct LoginArguments {
  std::string name;
  std::vector<std::string> chain;
  std::string key;
};

Checked<ExitCode> login(Context& context, const LoginArguments& arguments) {
  if (context.daemon.address.empty()) return misuse("give --addr: the daemon's https://HOST:PORT");
  CHANCERY_ASSIGN(KeptKey key, KeptKey::load(arguments.key));
  CHANCERY_ASSIGN(const std::vector<std::string> chain, read_chain(arguments.chain));
  if (const auto held = credential_of(chain, key.holder()); !held)
    return failure(held.error(), arguments.key);
  const auto client = Client::connect(context.daemon);
  if (!client) return failure(client.error());
  if (const auto metadata = client->metadata(); !metadata) return failure(metadata.error());
  const StoredContext stored{arguments.name, context.daemon.address, ca_file_of(context.daemon)};
  CHANCERY_TRY(keep_context(stored, chain, key, environment));
  CHANCERY_TRY(use_context(stored.name, environment));
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  show_context(context.output, stored, key, folder);
  return ExitCode::kSuccess;
}

Checked<ExitCode> list(Context& context) {
  CHANCERY_ASSIGN(const std::vector<StoredContext> contexts, stored_contexts(environment));
  CHANCERY_ASSIGN(const std::string current, current_context(environment));
  Node array = Node::array();
  for (const StoredContext& stored : contexts) {
    CHANCERY_ASSIGN(const KeyPlace place, key_place(stored.name, environment));
    if (context.output.json()) {
      array.push_back(Node::object({{"name", stored.name},
                                    {"address", stored.address},
                                    {"current", stored.name == current},
                                    {"key_in", kind_name(place.kind)}}));
    } else {
      context.output.field(stored.name + (stored.name == current ? " *" : ""),
                           stored.address + "  key in " + place_text(place));
    }
  }
  if (context.output.json())
    context.output.document(json::to_jcs(Node::object({{"contexts", std::move(array)}})));
  return ExitCode::kSuccess;
}

}  // namespace

void add_login(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<LoginArguments>();
  CLI::App* command =
      app.add_subcommand("login", "Keep a daemon's address with a chain and key to call it with");
  command->add_option("NAME", arguments->name, "the context's name")->required();
  add_chain_argument(*command, arguments->chain);
  command
      ->add_option("--key", arguments->key,
                   "the key that holds the chain, 0600: PEM, or the file of one in a device")
      ->required();
  command->footer(
      "Example:\n  chancery login production --addr https://chancery.example.org:8443 --key key.pem chain.txt");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return login(context, *arguments); };
  });
}

void add_context(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("context", "The daemons that this user calls, and as whom");
  group->require_subcommand(1);
  group->add_subcommand("list", "Show them; the one in use has a star")->callback([&chosen] {
    chosen = list;
  });
  const auto name = std::make_shared<std::string>();
  CLI::App* use = group->add_subcommand("use", "Use one where no other is named");
  use->add_option("NAME", *name, "the context's name")->required();
  use->callback([name, &chosen] {
    chosen = [name](Context&) -> Checked<ExitCode> {
      CHANCERY_TRY(use_context(*name, environment));
      return ExitCode::kSuccess;
    };
  });
  add_context_delegation(*group, chosen);
  add_context_key(*group, chosen);
}

}  // namespace chancery::cli
