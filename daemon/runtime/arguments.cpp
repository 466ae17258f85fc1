#include "daemon/runtime/arguments.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "daemon/config/config.hpp"
#include "daemon/runtime/settings.hpp"

namespace chancery::runtime {
namespace {

constexpr std::array<std::string_view, 10> kTakeValue{
    "--config",      "--credential-file", "--import-openapi", "--output", "--scope-prefix",
    "--name-prefix", "--credential",      "--basic-user",     "--server", "--only"};

// What belongs to --import-openapi.
bool take_import_value(std::string_view name, const char* value, ImportOrder& order) {
  tools::ImportOptions& options = order.options;
  if (name == "--output") order.folder = value;
  if (name == "--scope-prefix") options.scope_prefix = value;
  if (name == "--name-prefix") options.name_prefix = value;
  if (name == "--credential") options.credential = value;
  if (name == "--basic-user") options.basic_user = value;
  if (name == "--server") options.server = value;
  if (name == "--only") order.only.emplace_back(value);
  return name != "--config" && name != "--credential-file" && name != "--import-openapi";
}

std::optional<Arguments::Action> action_of(std::string_view argument) {
  using enum Arguments::Action;
  if (argument == "--check") return kCheck;
  if (argument == "--review") return kReview;
  if (argument == "--help" || argument == "-h") return kHelp;
  if (argument == "--version") return kVersion;
  if (argument == "--man-page") return kManPage;  // for who packs it
  return std::nullopt;
}

}  // namespace

std::string usage() {
  return R"(usage: chancery-runtime [--config FILE] [--check]
       chancery-runtime [--config FILE] --review [TOOL [--credential-file FILE]]
       chancery-runtime --import-openapi FILE --output FOLDER [--scope-prefix SCOPE] [--name-prefix TEXT]
                        [--credential NAME] [--basic-user USER] [--server URL] [--only OPERATION]...

Calls tools for agents, with credentials that the daemon releases for one call each.

  --config FILE          the configuration; default /etc/chancery/runtime.toml
  --check                read the configuration and the tools' declarations, say whether they are good, and end
  --review [TOOL]        ask the MCP servers of declared tools, or of one, how they describe them now, show it, say
                         whether that is what was reviewed, with the digest for the declaration, and end
  --credential-file FILE for the server of TOOL, when it answers nobody without a credential
  --import-openapi FILE  propose declarations for the operations of an OpenAPI document (3.0 or 3.1, JSON), and end
  --output FOLDER        where proposals go, as NAME.toml.proposed; nothing is overwritten
  --scope-prefix SCOPE   an operation's scope is this, a dot, and its name; default FILE's name
  --name-prefix TEXT     what the tools' names begin with
  --credential NAME      the vault's record for all; default one named as the document's security scheme
  --basic-user USER      the user, where an operation takes HTTP basic authentication
  --server URL           the address before the paths; default the document's first server
  --only OPERATION       this one alone, a tool's name or "POST /refunds"; may be repeated
  --version, --help

SIGTERM and SIGINT end it after the calls that are under way, or after drain_timeout, which cuts them short. SIGHUP has
it read its file, the declarations, its certificate and key again, and take them over while it serves.
)";
}

std::string man_page(const std::string& version) {
  std::string out = R"(.TH CHANCERY-RUNTIME 8 "" "Chancery )" + version + R"(" "System administration"
.SH NAME
chancery-runtime \- calls tools for AI agents with credentials that they never hold
.SH SYNOPSIS
.nf
)" + config::roff(usage()) +
                    R"(.fi
.SH CONFIGURATION
.I /etc/chancery/runtime.toml
is a TOML file. These are all options; any other name is an error. Durations are strings of one number and ms, s or m.
)";
  for (const Option& option : options()) {
    out += ".TP\n.B " + config::roff("[" + std::string(option.section) + "] " + std::string(option.name)) +
           "\n" + config::roff(std::string(option.meaning)) + "; a change is " +
           (option.is_live ? "live" : "for a restart") + ".\n";
  }
  return out + R"(.SH FILES
.TP
.I /etc/chancery/runtime.toml
the configuration
.TP
.I /etc/chancery/tools.d
declarations of tools, one a file
.TP
.I /run/chancery\-runtime/runtime.sock
the socket for agents of this machine
.SH ENVIRONMENT
.TP
.B NOTIFY_SOCKET
what a service manager sets: it is told when the runtime serves, reads its configuration again, and ends
.SH EXIT STATUS
0 after SIGTERM and SIGINT; 1 when it could not start, or could not import, with the reason on the standard error output; 2 after wrong arguments.
.SH SEE ALSO
.BR chancery (1),
.BR chanceryd (8),
.BR systemd.service (5)
)";
}

std::variant<Arguments, std::string> parse_arguments(std::span<char* const> arguments) {
  using enum Arguments::Action;
  Arguments out;
  bool has_import_option = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (const auto action = action_of(argument)) {
      if (out.action != kServe) return std::string("one thing at a time: see --help");
      out.action = *action;
      const bool has_name = *action == kReview && i + 1 < arguments.size() && arguments[i + 1][0] != '-';
      if (has_name) out.review.tool = arguments[++i];
      continue;
    }
    if (std::ranges::find(kTakeValue, argument) == kTakeValue.end())
      return "unknown argument " + std::string(argument) + ": see --help";
    if (i + 1 == arguments.size()) return std::string(argument) + " needs a value: see --help";
    const char* const value = arguments[++i];
    has_import_option = take_import_value(argument, value, out.import) || has_import_option;
    if (argument == "--config") out.config_file = value;
    if (argument == "--credential-file") out.review.credential = value;
    if (argument != "--import-openapi") continue;
    if (out.action != kServe) return std::string("one thing at a time: see --help");
    out.action = kImport;
    out.import.document = value;
  }
  if (!out.review.credential.empty() && out.action != kReview)
    return std::string("--credential-file belongs to --review");
  if (!out.review.credential.empty() && out.review.tool.empty())
    return std::string(
        "--credential-file takes --review TOOL: the servers of all tools would get the credential");
  if (has_import_option && out.action != kImport)
    return std::string("--output and what follows it in --help belong to --import-openapi");
  if (out.action == kImport && out.import.folder.empty())
    return std::string("--import-openapi takes --output FOLDER, where the declarations go");
  return out;
}

}  // namespace chancery::runtime
