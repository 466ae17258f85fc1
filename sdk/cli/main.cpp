#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "sdk/base/base64url.hpp"
#include "sdk/cli/approver_commands.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/reference_pages.hpp"
#include "sdk/cli/scan_commands.hpp"

namespace {

using namespace chancery;
using namespace chancery::cli;

constexpr const char* kFooter =
    "The daemon is found by --socket, --addr or --context, then the session in which the command was started\n"
    "(`chancery run`), then CHANCERY_SOCKET, then CHANCERY_ADDR, then the context in use, then\n"
    "/run/chancery/chancery.sock. Verification asks nobody: it reads trust anchors from --trust, CHANCERY_TRUST or\n"
    "the file that `chancery trust add` writes.\n\n"
    "Exit status: 0 valid or done; 1 denied or refused; 2 could not tell: unknown status, no trust, "
    "unreadable\n"
    "input, no daemon, bad usage.\n\n"
    "Examples:\n"
    "  chancery doctor\n"
    "  chancery verify chain.txt\n"
    "  chancery delegate chain.txt --to support --scope crm.read | chancery explain";

/// Options that every command takes, before or after its name.
struct GlobalArguments {
  std::string format = "text";
  std::string context;
  ClientOptions daemon;
};

void add_global_options(CLI::App& app, GlobalArguments& arguments) {
  app.add_option("--format", arguments.format, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--context", arguments.context, "a stored context: see `chancery context list`");
  app.add_option("--socket", arguments.daemon.socket, "the daemon's Unix socket");
  app.add_option("--addr", arguments.daemon.address, "the daemon's address: https://HOST:PORT");
  app.add_option("--cacert", arguments.daemon.ca_file,
                 "the CA of its certificate, PEM; default: CHANCERY_CACERT");
}

void add_commands(CLI::App& app, Command& chosen) {
  app.require_subcommand(1);
  app.fallthrough();
  add_status(app, chosen);
  add_init(app, chosen);
  add_operator(app, chosen);
  add_login(app, chosen);
  add_context(app, chosen);
  add_join_token(app, chosen);
  add_run(app, chosen);
  add_agent(app, chosen);
  add_key(app, chosen);
  add_issuer(app, chosen);
  add_status_key(app, chosen);
  add_audit_key(app, chosen);
  add_webhook_key(app, chosen);
  add_backend(app, chosen);
  add_host(app, chosen);
  add_attest(app, chosen);
  add_anomaly(app, chosen);
  add_audit(app, chosen);
  add_trace(app, chosen);
  add_budget(app, chosen);
  add_backup(app, chosen);
  add_vault(app, chosen);
  add_approval(app, chosen);
  add_deciding(app, chosen);
  add_approver(app, chosen);
  add_gate(app, chosen);
  add_freeze(app, chosen);
  add_incident(app, chosen);
  add_console(app, chosen);
  add_receipt(app, chosen);
  add_grant(app, chosen);
  add_delegate(app, chosen);
  add_revocation(app, chosen);
  add_drill(app, chosen);
  add_status_list(app, chosen);
  add_verify(app, chosen);
  add_authorize(app, chosen);
  add_decision_ends(app, chosen);
  add_explain(app, chosen);
  add_inspect(app, chosen);
  add_proof(app, chosen);
  add_present(app, chosen);
  add_mcp(app, chosen);
  add_verify_vectors(app, chosen);
  add_verify_evidence(app, chosen);
  add_scan(app, chosen);
  add_doctor(app, chosen);
  add_trust(app, chosen);
  add_version(app, chosen);
}

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] != '\0';
}

Output make_output(std::string_view format) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::strcmp(kind, "dumb") == 0;
  return Output({.format = format == "json" ? Format::kJson : Format::kText,
                 .coloured = terminal && !dumb && !is_set("NO_COLOR"),
                 .terminal = terminal});
}

// Bad usage is reported in the format that was asked for, even when it is not all of it that could be read.
bool wants_json(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--format=json") return true;
    if (argument == "--format" && i + 1 < argc && std::string_view(argv[i + 1]) == "json") return true;
  }
  return false;
}

// The innermost command that was named: its help is what helps.
std::string command_line_of(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app.get_name() : app.get_name() + " " + command_line_of(*given.front());
}

// One key in 64 has a thumbprint that begins with "-", and no option is as long.
bool is_dashed_thumbprint(std::string_view argument) {
  return argument.starts_with('-') && base64url_decode_exactly<32>(argument).has_value();
}

// The arguments, last first, as CLI11 takes them. Behind "--" a thumbprint is taken for what it is.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> out, positional;
  const auto end = std::find(argv + 1, argv + argc, std::string_view("--"));
  for (char** argument = argv + 1; argument != end; ++argument) {
    (is_dashed_thumbprint(*argument) ? positional : out).emplace_back(*argument);
  }
  if (end != argv + argc) positional.insert(positional.end(), end + 1, argv + argc);
  if (!positional.empty()) out.emplace_back("--");
  out.insert(out.end(), positional.begin(), positional.end());
  std::ranges::reverse(out);
  return out;
}

int report_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  Output output = make_output(wants_json(argc, argv) ? "json" : "text");
  output.report(misuse(std::string(error.what()) + ": see `" + command_line_of(app) + " --help`"));
  return static_cast<int>(ExitCode::kUndecided);
}

int run(const Command& command, const GlobalArguments& arguments) {
  Output output = make_output(arguments.format);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  Context context{output, arguments.daemon, now, arguments.context};
  const Checked<ExitCode> result = command(context);
  if (!output.flush()) {
    output.report(
        failure(Error{ErrorCode::kFileUnwritable, "the answer could not be written: is the disk full?"},
                "standard output"));
    return static_cast<int>(ExitCode::kUndecided);
  }
  if (result) return static_cast<int>(*result);
  output.report(result.error());
  return static_cast<int>(result.error().exit);
}

}  // namespace

int main(int argc, char** argv) {
  // The TPM software stack would write to standard error by itself; set here, before there are threads.
  ::setenv("TSS2_LOG", "all+none", 0);
  constexpr std::size_t kOutputBuffer = 256 * 1024;
  std::setvbuf(stdout, nullptr, _IOFBF, kOutputBuffer);
  CLI::App app("Hardware-held keys and delegation chains for AI agents.", "chancery");
  GlobalArguments arguments;
  Command command;
  add_global_options(app, arguments);
  add_commands(app, command);
  app.footer(kFooter);
  add_reference(app, [&](const std::string& page) {
    command = [page](Context& context) -> Checked<ExitCode> {
      context.output.line(page);
      return ExitCode::kSuccess;
    };
  });
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, argc, argv);
  }
  try {
    return run(command, arguments);
  } catch (const std::exception&) {
    // Of the libraries below, or out of memory: nothing was decided.
    make_output(arguments.format)
        .report({ExitCode::kUndecided, "internal", "something unexpected failed: is memory short?", {}});
    return static_cast<int>(ExitCode::kUndecided);
  }
}
