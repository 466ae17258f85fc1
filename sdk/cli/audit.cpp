#include "sdk/cli/audit_commands.hpp"
#include "sdk/cli/commands.hpp"

namespace chancery::cli {

void add_audit(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("audit", "Read the daemon's audit log, and prove what stands in it");
  group->require_subcommand(1);
  add_audit_reading(*group, chosen);
  add_audit_proving(*group, chosen);
  add_audit_verify(*group, chosen);
  add_audit_export(*group, chosen);
  add_audit_checkpoints(*group, chosen);
}

}  // namespace chancery::cli
