// A key's evidence, from this machine to a verifier.

#include <memory>
#include <utility>

#include <chancery/attestation_relay.hpp>

#include "sdk/cli/attest_commands.hpp"
#include "sdk/cli/attestation_parties.hpp"
#include "sdk/cli/attestation_results.hpp"
#include "sdk/cli/attestation_text.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/wire/attestation_messages.hpp"

namespace chancery::cli {
namespace {

struct KeyArguments {
  std::string key;
  std::string verifier;
  std::string host;
  std::vector<std::string> leaf;  ///< at most one: a chain, of which the last token counts
  std::string out;
};

/// Who takes part.
struct Parties {
  Client host;
  Client verifier;
};

// The results of whoever verifies itself are made by its daemon, without anything to be carried.
Checked<std::string> own_result(const AttestationClient& daemon, const std::string& jkt) {
  auto known = daemon.results(jkt);
  if (!known) return failure(known.error());
  if (known->results.empty())
    return failure({ErrorCode::kBadResponse, "the daemon answered without a result"}, jkt);
  return std::move(known->results.front());
}

Checked<std::string> last_token(const std::vector<std::string>& chain) {
  if (chain.empty()) return std::string();
  CHANCERY_ASSIGN(std::vector<std::string> tokens, read_chain(chain));
  if (tokens.empty()) return misuse("--leaf " + chain.front() + " holds no token");
  return std::move(tokens.back());
}

Checked<std::string> result_of(const Parties& parties, const KeyToAttest& key) {
  auto attested = attest_key(AttestationClient(parties.host), AttestationClient(parties.verifier), key);
  if (!attested) return failure(attested.error());
  return std::move(attested->result);
}

Checked<std::string> result_for(const Parties& parties, const KeyArguments& arguments, bool is_own) {
  CHANCERY_ASSIGN(LocatedKey key, locate_key(parties.host, arguments.key));
  if (is_own) return own_result(AttestationClient(parties.verifier), key.jkt);
  CHANCERY_ASSIGN(std::string host, host_name(arguments.host));
  CHANCERY_ASSIGN(std::string leaf, last_token(arguments.leaf));
  return result_of(parties, {std::move(host), std::move(key.jkt), std::move(key.backend), std::move(leaf)});
}

Checked<ExitCode> attest(Context& context, const KeyArguments& arguments) {
  const bool is_own = verifies_itself(context, arguments.verifier) && arguments.host.empty();
  if (is_own && !arguments.leaf.empty())
    return misuse("--leaf goes with a verifier to which evidence is brought: give --verifier, or --host");
  CHANCERY_ASSIGN(Client daemon, connect_host(context));
  CHANCERY_ASSIGN(Client verifier, connect_verifier(context, arguments.verifier));
  const Parties parties{std::move(daemon), std::move(verifier)};
  CHANCERY_ASSIGN(const std::string result, result_for(parties, arguments, is_own));
  constexpr unsigned kReadable = 0644;
  if (!arguments.out.empty()) CHANCERY_TRY(replace_file(arguments.out, result + "\n", kReadable));
  CHANCERY_ASSIGN(const std::vector<VerifyKey> keys, result_keys(AttestationClient(parties.verifier)));
  const std::vector<JudgedResult> judged{judge_fetched_result(result, keys, context.now)};
  if (judged.front().is_valid() && !context.output.json()) {
    show_result(context.output, *judged.front().claims);
  } else {
    show_results(context.output, judged);
  }
  return exit_code(judged);
}

}  // namespace

void add_attest_key(CLI::App& attest, Command& chosen) {
  const auto arguments = std::make_shared<KeyArguments>();
  CLI::App* command =
      attest.add_subcommand("key", "Have a verifier judge where a key of this machine's daemon is");
  command->add_option("AGENT", arguments->key, "the agent's name, or a key's thumbprint")->required();
  command->add_option("--verifier", arguments->verifier,
                      "the address of a stored context; default: the daemon of this machine itself");
  command->add_option("--host", arguments->host,
                      "what this machine is called at its verifier; default: its own name");
  command
      ->add_option("--leaf", arguments->leaf,
                   "a chain, a file or the text: bind the evidence to the use of its last token now")
      ->expected(1);
  command->add_option("--out", arguments->out, "write the result into a file");
  command->footer(
      "The verifier gives a nonce, the device certifies the key over it (and quotes PCRs, where the verifier's policy\n"
      "asks for them, and what the daemon measured into it), and the verifier signs what that proves. `chancery host\n"
      "enroll` comes first.\n\n"
      "Example:\n  chancery attest key support --verifier https://verifier.example.org:8443");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return cli::attest(context, *arguments); };
  });
}

}  // namespace chancery::cli
