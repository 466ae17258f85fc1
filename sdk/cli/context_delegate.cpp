// Parts of a context's authority over its daemon for others to call with, given without asking the daemon.

#include <memory>
#include <utility>

#include "sdk/base/base64url.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/authority_commands.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/context_commands.hpp"
#include "sdk/cli/stored_context.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct ContextDelegateArguments {
  std::string name;
  AuthorityArguments authority;
  std::string lifetime;
  std::string to_key;
  std::string out;
  KeyOptions key;
};

struct ContextKeyArguments {
  std::string file;
  KeyOptions key;
};

// spiffe://TRUST-DOMAIN/caller/NAME, in the delegator's own trust domain.
std::string caller_id(const std::string& delegator, const std::string& name) {
  constexpr std::string_view kScheme = "spiffe://";
  return delegator.substr(0, delegator.find('/', kScheme.size())) + "/caller/" + name;
}

// Without a lifetime the part lasts as long as what it is a part of.
Checked<std::chrono::seconds> lifetime_of(const std::string& text, const Claims& from,
                                          std::chrono::sys_seconds now) {
  if (text.empty()) return std::chrono::seconds(static_cast<std::int64_t>(from.exp)) - now.time_since_epoch();
  const auto lifetime = parse_duration(text);
  if (!lifetime) return failure(lifetime.error(), "--lifetime " + text);
  return *lifetime;
}

Checked<std::vector<std::string>> delegate_to(const Thumbprint& holder, const HeldChain& from,
                                              const ContextDelegateArguments& arguments,
                                              std::chrono::sys_seconds now) {
  const auto leaf = Token::parse(from.chain.back());
  if (!leaf) return failure(leaf.error(), "the context's chain");
  DelegationRequest request;
  request.client_id = caller_id(leaf->claims().client_id, arguments.name);
  request.holder = holder;
  CHANCERY_ASSIGN(request.authority, parse_authority(arguments.authority));
  CHANCERY_ASSIGN(request.lifetime, lifetime_of(arguments.lifetime, leaf->claims(), now));
  auto chain = delegate_with(from.key, from.chain, request, now);
  if (!chain) return failure(chain.error(), "the context's chain");
  return *std::move(chain);
}

// What was really given: less than was asked for where the chain holds less.
void note_given(Output& output, const std::string& leaf) {
  const auto token = Token::parse(leaf);
  if (!token) return;
  const Claims& given = token->claims();
  output.note("given: " + joined(given.authority.scopes) + ", until " + utc_text(given.exp));
}

Checked<ExitCode> delegate_away(Context& context, const HeldChain& from,
                                const ContextDelegateArguments& arguments) {
  const auto digest = base64url_decode_exactly<32>(arguments.to_key);
  if (!digest) return misuse("--to-key takes a key's thumbprint: see `chancery context key`");
  CHANCERY_ASSIGN(const std::vector<std::string> chain,
                  delegate_to(Thumbprint{*digest}, from, arguments, context.now));
  note_given(context.output, chain.back());
  return give(context.output, chain, json::to_jcs(Node::object({{"chain", wire::text_array(chain)}})),
              arguments.out);
}

Checked<std::vector<std::string>> delegate_and_keep(const StoredContext& stored, const HeldChain& from,
                                                    const ContextDelegateArguments& arguments, KeptKey& key,
                                                    std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(std::vector<std::string> chain,
                  delegate_to(key.holder().public_key().thumbprint(), from, arguments, now));
  CHANCERY_TRY(keep_context(stored, chain, key, environment));
  return chain;
}

Checked<ExitCode> delegate_here(Context& context, const StoredContext& here, const HeldChain& from,
                                const ContextDelegateArguments& arguments) {
  const StoredContext stored{arguments.name, here.address, here.ca_file};
  CHANCERY_ASSIGN(const KeyPlace place, chosen_place(arguments.key));
  CHANCERY_ASSIGN(KeptKey key, KeptKey::make(place));
  const auto chain = delegate_and_keep(stored, from, arguments, key, context.now);
  if (!chain) {
    key.give_up(context.output);
    return chain.error();
  }
  CHANCERY_ASSIGN(const std::filesystem::path folder, context_folder(stored.name, environment));
  show_context(context.output, stored, key, folder);
  note_given(context.output, chain->back());
  return ExitCode::kSuccess;
}

Checked<ExitCode> delegate(Context& context, const ContextDelegateArguments& arguments) {
  CHANCERY_ASSIGN(const std::string name, named_context(context));
  CHANCERY_ASSIGN(const StoredContext here, read_context(name, environment));
  CHANCERY_ASSIGN(const HeldChain from, held_chain(name, environment));
  if (!arguments.to_key.empty() && arguments.key != KeyOptions{})
    return misuse("--key-in is for a key that is made here, and --to-key names one that there is");
  if (!arguments.to_key.empty()) return delegate_away(context, from, arguments);
  if (!arguments.out.empty())
    return misuse("--out goes with --to-key: a context's chain is kept with its key");
  return delegate_here(context, here, from, arguments);
}

Checked<ExitCode> make_key(Context& context, const ContextKeyArguments& arguments) {
  CHANCERY_ASSIGN(const KeyPlace place, chosen_place(arguments.key));
  CHANCERY_ASSIGN(KeptKey key, KeptKey::make(place));
  if (const auto saved = key.save(arguments.file); !saved) {
    key.give_up(context.output);
    return saved.error();
  }
  if (context.output.json()) {
    context.output.document(json::to_jcs(Node::object({{"jkt", key.thumbprint()}})));
  } else {
    context.output.line(key.thumbprint());
    key.tell_custody(context.output);
  }
  return ExitCode::kSuccess;
}

}  // namespace

void add_context_delegation(CLI::App& contexts, Command& chosen) {
  const auto arguments = std::make_shared<ContextDelegateArguments>();
  CLI::App* command =
      contexts.add_subcommand("delegate", "Give a part of a context's authority over its daemon");
  command->add_option("NAME", arguments->name, "the new context, and how the chain calls its holder")
      ->required();
  add_authority_options(*command, arguments->authority);
  command->add_option("--lifetime", arguments->lifetime,
                      "how long it is valid: 30m, 7d; default: as long as the context's own chain");
  command->add_option("--to-key", arguments->to_key,
                      "give it to a key elsewhere, by its thumbprint, and make no context here");
  command->add_option("--out", arguments->out, "with --to-key: write the chain to this file");
  add_key_options(*command, arguments->key);
  command->footer(
      std::string(constraint_help()) +
      "Signed with the context's key; the daemon is not asked. What is asked beyond the chain is narrowed to it.\n"
      "The scopes are those of docs/protocol/control-plane.md. Whoever asks for decisions names its audiences.\n\n"
      "Examples:\n  chancery context delegate crm --scope chancery.authorize \\\n"
      "    --constraint chancery.authorize#audience:one_of=https://crm.example.org\n"
      "  chancery --context crm authorize --remote …\n\n"
      "  there:  chancery context key key.pem                     prints JKT\n"
      "  here:   chancery context delegate crm … --to-key=JKT --out crm.chain\n"
      "  there:  chancery login crm --addr https://chancery.example.org:8443 --key key.pem crm.chain");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return delegate(context, *arguments); };
  });
}

void add_context_key(CLI::App& contexts, Command& chosen) {
  const auto arguments = std::make_shared<ContextKeyArguments>();
  CLI::App* command =
      contexts.add_subcommand("key", "Make a key to be given a chain, and print its thumbprint");
  command
      ->add_option("FILE", arguments->file,
                   "where to write it, or what leads to it in its device: a new file, for its owner alone")
      ->required();
  add_key_options(*command, arguments->key);
  command->footer("Examples:\n  chancery context key key.pem\n  chancery context key key.json --key-in tpm");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return make_key(context, *arguments); };
  });
}

}  // namespace chancery::cli
