#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chancery/session.hpp>
#include <chancery/tool_client.hpp>

#include "sdk/base/printable.hpp"
#include "sdk/cli/chain_input.hpp"
#include "sdk/cli/commands.hpp"
#include "sdk/cli/mcp_host.hpp"
#include "sdk/cli/mcp_listener.hpp"
#include "sdk/cli/mcp_stdio.hpp"
#include "sdk/cli/time_syntax.hpp"

namespace chancery::cli {
namespace {

constexpr const char* kInstructions =
    "Each call is decided by what this agent was granted. A call that is refused says why; the same call will be refused "
    "again, so change it, or do without. Credentials of tools are never yours to see, to ask for or to send.";

struct McpArguments {
  ToolClientOptions runtime;
  std::vector<std::string> chain;
  std::string lifetime = "10m";
  std::string listen;
  std::vector<std::string> origins;
};

// The session's key is in this process: no core file has it, and no debugger of the same user.
void harden() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);
}

std::string without_slash(std::string url) {
  if (url.ends_with('/')) url.pop_back();
  return url;
}

// The daemon would find out with the first call; here it can be said what the chain is for instead.
Checked<void> expect_audience(const std::vector<std::string>& chain, const std::string& runtime) {
  for (const std::string& compact : chain) {
    const auto token = Token::parse(compact);
    if (!token) return failure(token.error(), "the chain");
    const std::vector<std::string>& audience = token->claims().aud;
    if (std::ranges::find(audience, runtime) != audience.end()) continue;
    Failure refused = failure({ErrorCode::kAudienceNotGranted,
                               "the chain is not for this runtime: have one granted with this --audience"},
                              runtime);
    refused.message += " (it is for " + joined(audience) + ")";
    refused.exit = ExitCode::kDenied;
    return refused;
  }
  return {};
}

Checked<std::shared_ptr<const Session>> open_session(const Context& context, const McpArguments& arguments) {
  if (arguments.chain.empty() && environment("CHANCERY_SESSION_FD") != nullptr) {
    const auto session = Session::inherited();
    if (!session) return failure(session.error());
    return *session;
  }
  if (arguments.chain.empty())
    return misuse("give the agent's chain with --chain, or start this with `chancery run`");
  if (arguments.listen.empty() && std::ranges::find(arguments.chain, "-") != arguments.chain.end())
    return misuse(
        "the chain cannot come from standard input, where the agent's messages come from: name a file");
  CHANCERY_ASSIGN(std::vector<std::string> chain, read_chain(arguments.chain));
  CHANCERY_TRY(expect_audience(chain, without_slash(arguments.runtime.runtime)));
  CHANCERY_ASSIGN(SessionOptions options, options_of(context));
  const auto lifetime = parse_duration(arguments.lifetime);
  if (!lifetime) return failure(lifetime.error(), "--lifetime");
  options.lifetime = *lifetime;
  const auto session = Session::open(options, std::move(chain));
  if (!session) return failure(session.error());
  return *session;
}

mcp::ServerOptions server_options() {
  mcp::ServerOptions options;
  options.version = CHANCERY_VERSION;
  options.instructions = kInstructions;
  return options;
}

Checked<ExitCode> serve_pipe(RuntimeHost& host) {
  const mcp::ServerOptions options = server_options();
  StdioServer server(options, host, STDIN_FILENO, STDOUT_FILENO);
  const Status served = server.serve();
  if (!served) return failure(served.error());
  return ExitCode::kSuccess;
}

Checked<ExitCode> serve_port(Context& context, const McpArguments& arguments, RuntimeHost& host) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ListenerOptions options;
  options.address = arguments.listen;
  options.http.server = server_options();
  options.http.rules.origins = arguments.origins;
  const auto listener = McpListener::start(std::move(options), host);
  if (!listener) return failure(listener.error(), "--listen");
  context.output.note("listening on " + listener->url());
  int signal = 0;
  ::sigwait(&signals, &signal);
  return ExitCode::kSuccess;
}

// Standard output is the protocol's: whatever there is to say goes to standard error.
Checked<ExitCode> serve(Context& context, const McpArguments& arguments) {
  harden();
  if (arguments.listen.empty() && !arguments.origins.empty())
    return misuse("--origin goes with --listen: on a pipe there are no pages");
  CHANCERY_ASSIGN(const auto session, open_session(context, arguments));
  const auto tools = ToolClient::connect(arguments.runtime, session);
  if (!tools) return failure(tools.error(), arguments.runtime.runtime);
  const auto offered = tools->list();
  if (!offered) return failure(offered.error());
  context.output.note(std::to_string(offered->size()) + " tools of " + arguments.runtime.runtime);
  RuntimeHost host(*tools, [&context](std::string_view line) { context.output.note(line); });
  return arguments.listen.empty() ? serve_pipe(host) : serve_port(context, arguments, host);
}

}  // namespace

void add_mcp(CLI::App& app, Command& chosen) {
  const auto arguments = std::make_shared<McpArguments>();
  CLI::App* command = app.add_subcommand(
      "mcp", "Serve a tool runtime's tools over MCP, to the agent that this is started by");
  command
      ->add_option("SERVER", arguments->runtime.runtime,
                   "the runtime's URL, https://HOST[:PORT]: proofs are for addresses under it")
      ->required();
  add_repeatable(*command, "--chain", arguments->chain,
                 "the agent's chain: a file, or its text; default: the session of `chancery run`");
  command->add_option("--runtime-socket", arguments->runtime.socket,
                      "call the runtime over its Unix socket, and not at its URL");
  command->add_option("--runtime-cacert", arguments->runtime.ca_file,
                      "the CA of the runtime's certificate, PEM; default: CHANCERY_CACERT");
  command->add_option("--lifetime", arguments->lifetime, "of each session token; at most 10m (default)");
  command->add_option(
      "--listen", arguments->listen,
      "serve Streamable HTTP at 127.0.0.1:PORT or [::1]:PORT, path /mcp; default: standard input and "
      "output");
  add_repeatable(
      *command, "--origin", arguments->origins,
      "with --listen: an Origin that a proxy on this machine may pass on, such as http://localhost:3000; "
      "pages themselves get no CORS answer; repeatable");
  command->footer(
      "Runs as the agent's user, whose key the daemon has: it opens a session for the chain, and adds chain and proof to\n"
      "each call. The agent has neither, nor any credential of a tool. What the agent's client sends as Authorization is\n"
      "not looked at and goes nowhere. Speaks the versions 2025-11-25 and 2026-07-28 of the protocol.\n\n"
      "Without --listen standard output is the protocol's, standard error has a line for each call, and the end of the\n"
      "input is the end. With --listen it serves processes of its own user until SIGTERM.\n\n"
      "Examples:\n  chancery mcp https://tools.example.org:8444 --chain support.chain\n"
      "  chancery mcp https://tools.example.org:8444 --chain support.chain --listen 127.0.0.1:8787 \\\n"
      "    --runtime-socket /run/chancery-runtime/runtime.sock");
  command->callback([arguments, &chosen] {
    chosen = [arguments](Context& context) { return serve(context, *arguments); };
  });
}

}  // namespace chancery::cli
