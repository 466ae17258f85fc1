#include "sdk/cli/commands.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {

void add_version(CLI::App& app, Command& chosen) {
  app.set_version_flag("--version", std::string("chancery ") + CHANCERY_VERSION, "Show the version");
  CLI::App* command = app.add_subcommand("version", "Show the version");
  command->callback([&chosen] {
    chosen = [](Context& context) -> Checked<ExitCode> {
      if (context.output.json()) {
        context.output.document(json::to_jcs(json::Node::object({{"version", CHANCERY_VERSION}})));
      } else {
        context.output.line(std::string("chancery ") + CHANCERY_VERSION);
      }
      return ExitCode::kSuccess;
    };
  });
}

}  // namespace chancery::cli
