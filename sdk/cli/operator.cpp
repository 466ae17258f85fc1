#include <cstdlib>
#include <memory>
#include <utility>

#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/stored_context.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

const char* environment(const char* name) { return std::getenv(name); }

struct InitArguments {
  std::string name = "operator";
  std::string context = "default";
  std::string lifetime = "90d";
};

struct LoginArguments {
  std::string name;
  std::vector<std::string> chain;
  std::string key;
};

// The key of a context: there already, or made now.
Checked<HolderKey> key_of(const std::filesystem::path& folder, bool may_be_made) {
  const std::string file = (folder / "key.pem").string();
  if (!may_be_made || is_input(file)) {
    auto key = HolderKey::load(file);
    if (!key) return failure(key.error(), file);
    return *std::move(key);
  }
  auto key = HolderKey::generate();
  if (!key) return failure(key.error());
  if (const Status saved = key->save(file); !saved) return failure(saved.error(), file);
  return *std::move(key);
}

Checked<std::vector<std::string>> mint(const Client& client, const InitArguments& arguments,
                                       const HolderKey& key) {
  const auto lifetime = parse_duration(arguments.lifetime);
  if (!lifetime) return failure(lifetime.error(), "--lifetime " + arguments.lifetime);
  const auto minted =
      client.create_operator({arguments.name, key.public_key().thumbprint().text(), *lifetime});
  if (!minted) return failure(minted.error());
  return minted->chain;
}

void show_operator(Output& output, const StoredContext& context, const HolderKey& key,
                   const std::filesystem::path& folder) {
  if (output.json()) {
    return output.document(json::to_jcs(Node::object({{"context", context.name},
                                                      {"address", context.address},
                                                      {"jkt", key.public_key().thumbprint().text()},
                                                      {"folder", folder.string()}})));
  }
  output.field("context", context.name);
  output.field("daemon", context.address);
  output.field("key", key.public_key().thumbprint().text());
  output.field("kept in", folder.string());
  output.note(
      "the operator's key is a file of this user's: whoever can read it acts as the operator until the chain ends");
}

// The CA that the options name, so that the context finds the daemon by itself from now on.
std::string ca_file_of(const ClientOptions& options) {
  if (!options.ca_file.empty()) return options.ca_file;
  const char* value = environment("CHANCERY_CACERT");
  return value == nullptr ? "" : value;
}

Checked<ExitCode> init(Context& context, const InitArguments& arguments) {
  const auto client = Client::connect(context.daemon);
  if (!client) return failure(client.error());
  const auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  const StoredContext stored{arguments.context, metadata->issuer, ca_file_of(context.daemon)};
  CHANCERY_TRY(write_context(stored, {}, environment));
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  CHANCERY_ASSIGN(const HolderKey key, key_of(folder, true));
  CHANCERY_ASSIGN(const std::vector<std::string> chain, mint(*client, arguments, key));
  CHANCERY_TRY(write_context(stored, chain, environment));
  CHANCERY_TRY(use_context(stored.name, environment));
  show_operator(context.output, stored, key, folder);
  return ExitCode::kSuccess;
}

Checked<ExitCode> renew(Context& context, const InitArguments& arguments) {
  CHANCERY_ASSIGN(const StoredContext stored, read_context(arguments.context, environment));
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  CHANCERY_ASSIGN(const HolderKey key, key_of(folder, false));
  const auto client = Client::connect(context.daemon);
  if (!client) return failure(client.error());
  CHANCERY_ASSIGN(const std::vector<std::string> chain, mint(*client, arguments, key));
  CHANCERY_TRY(write_context(stored, chain, environment));
  show_operator(context.output, stored, key, folder);
  return ExitCode::kSuccess;
}

Checked<ExitCode> login(Context& context, const LoginArguments& arguments) {
  if (context.daemon.address.empty()) return misuse("give --addr: the daemon's https://HOST:PORT");
  const auto key = HolderKey::load(arguments.key);
  if (!key) return failure(key.error(), arguments.key);
  CHANCERY_ASSIGN(const std::vector<std::string> chain, read_chain(arguments.chain));
  if (const auto held = credential_of(chain, *key); !held) return failure(held.error(), arguments.key);
  const auto client = Client::connect(context.daemon);
  if (!client) return failure(client.error());
  if (const auto metadata = client->metadata(); !metadata) return failure(metadata.error());
  const StoredContext stored{arguments.name, context.daemon.address, ca_file_of(context.daemon)};
  CHANCERY_TRY(write_context(stored, chain, environment));
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  const std::string file = (folder / "key.pem").string();
  if (const Status saved = key->save(file); !saved) return failure(saved.error(), file);
  CHANCERY_TRY(use_context(stored.name, environment));
  show_operator(context.output, stored, *key, folder);
  return ExitCode::kSuccess;
}

Checked<ExitCode> list(Context& context) {
  CHANCERY_ASSIGN(const std::vector<StoredContext> contexts, stored_contexts(environment));
  CHANCERY_ASSIGN(const std::string current, current_context(environment));
  Node array = Node::array();
  for (const StoredContext& stored : contexts) {
    if (context.output.json()) {
      array.push_back(Node::object(
          {{"name", stored.name}, {"address", stored.address}, {"current", stored.name == current}}));
    } else {
      context.output.field(stored.name + (stored.name == current ? " *" : ""), stored.address);
    }
  }
  if (context.output.json())
    context.output.document(json::to_jcs(Node::object({{"contexts", std::move(array)}})));
  return ExitCode::kSuccess;
}

void add_mint_options(CLI::App& command, InitArguments& arguments) {
  command.add_option("--name", arguments.name, "the operator's name; default: operator");
  command.add_option("--as", arguments.context, "the context to keep it in; default: default");
  command.add_option("--lifetime", arguments.lifetime,
                     "how long the chain is valid; at most 90d, the default");
}

}  // namespace

void add_init(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<InitArguments>();
  CLI::App* command = app.add_subcommand(
      "init", "Become an operator who calls from anywhere: a key and a chain of authority (on the socket)");
  add_mint_options(*command, *arguments);
  command->footer(
      "Makes a key in a file of this user's, has the daemon mint its chain of authority, keeps both as a context\n"
      "and uses it from now on, wherever neither --socket nor --addr says otherwise.\n\n"
      "Example:\n  chancery init --socket /run/chancery/chancery.sock --cacert ca.pem");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return init(context, *arguments); }; });
}

void add_operator(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("operator", "Operators who call from elsewhere (on the daemon's socket)");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<InitArguments>();
  CLI::App* command = group->add_subcommand(
      "renew", "Mint a context's chain anew for the key that it has, also after it expired");
  add_mint_options(*command, *arguments);
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return renew(context, *arguments); };
  });
}

void add_login(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<LoginArguments>();
  CLI::App* command =
      app.add_subcommand("login", "Keep a daemon's address with a chain and key to call it with");
  command->add_option("NAME", arguments->name, "the context's name")->required();
  add_chain_argument(*command, arguments->chain);
  command->add_option("--key", arguments->key, "the key that holds the chain: PEM, 0600")->required();
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
}

}  // namespace chancery::cli
