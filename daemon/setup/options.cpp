#include "daemon/setup/options.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/setup/console.hpp"
#include "daemon/setup/gates.hpp"
#include "daemon/setup/issuers.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/client/https_fetch.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/authority_json.hpp"

namespace chancery::setup {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kVersionDigits = 16;

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

service::DaemonKeyOptions keys(const config::Config& config, std::string_view owner) {
  return {owner, config.issuer.backend, config.issuer.overlap, key_memory(config)};
}

service::DaemonKeyOptions audit_keys(const config::Config& config) {
  service::DaemonKeyOptions options = keys(config, store::kAudit);
  if (!config.audit.backend.empty()) options.backend = config.audit.backend;
  options.overlap = config.audit.overlap;
  return options;
}

// Where nobody is told, no key is made for it.
service::DaemonKeyOptions webhook_keys(const config::Config& config) {
  service::DaemonKeyOptions options = keys(config, store::kWebhook);
  const config::WebhookConfig& anomalies = config.anomaly.webhook;
  const config::WebhookConfig& approvals = config.approvals.webhook;
  for (const config::WebhookConfig* const webhook :
       {&approvals, &anomalies})  // both say the same, if both say any
    if (!webhook->backend.empty()) options.backend = webhook->backend;
  if (anomalies.url.empty() && approvals.url.empty()) options.backend.clear();
  return options;
}

service::AuditOptions audit(const config::Config& config, const SecretBytes& master) {
  service::AuditOptions options;
  std::string_view host = config.issuer.url;
  host.remove_prefix(std::min(host.find("//") + 2, host.size()));
  options.host = host.substr(0, host.find_first_of(host.starts_with('[') ? "/]" : "/:"));
  options.interval = config.audit.checkpoint_interval;
  options.salts = hkdf_sha256(master.view(), {}, "chancery audit salts", 32);
  return options;
}

service::AnomalyOptions anomalies(const config::AnomalyConfig& config) {
  service::AnomalyOptions options{{config.multiple, config.learning, config.quiet}, {}};
  for (const std::string& name : config.suspend) {
    if (const auto kind = anomaly::kind_of(name)) options.suspends.insert(*kind);
  }
  return options;
}

service::SpendingOptions spending(const config::Config& config, const service::Backends& backends) {
  service::SpendingOptions options;
  options.with_counter = config.budgets.checkpoint == config::Checkpoints::kCounter;
  const std::string& named = config.budgets.backend;
  options.backend = named.empty() ? config.issuer.backend : named;
  const auto backend = backends.find(options.backend);
  if (backend) options.counter = (*backend)->counter();
  options.interval = config.budgets.interval;
  options.restored.emplace(config.state_path);
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

}  // namespace

Result<Prepared> prepare(const config::Config& config, bool dev) {
  Prepared prepared;
  service::PremisesOptions& options = prepared.options;
  CHANCERY_ASSIGN(options.anchors, anchors(config, prepared.files));
  CHANCERY_ASSIGN(options.attestation, attestation(config, prepared.files));
  CHANCERY_ASSIGN(options.attestation_verifiers, attestation_verifiers(config, prepared.files));
  CHANCERY_ASSIGN(options.policy, policy(config, dev));
  CHANCERY_ASSIGN(options.webhook, webhook(config.anomaly.webhook, "[anomaly.webhook] ca cannot be read"));
  CHANCERY_ASSIGN(options.approvals_webhook,
                  webhook(config.approvals.webhook, "[approvals.webhook] ca cannot be read"));
  CHANCERY_ASSIGN(options.issuers.issuers, issuers(config.vault));
  options.issuers.threads = config.server.blocking_threads;
  options.approval_waiters = config.server.blocking_threads / 2;
  return prepared;
}

service::PartnerOptions partners(const config::VerifyConfig& config) {
  service::PartnerOptions options;
  options.follow_keys = config.follow_anchors;
  options.refresh = config.anchors_refresh;
  options.ca_file = config.anchors_ca.string();
  return options;
}

Result<service::WebhookOptions> webhook(const config::WebhookConfig& config, const char* unreadable) {
  service::WebhookOptions options;
  options.url = config.url;
  if (!config.ca.empty() && !std::ifstream(config.ca, std::ios::binary))
    return Error{ErrorCode::kFileUnreadable, unreadable};
  options.post = [url = config.url, fetch = client::HttpsFetch(config.ca.string(), {.timeout = 10s})](
                     const std::string& jws, const std::stop_token& stop) {
    return fetch.post(url, "application/jwt", jws, stop);
  };
  return options;
}

// For as long as a chain through them may have to live, and a day more.
std::chrono::seconds key_memory(const config::Config& config) { return config.grants.max_lifetime + 24h; }

Result<service::Policy> policy(const config::Config& config, bool dev) {
  service::Policy policy;
  policy.issuer_url = config.issuer.url;
  policy.public_urls = config.server.public_urls;
  policy.public_urls.push_back(config.issuer.url);
  policy.trust_domain = config.issuer.trust_domain;
  CHANCERY_ASSIGN(policy.operators, operator_rule(config, dev));
  policy.runtimes = config.runtime.agents;
  policy.runtime_url = config.runtime.url;
  policy.approval_life = config.runtime.approval_life;
  policy.passkeys = relying_party(config);
  CHANCERY_ASSIGN(policy.persons, persons(config.console));
  policy.tool_approvers = config.runtime.approvers;
  policy.requests_kept = config.approvals.keep;
  policy.decided_kept = config.approvals.keep_last;
  CHANCERY_ASSIGN(policy.gates, gates(config.gates, config.grants.scopes));
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

Result<TrustConfig> anchors(const config::Config& config, PolicyFiles& files) {
  const config::VerifyConfig& verify = config.verify;
  if (!verify.anchors_ca.empty()) files.note("verify.anchors_ca", verify.anchors_ca);
  if (verify.trust_anchors.empty()) return TrustConfig{};
  CHANCERY_ASSIGN(const std::string content, files.read("verify.trust_anchors", verify.trust_anchors,
                                                        "[verify] trust_anchors cannot be read"));
  CHANCERY_ASSIGN(TrustConfig anchors, TrustConfig::parse(content));
  CHANCERY_TRY(service::Partners::check(anchors, partners(verify)));
  return anchors;
}

Result<std::vector<PublicKey>> attestation_verifiers(const config::Config& config, PolicyFiles& files) {
  const std::filesystem::path& file = config.verify.attestation_verifiers;
  if (file.empty()) return std::vector<PublicKey>{};
  CHANCERY_ASSIGN(const std::string content, files.read("verify.attestation_verifiers", file,
                                                        "[verify] attestation_verifiers cannot be read"));
  CHANCERY_ASSIGN(std::vector<PublicKey> keys, parse_key_set(content));
  for (const PublicKey& key : keys) CHANCERY_TRY(check_point(key));
  if (!keys.empty()) return keys;
  return Error{ErrorCode::kConfigInvalid,
               "[verify] attestation_verifiers: the file is a JWK Set with at least one usable key"};
}

Result<std::optional<PublicKey>> operator_key(const config::FreezeConfig& config) {
  if (config.operator_key.empty()) return std::optional<PublicKey>();
  std::ifstream file(config.operator_key, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(file), {});
  if (!file || content.empty())
    return Error{ErrorCode::kFileUnreadable, "[freeze] operator_key cannot be read, or is empty"};
  const auto key = parse_jwk(content);
  if (key && key->algorithm() == Algorithm::kES256 && VerifyKey::from(*key)) return std::optional(*key);
  return Error{
      ErrorCode::kConfigInvalid,
      "[freeze] operator_key: the file is the public JWK of a P-256 key, as `chancery freeze key` prints it"};
}

std::string policy_version(const config::Config& config, const PolicyFiles& files) {
  const Sha256Digest source = sha256(as_bytes(config.source));
  Bytes text(source.begin(), source.end());
  for (const auto& [option, digest] : files.digests()) {
    text.insert(text.end(), option.begin(), option.end());
    text.push_back(0);
    text.insert(text.end(), digest.begin(), digest.end());
  }
  return hex_encode(sha256(text)).substr(0, kVersionDigits);
}

void complete(service::PremisesOptions& options, const config::Config& config,
              const service::Backends& backends, const SecretBytes& master) {
  options.issuer = keys(config, store::kIssuer);
  options.status_keys = keys(config, store::kStatusLists);
  options.attestation_keys = keys(config, store::kAttestation);
  if (!config.attestation.backend.empty()) options.attestation_keys.backend = config.attestation.backend;
  options.audit_keys = audit_keys(config);
  options.webhook_keys = webhook_keys(config);
  options.vault_backend = config.vault.backend;
  options.audit = audit(config, master);
  options.spending = spending(config, backends);
  options.anomalies = anomalies(config.anomaly);
  options.partners = partners(config.verify);
  options.cache_tokens = config.verify.cache_tokens;
  options.files = watched_files(config);
}

service::KeeperOptions keeper(const config::Config& config) {
  service::KeeperOptions options;
  options.max_agent_key_age = config.keys.max_key_age;
  options.max_issuer_key_age = config.issuer.max_key_age;
  return options;
}

edge::Limits limits(const config::ServerConfig& server) {
  edge::Limits limits;
  limits.header_bytes = server.header_limit;
  limits.body_bytes = server.body_limit;
  limits.bodies_bytes = server.body_memory;
  limits.connections = server.max_connections;
  limits.handshake_time = limits.header_time = server.header_timeout;
  limits.body_time = server.body_timeout;
  limits.idle_time = server.idle_timeout;
  limits.handler_time = server.handler_timeout;
  return limits;
}

edge::ServerOptions server(const config::Config& config, const telemetry::Log& log) {
  const config::ServerConfig& server = config.server;
  edge::ServerOptions options;
  options.unix_socket = edge::UnixAddress{server.socket, server.socket_mode, server.socket_group};
  if (server.tls_listen) {
    options.tls = edge::TlsAddress{
        {server.tls_listen->host, server.tls_listen->port}, server.tls_certificate, server.tls_key};
  }
  if (server.plain_listen)
    options.plain = edge::TcpAddress{server.plain_listen->host, server.plain_listen->port};
  options.limits = limits(server);
  options.threads = server.threads > 0 ? server.threads : std::thread::hardware_concurrency();
  options.blocking_threads = server.blocking_threads;
  options.log = &log;
  return options;
}

Result<std::shared_ptr<telemetry::Redactor>> redactor(const config::LogConfig& config) {
  for (const std::string& pattern : config.redact) CHANCERY_TRY(telemetry::Redactor::check(pattern));
  return std::make_shared<telemetry::Redactor>(config.redact);
}

telemetry::LogOptions log(const config::LogConfig& config,
                          std::shared_ptr<const telemetry::Redactor> redactor) {
  telemetry::LogOptions options;
  options.redactor = std::move(redactor);
  options.level = static_cast<telemetry::Level>(config.level);
  options.format =
      config.format == config::LogFormat::kJson ? telemetry::Format::kJson : telemetry::Format::kText;
  return options;
}

}  // namespace chancery::setup
