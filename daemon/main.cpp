// chanceryd: the composition root. The only file that names concrete backends.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/time_zones.hpp>
#include <chancery/verify.hpp>

#include "daemon/arguments.hpp"
#include "daemon/config/config.hpp"
#include "daemon/dev/dev_mode.hpp"
#include "daemon/edge/dev_certificate.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/edge/tls.hpp"
#include "daemon/rest/router.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/key_keeper.hpp"
#include "daemon/service/office.hpp"
#include "daemon/service/spending.hpp"
#include "daemon/service/status_keeper.hpp"
#include "daemon/store/master_key.hpp"
#include "daemon/store/sqlite_checkpoint_book.hpp"
#include "daemon/store/sqlite_join_book.hpp"
#include "daemon/store/sqlite_ledger.hpp"
#include "daemon/store/sqlite_proof_book.hpp"
#include "daemon/store/sqlite_status_book.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "daemon/telemetry/log.hpp"
#include "hsm/pkcs11/backend.hpp"
#include "hsm/pkcs11/owner_process.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/ticker.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"

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

// Keys and tokens pass through this process: no core file, no debugger of the same user, no file open to
// others.
void harden_process() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
}

// Every thread inherits the mask; main alone waits for these.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

Result<service::OperatorRule> operator_rule(const config::Config& config, bool dev) {
  service::OperatorRule rule;
  rule.uids = {::geteuid()};
  if (dev) return rule;
  rule.uids.push_back(0);
  if (config.operator_group.empty()) return rule;
  const group* entry = ::getgrnam(config.operator_group.c_str());
  if (entry == nullptr)
    return Error{ErrorCode::kConfigInvalid,
                 "[operator] group does not exist on this machine: create it, or leave it empty"};
  rule.gid = entry->gr_gid;
  return rule;
}

Result<TrustConfig> load_anchors(const std::filesystem::path& file) {
  if (file.empty()) return TrustConfig{};
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorCode::kFileUnreadable, "[verify] trust_anchors cannot be read"};
  return TrustConfig::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

// An issuer's URL may have a path; requests come to the server that it names.
std::string origin_of(const std::string& url) {
  return url.substr(0, url.find('/', std::string_view("https://").size()));
}

Result<service::Policy> make_policy(const config::Config& config, bool dev) {
  service::Policy policy;
  policy.issuer_url = config.issuer.url;
  policy.public_urls = config.server.public_urls;
  policy.public_urls.push_back(origin_of(config.issuer.url));
  policy.trust_domain = config.issuer.trust_domain;
  CHANCERY_ASSIGN(policy.operators, operator_rule(config, dev));
  policy.granted_scopes = config.grants.scopes;
  CHANCERY_ASSIGN(const json::Document constraints, json::Document::parse(config.grants.constraints));
  CHANCERY_ASSIGN(policy.granted_constraints, read_constraints(constraints.root()));
  policy.granted_audiences = config.grants.audiences;
  policy.max_grant_lifetime = config.grants.max_lifetime;
  policy.max_grant_depth = static_cast<std::int64_t>(config.grants.max_depth);
  policy.default_delegation_lifetime = config.default_delegation_lifetime;
  policy.key_overlap = config.keys.overlap;
  policy.min_status_lifetime = config.status.min_lifetime;
  policy.verify.max_tokens = config.verify.max_tokens;
  policy.verify.max_chain_bytes = config.verify.max_chain_bytes;
  policy.verify.holder_signed = policy.verify.issuer_signed = false;
  for (const std::string& mode : config.verify.child_signing) {
    (mode == "holder" ? policy.verify.holder_signed : policy.verify.issuer_signed) = true;
  }
  return policy;
}

constexpr Error kNoSuchType{ErrorCode::kInternal, "a type of backend that nobody opens"};

hsm::TpmOptions tpm_options(const config::BackendConfig& config) {
  hsm::TpmOptions options;
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
Status check_backend(const config::BackendConfig& config) {
  switch (config.type) {
    case config::BackendType::kTpm:
      return hsm::TpmBackend::check_options(tpm_options(config));
    case config::BackendType::kPkcs11:
      return hsm::Pkcs11Backend::check_options(pkcs11_options(config));
  }
  return kNoSuchType;
}

/// What a configuration comes to, as far as it shows before anything is written or any device is asked.
struct Prepared {
  service::Policy policy;
  TrustConfig anchors;
};

std::nullopt_t give_up(const Error& error, std::string_view backend = {}) {
  complain(error, backend);
  return std::nullopt;
}

// Reads the files that the configuration names, and writes nothing: `--check` stops behind it. Nothing when
// something is wrong, which then stands on the standard error output.
std::optional<Prepared> prepare(const config::Config& config, bool dev) {
  Prepared prepared;
  for (const config::BackendConfig& section : config.backends) {
    if (const Status checked = check_backend(section); !checked)
      return give_up(checked.error(), section.name);
  }
  auto anchors = load_anchors(config.verify.trust_anchors);
  if (!anchors) return give_up(anchors.error());
  prepared.anchors = *std::move(anchors);
  auto policy = make_policy(config, dev);
  if (!policy) return give_up(policy.error());
  prepared.policy = *std::move(policy);
  if (config.server.tls_listen) {
    const auto tls = edge::server_tls(config.server.tls_certificate, config.server.tls_key);
    if (!tls) return give_up(tls.error());
  }
  return prepared;
}

Result<std::unique_ptr<hsm::KeyBackend>> open_tpm(const config::BackendConfig& config, store::Store& store,
                                                  const SecretBytes& master) {
  hsm::TpmOptions options = tpm_options(config);
  options.master = SecretBytes(master.view());
  const auto pin = store.backend_pin(options.name);
  if (!pin && pin.error().code != ErrorCode::kNotFound) return pin.error();
  if (pin) {
    CHANCERY_ASSIGN(options.pinned_name, hex_decode(*pin));
  }
  options.pin = [&store, name = options.name](ByteView device_name) -> Status {
    const std::string hex = hex_encode(device_name);
    json::Node details = json::Node::object({{"backend", name}, {"device_name", hex}});
    CHANCERY_TRY(
        store.pin_backend(name, hex, service::audit_entry("backend.pin", wall_clock(), std::move(details))));
    return {};
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
                                                      store::Store& store, const SecretBytes& master) {
  switch (config.type) {
    case config::BackendType::kTpm:
      return open_tpm(config, store, master);
    case config::BackendType::kPkcs11:
      return open_pkcs11(config, master);
  }
  return kNoSuchType;
}

std::string master_pin(const SecretBytes& master, std::string_view label) {
  return hex_encode(hkdf_sha256(master.view(), {}, label, 32).view());
}

// Under another secret the devices would open none of the keys, and each would be taken for lost: better not
// to start, since this can be mended. A folder whose records were never sealed has the secret pinned under
// another label, so that no record without a seal is taken once they are.
Status check_master(store::Store& store, const SecretBytes& master, bool has_keys) {
  const std::string value = master_pin(master, "chancery master pin, sealed records");
  const auto pinned = store.master_pin();
  if (pinned && *pinned == value) return {};
  const store::AuditEntry audit = service::audit_entry("master.pin", wall_clock(), json::Node::object({}));
  if (pinned && *pinned == master_pin(master, "chancery master pin")) {
    CHANCERY_TRY(store.seal_former_records(value, audit));
    return {};
  }
  const bool is_new = !pinned && pinned.error().code == ErrorCode::kNotFound && !has_keys;
  if (!pinned && pinned.error().code != ErrorCode::kNotFound) return pinned.error();
  if (is_new) {
    CHANCERY_TRY(store.pin_master(value, audit));
    return {};
  }
  return Error{
      ErrorCode::kConfigInvalid,
      "the master secret is another than the one under which this state folder's keys were made: put "
      "the former credential `chancery.master`, or master.key, back"};
}

// A daemon that has keys and no master secret must not make a new one: every key would be lost to it.
Result<SecretBytes> open_master(store::Store& store, const config::Config& config,
                                const telemetry::Log& log) {
  CHANCERY_ASSIGN(const store::StoreCounts counts, store.counts());
  CHANCERY_ASSIGN(SecretBytes master, store::load_master_key(config.state_path, counts.keys == 0));
  const auto seal = [&] {
    return store.seal_with(hkdf_sha256(master.view(), {}, "chancery record seal", 32));
  };
  CHANCERY_TRY(seal());
  CHANCERY_TRY(check_master(store, master, counts.keys > 0));
  CHANCERY_ASSIGN(const std::size_t damaged, seal());  // what is unsealed yet after that
  if (damaged > 0) {
    log.warning("records in the database are damaged, or were changed by another hand: they are not used",
                {{"records", damaged}});
  }
  return master;
}

// Keys that have ended are published for as long as a chain through them may have to live, and a day more.
service::DaemonKeyOptions key_options(const config::Config& config, std::string_view owner) {
  return {owner, config.issuer.backend, config.issuer.overlap, config.grants.max_lifetime + 24h};
}

service::KeeperOptions keeper_options(const config::Config& config) {
  service::KeeperOptions options;
  options.max_agent_key_age = config.keys.max_key_age;
  options.max_issuer_key_age = config.issuer.max_key_age;
  return options;
}

service::SpendingOptions spending_options(const config::Config& config, const service::Backends& backends) {
  service::SpendingOptions options;
  options.with_counter = config.budgets.checkpoint == config::Checkpoints::kCounter;
  const std::string& named = config.budgets.backend;
  const auto backend = backends.find(named.empty() ? config.issuer.backend : named);
  if (backend) options.counter = (*backend)->counter();
  options.interval = config.budgets.interval;
  return options;
}

// What `chancery doctor` looks at. The socket is there only once the daemon serves.
std::vector<service::WatchedFile> watched_files(const config::Config& config) {
  using enum hsm::Fact::Severity;
  std::vector<service::WatchedFile> files{
      {"state folder", config.state_path, 077, kBad,
       "give it mode 0700: it holds every record of the daemon"},
      {"master secret", config.state_path / "master.key", 077, kBad,
       "give it mode 0600, and make new keys if others may have read it", true},
      {"socket", config.server.socket, S_IWOTH, kWarn,
       "any local user may connect: set socket_mode to 0660 and socket_group to the agents' group"}};
  for (const config::BackendConfig& backend : config.backends) {
    if (backend.pin_file.empty()) continue;
    files.push_back({"PIN of " + backend.name, backend.pin_file, 077, kBad,
                     "give it mode 0600, and change the PIN if others may have read it", true});
  }
  return files;
}

edge::ServerOptions server_options(const config::Config& config, const telemetry::Log& log) {
  const config::ServerConfig& server = config.server;
  edge::ServerOptions options;
  options.unix_socket = edge::UnixAddress{server.socket, server.socket_mode, server.socket_group};
  if (server.tls_listen) {
    options.tls = edge::TlsAddress{
        {server.tls_listen->host, server.tls_listen->port}, server.tls_certificate, server.tls_key};
  }
  if (server.plain_listen)
    options.plain = edge::TcpAddress{server.plain_listen->host, server.plain_listen->port};
  options.limits.header_bytes = server.header_limit;
  options.limits.body_bytes = server.body_limit;
  options.limits.bodies_bytes = server.body_memory;
  options.limits.connections = server.max_connections;
  options.limits.handshake_time = options.limits.header_time = server.header_timeout;
  options.limits.body_time = server.body_timeout;
  options.limits.idle_time = server.idle_timeout;
  options.limits.handler_time = server.handler_timeout;
  options.threads = server.threads > 0 ? server.threads : std::thread::hardware_concurrency();
  options.blocking_threads = server.blocking_threads;
  options.log = &log;
  return options;
}

telemetry::LogOptions log_options(const config::LogConfig& config) {
  telemetry::LogOptions options;
  options.level = static_cast<telemetry::Level>(config.level);
  options.format =
      config.format == config::LogFormat::kJson ? telemetry::Format::kJson : telemetry::Format::kText;
  return options;
}

// SIGHUP means "read your configuration again" to most daemons. This one has keys, limits and sockets that
// hang together: it says that it takes a restart, rather than to end, or to obey in part. With --dev there is
// nothing to read again: there it means that the terminal is gone, and ends what was started from it.
int wait_for_stop_signal(const telemetry::Log& log, const sigset_t& signals, bool dev) {
  for (;;) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    if (signal != SIGHUP || dev) return signal;
    log.warning("SIGHUP changes nothing: restart the daemon to have it read its configuration again");
  }
}

void drain(edge::Server& server, const config::Config& config, const telemetry::Log& log, int signal) {
  log.info("stopping", {{"signal", signal}, {"open_connections", server.open_connections()}});
  const std::size_t cut = server.drain(config.server.drain_timeout);
  log.info("stopped", {{"connections_cut", cut}});
}

// Before anything is judged: what was revoked before the start counts no more.
Status publish_statuses(service::StatusDesk& statuses) {
  CHANCERY_TRY(statuses.keys.publish(wall_clock()));
  return statuses.tokens.publish(wall_clock());
}

/// Builds the daemon from the inside out, serves, and takes it apart in the reverse order.
int run(const config::Config& config, const dev::DevMode* dev, const sigset_t& signals) {
  const telemetry::Log log(log_options(config.log));
  auto prepared = prepare(config, dev != nullptr);
  if (!prepared) return kFailed;
  auto journal = store::Journal::open(config.state_path);
  if (!journal) return complain(journal.error());
  const std::unique_ptr<store::Store> store = store::make_sqlite_store(*journal);
  const auto master = open_master(*store, config, log);
  if (!master) return complain(master.error());

  service::Backends backends;
  for (const config::BackendConfig& section : config.backends) {
    auto backend = open_backend(section, *store, *master);
    if (!backend) return complain(backend.error(), section.name);
    backends.add(section.name, *std::move(backend));
  }
  VerificationCache cache(config.verify.cache_tokens);
  prepared->policy.verify.cache = &cache;
  const auto zones = load_system_time_zones();
  if (zones) {
    prepared->policy.verify.zones = &*zones;
  } else {
    log.warning("no time zones: what a `time_window` bounds is denied", zones.error());
  }

  service::TrustPublisher trust(config.issuer.url, std::move(prepared->anchors));
  service::KeyLife life(*store, backends);
  service::DaemonKeys issuer(*store, life, backends, trust, key_options(config, store::kIssuer));
  if (const Status published = issuer.publish(wall_clock()); !published) return complain(published.error());
  service::DaemonKeys status_keys(*store, life, backends, trust, key_options(config, store::kStatusLists));
  const auto status_book = store::make_sqlite_status_book(*journal);
  service::StatusDesk statuses(*status_book, status_keys, trust, config.issuer.url);
  if (const Status published = publish_statuses(statuses); !published) return complain(published.error());
  const auto warn = [&log](const char* what, const Error& error) { log.warning(what, error); };
  const auto ledger = store::make_sqlite_ledger(*journal);
  const auto proofs = store::make_sqlite_proof_book(*journal);
  const auto checkpoints = store::make_sqlite_checkpoint_book(*journal);
  service::Spending spending({*ledger, *proofs, *checkpoints, *store}, spending_options(config, backends),
                             warn);
  spending.tick(wall_clock());
  service::ReadinessCheck readiness(*store, backends, issuer, spending);
  const std::unique_ptr<store::JoinBook> joins = store::make_sqlite_join_book(*journal);
  const auto nonces = service::Nonces::create();
  if (!nonces) return complain(nonces.error());
  service::Office office{*store,
                         backends,
                         life,
                         issuer,
                         trust,
                         readiness,
                         *proofs,
                         *joins,
                         *nonces,
                         spending,
                         statuses,
                         std::move(prepared->policy),
                         watched_files(config)};
  // The first keys are made now if their device is there, and otherwise at the first grant or list.
  for (service::DaemonKeys* const keys : {&issuer, &status_keys}) {
    const auto key = keys->current(wall_clock(), std::chrono::steady_clock::now() + 5s);
    if (!key) log.warning(keys == &issuer ? "no issuer key yet" : "no key of status lists yet", key.error());
  }

  service::KeyKeeper keeper(office, keeper_options(config), warn);
  const Ticker ticker(1s, [&keeper](const std::stop_token& stop) { keeper.tick(wall_clock(), stop); });
  // On a thread of its own: a drill's end waits for no device.
  service::StatusKeeper status_keeper(statuses, warn);
  const Ticker status_ticker(1s,
                             [&status_keeper](const std::stop_token&) { status_keeper.tick(wall_clock()); });
  const Ticker spending_ticker(1s, [&spending](const std::stop_token&) { spending.tick(wall_clock()); });

  rest::Router router(office);
  auto server = edge::Server::start(server_options(config, log), router);
  if (!server) return complain(server.error());
  log.info("serving", {{"socket", config.server.socket.string()}, {"tls_port", server->tls_port()}});
  if (dev != nullptr) {
    std::fputs(dev->banner().c_str(), stdout);
    std::fflush(stdout);
  }
  drain(*server, config, log, wait_for_stop_signal(log, signals, dev != nullptr));
  spending.seal();
  return 0;
}

int run_dev(const Arguments& arguments, const sigset_t& signals) {
  const auto dev = dev::DevMode::prepare(arguments.dev_listen);
  if (!dev) return complain(dev.error());
  const config::ServerConfig& server = dev->config().server;
  const edge::DevCertificateFiles files{dev->authority(), server.tls_certificate, server.tls_key};
  if (const Status made = edge::make_dev_certificate(files, wall_clock()); !made)
    return complain(made.error());
  return run(dev->config(), &*dev, signals);
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
  return run(config, nullptr, signals);
}

int main_with(int argc, char** argv) {
  harden_process();
  if (const auto socket = hsm::owner_process_argument({argv, static_cast<std::size_t>(argc)})) {
    return hsm::run_owner_process(*socket);
  }
  const sigset_t signals = block_signals();
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
