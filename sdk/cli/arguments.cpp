#include "sdk/cli/commands.hpp"

namespace chancery::cli {

void add_chain_argument(CLI::App& command, std::vector<std::string>& chain) {
  command.add_option(
      "CHAIN", chain,
      "the chain: a file, - for standard input (the default), or its text; tokens joined by ~, one a "
      "line, or JSON");
}

CLI::Option* add_repeatable(CLI::App& command, const char* name, std::vector<std::string>& values,
                            const char* help) {
  // Without the second call an option would swallow the arguments that come after its value.
  return command.add_option(name, values, help)->allow_extra_args(false);
}

}  // namespace chancery::cli
