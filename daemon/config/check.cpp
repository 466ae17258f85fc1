#include "daemon/config/check.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "daemon/config/options.hpp"
#include "sdk/base/name.hpp"

namespace chancery::config {
namespace {

using Found = std::optional<Complaint>;

constexpr std::size_t kLongestSocketPath = 107;  // sun_path, without its terminator

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

// SPIFFE-ID section 2.1; at most 255 octets.
bool is_trust_domain(std::string_view text) {
  return !text.empty() && text.size() <= 255 && all_of(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
}

// https://HOST or https://HOST:PORT. An issuer may have a path (RFC 8414 section 2), but its metadata then lie beside
// that path (section 3.1) and everything else under it: the daemon has its server for itself, so it has none.
bool is_origin(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) return false;
  const std::string_view rest = text.substr(kScheme.size());
  return !rest.empty() && rest.front() != ':' && rest.size() <= 512 &&
         std::ranges::all_of(rest, [](char c) { return c > ' ' && c < 127; }) &&
         rest.find_first_of("/?#@\"<>\\^`{|}") == std::string_view::npos;
}

// Where something is posted: https, a host, and whatever its owner wants to stand before and behind that. Fragments are
// sent to nobody, and of two at signs not all readers take the same one.
bool is_https_address(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme) || text.size() > 2048) return false;
  std::string_view host = text.substr(kScheme.size());
  host = host.substr(0, host.find_first_of("/?"));
  if (const std::size_t at = host.find('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  return !host.empty() && host.find('@') == std::string_view::npos && host.front() != ':' &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; }) &&
         text.find_first_of("#\"<>\\^`{|}") == std::string_view::npos;
}

Found check_backend_name(const Config& config, const char* option, const std::string& name) {
  const bool known = std::ranges::any_of(config.backends, [&](const auto& b) { return b.name == name; });
  if (known) return std::nullopt;
  return Complaint{option, "names no [[backend]] of this configuration"};
}

Found check_issuer(const Config& config) {
  const IssuerConfig& issuer = config.issuer;
  if (issuer.trust_domain.empty()) {
    return Complaint{"issuer.trust_domain", "is required: give the SPIFFE trust domain of your agents"};
  }
  if (!is_trust_domain(issuer.trust_domain)) {
    return Complaint{"issuer.trust_domain",
                     "must be lower-case letters, digits, '.', '-' and '_', at most 255"};
  }
  if (issuer.url.empty()) {
    return Complaint{"issuer.url", "is required: give the https URL under which this daemon is known"};
  }
  if (!is_origin(issuer.url)) {
    return Complaint{"issuer.url", "must be https://HOST or https://HOST:PORT, without a path"};
  }
  if (issuer.backend.empty()) {
    return Complaint{"issuer.backend", "is required: name the [[backend]] that holds the issuer key"};
  }
  return check_backend_name(config, "issuer.backend", issuer.backend);
}

Found check_budgets(const Config& config) {
  if (config.budgets.backend.empty()) return std::nullopt;
  return check_backend_name(config, "budgets.backend", config.budgets.backend);
}

Found check_attestation(const Config& config) {
  if (config.attestation.backend.empty()) return std::nullopt;
  return check_backend_name(config, "attestation.backend", config.attestation.backend);
}

Found check_webhook(const Config& config, const WebhookConfig& webhook, const std::string& section) {
  if (!webhook.url.empty() && !is_https_address(webhook.url)) {
    return Complaint{section + ".url", "must be an https:// address without a fragment"};
  }
  if (webhook.backend.empty()) return std::nullopt;
  return check_backend_name(config, (section + ".backend").c_str(), webhook.backend);
}

// Receivers look up one set of keys.
Found check_webhooks(const Config& config) {
  const WebhookConfig& anomalies = config.anomaly.webhook;
  const WebhookConfig& approvals = config.approvals.webhook;
  if (auto found = check_webhook(config, anomalies, "anomaly.webhook")) return found;
  if (auto found = check_webhook(config, approvals, "approvals.webhook")) return found;
  const bool name_both = !anomalies.backend.empty() && !approvals.backend.empty();
  if (!name_both || anomalies.backend == approvals.backend) return std::nullopt;
  return Complaint{"approvals.webhook.backend",
                   "must be that of anomaly.webhook.backend: one key signs for both webhooks"};
}

Found check_vault(const Config& config) {
  if (config.vault.backend.empty()) return std::nullopt;
  return check_backend_name(config, "vault.backend", config.vault.backend);
}

// What a type of issuer cannot do without.
Found check_required(const VaultIssuerConfig& issuer, const std::string& section) {
  Config unused;
  NoSections none;
  VaultIssuerConfig copy = issuer;
  const Target target = none.with(unused, copy);
  for (const Option& option : options()) {
    if (section_of(option.name) != kVaultIssuerSection || !option.required || !applies_to(option, target))
      continue;
    const std::string text = value_text(option, target);
    if (text != "\"\"" && text != "[]") continue;
    return Complaint{section + std::string(option.name.substr(kVaultIssuerSection.size() + 1)),
                     "is required for this type of issuer"};
  }
  return std::nullopt;
}

// RFC 8252 section 7.3: names of loopback can be taken over.
bool is_redirect_address(std::string_view text) {
  const auto is_loopback = [&](std::string_view host) {
    return text.starts_with(host) &&
           (text.size() == host.size() || text[host.size()] == '/' || text[host.size()] == ':');
  };
  return is_https_address(text) || is_loopback("http://127.0.0.1") || is_loopback("http://[::1]");
}

Found check_oauth(const VaultIssuerConfig& issuer, const std::string& section) {
  const bool is_grant = issuer.type == VaultIssuerType::kOAuthGrant;
  const std::array<std::pair<const char*, const std::string&>, 4> addresses{
      {{"server", issuer.server},
       {"token_endpoint", issuer.token_endpoint},
       {"revocation_endpoint", issuer.revocation_endpoint},
       {"authorization_endpoint", issuer.authorization_endpoint}}};
  for (const auto& [option, address] : addresses) {
    if (!address.empty() && !is_https_address(address))
      return Complaint{section + option, "must be an https:// address without a fragment"};
  }
  const bool has_secret = !issuer.secret.empty();
  if (has_secret != (issuer.authentication == ClientAuthentication::kSecretBasic))
    return Complaint{
        section + (has_secret ? "authentication" : "secret"),
        has_secret
            ? "is none: a public client has no secret, take it out"
            : "is required with authentication = \"client_secret_basic\": name the credential in the vault"};
  if (issuer.resource.find_first_of("# ") != std::string::npos)
    return Complaint{section + "resource", "must be an absolute URI without a fragment"};
  if (!is_grant) return std::nullopt;
  if (!is_redirect_address(issuer.redirect_uri))
    return Complaint{section + "redirect_uri",
                     "must be https, or http on 127.0.0.1 or [::1]: names can be taken over"};
  const auto has_name = [](const std::string& text) {
    return text.find('=') != std::string::npos && text.front() != '=';
  };
  if (!std::ranges::all_of(issuer.parameters, has_name))
    return Complaint{section + "parameters", "must each be name=value"};
  return std::nullopt;
}

Found check_postgres(const VaultIssuerConfig& issuer, const std::string& section) {
  if (issuer.host.starts_with('/') || !issuer.ca.empty()) return std::nullopt;
  return Complaint{section + "ca", "is required for a database over TCP: its certificate is verified"};
}

Found check_vault_issuers(const Config& config) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < config.vault.issuers.size(); ++i) {
    const VaultIssuerConfig& issuer = config.vault.issuers[i];
    const std::string section = std::string(kVaultIssuerSection) + "[" + std::to_string(i) + "].";
    if (auto found = check_required(issuer, section)) return found;
    if (!is_name(issuer.name))
      return Complaint{section + "name",
                       "must be 1 to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first"};
    if (!names.insert(issuer.name).second)
      return Complaint{section + "name", "is the name of an earlier [[vault.issuer]]: choose another"};
    if (!issuer.secret.empty() && !is_name(issuer.secret))
      return Complaint{section + "secret", "must be the name of a credential in the vault, never its value"};
    const bool is_postgres = issuer.type == VaultIssuerType::kPostgresRole;
    if (auto found = is_postgres ? check_postgres(issuer, section) : check_oauth(issuer, section))
      return found;
  }
  return std::nullopt;
}

Found check_runtime(const Config& config) {
  const RuntimeConfig& runtime = config.runtime;
  if (!std::ranges::all_of(runtime.agents, is_name))
    return Complaint{"runtime.agents", "must be names of agents: [a-z0-9][a-z0-9._-]{0,62}"};
  if (auto found = check_approvers("runtime.approvers", runtime.approvers)) return found;
  if (runtime.url.empty()) {
    if (runtime.agents.empty()) return std::nullopt;
    return Complaint{"runtime.url",
                     "is required with runtime.agents: give the https URL at which agents call tools"};
  }
  if (!is_origin(runtime.url))
    return Complaint{"runtime.url", "must be https://HOST or https://HOST:PORT, without a path"};
  if (runtime.url == config.issuer.url)
    return Complaint{"runtime.url", "must not be issuer.url: a proof for a tool is none for the daemon"};
  return std::nullopt;
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= 253 && all_of(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") &&
         text.front() != '.' && text.back() != '.';
}

// WebAuthn Level 2 section 5.1.3: the RP id is the host of the origin, or a domain above it. Browsers write origins in lower case.
bool is_origin_of(std::string_view origin, std::string_view rp_id) {
  if (!is_origin(origin) || std::ranges::any_of(origin, [](char c) { return c >= 'A' && c <= 'Z'; }))
    return false;
  std::string_view host = origin.substr(origin.find("//") + 2);
  host = host.substr(0, host.find(':'));
  return host == rp_id || (host.ends_with(rp_id) && host[host.size() - rp_id.size() - 1] == '.');
}

Found check_console(const Config& config) {
  const ConsoleConfig& console = config.console;
  if (!is_domain(console.rp_id))
    return Complaint{"console.rp_id", "must be a domain in lower case, such as localhost"};
  const auto is_its_own = [&](const std::string& origin) { return is_origin_of(origin, console.rp_id); };
  if (!std::ranges::all_of(console.origins, is_its_own))
    return Complaint{
        "console.origins",
        "must each be https://HOST or https://HOST:PORT in lower case, with a host that is console.rp_id or under it"};
  const auto names_both = [](const std::string& text) {
    const std::size_t equals = text.find('=');
    return equals != std::string::npos && equals > 0 && is_person(std::string_view(text).substr(equals + 1));
  };
  if (!std::ranges::all_of(console.approvers, names_both))
    return Complaint{"console.approvers", "must each be USER=PRINCIPAL, such as bob=user:bob@example.org"};
  if (!console.enabled) return std::nullopt;
  if (!config.server.tls_listen)
    return Complaint{"console.enabled", "needs server.tls_listen: browsers are answered over TLS alone"};
  if (console.origins.empty() && config.server.tls_listen->port == 0)
    return Complaint{"console.origins",
                     "is required with a server.tls_listen of any port: give the console's address"};
  if (console.files.empty())
    return Complaint{"console.files",
                     "is required with console.enabled: name the folder of the console's built files"};
  return std::nullopt;
}

Found check_anomaly(const Config& config) {
  constexpr std::array<std::string_view, 7> kKinds{"call_rate",    "denial_rate", "latency",    "new_scope",
                                                   "new_resource", "new_host",    "time_of_day"};
  const auto is_kind = [&](const std::string& name) {
    return std::ranges::find(kKinds, name) != kKinds.end();
  };
  if (std::ranges::all_of(config.anomaly.suspend, is_kind)) return std::nullopt;
  return Complaint{"anomaly.suspend",
                   "must list kinds such as \"call_rate\": see docs/operations/anomalies.md"};
}

Found check_server(const ServerConfig& server) {
  if (server.socket.empty()) return Complaint{"server.socket", "is required: operators and agents use it"};
  if (server.socket.native().size() > kLongestSocketPath) {
    return Complaint{"server.socket", "must be at most 107 octets long, as the kernel has it"};
  }
  if (server.body_memory < server.body_limit) {
    return Complaint{"server.body_memory",
                     "must be at least body_limit: a body of that length would never be read"};
  }
  if (!std::ranges::all_of(server.public_urls, is_origin)) {
    return Complaint{"server.public_urls", "must each be https://HOST or https://HOST:PORT, without a path"};
  }
  if (server.plain_listen && !server.plain_listen->is_loopback()) {
    return Complaint{"server.plain_listen",
                     "must be a loopback address: use tls_listen to be reached from elsewhere"};
  }
  if (server.tls_listen && server.tls_certificate.empty()) {
    return Complaint{"server.tls_certificate",
                     "is required with tls_listen: give a certificate, or set tls_listen = \"\""};
  }
  if (server.tls_listen && server.tls_key.empty()) {
    return Complaint{"server.tls_key",
                     "is required with tls_listen: give the certificate's key, or set tls_listen = \"\""};
  }
  return std::nullopt;
}

// Agents' users must be in the one to connect.
Found check_operators(const Config& config) {
  if (config.operator_group.empty() || config.operator_group != config.server.socket_group)
    return std::nullopt;
  return Complaint{
      "operator.group",
      "must not be server.socket_group, which the users of agents join: name a group of its own"};
}

Found check_device(const BackendConfig& backend, const std::string& section) {
  switch (backend.type) {
    case BackendType::kTpm:
      if (backend.tcti.empty()) return Complaint{section + "tcti", "must say where the TPM is"};
      return std::nullopt;
    case BackendType::kPkcs11:
      if (backend.module.empty())
        return Complaint{section + "module", "is required: name the vendor's library"};
      if (backend.serial.empty() == backend.uri.empty()) {
        return Complaint{section + "serial", "or uri must say which token it is: give one of both"};
      }
      return std::nullopt;
  }
  return std::nullopt;
}

Found check_backends(const Config& config) {
  if (config.backends.empty()) return Complaint{"", "no [[backend]]: name the device that holds the keys"};
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < config.backends.size(); ++i) {
    const BackendConfig& backend = config.backends[i];
    const std::string section = "backend[" + std::to_string(i) + "].";
    if (backend.name.empty()) return Complaint{section + "name", "is required"};
    if (!is_name(backend.name)) {
      return Complaint{section + "name",
                       "must be 1 to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first"};
    }
    if (!names.insert(backend.name).second) {
      return Complaint{section + "name", "is the name of an earlier [[backend]]: choose another"};
    }
    if (auto found = check_device(backend, section)) return found;
  }
  return std::nullopt;
}

Found check_authority(const Config& config) {
  if (config.default_delegation_lifetime > config.grants.max_lifetime) {
    return Complaint{"delegations.default_lifetime", "must not exceed grants.max_lifetime"};
  }
  // An agent may open a session, which is one more token.
  if (config.grants.max_depth >= config.verify.max_tokens) {
    return Complaint{"grants.max_depth", "must be less than verify.max_tokens: such chains would not verify"};
  }
  const auto& signers = config.verify.child_signing;
  const bool known =
      std::ranges::all_of(signers, [](const auto& s) { return s == "holder" || s == "issuer"; });
  if (signers.empty() || !known) {
    return Complaint{"verify.child_signing", "must list \"holder\", \"issuer\" or both"};
  }
  if (std::ranges::find(signers, "holder") == signers.end()) {
    return Complaint{"verify.child_signing",
                     "must list \"holder\": this daemon's own delegations are signed so"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Complaint> find_contradiction(const Config& config) {
  if (config.state_path.empty())
    return Complaint{"state.path", "is required: the daemon keeps its database there"};
  if (auto found = check_backends(config)) return found;
  if (auto found = check_issuer(config)) return found;
  if (auto found = check_budgets(config)) return found;
  if (auto found = check_attestation(config)) return found;
  if (auto found = check_anomaly(config)) return found;
  if (auto found = check_webhooks(config)) return found;
  if (auto found = check_vault(config)) return found;
  if (auto found = check_vault_issuers(config)) return found;
  if (auto found = check_runtime(config)) return found;
  if (auto found = check_console(config)) return found;
  if (auto found = check_server(config.server)) return found;
  if (auto found = check_operators(config)) return found;
  if (auto found = find_gate_contradiction(config)) return found;
  return check_authority(config);
}

std::optional<ConfigError> check_config(const Config& config) {
  const auto found = find_contradiction(config);
  if (!found) return std::nullopt;
  return ConfigError{found->option.empty() ? found->message : found->option + " " + found->message, 0};
}

}  // namespace chancery::config
