#include "sdk/cli/attest_commands.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/key_commands.hpp"

namespace chancery::cli {

void add_attest(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("attest", "What is proved about where keys are, and by whom");
  group->require_subcommand(1);
  add_attest_key(*group, chosen);
  add_attest_show(*group, chosen);
  add_attest_verify(*group, chosen);
  add_attest_hosts(*group, chosen);
  add_attestation_keys(*group, chosen);
}

}  // namespace chancery::cli
