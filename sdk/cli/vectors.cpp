#include "sdk/verify/vectors.hpp"

#include <memory>
#include <utility>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"

namespace chancery::cli {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 30;

struct Tally {
  std::size_t run = 0;
  std::vector<std::string> not_met;
};

Checked<void> run_file(const std::string& path, Output& output, Tally& tally) {
  CHANCERY_ASSIGN(const std::string text, read_input(path, kMaxFile));
  const std::size_t run_before = tally.run;
  const Status status = run_vectors(text, [&](const VectorResult& result) {
    output.document(result.json());
    ++tally.run;
    if (!result.met) tally.not_met.push_back(result.id);
  });
  if (!status) return failure(status.error(), path);
  if (tally.run == run_before)
    return failure({ErrorCode::kMalformed, "holds no vectors: see docs/protocol/vectors.md"}, path);
  return {};
}

Checked<ExitCode> verify_vectors(Context& context, const std::vector<std::string>& files) {
  Tally tally;
  for (const std::string& path : files) CHANCERY_TRY(run_file(path, context.output, tally));
  if (tally.not_met.empty()) return ExitCode::kSuccess;
  Failure unmet{ExitCode::kDenied, "vectors_not_met", {}, {}};
  unmet.message =
      std::to_string(tally.not_met.size()) + " of " + std::to_string(tally.run) + " vectors not met:";
  for (const std::string& id : tally.not_met) unmet.message += " " + id;
  return unmet;
}

}  // namespace

void add_verify_vectors(CLI::App& app, Command& chosen) {
  const auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("verify-vectors", "Run conformance vectors: one JSON line each");
  command
      ->add_option("FILE", *files, "a document with `vectors`, an array, or JSON Lines; - for standard input")
      ->required();
  command->footer("Exit status: 0 all met; 1 some not met; 2 a file cannot be read.");
  command->callback(
      [files, &chosen] { chosen = [files](Context& context) { return verify_vectors(context, *files); }; });
}

}  // namespace chancery::cli
