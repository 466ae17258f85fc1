// chancery-runtime: calls tools for agents, with credentials that it is given for one call each. A process of its own, under
// a user of its own, and an agent of the daemon.

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <chancery/client.hpp>
#include <chancery/runtime_client.hpp>

#include "daemon/curl_memory.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/edge/tls.hpp"
#include "daemon/process_start.hpp"
#include "daemon/runtime/application.hpp"
#include "daemon/runtime/arguments.hpp"
#include "daemon/runtime/call_desk.hpp"
#include "daemon/runtime/import_command.hpp"
#include "daemon/runtime/readiness.hpp"
#include "daemon/runtime/receipts.hpp"
#include "daemon/runtime/reload.hpp"
#include "daemon/runtime/review.hpp"
#include "daemon/runtime/serving.hpp"
#include "daemon/runtime/settings.hpp"
#include "daemon/runtime/tools/tool_file.hpp"
#include "daemon/systemd/notify.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// What calls that were cut short have to be recorded and answered.
constexpr auto kEndTime = 5s;
// What the daemon's device has to sign the receipts that wait.
constexpr auto kSettleTime = 5s;

int complain(const std::string& message) {
  std::fprintf(stderr, "chancery-runtime: %s\n", message.c_str());
  return kFailed;
}

std::optional<std::vector<tools::Tool>> load(const Settings& settings) {
  auto loaded = tools::load_tools(settings.tools);
  if (loaded) return *std::move(loaded);
  for (const tools::LoadError& error : loaded.error()) complain(tools::load_error_text(error));
  return std::nullopt;
}

Receipts::Sign signing_with(const RuntimeClient& daemon) {
  return [&daemon](const Receipts::Permits& permits) -> Result<std::string> {
    auto made = daemon.sign_receipts({permits});
    if (!made) return made.error().error;
    return std::move(made->jws);
  };
}

Receipts::Complain complaints_to(const telemetry::Log& log, Readiness& readiness) {
  return [&log, &readiness](const Error& error, std::string_view permit) {
    if (error.code == ErrorCode::kForbidden) readiness.doubt();
    if (permit.empty()) return log.warning("receipts wait: they could not be signed", error);
    log.warning("a receipt is not signed: the daemon does not know its call", error, {{"permit", permit}});
  };
}

Readiness::Questions questions_to(const Client& client, const RuntimeClient& daemon) {
  const auto status_of = [](const auto& answer) { return answer ? Status() : Status(answer.error().error); };
  // A permit that nobody has.
  const api::SignReceipts none{{std::string(32, '0')}};
  return {[&client, status_of] { return status_of(client.readiness()); },
          [&daemon, status_of, none] { return status_of(daemon.sign_receipts(none)); }};
}

ClientOptions daemon_at(const Settings& settings) {
  ClientOptions options;
  options.socket = settings.daemon.string();
  options.kept_connections = kCallsAtOnce;
  return options;
}

int wait_for_stop_signal(const sigset_t& signals, Reload& reload) {
  for (;;) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal != SIGHUP) return signal;
    systemd::notify_reloading();
    reload.again();
    systemd::notify_ready("serving");
  }
}

// Nothing new is taken; what is under way has until `grace` is over, and is cut short then, which its agent is told.
void drain(edge::Server& server, Application& application, std::chrono::milliseconds grace,
           const telemetry::Log& log) {
  std::mutex mutex;
  std::condition_variable_any drained;
  const std::jthread cutter([&](const std::stop_token& done) {
    std::unique_lock lock(mutex);
    if (drained.wait_for(lock, done, grace, [] { return false; }) || done.stop_requested()) return;
    log.warning("calls that are under way are cut short");
    application.stop_calls();
  });
  const std::size_t cut = server.drain(grace + kEndTime);
  log.info("drained", {{"connections_cut", cut}});
}

void warn_if_not_ready(Readiness& readiness, const telemetry::Log& log) {
  for (const std::string_view missing : readiness.missing(std::chrono::steady_clock::now())) {
    log.warning(
        missing == "daemon"
            ? "the daemon does not answer yet: calls fail until it does"
            : "the daemon does not know this runtime: register its agent, and name it in [runtime] agents");
  }
}

/// Builds the runtime from the inside out, serves, and takes it apart in the reverse order.
int serve(const std::filesystem::path& file, const Settings& settings, std::vector<tools::Tool> tools,
          const sigset_t& signals) {
  telemetry::Log log(log_options(settings));
  const auto client = Client::connect(daemon_at(settings));
  ClientOptions quick = daemon_at(settings);
  quick.timeout = 3s;
  const auto watcher = Client::connect(quick);
  if (!client || !watcher) return complain((client ? watcher : client).error().what);
  const RuntimeClient daemon(*client), watched(*watcher);
  Readiness readiness(questions_to(*watcher, watched));
  OutboundCaller outbound;
  Receipts receipts(signing_with(daemon), complaints_to(log, readiness));
  CallDesk desk({daemon, *client, outbound, receipts, log}, {settings.url, settings.ca.string()});
  telemetry::EdgeRefusals refusals;
  edge::ServerOptions options = server_options(settings, limits_for(tools), log);
  options.refusals = &refusals;
  const std::size_t count = tools.size();
  Application application({*client, desk, receipts, readiness, refusals}, settings.url, std::move(tools));
  auto started = edge::Server::start(options, application);
  if (!started) return complain(started.error().what);
  std::optional<edge::Server> server(*std::move(started));
  log.info("serving",
           {{"socket", settings.socket.string()}, {"tls_port", server->tls_port()}, {"tools", count}});
  warn_if_not_ready(readiness, log);
  systemd::notify_ready("serving");

  Reload reload(file, settings, {application, *server, log});
  const int signal = wait_for_stop_signal(signals, reload);
  systemd::notify_stopping();
  log.info("stopping", {{"signal", signal}, {"open_connections", server->open_connections()}});
  drain(*server, application, reload.running().drain_timeout, log);
  server.reset();  // with the last call: what it came to is recorded
  const std::size_t unsigned_receipts = receipts.settle(kSettleTime);
  log.info("stopped", {{"receipts_unsigned", unsigned_receipts}});
  return 0;
}

// What shows before anything is listened on.
std::optional<Settings> load_checked(const std::filesystem::path& file) {
  const auto loaded = load_settings(file);
  if (const auto* error = std::get_if<SettingsError>(&loaded)) {
    const std::string line = error->line > 0 ? ":" + std::to_string(error->line) : "";
    complain(file.string() + line + ": " + error->message);
    return std::nullopt;
  }
  const auto& settings = std::get<Settings>(loaded);
  if (settings.tls_listen.empty()) return settings;
  const auto tls = edge::server_tls(settings.tls_certificate, settings.tls_key);
  if (tls) return settings;
  complain(tls.error().what);
  return std::nullopt;
}

int run(const Arguments& arguments, const sigset_t& signals) {
  const auto settings = load_checked(arguments.config_file);
  if (!settings) return kFailed;
  auto tools = load(*settings);
  if (!tools) return kFailed;
  if (arguments.action == Arguments::Action::kReview) return review(*settings, *tools, arguments.review);
  const std::size_t all = tools->size();
  std::vector<tools::Tool> left = served(*std::move(tools));
  if (arguments.action == Arguments::Action::kServe)
    return serve(arguments.config_file, *settings, std::move(left), signals);
  std::printf("The configuration is good: %zu tools.\n", left.size());
  if (left.size() < all)
    std::printf("%zu tools of MCP servers are not served until somebody reviews them: --review\n",
                all - left.size());
  return 0;
}

int import_by(const ImportOrder& order) {
  const auto done = import_declarations(order);
  if (const auto* wrong = std::get_if<std::string>(&done)) return complain(*wrong);
  const auto& report = std::get<ImportReport>(done);
  std::fputs(report.text.c_str(), stdout);
  return report.written > 0 ? 0 : complain("no operation could be taken over");
}

int main_with(int argc, char** argv) {
  harden_process();
  const sigset_t signals = block_signals({SIGTERM, SIGINT, SIGHUP});
  if (!cleanse_curl_memory()) return complain("libcurl could not start");  // before anything else has used it
  const auto parsed = parse_arguments({argv + 1, static_cast<std::size_t>(argc - 1)});
  if (const auto* message = std::get_if<std::string>(&parsed)) {
    complain(*message);
    return kUsage;
  }
  const auto& arguments = std::get<Arguments>(parsed);
  switch (arguments.action) {
    case Arguments::Action::kHelp:
      std::fputs(usage().c_str(), stdout);
      return 0;
    case Arguments::Action::kVersion:
      std::puts("chancery-runtime " CHANCERY_VERSION);
      return 0;
    case Arguments::Action::kManPage:
      std::fputs(man_page(CHANCERY_VERSION).c_str(), stdout);
      return 0;
    case Arguments::Action::kImport:
      return import_by(arguments.import);
    case Arguments::Action::kServe:
    case Arguments::Action::kCheck:
    case Arguments::Action::kReview:
      return run(arguments, signals);
  }
  return kUsage;
}

}  // namespace
}  // namespace chancery::runtime

int main(int argc, char** argv) { return chancery::runtime::main_with(argc, argv); }
