#include "sdk/cli/verdict_text.hpp"

#include <chancery/verify.hpp>

#include "sdk/base/printable.hpp"

namespace chancery::cli {
namespace {

std::string step_text(const std::string& step) {
  for (int i = 0; i <= static_cast<int>(Step::kAction); ++i) {
    const auto known = static_cast<Step>(i);
    if (step == step_name(known) && known != Step::kParse)
      return step + ", " + std::string(step_title(known));
  }
  return step;
}

}  // namespace

ExitCode denial_exit(std::string_view outcome) {
  const bool unknown =
      outcome == outcome_name(Outcome::kStatusUnknown) || outcome == outcome_name(Outcome::kCustodyUnproven);
  return unknown ? ExitCode::kUndecided : ExitCode::kDenied;
}

void show_denial(Output& output, const DenialText& denial) {
  const bool unknown = denial_exit(denial.outcome) == ExitCode::kUndecided;
  const std::string headline = (unknown ? "UNDECIDED: " : "DENIED: ") + printable(denial.outcome);
  output.line(output.paint(unknown ? Colour::kYellow : Colour::kRed, headline));
  output.field("step", step_text(denial.step));
  if (denial.hop >= 0) output.field("token", std::to_string(denial.hop) + " (the first is 0)");
  output.field("why", denial.reason);
}

Failure not_judged(const ClientError& error) {
  Failure out = failure(error);
  out.exit = ExitCode::kUndecided;
  return out;
}

}  // namespace chancery::cli
