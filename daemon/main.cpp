// chanceryd: the composition root. The only file that names concrete backends.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <unistd.h>

#include "daemon/arguments.hpp"
#include "daemon/config/config.hpp"
#include "daemon/curl_memory.hpp"
#include "daemon/dev/dev_mode.hpp"
#include "daemon/edge/dev_certificate.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/edge/tls.hpp"
#include "daemon/process_start.hpp"
#include "daemon/rest/router.hpp"
#include "daemon/service/approvals.hpp"
#include "daemon/service/attestation_keeper.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/audit_start.hpp"
#include "daemon/service/key_keeper.hpp"
#include "daemon/service/permits.hpp"
#include "daemon/service/premises.hpp"
#include "daemon/service/status_keeper.hpp"
#include "daemon/setup/console.hpp"
#include "daemon/setup/master.hpp"
#include "daemon/setup/options.hpp"
#include "daemon/setup/reload.hpp"
#include "daemon/store/sqlite_books.hpp"
#include "daemon/systemd/given_sockets.hpp"
#include "daemon/systemd/notify.hpp"
#include "daemon/systemd/watchdog.hpp"
#include "daemon/telemetry/log.hpp"
#include "daemon/telemetry/redactor.hpp"
#include "hsm/pkcs11/backend.hpp"
#include "hsm/pkcs11/owner_process.hpp"
#include "hsm/pkcs11/pin.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/ticker.hpp"

namespace chancery {
namespace {

using namespace std::chrono_literals;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

int complain(std::string_view message) {
  std::fprintf(stderr, "chanceryd: %.*s\n", static_cast<int>(message.size()), message.data());
  return kFailed;
}

/// \param backend  name of the `[[backend]]` that it concerns; empty when it concerns none
int complain(const Error& error, std::string_view backend = {}) {
  std::string text = backend.empty() ? "" : "[[backend]] " + std::string(backend) + ": ";
  text += error.what;
  const char* const number = error.code == ErrorCode::kStoreLocked ? " (process " : " (code ";
  if (error.native != 0) text += number + std::to_string(error.native) + ")";
  return complain(text);
}

constexpr Error kNoSuchType{ErrorCode::kInternal, "a type of backend that nobody opens"};

// What the configuration says of the kill switch in TPMs.
struct SwitchOptions {
  std::optional<PublicKey> operator_key;
  unsigned banks = 1;
};

Result<SwitchOptions> switch_options(const config::Config& config) {
  CHANCERY_ASSIGN(std::optional<PublicKey> key, setup::operator_key(config.freeze));
  return SwitchOptions{key, static_cast<unsigned>(config.freeze.banks)};
}

hsm::TpmOptions tpm_options(const config::BackendConfig& config, const SwitchOptions& freeze) {
  hsm::TpmOptions options;
  if (freeze.operator_key) options.kill_switch = hsm::KillSwitchOptions{*freeze.operator_key, freeze.banks};
  options.name = config.name;
  options.tcti = config.tcti;
  options.allow_simulator = config.allow_simulator;
  options.sessions =
      config.sessions == config::Sessions::kPlain ? hsm::SessionKind::kPlain : hsm::SessionKind::kEncrypted;
  options.queue = config.queue;
  options.key_cache = config.key_cache;
  options.timeout = config.timeout;
  return options;
}

hsm::Pkcs11Options pkcs11_options(const config::BackendConfig& config) {
  hsm::Pkcs11Options options;
  options.name = config.name;
  options.module = config.module;
  options.serial = config.serial;
  options.uri = config.uri;
  options.pin_file = config.pin_file;
  options.allow_simulator = config.allow_simulator;
  options.sessions = config.max_sessions;
  options.queue = config.queue;
  options.key_cache = config.key_cache;
  options.timeout = config.timeout;
  options.isolate = config.isolate;
  return options;
}

// What shows before the device is asked.
Status check_backend(const config::BackendConfig& config, const SwitchOptions& freeze) {
  switch (config.type) {
    case config::BackendType::kTpm:
      return hsm::TpmBackend::check_options(tpm_options(config, freeze));
    case config::BackendType::kPkcs11:
      return hsm::Pkcs11Backend::check_options(pkcs11_options(config));
  }
  return kNoSuchType;
}

std::nullopt_t give_up(const Error& error, std::string_view backend = {}) {
  complain(error, backend);
  return std::nullopt;
}

// What shows before anything is written or any device is asked; `--check` stops behind it. Nothing when something
// is wrong, which then stands on the standard error output.
std::optional<setup::Prepared> prepare(const config::Config& config, bool dev) {
  const auto freeze = switch_options(config);
  if (!freeze) return give_up(freeze.error());
  for (const config::BackendConfig& section : config.backends) {
    if (const Status checked = check_backend(section, *freeze); !checked)
      return give_up(checked.error(), section.name);
  }
  auto prepared = setup::prepare(config, dev);
  if (!prepared) return give_up(prepared.error());
  auto console = setup::console(config);
  if (!console) return give_up(console.error());
  prepared->options.console = *std::move(console);
  if (const auto redactor = setup::redactor(config.log); !redactor) return give_up(redactor.error());
  if (config.server.tls_listen) {
    const auto tls = edge::server_tls(config.server.tls_certificate, config.server.tls_key);
    if (!tls) return give_up(tls.error());
  }
  return *std::move(prepared);
}

/// What a backend is opened with besides its own section.
struct Opening {
  const store::Books& books;
  const SecretBytes& master;
  SwitchOptions freeze;
};

Result<std::unique_ptr<hsm::KeyBackend>> open_tpm(const config::BackendConfig& config,
                                                  const Opening& opening) {
  const store::Books& books = opening.books;
  store::Store& store = *books.store;
  hsm::TpmOptions options = tpm_options(config, opening.freeze);
  options.master = SecretBytes(opening.master.view());
  const auto pin = store.backend_pin(options.name);
  if (!pin && pin.error().code != ErrorCode::kNotFound) return pin.error();
  if (pin) {
    CHANCERY_ASSIGN(options.pinned_name, hex_decode(*pin));
  }
  options.pin = [&store, name = options.name](ByteView device_name) -> Status {
    const std::string hex = hex_encode(device_name);
    service::AuditFacts facts = service::backend_facts(name);
    facts.details.set("device_name", hex);
    CHANCERY_TRY(
        store.pin_backend(name, hex, service::audit_entry("backend.pin", wall_clock(), std::move(facts))));
    return {};
  };
  CHANCERY_ASSIGN(options.attestation_key.blob, books.hosts->attestation_key(options.name));
  options.attestation_key.keep = [&hosts = *books.hosts, name = options.name](ByteView blob) {
    return hosts.keep_attestation_key(name, blob);
  };
  CHANCERY_ASSIGN(std::unique_ptr<hsm::KeyBackend> backend, hsm::TpmBackend::open(std::move(options)));
  return backend;
}

Result<std::unique_ptr<hsm::KeyBackend>> open_pkcs11(const config::BackendConfig& config,
                                                     const SecretBytes& master) {
  hsm::Pkcs11Options options = pkcs11_options(config);
  options.master = SecretBytes(master.view());
  CHANCERY_ASSIGN(std::unique_ptr<hsm::KeyBackend> backend, hsm::Pkcs11Backend::open(std::move(options)));
  return backend;
}

Result<std::unique_ptr<hsm::KeyBackend>> open_backend(const config::BackendConfig& config,
                                                      const Opening& opening) {
  switch (config.type) {
    case config::BackendType::kTpm:
      return open_tpm(config, opening);
    case config::BackendType::kPkcs11:
      return open_pkcs11(config, opening.master);
  }
  return kNoSuchType;
}

// How a daemon was started.
struct Start {
  const config::Config& config;
  const dev::DevMode* dev = nullptr;
  std::filesystem::path file{};  // the configuration's, without --dev
  setup::PolicyFiles policy_files{};
  systemd::GivenSockets sockets{};
  const sigset_t& signals;
};

// With --dev there is nothing to read again: there SIGHUP means that the terminal is gone, and ends what was started
// from it.
int wait_for_stop_signal(const Start& start, setup::Reload& reload) {
  for (;;) {
    int signal = 0;
    ::sigwait(&start.signals, &signal);
    if (signal != SIGHUP || start.dev != nullptr) return signal;
    systemd::notify_reloading();
    reload.again(wall_clock());
    systemd::notify_ready("serving");
  }
}

void drain(edge::Server& server, const config::Config& config, const telemetry::Log& log, int signal) {
  systemd::notify_stopping();
  log.info("stopping", {{"signal", signal}, {"open_connections", server.open_connections()}});
  const std::size_t cut = server.drain(config.server.drain_timeout);
  log.info("stopped", {{"connections_cut", cut}});
}

// What takes hold of each device that the configuration names.
std::optional<service::Backends> open_backends(const config::Config& config, const store::Books& books,
                                               const SecretBytes& master, const telemetry::Log& log) {
  service::Backends backends(&log);
  auto freeze = switch_options(config);
  if (!freeze) return give_up(freeze.error());
  const Opening opening{books, master, *std::move(freeze)};
  for (const config::BackendConfig& section : config.backends) {
    auto backend = open_backend(section, opening);
    if (!backend) return give_up(backend.error(), section.name);
    backends.add(section.name, *std::move(backend));
  }
  return backends;
}

// What the daemon knows and nobody is to read, should anything ever quote it.
void hide_secrets(telemetry::Redactor& redactor, const config::Config& config, const SecretBytes& master) {
  redactor.hide(master.view());
  for (const config::BackendConfig& section : config.backends) {
    if (section.type != config::BackendType::kPkcs11) continue;
    if (const auto pin = hsm::load_pin(section.name, section.pin_file)) redactor.hide(pin->view());
  }
  for (const std::string& url : {config.anomaly.webhook.url, config.approvals.webhook.url}) {
    for (const std::string& secret : service::secrets_of_address(url)) redactor.hide(as_bytes(secret));
  }
}

// The first keys are made now if their device is there, and otherwise at the first grant or list, or by the keeper.
void make_first_keys(service::Premises& premises, const telemetry::Log& log) {
  const auto made = [&](service::DaemonKeys& keys) {
    return keys.current(wall_clock(), std::chrono::steady_clock::now() + 5s);
  };
  if (const auto key = made(premises.issuer); !key) log.warning("no issuer key yet", key.error());
  if (const auto key = made(premises.status_keys); !key)
    log.warning("no key of status lists yet", key.error());
  if (const auto key = made(premises.audit_keys); !key)
    log.warning("no key of the audit log yet", key.error());
  if (!premises.webhook.is_configured() && !premises.approvals_webhook.is_configured()) return;
  if (const auto key = made(premises.webhook_keys); !key)
    log.warning("no key of the webhook yet", key.error());
}

service::Spending::Complaint complaints_to(const telemetry::Log& log) {
  return [&log](const char* what, const Error& error) { log.warning(what, error); };
}

// What is asked before the service manager hears that the daemon is alive. The store is only read, whose lock nobody
// keeps for long.
std::vector<systemd::Probe> probes(const service::Premises& premises, const edge::Server& server,
                                   std::chrono::milliseconds patience) {
  return {{"store", [&store = *premises.books.store] { return (void)store.master_pin(), true; }},
          {"edge", [&server, patience] { return server.works(patience); }}};
}

// Nothing where no watchdog waits. Four rounds go into the time that it waits, so that a slow one ends nothing.
void keep_watchdog(std::optional<Ticker>& ticker, const service::Premises& premises,
                   const edge::Server& server, const telemetry::Log& log) {
  const auto pause = systemd::watchdog_time() / 4;
  if (pause.count() <= 0) return;
  const systemd::Watchdog watchdog(probes(premises, server, pause), systemd::notify_alive,
                                   [&log](const char* part) {
                                     log.error("a part of the daemon does not answer", {{"part", part}});
                                   });
  ticker.emplace(pause, [watchdog](const std::stop_token&) { watchdog.round(); });
}

// An anomaly is told to the log; what is configured to follow from it is done of the daemon's own accord.
void respond_to_anomalies(service::Premises& premises, const telemetry::Log& log) {
  const std::chrono::sys_seconds now = wall_clock();
  const service::AnomalyWatch::Response response{
      .owner = [&](const Thumbprint& key) { return owner_of(premises.office, key); },
      .suspend = [&](const api::Anomaly& anomaly) { return suspend_for(premises.office, anomaly, now); },
      .tell =
          [&](const api::Anomaly& anomaly) {
            log.warning("an agent does otherwise than it used to",
                        {{"agent", anomaly.agent},
                         {"kind", anomaly.kind},
                         {"measured", std::to_string(anomaly.measured)},
                         {"usual", std::to_string(anomaly.usual)},
                         {"what", anomaly.what},
                         {"suspended", anomaly.suspension.has_value()}});
          },
      .complain = complaints_to(log)};
  premises.watch.tick(now, response);
}

// From the first request to the signal that ends it. What has to be done though nobody asks is done each second,
// on eight threads: a drill's end waits for no device, nothing but a webhook for its receiver.
int serve(service::Premises& premises, Start& start, telemetry::Log& log) {
  const config::Config& config = start.config;
  service::KeyKeeper keeper(premises.office, setup::keeper(config), complaints_to(log));
  service::StatusKeeper status_keeper(premises.statuses, *premises.books.joins, complaints_to(log));
  service::PermitKeeper permit_keeper(premises.office, complaints_to(log));
  service::ApprovalKeeper approval_keeper(premises.office, complaints_to(log));
  service::AttestationKeeper attestation_keeper(premises.office, complaints_to(log));
  const Ticker key_ticker(1s, [&](const std::stop_token& stop) { keeper.tick(wall_clock(), stop); });
  const Ticker status_ticker(1s, [&](const std::stop_token&) {
    status_keeper.tick(wall_clock());
    premises.vault.tick(wall_clock(), complaints_to(log));
    permit_keeper.tick(wall_clock());
    approval_keeper.tick(wall_clock());
  });
  const Ticker attestation_ticker(
      1s, [&](const std::stop_token& stop) { attestation_keeper.tick(wall_clock(), stop); });
  const Ticker audit_ticker(1s, [&](const std::stop_token&) { premises.audit.tick(wall_clock()); });
  const Ticker spending_ticker(1s, [&](const std::stop_token&) { premises.spending.tick(wall_clock()); });
  const Ticker anomaly_ticker(1s, [&](const std::stop_token&) { respond_to_anomalies(premises, log); });
  const Ticker webhook_ticker(
      1s, [&](const std::stop_token& stop) { premises.webhook.tick(wall_clock(), stop); });
  const Ticker approvals_webhook_ticker(
      1s, [&](const std::stop_token& stop) { premises.approvals_webhook.tick(wall_clock(), stop); });

  rest::Router router(premises.office);
  edge::ServerOptions edge_options = setup::server(config, log);
  edge_options.refusals = premises.office.edge_refusals.get();
  auto server = edge::Server::start(edge_options, router,
                                    {std::move(start.sockets.unix_socket), std::move(start.sockets.tls)});
  if (!server) return complain(server.error());
  log.info("serving", {{"socket", config.server.socket.string()}, {"tls_port", server->tls_port()}});
  std::optional<Ticker> watchdog_ticker;
  keep_watchdog(watchdog_ticker, premises, *server, log);
  setup::Reload reload(start.file, config, start.policy_files, premises, *server, log);
  systemd::notify_ready("serving");
  if (start.dev != nullptr) {
    std::fputs(start.dev->banner().c_str(), stdout);
    std::fflush(stdout);
  }
  const int signal = wait_for_stop_signal(start, reload);
  premises.office.approval_waits->send_away();
  drain(*server, reload.running(), log, signal);
  return 0;
}

std::optional<TimeZones> load_zones(const telemetry::Log& log) {
  auto zones = load_system_time_zones();
  if (zones) return *std::move(zones);
  log.warning("no time zones: what a `time_window` bounds is denied", zones.error());
  return std::nullopt;
}

// Before anything is added to a log that is not the one that was signed. Its keys' records are sealed, so that the master
// secret comes first.
Status open_audit_log(const store::Books& books, const Start& start) {
  CHANCERY_TRY(service::check_audit_log(*books.audit, *books.store, *books.checkpoints));
  const std::string policy = setup::policy_version(start.config, start.policy_files);
  return service::record_start(*books.audit, *books.store, {CHANCERY_VERSION, policy, wall_clock()});
}

/// Builds the daemon from the inside out, serves, and takes it apart in the reverse order.
int run(Start start) {
  const config::Config& config = start.config;
  auto prepared = prepare(config, start.dev != nullptr);
  if (!prepared) return kFailed;
  service::PremisesOptions& options = prepared->options;
  start.policy_files = std::move(prepared->files);
  const auto redactor = setup::redactor(config.log);
  if (!redactor) return complain(redactor.error());
  telemetry::Log log(setup::log(config.log, *redactor));
  const auto journal = store::Journal::open(config.state_path);
  if (!journal) return complain(journal.error());
  (*journal)->redact_with(*redactor);
  store::Books books = store::make_sqlite_books(*journal);
  const auto master = setup::open_master(*books.store, config, log, wall_clock());
  if (!master) return complain(master.error());
  if (const Status good = open_audit_log(books, start); !good) return complain(good.error());
  hide_secrets(**redactor, config, *master);
  auto backends = open_backends(config, books, *master, log);
  if (!backends) return kFailed;
  auto nonces = service::Nonces::create();
  if (!nonces) return complain(nonces.error());

  setup::complete(options, config, *backends, *master);
  options.zones = load_zones(log);
  options.complain = complaints_to(log);
  options.log = &log;
  options.redactor = *redactor;
  options.issuers.now = wall_clock;
  service::Premises premises(std::move(books), *std::move(backends), *std::move(nonces), std::move(options));
  if (const Status opened = premises.open(wall_clock()); !opened) return complain(opened.error());
  make_first_keys(premises, log);
  premises.issuers.start();

  const int code = serve(premises, start, log);
  premises.issuers.close();             // what is taken back may leave entries: before the log is closed
  respond_to_anomalies(premises, log);  // to those of the last second
  if (const Status kept = premises.watch.keep(); !kept) {
    log.warning("what is usual for agents could not be kept", kept.error());
  }
  if (code == 0) premises.audit.close(wall_clock(), [&] { premises.spending.seal(wall_clock()); });
  return code;
}

int run_dev(const Arguments& arguments, const sigset_t& signals) {
  const auto dev = dev::DevMode::prepare(arguments.dev_listen);
  if (!dev) return complain(dev.error());
  const config::ServerConfig& server = dev->config().server;
  const edge::DevCertificateFiles files{dev->authority(), server.tls_certificate, server.tls_key};
  if (const Status made = edge::make_dev_certificate(files, wall_clock()); !made)
    return complain(made.error());
  return run({.config = dev->config(), .dev = &*dev, .signals = signals});
}

int run_configured(const Arguments& arguments, const sigset_t& signals) {
  const auto loaded = config::load_config(arguments.config_file);
  if (const auto* error = std::get_if<config::ConfigError>(&loaded)) {
    const std::string line = error->line > 0 ? ":" + std::to_string(error->line) : "";
    return complain(arguments.config_file.string() + line + ": " + error->message);
  }
  const auto& config = std::get<config::Config>(loaded);
  if (arguments.check_only) {
    if (!prepare(config, false)) return kFailed;
    std::puts("The configuration is good.");
    return 0;
  }
  if (::geteuid() == 0 && !config.allow_root) {
    return complain("refuses to run as root: run it as its own user, or set allow_root = true knowingly");
  }
  auto given = systemd::take_given_sockets();
  if (!given) return complain(given.error());
  return run(
      {.config = config, .file = arguments.config_file, .sockets = *std::move(given), .signals = signals});
}

int main_with(int argc, char** argv) {
  if (!cleanse_curl_memory()) return complain("libcurl could not start");  // before anything else has used it
  harden_process();
  if (const auto socket = hsm::owner_process_argument({argv, static_cast<std::size_t>(argc)})) {
    return hsm::run_owner_process(*socket);
  }
  const sigset_t signals = block_signals({SIGTERM, SIGINT, SIGHUP});
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
      std::puts("chanceryd " CHANCERY_VERSION);
      return 0;
    case Arguments::Action::kHelpConfig:
      std::fputs(config::help_text().c_str(), stdout);
      return 0;
    case Arguments::Action::kManPage:
      std::fputs((arguments.man_page == "chanceryd.8" ? man_page() : config::man_page()).c_str(), stdout);
      return 0;
    case Arguments::Action::kDev:
      return run_dev(arguments, signals);
    case Arguments::Action::kRun:
      return run_configured(arguments, signals);
  }
  return kUsage;
}

}  // namespace
}  // namespace chancery

int main(int argc, char** argv) { return chancery::main_with(argc, argv); }
