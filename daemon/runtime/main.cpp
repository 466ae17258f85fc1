// chancery-runtime: calls tools for agents, with credentials that it is given for one call each. A process of its own, under
// a user of its own, and an agent of the daemon.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

#include <chancery/client.hpp>
#include <chancery/runtime_client.hpp>

#include "daemon/curl_memory.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/process_start.hpp"
#include "daemon/runtime/application.hpp"
#include "daemon/runtime/call_desk.hpp"
#include "daemon/runtime/receipts.hpp"
#include "daemon/runtime/review.hpp"
#include "daemon/runtime/settings.hpp"
#include "daemon/runtime/tools/tool_file.hpp"
#include "daemon/systemd/notify.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

constexpr const char* kHelp =
    "usage: chancery-runtime [--config FILE] [--check | --review [TOOL] [--credential FILE]]\n\n"
    "Calls tools for agents, with credentials that the daemon releases for one call each.\n\n"
    "  --config FILE   /etc/chancery/runtime.toml unless said otherwise\n"
    "  --check         read the file and the tools' declarations, and say whether they are good\n"
    "  --review [TOOL] ask the MCP servers of declared tools, or of one, how they describe them now, show it, and say\n"
    "                  whether that is what was reviewed; with the digest to write into the declaration\n"
    "  --credential FILE  for a server that answers nobody without one\n"
    "  --version\n"
    "  --help\n";

int complain(const std::string& message) {
  std::fprintf(stderr, "chancery-runtime: %s\n", message.c_str());
  return kFailed;
}

struct Arguments {
  std::filesystem::path file = "/etc/chancery/runtime.toml";
  bool check_only = false;
  std::optional<ReviewOrder> review;
};

std::optional<Arguments> parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--check") {
      out.check_only = true;
    } else if (argument == "--config" && i + 1 < argc) {
      out.file = argv[++i];
    } else if (argument == "--review") {
      out.review.emplace();
      if (i + 1 < argc && argv[i + 1][0] != '-') out.review->tool = argv[++i];
    } else if (argument == "--credential" && out.review && i + 1 < argc) {
      out.review->credential = argv[++i];
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::vector<tools::Tool>> load(const Settings& settings) {
  auto loaded = tools::load_tools(settings.tools);
  if (loaded) return *std::move(loaded);
  for (const tools::LoadError& error : loaded.error()) complain(tools::load_error_text(error));
  return std::nullopt;
}

// Those of MCP servers that nobody has reviewed are not there for agents.
std::vector<tools::Tool> served(std::vector<tools::Tool> tools) {
  std::erase_if(tools, [](const tools::Tool& tool) { return !tools::may_be_served(tool); });
  return tools;
}

edge::ServerOptions server_options(const Settings& settings, const telemetry::Log& log,
                                   std::chrono::milliseconds longest) {
  edge::ServerOptions options;
  options.unix_socket = edge::UnixAddress{settings.socket, 0666, ""};
  if (const auto address = split_address(settings.tls_listen)) {
    options.tls =
        edge::TlsAddress{{address->host, address->port}, settings.tls_certificate, settings.tls_key};
  }
  options.limits.header_bytes = 64 * 1024;  // chains travel in headers
  options.limits.handler_time = longest + 60s;
  options.blocking_threads = 32;  // each waits for an upstream
  options.log = &log;
  return options;
}

int wait_for_stop_signal(const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  return signal;
}

Receipts::Sign signing_with(const RuntimeClient& daemon) {
  return [&daemon](const std::vector<std::string>& permits) -> Result<std::string> {
    auto made = daemon.sign_receipts({permits});
    if (!made) return made.error().error;
    return std::move(made->jws);
  };
}

int serve(const Settings& settings, std::vector<tools::Tool> tools, const sigset_t& signals) {
  const telemetry::Log log({.level = settings.log_level, .format = settings.log_format});
  ClientOptions where;
  where.socket = settings.daemon.string();
  where.kept_connections = 32;  // as many as there are calls at once
  const auto client = Client::connect(where);
  if (!client) return complain(client.error().what);
  const RuntimeClient daemon(*client);
  OutboundCaller outbound;
  Receipts receipts(signing_with(daemon),
                    [&log](const Error& error) { log.warning("receipts could not be signed", error); });
  CallDesk desk({daemon, *client, outbound, receipts, log}, {settings.url, settings.ca.string()});
  const std::size_t count = tools.size();
  std::chrono::milliseconds longest = 0ms;  // that a call may take
  for (const tools::Tool& tool : tools) longest = std::max(longest, tools::limits_of(tool).timeout);
  Application application(std::move(tools), *client, desk, receipts, settings.url);
  auto server = edge::Server::start(server_options(settings, log, longest), application);
  if (!server) return complain(server.error().what);
  log.info("serving",
           {{"socket", settings.socket.string()}, {"tls_port", server->tls_port()}, {"tools", count}});
  systemd::notify_ready("serving");
  const int signal = wait_for_stop_signal(signals);
  systemd::notify_stopping();
  log.info("stopping", {{"signal", signal}});
  server->drain(10s);
  return 0;
}

int main_with(int argc, char** argv) {
  harden_process();
  const sigset_t signals = block_signals({SIGTERM, SIGINT});
  if (!cleanse_curl_memory()) return complain("libcurl could not start");  // before anything else has used it
  if (argc == 2 && (argv[1] == std::string_view("--help") || argv[1] == std::string_view("--version"))) {
    std::fputs(argv[1] == std::string_view("--help") ? kHelp : "chancery-runtime " CHANCERY_VERSION "\n",
               stdout);
    return 0;
  }
  const auto arguments = parse(argc, argv);
  if (!arguments) {
    complain("not understood: see --help");
    return kUsage;
  }
  const auto loaded = load_settings(arguments->file);
  if (const auto* error = std::get_if<SettingsError>(&loaded)) {
    const std::string line = error->line > 0 ? ":" + std::to_string(error->line) : "";
    return complain(arguments->file.string() + line + ": " + error->message);
  }
  const auto& settings = std::get<Settings>(loaded);
  auto tools = load(settings);
  if (!tools) return kFailed;
  if (arguments->review) return review(settings, *tools, *arguments->review);
  if (arguments->check_only) {
    const std::size_t all = tools->size();
    const std::size_t left = served(*std::move(tools)).size();
    std::printf("The configuration is good: %zu tools.\n", left);
    if (left < all)
      std::printf("%zu tools of MCP servers are not served until somebody reviews them: --review\n",
                  all - left);
    return 0;
  }
  return serve(settings, served(*std::move(tools)), signals);
}

}  // namespace
}  // namespace chancery::runtime

int main(int argc, char** argv) { return chancery::runtime::main_with(argc, argv); }
