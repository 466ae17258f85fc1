#include <algorithm>
#include <memory>
#include <thread>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/status_target.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/wire/status_messages.hpp"

namespace chancery::cli {
namespace {

using std::chrono::steady_clock;

struct DrillArguments {
  TargetArguments target;
  std::string window = "60s";
  std::string reason;
};

// The daemon's clock says when; seconds after the drill's start are what people compare.
std::string after_start(const api::Drill& drill, std::int64_t time) {
  return "+" + std::to_string(time - drill.act.at) + " s";
}

void show(Output& output, const api::Drill& drill, steady_clock::duration suspended_in) {
  if (output.json()) return output.document(wire::write(drill));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(suspended_in).count();
  output.line(output.paint(Colour::kBold, "Drill " + std::to_string(drill.act.id) + ": " +
                                              printable(target_text(drill.act.target))));
  output.field("+0 s", "suspended " + std::to_string(drill.act.tokens) + " tokens, denied from " +
                           std::to_string(took) + " ms after the request on");
  std::uint64_t denied = 0;
  for (const api::DrillDenial& denial : drill.denials) {
    denied += denial.count;
    const std::string who = denial.agent.empty() ? "token " + denial.token : denial.agent;
    output.field(after_start(drill, denial.first_at), who + " denied " + std::to_string(denial.count) +
                                                          " times, last at " +
                                                          after_start(drill, denial.last_at));
  }
  if (drill.act.lifted_at) output.field(after_start(drill, *drill.act.lifted_at), "restored");
  output.field("denied", std::to_string(denied) + (denied == 0 ? ": nothing broke" : ""));
}

constexpr auto kBetweenLooks = std::chrono::milliseconds(500);

// The daemon ends it by itself; a little more is for its clock and its rounds.
Checked<api::Drill> wait_for_end(const Client& client, api::Drill drill, std::chrono::seconds window) {
  const auto give_up = steady_clock::now() + window + std::chrono::seconds(30);
  while (!drill.act.lifted_at) {
    if (steady_clock::now() > give_up) {
      return failure({ErrorCode::kTimeout, "the drill has not ended: `chancery lift` ends it by hand"},
                     std::to_string(drill.act.id));
    }
    std::this_thread::sleep_for(kBetweenLooks);
    auto answer = client.drill(drill.act.id);
    if (answer) {
      drill = *std::move(answer);
      continue;
    }
    // A daemon that is busy tells later, and one that restarts goes on with it.
    if (Failure refused = failure(answer.error()); refused.exit == ExitCode::kDenied) return refused;
  }
  return drill;
}

Checked<ExitCode> run(Context& context, const DrillArguments& arguments) {
  CHANCERY_ASSIGN(api::StatusTarget target, arguments.target.target());
  const auto window = parse_duration(arguments.window);
  if (!window) return failure(window.error(), "--window " + arguments.window);
  const auto client = connect(context);
  if (!client) return client.error();
  const auto asked = steady_clock::now();
  auto started = client->start_drill({std::move(target), *window, arguments.reason});
  if (!started) return failure(started.error());
  const auto suspended_in = steady_clock::now() - asked;
  context.output.note("drill " + std::to_string(started->act.id) +
                      " is under way; the daemon ends it, also without this command");
  CHANCERY_ASSIGN(const api::Drill drill, wait_for_end(*client, *std::move(started), *window));
  show(context.output, drill, suspended_in);
  return ExitCode::kSuccess;
}

}  // namespace

void add_drill(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<DrillArguments>();
  CLI::App* command = app.add_subcommand("drill", "Suspend for a while and report what broke (operator)");
  arguments->target.add_to(*command);
  command->add_option("--window", arguments->window, "how long: 1s to 1h; default: 60s");
  command->add_option("--reason", arguments->reason, "why, for the audit log");
  command->footer(
      "The suspension is real. The daemon lifts it when the window is over, whether or not this command\n"
      "or the daemon was ended meanwhile.\n\n"
      "Example:\n  chancery drill --agent support --window 60s");
  command->callback(
      [arguments, &chosen] { chosen = [arguments](Context& context) { return run(context, *arguments); }; });
}

}  // namespace chancery::cli
