#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "sdk/cli/commands.hpp"
#include "sdk/cli/evidence_sample.hpp"

namespace chancery::cli {
namespace {

struct EvidenceArguments {
  std::vector<std::string> files;
  bool allow_sha1 = false;
  bool why = false;
};

// tss2-mu would tell the standard error of every structure that it cannot read; verdicts say it already.
void quieten_tss() { ::setenv("TSS2_LOG", "all+none", 0); }

// A file that cannot be read does not keep the others from being judged.
Checked<ExitCode> verify_evidence(Context& context, const EvidenceArguments& arguments) {
  quieten_tss();
  ExitCode worst = ExitCode::kSuccess;
  std::optional<Failure> unreadable;
  for (const std::string& file : arguments.files) {
    const auto verdict = judge_sample(file, {arguments.allow_sha1});
    if (!verdict) {
      if (unreadable) context.output.note(file + ": " + verdict.error().message);
      if (!unreadable) unreadable = verdict.error();
      continue;
    }
    context.output.document(verdict->json());
    if (verdict->accepted) continue;
    worst = ExitCode::kDenied;
    if (arguments.why) context.output.note(verdict->id + ": " + verdict->explanation);
  }
  if (unreadable) return *std::move(unreadable);
  return worst;
}

}  // namespace

void add_verify_evidence(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<EvidenceArguments>();
  CLI::App* command =
      app.add_subcommand("verify-evidence", "Judge recorded TPM evidence offline: one JSON line each");
  command->add_option("FILE", arguments->files, "a sample: see docs/development/attestation-samples.md")
      ->required();
  command->add_flag("--allow-sha1", arguments->allow_sha1,
                    "accept signatures over SHA-1, as old tools made them");
  command->add_flag("--why", arguments->why, "say of each refusal what was found and what to do");
  command->footer(
      "Quotes, certifications, credentials, EK certificates and event logs, each with what is needed to judge it.\n"
      "Exit status: 0 all accepted; 1 some refused; 2 a file is no sample or cannot be read.");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return verify_evidence(context, *arguments); };
  });
}

}  // namespace chancery::cli
