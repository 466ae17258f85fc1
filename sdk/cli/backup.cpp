// `chancery backup` and `chancery restore`.

#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "sdk/base/printable.hpp"
#include "sdk/cli/backup_file.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/state_folder.hpp"
#include "sdk/wire/backup_messages.hpp"

namespace chancery::cli {
namespace {

constexpr const char* kNoMaster =
    "the master secret is not in it: keep STATE/master.key, or the credential chancery.master, apart from backups";

void show(Output& output, const api::Backup& backup) {
  if (output.json()) return output.document(wire::write(backup));
  output.field("copy", backup.name);
  output.field("made at", utc_text(static_cast<double>(backup.made_at)));
  output.field("octets", std::to_string(backup.octets));
  output.field("sha256", backup.sha256);
  output.field("schema", std::to_string(backup.schema));
  output.field("audit log", backup.log.empty() ? "(has no name yet)" : backup.log);
  output.field("entries", std::to_string(backup.entries));
  output.field("checkpoint", backup.checkpoint.empty() ? "(none yet)" : "");
  if (!backup.checkpoint.empty()) output.lines(backup.checkpoint, "    ");
}

// --- backup

Checked<ExitCode> back_up(Context& context, const std::string& file) {
  if (::access(file.c_str(), F_OK) == 0)
    return failure({ErrorCode::kConflict, "is there already: name a new file"}, file);
  const auto client = connect(context);
  if (!client) return client.error();
  const auto made = client->create_backup();
  if (!made) return failure(made.error());
  Descriptor copy(::open(made->path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!copy) {
    return failure(
        {ErrorCode::kFileUnreadable,
         "is the copy that the daemon made, on its machine, and cannot be read from here: run this there, as "
         "the daemon's user or root"},
        made->path);
  }
  CHANCERY_TRY(write_backup(file, *made, std::move(copy)));
  if (::unlink(made->path.c_str()) != 0)
    context.output.note("the daemon's own copy could not be removed: " + made->path);
  show(context.output, *made);
  context.output.note(kNoMaster);
  return ExitCode::kSuccess;
}

void add_backup_command(CLI::App& app, Command& chosen) {
  const auto file = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("backup", "Copy what a running daemon keeps into one file (operator)");
  command->add_option("file", *file, "a new file; it is as secret as the state folder")->required();
  command->footer(
      "The master secret is not in it: keep that apart, since both together open every key that the daemon's devices\n"
      "still hold. A copy goes back to nothing unnoticed: the daemon knows an older one, and issues nothing from it until\n"
      "`chancery budget accept`.\n\n"
      "Example:\n  chancery backup /srv/backups/chancery-$(date +%F)");
  command->callback(
      [file, &chosen] { chosen = [file](Context& context) { return back_up(context, *file); }; });
}

// --- restore

struct RestoreArguments {
  std::string file;
  std::string state;
  bool only_check = false;
};

Checked<ExitCode> check(Context& context, const std::string& path) {
  CHANCERY_ASSIGN(const BackupFile backup, open_backup(path));
  CHANCERY_TRY(copy_database(backup, -1));
  show(context.output, backup.manifest);
  return ExitCode::kSuccess;
}

// The mark first: no daemon starts on the copy without it.
Checked<ExitCode> restore(Context& context, const RestoreArguments& arguments) {
  constexpr std::string_view kIncoming = "chancery.db.restoring";
  CHANCERY_ASSIGN(const BackupFile backup, open_backup(arguments.file));
  CHANCERY_ASSIGN(const StateFolder state, StateFolder::open(arguments.state));
  {
    CHANCERY_ASSIGN(const Descriptor incoming, state.create(kIncoming));
    CHANCERY_TRY(copy_database(backup, incoming.get()));
  }
  CHANCERY_TRY(state.write("restored", wire::write(backup.manifest) + "\n"));
  CHANCERY_ASSIGN(const std::string aside, state.replace_database(kIncoming, context.now));
  show(context.output, backup.manifest);
  if (!aside.empty()) context.output.note("the former database is " + arguments.state + "/" + aside);
  if (!state.has("master.key"))
    context.output.note(
        "there is no master.key: put the one of this database there, or give it as a credential");
  context.output.note(
      "start the daemon: it issues and spends nothing until `chancery budget accept` with --end-tokens or --keep-tokens");
  return ExitCode::kSuccess;
}

void add_restore_command(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<RestoreArguments>();
  CLI::App* command =
      app.add_subcommand("restore", "Put a backup in place of what a stopped daemon keeps, or look at one");
  command->add_option("file", arguments->file, "what `chancery backup` wrote")->required();
  CLI::Option* state = command->add_option("--state", arguments->state,
                                           "the state folder; its former database is moved aside");
  command->add_flag("--check", arguments->only_check, "only check the file, and tell what is in it")
      ->excludes(state);
  command->footer(
      "Revocations, spent units and audit entries of after the backup are not in it. The daemon tells so: it issues,\n"
      "decides and signs nothing from the restored folder until the operator has said what becomes of the tokens of before\n"
      "(`chancery budget accept`); docs/operations/recovery.md has the steps.\n\n"
      "Example:\n  chancery restore --check /srv/backups/chancery-2026-01-31\n"
      "  chancery restore /srv/backups/chancery-2026-01-31 --state /var/lib/chancery");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) -> Checked<ExitCode> {
      if (arguments->only_check) return check(context, arguments->file);
      if (arguments->state.empty()) return misuse("name the state folder with --state, or look with --check");
      return restore(context, *arguments);
    };
  });
}

}  // namespace

void add_backup(CLI::App& app, Command& chosen) {
  add_backup_command(app, chosen);
  add_restore_command(app, chosen);
}

}  // namespace chancery::cli
