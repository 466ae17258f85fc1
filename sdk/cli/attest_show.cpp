// What a verifier knows of keys, and of those of a chain.

#include <memory>
#include <utility>

#include <chancery/attestation_relay.hpp>
#include <chancery/token.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/cli/attest_commands.hpp"
#include "sdk/cli/attestation_parties.hpp"
#include "sdk/cli/attestation_results.hpp"
#include "sdk/cli/attestation_text.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

using json::Node;

struct ShowArguments {
  std::string what;
  std::string bundle;
};

/// A key, and what is known of it.
struct KnownKey {
  std::string title;  ///< "token 1, for spiffe://…"; empty for a key that stands for itself
  std::string jkt;
  std::vector<JudgedResult> results;
  std::string unknown;  ///< why there is none
};

// A thumbprint or a name; everything else is a chain, also a file whose name an agent could have.
bool is_chain(const std::string& what) {
  return is_input(what) ||
         (!base64url_decode_exactly<32>(what) && what.find_first_of("~{[/") != std::string::npos);
}

Checked<KnownKey> look_up(const AttestationClient& verifier, std::span<const VerifyKey> keys, KnownKey key,
                          std::chrono::sys_seconds now) {
  const auto known = verifier.results(key.jkt);
  if (!known && !known.error().refused()) return failure(known.error());
  if (!known) {
    key.unknown = known.error().detail;
    return key;
  }
  for (const std::string& result : known->results)
    key.results.push_back(judge_fetched_result(result, keys, now));
  return key;
}

Checked<std::vector<KnownKey>> holders_of(const std::vector<std::string>& chain) {
  std::vector<KnownKey> out;
  for (const std::string& compact : chain) {
    const auto token = Token::parse(compact);
    if (!token) return failure(token.error(), "the chain");
    out.push_back({"token " + std::to_string(out.size()) + ", for " + token->claims().client_id,
                   token->claims().holder.text(),
                   {},
                   {}});
  }
  return out;
}

void show(Output& output, const KnownKey& key) {
  output.line(output.paint(Colour::kBold, printable(key.title.empty() ? key.jkt : key.title)));
  if (key.results.empty()) {
    if (!key.title.empty()) output.field("key", key.jkt);
    output.field("custody", "unproven: nothing says where this key is");
    output.field("why", key.unknown);
  }
  for (const JudgedResult& result : key.results) {
    if (!result.is_valid()) output.field("does not count", result.outcome + ": " + result.reason);
    if (result.claims) show_result(output, *result.claims);
  }
}

void show(Output& output, const std::vector<KnownKey>& keys) {
  if (!output.json()) {
    for (const KnownKey& key : keys) show(output, key);
    return;
  }
  Node all = Node::array();
  for (const KnownKey& key : keys) {
    Node results = Node::array();
    for (const JudgedResult& result : key.results) results.push_back(to_json(result));
    Node node = Node::object({{"jkt", key.jkt}, {"results", std::move(results)}});
    if (!key.unknown.empty()) node.set("unknown", key.unknown);
    all.push_back(std::move(node));
  }
  output.document(json::to_jcs(Node::object({{"keys", std::move(all)}})));
}

// A bundle on standard output stands there alone.
Checked<void> write_bundle(Context& context, const Client& client, const std::vector<std::string>& chain,
                           const std::string& out) {
  const auto made = bundle(AttestationClient(client), chain);
  if (!made) return failure(made.error());
  for (const ChainBundle::Unattested& key : made->unattested)
    context.output.note("no result for the key " + key.key.text() + ": " + key.why.detail);
  if (out == "-") {
    context.output.document(made->json);
    return {};
  }
  constexpr unsigned kPrivate = 0600;  // as a chain is
  return replace_file(out, made->json + "\n", kPrivate);
}

Checked<ExitCode> show_known(Context& context, const ShowArguments& arguments) {
  const auto client = connect(context);
  if (!client) return client.error();
  std::vector<std::string> chain;
  std::vector<KnownKey> asked;
  if (is_chain(arguments.what)) {
    CHANCERY_ASSIGN(chain, read_chain({arguments.what}));
    CHANCERY_ASSIGN(asked, holders_of(chain));
  } else {
    CHANCERY_ASSIGN(std::string jkt, thumbprint_of(*client, arguments.what));
    asked.push_back({{}, std::move(jkt), {}, {}});
  }
  if (!arguments.bundle.empty() && chain.empty()) return misuse("--bundle is for a chain");
  if (!arguments.bundle.empty()) CHANCERY_TRY(write_bundle(context, *client, chain, arguments.bundle));
  if (arguments.bundle == "-") return ExitCode::kSuccess;

  const AttestationClient verifier(*client);
  CHANCERY_ASSIGN(const std::vector<VerifyKey> keys, result_keys(verifier));
  std::vector<KnownKey> known;
  for (KnownKey& key : asked) {
    CHANCERY_ASSIGN(KnownKey found, look_up(verifier, keys, std::move(key), context.now));
    known.push_back(std::move(found));
  }
  show(context.output, known);
  return ExitCode::kSuccess;
}

}  // namespace

void add_attest_show(CLI::App& attest, Command& chosen) {
  const auto arguments = std::make_shared<ShowArguments>();
  CLI::App* command =
      attest.add_subcommand("show", "Show what a verifier knows of a key, or of each key of a chain");
  command
      ->add_option(
          "KEY", arguments->what,
          "an agent's name, a key's thumbprint, or a chain: a file, - for standard input, or its text")
      ->required();
  command->add_option("--bundle", arguments->bundle,
                      "of a chain: write it with its results into a file, or to standard output (-)");
  command->footer(
      "The daemon that is asked is the verifier; of its own keys it makes results where there are none. A bundle is\n"
      "what `chancery verify --require` takes.\n\n"
      "Examples:\n  chancery attest show support\n"
      "  chancery attest show chain.txt --addr https://verifier.example.org:8443 --bundle bundle.json");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return show_known(context, *arguments); };
  });
}

}  // namespace chancery::cli
