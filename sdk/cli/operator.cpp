#include <memory>
#include <utility>

#include "sdk/cli/approver_commands.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/stored_context.hpp"
#include "sdk/cli/time_syntax.hpp"

namespace chancery::cli {
namespace {

struct InitArguments {
  std::string name = "operator";
  std::string context = "default";
  std::string lifetime = "90d";
  bool replace = false;
  KeyOptions key{};
  std::string approver{};  // empty: no approver is enrolled by this
  std::vector<std::string> groups{};
};

// A name that stands for one daemon in people's habits and scripts does not become another's in passing.
Checked<void> require_same_daemon(const StoredContext& context) {
  const auto before = read_context(context.name, environment);
  if (!before || before->address == context.address) return {};
  return failure(
      {ErrorCode::kConflict, "this context is for another daemon: name another with --as, or give --replace"},
      context.name);
}

Checked<std::vector<std::string>> mint(const Client& client, const InitArguments& arguments,
                                       const KeptKey& key) {
  const auto lifetime = parse_duration(arguments.lifetime);
  if (!lifetime) return failure(lifetime.error(), "--lifetime " + arguments.lifetime);
  const auto minted = client.create_operator({arguments.name, key.thumbprint(), *lifetime});
  if (!minted) return failure(minted.error());
  return minted->chain;
}

Checked<void> mint_and_keep(const Client& client, const InitArguments& arguments, const StoredContext& stored,
                            KeptKey& key) {
  CHANCERY_ASSIGN(const std::vector<std::string> chain, mint(client, arguments, key));
  CHANCERY_TRY(keep_context(stored, chain, key, environment));
  return use_context(stored.name, environment);
}

// Deciding takes a key of its own: what the operator signs with is used without a person each time.
Checked<void> enroll_asked_for(Context& context, const Client& client, const InitArguments& arguments) {
  if (arguments.approver.empty()) return {};
  return enroll_first(context, client, {arguments.approver, arguments.groups, arguments.key});
}

Checked<ExitCode> init(Context& context, const InitArguments& arguments) {
  if (arguments.approver.empty() && !arguments.groups.empty())
    return misuse("--group is of the first approver: name it by --approver");
  const auto client = Client::connect(context.daemon);
  if (!client) return failure(client.error());
  const auto metadata = client->metadata();
  if (!metadata) return failure(metadata.error());
  const StoredContext stored{arguments.context, metadata->issuer, ca_file_of(context.daemon)};
  if (!arguments.replace) {
    CHANCERY_TRY(require_same_daemon(stored));
  }
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  CHANCERY_ASSIGN(KeptKey key, context_key_or_new(folder, arguments.key));
  if (const auto kept = mint_and_keep(*client, arguments, stored, key); !kept) {
    key.give_up(context.output);
    return kept.error();
  }
  show_context(context.output, stored, key, folder);
  CHANCERY_TRY(enroll_asked_for(context, *client, arguments));
  return ExitCode::kSuccess;
}

Checked<ExitCode> renew(Context& context, const InitArguments& arguments) {
  CHANCERY_ASSIGN(const StoredContext stored, read_context(arguments.context, environment));
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  CHANCERY_ASSIGN(const KeptKey key, context_key(folder));
  const auto client = Client::connect(context.daemon);
  if (!client) return failure(client.error());
  CHANCERY_ASSIGN(const std::vector<std::string> chain, mint(*client, arguments, key));
  CHANCERY_TRY(write_context(stored, chain, environment));
  show_context(context.output, stored, key, folder);
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
  command->add_flag("--replace", arguments->replace, "make a context that is for another daemon this one's");
  add_key_options(*command, arguments->key);
  command
      ->add_option("--approver", arguments->approver,
                   "also enrol the first who decides about what waits for a person: user:alice@example.org")
      ->type_name("PRINCIPAL");
  add_repeatable(*command, "--group", arguments->groups, "a group of that approver; may be given again");
  command->footer(
      "Makes a key, has the daemon mint its chain of authority, keeps both as a context and uses it from now on,\n"
      "wherever neither --socket nor --addr says otherwise.\n\n"
      "The key is a file of this user's, and whoever reads that is the operator, unless --key-in puts it into a\n"
      "device: this machine's TPM (tpm), or a PKCS#11 token (pkcs11). There it can be used, by this user's\n"
      "processes, and not be copied; the context then has what leads to it, and the device must be there at each\n"
      "command. A token's PIN is in a file that every command reads, presented once each time.\n\n"
      "With --approver another key is made in the same place, to decide with; while the daemon knows no approver.\n\n"
      "Examples:\n  chancery init --socket /run/chancery/chancery.sock --cacert ca.pem\n"
      "  chancery init --key-in tpm\n"
      "  chancery init --approver user:alice@example.org --group finance\n"
      "  chancery init --key-in pkcs11 --module /usr/lib/softhsm/libsofthsm2.so --serial 1f2e3d4c \\\n"
      "    --pin-file ~/.config/chancery/pin");
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

}  // namespace chancery::cli
