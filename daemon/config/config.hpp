#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chancery::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A TCP address to listen on: an IP address, so that starting needs no name server.
struct ListenAddress {
  std::string host;        ///< IPv4 or IPv6 literal, without brackets
  std::uint16_t port = 0;  ///< 0: any free port
  bool operator==(const ListenAddress&) const = default;

  [[nodiscard]] bool is_loopback() const;
};

struct ServerConfig {
  std::filesystem::path socket;
  std::uint32_t socket_mode = 0;
  std::string socket_group;  ///< empty: the daemon's own
  std::optional<ListenAddress> tls_listen;
  std::filesystem::path tls_certificate;
  std::filesystem::path tls_key;
  std::vector<std::string> public_urls;       ///< besides the issuer's server
  std::optional<ListenAddress> plain_listen;  ///< loopback only
  std::uint64_t threads = 0;
  std::uint64_t blocking_threads = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t header_limit = 0;  ///< octets, as all limits
  std::uint64_t body_limit = 0;
  std::uint64_t body_memory = 0;
  milliseconds header_timeout{};
  milliseconds body_timeout{};
  milliseconds idle_timeout{};
  milliseconds handler_timeout{};
  milliseconds drain_timeout{};
  bool operator==(const ServerConfig&) const = default;
};

struct IssuerConfig {
  std::string trust_domain;
  std::string url;
  std::string backend;    ///< name of a `[[backend]]` section
  seconds max_key_age{};  ///< zero: no limit
  seconds overlap{};
  bool operator==(const IssuerConfig&) const = default;
};

enum class BackendType : std::uint8_t { kTpm, kPkcs11 };

/// How the sessions with a TPM are protected on the bus.
enum class Sessions : std::uint8_t {
  kEncrypted,  ///< salted HMAC sessions with parameter encryption
  kPlain,      ///< password authorization; for simulators only
};

struct BackendConfig {
  std::string name;
  BackendType type = BackendType::kTpm;
  std::string tcti;
  bool allow_simulator = false;
  Sessions sessions = Sessions::kEncrypted;
  std::uint64_t queue = 0;
  milliseconds timeout{};
  std::uint64_t key_cache = 0;
  std::filesystem::path module;
  std::string serial;  ///< of the token; it or `uri`
  std::string uri;
  std::filesystem::path pin_file;
  std::uint64_t max_sessions = 0;
  bool isolate = false;
  bool operator==(const BackendConfig&) const = default;
};

/// The agents' keys.
struct KeysConfig {
  seconds max_key_age{};  ///< zero: no limit
  seconds overlap{};
  bool operator==(const KeysConfig&) const = default;
};

/// The kill switch for agents' keys (docs/operations/incidents.md).
struct FreezeConfig {
  std::filesystem::path operator_key;  ///< a JWK; empty: no device has one
  std::uint64_t banks = 0;
  bool operator==(const FreezeConfig&) const = default;
};

/// The statuses of tokens.
struct StatusConfig {
  seconds min_lifetime{};
  bool operator==(const StatusConfig&) const = default;
};

/// The ceiling of what may be granted.
struct GrantsConfig {
  std::vector<std::string> scopes;     ///< empty: every scope
  std::string constraints;             ///< a canonical JSON array of constraints in token form
  std::vector<std::string> audiences;  ///< empty: any
  seconds max_lifetime{};
  std::uint64_t max_depth = 0;
  bool operator==(const GrantsConfig&) const = default;
};

/// How copies of the state folder are found out, which would give spent units back.
enum class Checkpoints : std::uint8_t {
  kCounter,  ///< by a counter in a device
  kNone,     ///< not at all
};

struct BudgetsConfig {
  Checkpoints checkpoint = Checkpoints::kCounter;
  std::string backend;  ///< whose counter; empty: the issuer's
  seconds interval{};
  bool operator==(const BudgetsConfig&) const = default;
};

struct VerifyConfig {
  std::uint64_t max_tokens = 0;
  std::uint64_t max_chain_bytes = 0;
  std::uint64_t cache_tokens = 0;
  std::vector<std::string> child_signing;  ///< of "holder" and "issuer"
  std::filesystem::path trust_anchors;     ///< empty: this daemon's own keys only
  bool follow_anchors = false;
  seconds anchors_refresh{};
  std::filesystem::path anchors_ca;             ///< empty: the system's authorities
  std::filesystem::path attestation_verifiers;  ///< empty: nobody's results count under its own keys
  bool operator==(const VerifyConfig&) const = default;
};

/// What proves where keys are (docs/operations/attestation.md).
struct AttestationConfig {
  std::string backend;             ///< that holds the key of results; empty: the issuer's
  std::filesystem::path ek_roots;  ///< this and the next two: a file or folder of certificates; empty: none
  std::filesystem::path ek_intermediates;
  std::filesystem::path emulator_roots;
  std::filesystem::path token_roots;  ///< of PKCS#11 tokens' vendors, in the same form
  std::vector<std::string> ek_pins;   ///< hexadecimal SHA-256
  bool first_use = false;
  std::filesystem::path policy;  ///< empty: nothing beyond good evidence is asked for
  seconds result_lifetime{};
  seconds challenge_lifetime{};
  std::string require;  ///< a custody level, or "hardware"; empty: none
  seconds max_age{};
  bool operator==(const AttestationConfig&) const = default;
};

struct AuditConfig {
  std::string backend;  ///< that holds the key of checkpoints; empty: the issuer's
  seconds overlap{};    ///< how long a key of checkpoints is published after another has followed it
  seconds checkpoint_interval{};
  bool operator==(const AuditConfig&) const = default;
};

/// Who else is told, of anomalies or of what waits for a person.
struct WebhookConfig {
  std::string url;           ///< may hold secrets; empty: nobody
  std::filesystem::path ca;  ///< empty: the system's authorities
  std::string backend;       ///< that holds the key of what is told; empty: the issuer's
  bool operator==(const WebhookConfig&) const = default;
};

/// When it is told that agents do otherwise than they used to (docs/operations/anomalies.md).
struct AnomalyConfig {
  double multiple = 0;
  seconds learning{};
  seconds quiet{};
  std::vector<std::string> suspend;  ///< kinds
  WebhookConfig webhook;
  bool operator==(const AnomalyConfig&) const = default;
};

enum class VaultIssuerType : std::uint8_t { kOAuthClientCredentials, kOAuthGrant, kPostgresRole };

/// How a client of OAuth shows who it is.
enum class ClientAuthentication : std::uint8_t { kSecretBasic, kNone };

/// Who makes credentials for one call (docs/operations/issuers.md). Which members count says the type.
struct VaultIssuerConfig {
  std::string name;
  VaultIssuerType type = VaultIssuerType::kOAuthClientCredentials;
  std::string secret;        ///< the record in the vault that has its own secret; empty: it has none
  std::filesystem::path ca;  ///< empty: the system's authorities
  std::string server;        ///< identifier of the authorization server
  std::string token_endpoint;
  std::string revocation_endpoint;
  std::string client_id;
  ClientAuthentication authentication = ClientAuthentication::kSecretBasic;
  std::vector<std::string> scopes;
  std::string resource;
  bool accepts_outliving = false;
  bool single_use = false;
  std::string authorization_endpoint;
  std::string redirect_uri;
  std::vector<std::string> parameters;  ///< each `name=value`
  bool names_itself = false;
  bool revokes_singly = false;
  std::string host;
  std::uint64_t port = 0;
  std::string database;
  std::string user;
  std::vector<std::string> groups;
  std::string heir;
  std::string owner;
  seconds longest_life{};
  bool operator==(const VaultIssuerConfig&) const = default;
};

struct VaultConfig {
  std::string backend;  ///< whose device seals the vault's key; empty: the issuer's
  std::vector<VaultIssuerConfig> issuers;
  bool operator==(const VaultConfig&) const = default;
};

/// Who calls tools for agents.
struct RuntimeConfig {
  std::vector<std::string> agents;     ///< by name
  std::string url;                     ///< where agents call them
  seconds approval_life{};             ///< how long a call waits for a person
  std::vector<std::string> approvers;  ///< of calls of tools that declare that they take an approval
  bool operator==(const RuntimeConfig&) const = default;
};

/// What is kept of requests that wait for a person, and who else is told of them.
struct ApprovalsConfig {
  seconds keep{};       ///< how long one that has ended, with its decisions
  seconds keep_last{};  ///< how long the last document of each kind; 0: none is kept
  WebhookConfig webhook;
  bool operator==(const ApprovalsConfig&) const = default;
};

/// The pages for people (docs/operations/console.md).
struct ConsoleConfig {
  bool enabled = false;
  std::filesystem::path files;         ///< folder of what a build made
  std::string rp_id;                   ///< for which passkeys are made
  std::vector<std::string> origins;    ///< empty: https, `rp_id` and the port of server.tls_listen
  std::vector<std::string> approvers;  ///< each `USER=PRINCIPAL`
  seconds session_life{};
  seconds session_idle{};
  bool operator==(const ConsoleConfig&) const = default;
};

/// When a gate is closed, so that an operation waits for a person (docs/operations/gates.md).
enum class GateWhen : std::uint8_t { kAlways, kAbove, kFirstTime, kOutsideHours };

/// Who may not decide about what waits at a gate.
enum class GateSeparation : std::uint8_t { kNone, kPrincipal, kRequester };

/// Who sees to it that nothing passes a gate without an approval.
enum class GateEnforcement : std::uint8_t { kSoftware, kTpm };

struct GateConfig {
  std::string name;
  std::vector<std::string> scopes;  ///< literal or with `.*`
  std::vector<std::string> tools;   ///< by name
  GateWhen when = GateWhen::kAlways;
  std::string parameter;               ///< of the action; for kAbove and kFirstTime
  std::string above;                   ///< a decimal; for kAbove
  std::string hours;                   ///< see parse_hours(); for kOutsideHours
  std::vector<std::string> approvers;  ///< principals, and groups as "group:NAME"
  std::uint64_t quorum = 0;
  GateSeparation separation = GateSeparation::kRequester;
  seconds wait{};
  seconds lifetime{};
  GateEnforcement enforcement = GateEnforcement::kSoftware;
  bool operator==(const GateConfig&) const = default;
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  std::vector<std::string> redact;  ///< patterns of what is not to be shown, besides the usual
  bool operator==(const LogConfig&) const = default;
};

/// Everything that chanceryd can be told. Names, defaults, units and meanings stand in options.cpp alone;
/// default_config() gives the defaults, a Config that is merely declared does not.
struct Config {
  ServerConfig server;
  IssuerConfig issuer;
  std::filesystem::path state_path;
  std::string operator_group;  ///< empty: none but uid 0 and the daemon's own
  bool tpm_allow_simulator = false;
  std::vector<BackendConfig> backends;
  KeysConfig keys;
  FreezeConfig freeze;
  StatusConfig status;
  GrantsConfig grants;
  seconds default_delegation_lifetime{};
  BudgetsConfig budgets;
  VerifyConfig verify;
  AttestationConfig attestation;
  AuditConfig audit;
  AnomalyConfig anomaly;
  VaultConfig vault;
  RuntimeConfig runtime;
  ApprovalsConfig approvals;
  ConsoleConfig console;
  std::vector<GateConfig> gates;
  LogConfig log;
  bool allow_root = false;
  std::string source;  ///< the text that was read; empty: there is none
  bool operator==(const Config&) const = default;
};

/// Why a configuration is refused. Unlike Error it has a text of its own: it names the option.
struct ConfigError {
  std::string message;  ///< one line; quotes option names and never a value
  int line = 0;         ///< 1-based; 0 when no line is to blame
};

/// Every option at its default; the ones that have none are empty, and there is no backend.
[[nodiscard]] Config default_config();

/// A backend section at its defaults, `name` empty.
[[nodiscard]] BackendConfig default_backend(const Config& config);

/// A section of an issuer of credentials at its defaults, `name` empty.
[[nodiscard]] VaultIssuerConfig default_vault_issuer();

/// A section of a gate at its defaults, `name` empty.
[[nodiscard]] GateConfig default_gate();

/// Reads a configuration: TOML 1.0, every option of the table, nothing else. Then check_config().
/// \return the configuration or the complaint that stands first in the text
[[nodiscard]] std::variant<Config, ConfigError> parse_config(std::string_view toml);

/// parse_config() of a file of at most 1 MiB that not everybody may write to.
[[nodiscard]] std::variant<Config, ConfigError> load_config(const std::filesystem::path& file);

/// A configuration as TOML text with every option, such that parse_config() gives it back.
[[nodiscard]] std::string to_toml(const Config& config);

/// What holds between options: required ones are given, addresses without TLS are loopback, backends have
/// distinct names and the issuer's exists, times and limits agree.
/// \return nothing, or the first complaint
[[nodiscard]] std::optional<ConfigError> check_config(const Config& config);

/// What a daemon that runs takes over of a configuration that was read again.
struct TakenOver {
  Config config;  ///< the one that runs, with what is live of the other
  std::vector<std::string>
      changed;  ///< live options whose value is another, by name; `gate` for any in `[[gate]]`
  /// The others whose value is another; `backend` for any in `[[backend]]`, `vault.issuer` for any in `[[vault.issuer]]`.
  std::vector<std::string> need_restart;
};
[[nodiscard]] TakenOver take_over(const Config& running, const Config& read);

/// Every option with its default, unit and meaning: for `chanceryd --help-config`.
[[nodiscard]] std::string help_text();

/// chancery.toml(5), from the same table.
[[nodiscard]] std::string man_page();

/// Plain text as it stands in a manual page: nothing in it is taken for a request.
[[nodiscard]] std::string roff(std::string_view text);

/// The same as the page docs/operations/configuration.md, which a test compares with it.
[[nodiscard]] std::string reference_page();

}  // namespace chancery::config
