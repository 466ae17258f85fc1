#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include <sys/timex.h>
#include <unistd.h>

#include <chancery/freeze_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/finding.hpp"
#include "sdk/cli/service_unit.hpp"
#include "sdk/cli/trust_file.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;

const char* environment(const char* name) { return std::getenv(name); }

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kFine:
      return "ok";
    case Level::kRemark:
      return "note";
    case Level::kProblem:
      return "problem";
  }
  return "";
}

// False when nobody answers, so that there is no more to be asked.
bool check_readiness(std::vector<Finding>& findings, const Client& client) {
  const auto readiness = client.readiness();
  if (!readiness) {
    const Failure why = failure(readiness.error());
    findings.push_back({Level::kProblem, "daemon", client.endpoint() + ": " + why.code, why.message});
    return false;
  }
  findings.push_back({Level::kFine, "daemon", client.endpoint() + " answers", {}});
  for (const std::string& what : readiness->missing) {
    findings.push_back({Level::kProblem, "daemon is not ready", what,
                        "see the daemon's log; a device that comes back is found by itself"});
  }
  return true;
}

void check_issuer(std::vector<Finding>& findings, const Client& client) {
  const auto keys = client.jwks();
  if (!keys || keys->keys.empty()) {
    findings.push_back({Level::kProblem, "issuer key", "the daemon publishes none",
                        "it makes one when its key backend answers: see `chancery status`"});
    return;
  }
  findings.push_back({Level::kFine, "issuer key", std::to_string(keys->keys.size()) + " published", {}});
}

void check_switch(std::vector<Finding>& findings, const api::FreezeState& freeze) {
  if (freeze.banks.empty()) return;  // there is none, or its device is away, which is said of that
  const std::string keys = std::to_string(freeze.switched_keys) + " keys hang on it, " +
                           std::to_string(freeze.other_keys) + " do not";
  if (!freeze.is_armed) {
    findings.push_back({Level::kRemark, "kill switch", "not armed; " + keys,
                        "`chancery freeze arm` with the operator's key: until then new keys hang on none"});
  } else if (freeze.other_keys > 0) {
    findings.push_back(
        {Level::kRemark, "kill switch", "armed; " + keys,
         "of those that do not, the daemon alone refuses a frozen agent's: see docs/operations/incidents.md"});
  } else {
    findings.push_back({Level::kFine, "kill switch", "armed; " + keys, {}});
  }
}

// Whoever is no operator was told already that more is told to one.
void check_freezes(std::vector<Finding>& findings, const Client& client) {
  const auto freeze = FreezeClient(client).state();
  if (!freeze) return;
  if (freeze->is_frozen) {
    findings.push_back({Level::kRemark, "agents", "all are frozen",
                        "`chancery freeze show` says why; `chancery freeze lift` ends it"});
  } else if (!freeze->agents.empty()) {
    findings.push_back({Level::kRemark, "agents", std::to_string(freeze->agents.size()) + " are frozen",
                        "`chancery freeze show` says which; `chancery agent unfreeze` ends it"});
  } else {
    findings.push_back({Level::kFine, "agents", "none is frozen", {}});
  }
  check_switch(findings, *freeze);
}

void check_daemon(std::vector<Finding>& findings, const Context& context) {
  const auto client = connect(context);
  if (!client) {
    const Failure& why = client.error();
    findings.push_back({Level::kProblem, "settings", why.code, why.message});
    return;
  }
  if (!check_readiness(findings, *client)) return;
  if (findings.back().level == Level::kFine) check_issuer(findings, *client);
  check_hardware(findings, *client);
  check_freezes(findings, *client);
}

void check_trust(std::vector<Finding>& findings) {
  const auto trust = load_trust({}, environment);
  if (trust) {
    findings.push_back({Level::kFine, "trust", std::to_string(trust->anchors.size()) + " trust anchors", {}});
  } else if (trust.error().code == error_name(ErrorCode::kNoTrust)) {
    findings.push_back({Level::kRemark, "trust",
                        "no trust anchor: `chancery verify` can tell nothing offline",
                        "run `chancery trust add`, or give --trust FILE"});
  } else {
    findings.push_back({Level::kProblem, "trust", trust.error().code, trust.error().message});
  }
}

// The clock decides what has expired: one that is years off, or free-running, decides wrongly.
void check_clock(std::vector<Finding>& findings, std::chrono::sys_seconds now) {
  using namespace std::chrono;
  constexpr sys_days kEarliest = year{2025} / 1 / 1;
  constexpr sys_days kLatest = year{2100} / 1 / 1;
  const std::string shown = utc_text(static_cast<double>(now.time_since_epoch().count()));
  if (now < kEarliest || now >= kLatest) {
    findings.push_back(
        {Level::kProblem, "clock", shown, "set the clock: it decides which chains have expired"});
    return;
  }
  timex state{};
  const bool free_running = ::adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0;
  findings.push_back(free_running ? Finding{Level::kRemark, "clock", shown + ", not known to be synchronized",
                                            "run a time service (systemd-timesyncd, chrony)"}
                                  : Finding{Level::kFine, "clock", shown + ", synchronized", {}});
}

bool in_path(std::string_view program) {
  const char* path = environment("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::filesystem::path candidate = std::filesystem::path(rest.substr(0, end)) / program;
    if (::access(candidate.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

// Only the daemon opens the device: for whoever asks here it is enough to know that there is one.
void check_tpm(std::vector<Finding>& findings) {
  constexpr const char* kDevice = "/dev/tpmrm0";
  if (::access(kDevice, F_OK) == 0) {
    findings.push_back({Level::kFine, "TPM", std::string(kDevice) + " is there", {}});
  } else if (in_path("swtpm")) {
    findings.push_back(
        {Level::kRemark, "TPM", "no device here; swtpm, a simulator, is installed",
         "`chanceryd --dev` can be tried; for keys in hardware enable the TPM in the firmware"});
  } else {
    findings.push_back(
        {Level::kRemark, "TPM", "no device and no swtpm here",
         "only a daemon on this machine needs one: enable the TPM in the firmware, or install swtpm"});
  }
}

std::string to_json(const std::vector<Finding>& findings, bool fine) {
  Node array = Node::array();
  for (const Finding& finding : findings) {
    array.push_back(Node::object({{"level", level_name(finding.level)},
                                  {"subject", finding.subject},
                                  {"found", finding.found},
                                  {"remedy", finding.remedy}}));
  }
  return json::to_jcs(Node::object({{"fine", fine}, {"findings", std::move(array)}}));
}

Colour level_colour(Level level) {
  switch (level) {
    case Level::kFine:
      return Colour::kGreen;
    case Level::kRemark:
      return Colour::kYellow;
    case Level::kProblem:
      return Colour::kRed;
  }
  return Colour::kBold;
}

void show(Output& output, const Finding& finding) {
  output.line(output.paint(level_colour(finding.level), level_name(finding.level)) + "\t" +
              printable(finding.subject) + ": " + printable(finding.found));
  if (!finding.remedy.empty()) output.line("\t  -> " + printable(finding.remedy));
}

ExitCode report(Context& context, const std::vector<Finding>& findings) {
  const bool fine =
      std::ranges::none_of(findings, [](const Finding& finding) { return finding.level == Level::kProblem; });
  if (context.output.json()) {
    context.output.document(to_json(findings, fine));
  } else {
    for (const Finding& finding : findings) show(context.output, finding);
  }
  return fine ? ExitCode::kSuccess : ExitCode::kUndecided;
}

Checked<ExitCode> examine(Context& context) {
  std::vector<Finding> findings;
  check_daemon(findings, context);
  check_trust(findings);
  check_clock(findings, context.now);
  check_tpm(findings);
  return report(context, findings);
}

}  // namespace

void add_doctor(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("doctor", "Look for what is missing here, and say what to do");
  command->footer(
      "Looks at the daemon, its certificate, readiness and keys, at the trust file, the clock and the TPM; for the\n"
      "operator on the daemon's socket also at each key device, and at the daemon's files, memory and core dumps.\n"
      "With --unit it holds a systemd service, drop-ins included, against the one that Chancery brings instead: what is\n"
      "weaker, and what to set. It takes the unit's name or, with a slash in it, the path of a unit file.\n"
      "Exit status: 0 when nothing is wrong (notes aside), else 2.");
  auto unit = std::make_shared<std::string>();
  CLI::Option* const given =
      command->add_option("--unit", *unit, "look at a systemd service instead; default: chanceryd.service")
          ->expected(0, 1)
          ->default_str("chanceryd.service");
  command->callback([&chosen, given, unit] {
    if (given->count() == 0) return void(chosen = examine);
    chosen = [unit](Context& context) -> Checked<ExitCode> {
      CHANCERY_ASSIGN(const auto findings, examine_unit(unit->empty() ? "chanceryd.service" : *unit));
      return report(context, findings);
    };
  });
}

}  // namespace chancery::cli
