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

#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chancery/verify.hpp>

#include "daemon/arguments.hpp"
#include "daemon/config/config.hpp"
#include "daemon/dev/dev_mode.hpp"
#include "daemon/edge/dev_certificate.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/rest/router.hpp"
#include "daemon/service/office.hpp"
#include "daemon/store/master_key.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "daemon/telemetry/log.hpp"
#include "hsm/pkcs11/backend.hpp"
#include "hsm/tpm/backend.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/reader.hpp"
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

int complain(const Error& error) {
  std::string text = error.what;
  if (error.native != 0) text += " (code " + std::to_string(error.native) + ")";
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
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
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

Result<service::Policy> make_policy(const config::Config& config, bool dev, VerificationCache& cache) {
  service::Policy policy;
  policy.issuer_url = config.issuer.url;
  policy.trust_domain = config.issuer.trust_domain;
  CHANCERY_ASSIGN(policy.operators, operator_rule(config, dev));
  policy.granted_scopes = config.grants.scopes;
  CHANCERY_ASSIGN(const json::Document constraints, json::Document::parse(config.grants.constraints));
  CHANCERY_ASSIGN(policy.granted_constraints, read_constraints(constraints.root()));
  policy.granted_audiences = config.grants.audiences;
  policy.max_grant_lifetime = config.grants.max_lifetime;
  policy.max_grant_depth = static_cast<std::int64_t>(config.grants.max_depth);
  policy.default_delegation_lifetime = config.default_delegation_lifetime;
  policy.verify.max_tokens = config.verify.max_tokens;
  policy.verify.max_chain_bytes = config.verify.max_chain_bytes;
  policy.verify.holder_signed = policy.verify.issuer_signed = false;
  for (const std::string& mode : config.verify.child_signing) {
    (mode == "holder" ? policy.verify.holder_signed : policy.verify.issuer_signed) = true;
  }
  policy.verify.cache = &cache;
  return policy;
}

Result<std::unique_ptr<hsm::KeyBackend>> open_tpm(const config::BackendConfig& config, store::Store& store,
                                                  const SecretBytes& master) {
  hsm::TpmOptions options;
  options.name = config.name;
  options.tcti = config.tcti;
  options.allow_simulator = config.allow_simulator;
  options.sessions =
      config.sessions == config::Sessions::kPlain ? hsm::SessionKind::kPlain : hsm::SessionKind::kEncrypted;
  options.queue = config.queue;
  options.key_cache = config.key_cache;
  options.timeout = config.timeout;
  options.master = SecretBytes(master.view());
  const auto pin = store.backend_pin(config.name);
  if (!pin && pin.error().code != ErrorCode::kNotFound) return pin.error();
  if (pin) {
    CHANCERY_ASSIGN(options.pinned_name, hex_decode(*pin));
  }
  options.pin = [&store, name = config.name](ByteView device_name) -> Status {
    const std::string hex = hex_encode(device_name);
    CHANCERY_TRY(store.pin_backend(
        name, hex, {wall_clock(), R"({"action":"backend.pin","backend":")" + name + R"("})"}));
    return {};
  };
  CHANCERY_ASSIGN(std::unique_ptr<hsm::KeyBackend> backend, hsm::TpmBackend::open(std::move(options)));
  return backend;
}

Result<std::unique_ptr<hsm::KeyBackend>> open_pkcs11(const config::BackendConfig& config,
                                                     const SecretBytes& master) {
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
  return Error{ErrorCode::kInternal, "a type of backend that nobody opens"};
}

// A daemon that has keys and no master secret must not make a new one: every key would be lost to it.
Result<SecretBytes> open_master(store::Store& store, const config::Config& config) {
  CHANCERY_ASSIGN(const store::StoreCounts counts, store.counts());
  CHANCERY_ASSIGN(const auto issuer_keys, store.daemon_keys("issuer"));
  const bool fresh =
      counts.active_agents + counts.retired_agents + counts.lost_agents == 0 && issuer_keys.empty();
  return store::load_master_key(config.state_path, fresh);
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

void serve_until_stopped(edge::Server& server, const config::Config& config, const telemetry::Log& log,
                         const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  log.info("stopping", {{"signal", signal}, {"open_connections", server.open_connections()}});
  const std::size_t cut = server.drain(config.server.drain_timeout);
  log.info("stopped", {{"connections_cut", cut}});
}

/// Builds the daemon from the inside out, serves, and takes it apart in the reverse order.
int run(const config::Config& config, const dev::DevMode* dev, const sigset_t& signals) {
  const telemetry::Log log(log_options(config.log));
  auto store = store::open_sqlite_store(config.state_path);
  if (!store) return complain(store.error());
  const auto master = open_master(**store, config);
  if (!master) return complain(master.error());

  service::Backends backends;
  for (const config::BackendConfig& section : config.backends) {
    auto backend = open_backend(section, **store, *master);
    if (!backend) return complain(backend.error());
    backends.add(section.name, *std::move(backend));
  }
  auto anchors = load_anchors(config.verify.trust_anchors);
  if (!anchors) return complain(anchors.error());
  VerificationCache cache(config.verify.cache_tokens);
  auto policy = make_policy(config, dev != nullptr, cache);
  if (!policy) return complain(policy.error());

  service::TrustPublisher trust(config.issuer.url, *std::move(anchors));
  service::IssuerKeys issuer(**store, backends, trust, config.issuer.backend);
  if (const Status published = issuer.publish(); !published) return complain(published.error());
  service::Office office{**store, backends, issuer, trust, *std::move(policy)};
  // The first key is made now if its device is there, and otherwise at the first grant.
  if (const auto key = issuer.current(wall_clock(), std::chrono::steady_clock::now() + 5s); !key) {
    log.warning("no issuer key yet", key.error());
  }

  rest::Router router(office);
  auto server = edge::Server::start(server_options(config, log), router);
  if (!server) return complain(server.error());
  log.info("serving", {{"socket", config.server.socket.string()}, {"tls_port", server->tls_port()}});
  if (dev != nullptr) {
    std::fputs(dev->banner().c_str(), stdout);
    std::fflush(stdout);
  }
  serve_until_stopped(*server, config, log, signals);
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
  const sigset_t signals = block_stop_signals();
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
