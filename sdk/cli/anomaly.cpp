#include <array>

#include <chancery/overview_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/wire/overview_messages.hpp"

namespace chancery::cli {
namespace {

std::string number_text(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", number);
  return text.data();
}

// What is new has a name and no measure.
std::string finding_text(const api::Anomaly& anomaly) {
  if (!anomaly.what.empty()) return printable(anomaly.what);
  return number_text(anomaly.measured) + ", usually " + number_text(anomaly.usual);
}

void show(Output& output, const api::AnomalyList& list) {
  if (output.json()) return output.document(wire::write(list));
  if (list.anomalies.empty()) return output.line("No agent does otherwise than it used to.");
  for (const api::Anomaly& anomaly : list.anomalies) {
    std::string line = utc_text(static_cast<double>(anomaly.at)) + "  " + printable(anomaly.agent) + "  " +
                       printable(anomaly.kind) + "  " + finding_text(anomaly);
    if (anomaly.suspension) line += "  suspended: chancery lift " + std::to_string(*anomaly.suspension);
    output.line(line);
  }
}

}  // namespace

void add_anomaly(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("anomaly", "What agents do otherwise than they used to (operator)");
  group->require_subcommand(1);
  CLI::App* list = group->add_subcommand("list", "List what was found, newest first");
  auto limit = std::make_shared<std::size_t>(100);
  list->add_option("--limit", *limit, "How many at most")->check(CLI::Range(1, 1000))->capture_default_str();
  list->callback([&chosen, limit] {
    chosen = [limit](Context& context) -> Checked<ExitCode> {
      const auto client = connect(context);
      if (!client) return client.error();
      const auto found = OverviewClient(*client).anomalies(*limit);
      if (!found) return failure(found.error());
      show(context.output, *found);
      return ExitCode::kSuccess;
    };
  });
}

}  // namespace chancery::cli
