// `chancery incident`: what an agent was and did, in one file that verifies without the daemon.

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <chancery/incident_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/cli/incident_commands.hpp"

namespace chancery::cli {
namespace {

constexpr unsigned kOwnerOnly = 0600;

struct OpenArguments {
  api::OpenIncident request;
  bool no_freeze = false;
  bool no_revoke = false;
  std::string file;
};

// Before anything is done: what was collected of an agent that was stopped has to go somewhere.
Checked<void> require_no_file(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  return failure(Error{ErrorCode::kConflict, "is there already: give --out a file that is not"}, file);
}

// By the keys that the bundle itself names: that shows whether it is whole, and not whose it is.
Checked<incident::Report> judge_by_itself(const incident::Bundle& bundle) {
  std::vector<audit::NoteKey> keys;
  for (const std::string& text : bundle.proof.keys) {
    const auto key = audit::parse_verifier_key(text);
    if (!key) return failure(Error{ErrorCode::kBadResponse, "the daemon publishes a key that is none"});
    keys.push_back(*key);
  }
  return incident::judge(bundle, {.keys = keys});
}

// Names sort by when they were made, and a second incident of the same agent does not meet the first one's file.
std::string file_for(const std::string& agent, std::chrono::sys_seconds now) {
  std::string time = utc_text(static_cast<double>(now.time_since_epoch().count()));
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return agent + "." + time + ".incident.json";
}

// It is kept before it is looked at: an agent is frozen once, and what was found then is worth having also when it is odd.
Checked<ExitCode> open(Context& context, const OpenArguments& arguments) {
  api::OpenIncident request = arguments.request;
  request.freeze = !arguments.no_freeze;
  request.revoke = !arguments.no_revoke;
  const std::string file = arguments.file.empty() ? file_for(request.agent, context.now) : arguments.file;
  CHANCERY_TRY(require_no_file(file));
  const auto client = connect(context);
  if (!client) return client.error();
  const auto opened = IncidentClient(*client).open(request);
  if (!opened) return failure(opened.error());
  CHANCERY_TRY(create_file(file, opened->bundle, kOwnerOnly));
  if (arguments.file.empty()) context.output.note("the bundle is in " + printable(file));
  const auto bundle = incident::read_bundle(opened->bundle);
  if (!bundle) return failure(bundle.error(), file);
  CHANCERY_ASSIGN(const incident::Report report, judge_by_itself(*bundle));
  show_incident(context.output, *bundle, report);
  if (!context.output.json()) {
    context.output.field("file", file);
    context.output.note(
        "checked with the keys that the bundle itself names: `chancery incident verify --key` takes one that you keep");
  }
  return report.is_sound() ? ExitCode::kSuccess : ExitCode::kDenied;
}

void add_open(CLI::App& group, Command& chosen) {
  const auto arguments = std::make_shared<OpenArguments>();
  CLI::App* command = group.add_subcommand(
      "open", "Freeze an agent, revoke what it holds and delegated, and collect what is known of it");
  command->add_option("AGENT", arguments->request.agent, "the agent's name")->required();
  command->add_option("--reason", arguments->request.reason, "why, for people: one line");
  command->add_option("--out", arguments->file,
                      "where the bundle goes; a file that is not there yet, made 0600 (default: "
                      "AGENT.TIME.incident.json in the current folder)");
  command->add_flag("--no-freeze", arguments->no_freeze, "leave its keys as they are");
  command->add_flag("--no-revoke", arguments->no_revoke, "leave its tokens as they are");
  command
      ->add_option("--entries", arguments->request.entries,
                   "how many entries of the audit log at most, the newest (default: 10000)")
      ->check(CLI::Range(std::int64_t{1}, api::kMostIncidentEntries));
  command->footer(
      "Examples:\n  chancery incident open support\n"
      "  chancery incident open support --reason 'sends mail to strangers' --out support.incident.json");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return open(context, *arguments); }; });
}

}  // namespace

void add_incident(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand(
      "incident", "What an agent was and did, in one bundle that verifies offline (operator)");
  group->require_subcommand(1);
  add_open(*group, chosen);
  add_incident_verify(*group, chosen);
}

}  // namespace chancery::cli
