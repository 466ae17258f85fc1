// Attestation results, judged offline.

#include <iterator>
#include <memory>
#include <utility>

#include "sdk/cli/attest_commands.hpp"
#include "sdk/cli/attestation_results.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/custody_arguments.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/key_set_input.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kMostOctets = 4 * 1024 * 1024;

struct VerifyArguments {
  std::vector<std::string> files;
  std::string keys;
  std::string require;
};

Checked<std::vector<std::string>> read_results(const std::vector<std::string>& files) {
  std::vector<std::string> out;
  for (const std::string& file : files) {
    CHANCERY_ASSIGN(const std::string text, read_input(file, kMostOctets));
    auto results = parse_attestation_results(text);
    if (!results) return failure(results.error(), file);
    if (results->empty()) return failure({ErrorCode::kMalformed, "holds no attestation result"}, file);
    std::ranges::move(*results, std::back_inserter(out));
  }
  return out;
}

Checked<ExitCode> verify(Context& context, const VerifyArguments& arguments) {
  CHANCERY_ASSIGN(const auto required, parse_required_custody(arguments.require));
  CHANCERY_ASSIGN(const std::vector<VerifyKey> keys, read_verify_keys(arguments.keys));
  CHANCERY_ASSIGN(const std::vector<std::string> results, read_results(arguments.files));
  std::vector<JudgedResult> judged;
  for (const std::string& result : results)
    judged.push_back(judge_result(result, keys, required, context.now));
  show_results(context.output, judged);
  return exit_code(judged);
}

}  // namespace

void add_attest_verify(CLI::App& attest, Command& chosen) {
  const auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = attest.add_subcommand("verify", "Judge attestation results offline");
  command
      ->add_option(
          "FILE", arguments->files,
          "results (eat+jwt): one a line, a JSON array, or a bundle with its chain, which is not judged")
      ->required();
  command
      ->add_option("--keys", arguments->keys,
                   "the verifier's keys: a JWK Set, as it publishes it at /.well-known/attestation-jwks.json")
      ->required();
  command->add_option("--require", arguments->require, "hardware, or the least level that will do");
  command->footer(
      "Nothing is fetched. Exit status: 0 all valid; 1 one is no result of this verifier's, or out of date; 2 one\n"
      "proves less than --require, or something cannot be read.\n\n"
      "Example:\n  chancery attest verify support.result --keys verifier-keys.json --require hardware");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return verify(context, *arguments); };
  });
}

}  // namespace chancery::cli
