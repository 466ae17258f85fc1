#include "daemon/config/options.hpp"

#include <algorithm>
#include <array>

#include "sdk/base/edit_distance.hpp"

namespace chancery::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;

constexpr std::array<std::string_view, 2> kBackendTypes{"tpm", "pkcs11"};
constexpr std::array<std::string_view, 3> kVaultIssuerTypes{"oauth_client_credentials", "oauth_grant",
                                                            "postgres_role"};
constexpr std::array<std::string_view, 2> kAuthentications{"client_secret_basic", "none"};
constexpr std::array kOAuth{VaultIssuerType::kOAuthClientCredentials, VaultIssuerType::kOAuthGrant};
constexpr std::array kClientCredentials{VaultIssuerType::kOAuthClientCredentials};
constexpr std::array kGrant{VaultIssuerType::kOAuthGrant};
constexpr std::array kPostgres{VaultIssuerType::kPostgresRole};
constexpr std::array<std::string_view, 2> kSessions{"encrypted", "plain"};
constexpr std::array<std::string_view, 2> kCheckpoints{"counter", "none"};
constexpr std::array<std::string_view, 4> kGateWhens{"always", "above", "first_time", "outside_hours"};
constexpr std::array<std::string_view, 3> kSeparations{"none", "principal", "requester"};
constexpr std::array<std::string_view, 2> kEnforcements{"software", "tpm"};
constexpr std::array<std::string_view, 5> kLogLevels{"trace", "debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kLogFormats{"text", "json"};

// Where an option's value lives. (A macro, since clang-format cannot read such a lambda inside an
// initializer.)
#define AT(member) \
  [](Target t) -> auto& { return t.member; }

constexpr auto kOptions = std::to_array<Option>({
    {"allow_root", Flag{AT(config.allow_root)}, "false", "",
     "Run although the daemon was started as root, which is refused otherwise."},

    {"server.socket", AbsolutePath{AT(config.server.socket)}, "\"/run/chancery/chancery.sock\"", "",
     "The Unix socket, where the privileged routes are."},
    {"server.socket_mode", FileMode{AT(config.server.socket_mode)}, "\"0660\"", "",
     "The permissions of the Unix socket."},
    {"server.socket_group", Text{AT(config.server.socket_group)}, "\"chancery\"", "",
     "The group that owns the Unix socket; empty leaves the daemon's own."},
    {"server.tls_listen", Address{AT(config.server.tls_listen)}, "\"127.0.0.1:8443\"", "",
     "The address for HTTPS; empty turns it off."},
    {"server.tls_certificate", AbsolutePath{AT(config.server.tls_certificate)}, "\"\"", "",
     "The certificate chain for HTTPS in PEM, needed with `tls_listen`."},
    {"server.public_urls", TextList{AT(config.server.public_urls)}, "[]", "",
     "How callers over TLS address the daemon, besides by [issuer] url: each `https://HOST` or "
     "`https://HOST:PORT`, as it stands in their proofs."},
    {"server.tls_key", AbsolutePath{AT(config.server.tls_key)}, "\"\"", "",
     "The private key of that certificate in PEM, readable by the daemon alone."},
    {"server.plain_listen", Address{AT(config.server.plain_listen)}, "\"\"", "",
     "A loopback address for HTTP without TLS; empty turns it off."},
    {"server.threads", Count{AT(config.server.threads), 0, 256}, "0", "threads",
     "The threads that are left for connections, whatever else waits; 0 takes one for each processor."},
    {"server.blocking_threads", Count{AT(config.server.blocking_threads), 1, 256}, "8", "threads",
     "As many more, so that so many requests can wait for a device or a disk."},
    {"server.max_connections", Count{AT(config.server.max_connections), 1, 100'000}, "1024", "connections",
     "The most connections that are open at once on each listener; further ones are closed."},
    {"server.header_limit", Octets{AT(config.server.header_limit), 1 * kKiB, 16 * kMiB}, "\"64KiB\"", "",
     "The longest request line and headers that are read."},
    {"server.body_limit", Octets{AT(config.server.body_limit), 1 * kKiB, 64 * kMiB}, "\"1MiB\"", "",
     "The longest request body that is read."},
    {"server.body_memory", Octets{AT(config.server.body_memory), 1 * kMiB, 4096 * kMiB}, "\"64MiB\"", "",
     "The request bodies that are held at once, of all connections of a listener; further ones are answered "
     "503."},
    {"server.header_timeout", Duration{AT(config.server.header_timeout), 10ms, 10min}, "\"10s\"", "",
     "The time that a client has to send its request's headers; over TLS the handshake has as much before."},
    {"server.body_timeout", Duration{AT(config.server.body_timeout), 10ms, 1h}, "\"30s\"", "",
     "The time that a client has to send its request's body."},
    {"server.idle_timeout", Duration{AT(config.server.idle_timeout), 10ms, 24h}, "\"60s\"", "",
     "The time that a connection may be idle between requests."},
    {"server.handler_timeout", Duration{AT(config.server.handler_timeout), 10ms, 1h}, "\"30s\"", "",
     "The time after which a request that waits for a device is given up."},
    {"server.drain_timeout", Duration{AT(config.server.drain_timeout), 10ms, 1h}, "\"10s\"", "",
     "The time that requests have to finish when the daemon stops."},

    {"issuer.trust_domain", Text{AT(config.issuer.trust_domain)}, "\"\"", "",
     "The SPIFFE trust domain of the agents that this daemon names.", true},
    {"issuer.url", Text{AT(config.issuer.url)}, "\"\"", "",
     "The `iss` of the tokens that this daemon grants, and where it is reached: `https://HOST` or `https://HOST:PORT`.",
     true},
    {"issuer.backend", Text{AT(config.issuer.backend)}, "\"\"", "",
     "The name of the backend that holds the issuer key.", true},
    {"issuer.max_key_age", Lifetime{AT(config.issuer.max_key_age), 0s, 87'600h}, "\"0s\"", "",
     "The age at which another issuer key follows by itself; `0s` leaves that to `chancery issuer rotate`."},
    {"issuer.overlap", Lifetime{AT(config.issuer.overlap), 0s, 8784h}, "\"8h\"", "",
     "How long the issuer's key counts, and is published, after another has followed it; chains that it "
     "signed end with it, so it should be no shorter than `grants.max_lifetime`."},

    {"state.path", AbsolutePath{AT(config.state_path)}, "\"/var/lib/chancery\"", "",
     "The folder of the daemon's database and secrets, for its user alone."},

    {"operator.group", Text{AT(config.operator_group)}, "\"\"", "",
     "The group whose members are operators beside root and the daemon's own user; empty names none. They "
     "are members of `server.socket_group` too, to connect, and that group is not this one."},

    {"backend.name", Text{AT(backend.name)}, "\"\"", "",
     "The name by which agents and the issuer refer to this backend.", true},
    {"backend.type",
     Choice{kBackendTypes, [](Target t) { return static_cast<std::size_t>(t.backend.type); },
            [](Target t, std::size_t i) { t.backend.type = static_cast<BackendType>(i); }},
     "\"tpm\"", "", "The kind of device."},
    {"backend.tcti", Text{AT(backend.tcti)}, "\"device:/dev/tpmrm0\"", "",
     "Where the TPM is: `device:` (a resource manager's, /dev/tpmrm0) or `swtpm:path=`, and an absolute "
     "path.",
     false, BackendType::kTpm},
    {"backend.allow_simulator", Flag{AT(backend.allow_simulator)}, "false", "",
     "Accept a simulated device, whose keys are software; for type `tpm`, `tpm.allow_simulator` is the "
     "default."},
    {"backend.sessions",
     Choice{kSessions, [](Target t) { return static_cast<std::size_t>(t.backend.sessions); },
            [](Target t, std::size_t i) { t.backend.sessions = static_cast<Sessions>(i); }},
     "\"encrypted\"", "",
     "Whether traffic with the TPM is authenticated and encrypted; `plain` is for simulators only.", false,
     BackendType::kTpm},
    {"backend.queue", Count{AT(backend.queue), 1, 65'536}, "256", "requests",
     "The most requests that wait for the device; further ones are refused as busy."},
    {"backend.timeout", Duration{AT(backend.timeout), 10ms, 10min}, "\"10s\"", "",
     "The time after which a device that does not answer is given up and sought again; of a PKCS#11 token, "
     "the time that starting waits for it."},
    {"backend.key_cache", Count{AT(backend.key_cache), 0, 1'000'000}, "4096", "keys",
     "The most keys whose loaded form is kept ready, so that they need not be unwrapped for every "
     "signature; for type `pkcs11`, in each session."},
    {"backend.module", AbsolutePath{AT(backend.module)}, "\"\"", "",
     "The vendor's PKCS#11 module, a shared library.", false, BackendType::kPkcs11},
    {"backend.serial", Text{AT(backend.serial)}, "\"\"", "", "The serial number of the token; it or `uri`.",
     false, BackendType::kPkcs11},
    {"backend.uri", Text{AT(backend.uri)}, "\"\"", "",
     "A `pkcs11:` URI (RFC 7512) with the token's `serial` or `token`, and `manufacturer` and `model` if "
     "wanted.",
     false, BackendType::kPkcs11},
    {"backend.pin_file", AbsolutePath{AT(backend.pin_file)}, "\"\"", "",
     "The file with the PIN, for the daemon's user alone; the systemd credential `chancery.pin.NAME` goes "
     "before it.",
     false, BackendType::kPkcs11},
    {"backend.max_sessions", Count{AT(backend.max_sessions), 1, 256}, "4", "sessions",
     "The most sessions with the token at once, each with a thread.", false, BackendType::kPkcs11},
    {"backend.isolate", Flag{AT(backend.isolate)}, "false", "",
     "Load the module in a process of its own, so that a crash inside of it ends that one alone; "
     "recommended for production.",
     false, BackendType::kPkcs11},

    {"tpm.allow_simulator", Flag{AT(config.tpm_allow_simulator)}, "false", "",
     "Accept simulators for every backend of type `tpm` that does not say otherwise itself."},

    {"keys.max_key_age", Lifetime{AT(config.keys.max_key_age), 0s, 87'600h}, "\"0s\"", "",
     "The age at which another key of an agent follows by itself; `0s` leaves that to `chancery agent "
     "rotate`."},
    {"keys.overlap", Lifetime{AT(config.keys.overlap), 0s, 8784h}, "\"10m\"", "",
     "How long an agent's key serves the chains that it holds after another has followed it; then it is "
     "destroyed."},

    {"freeze.operator_key", AbsolutePath{AT(config.freeze.operator_key)}, "\"\"", "",
     "A file with the public key, a P-256 JWK, of the operator by whose signature TPMs unfreeze agents' keys; empty: no TPM "
     "freezes any, the daemon does."},
    {"freeze.banks", Count{AT(config.freeze.banks), 1, 15}, "1", "indexes",
     "The NV indexes of the kill switch in each TPM; each has room for 63 agents. Agents beyond them are frozen "
     "by the TPM together with all, and each by the daemon alone."},

    {"status.min_lifetime", Lifetime{AT(config.status.min_lifetime), 0s, 8784h}, "\"60s\"", "",
     "Tokens that live at least so long refer to a status list, by which others learn of a revocation; `0s` "
     "has all of them do so."},

    {"grants.scopes", TextList{AT(config.grants.scopes)}, "[]", "",
     "The scopes that may be granted, literal or with `.*`; an empty list stands for every scope."},
    {"grants.constraints", ConstraintList{AT(config.grants.constraints)}, "[]", "",
     "Constraints that every grant keeps, in the form that tokens have, such as `{ key = "
     "\"payments.refund#amount\", max = 500 }`."},
    {"grants.audiences", TextList{AT(config.grants.audiences)}, "[]", "",
     "The audiences that grants may name; an empty list stands for any."},
    {"grants.max_lifetime", Lifetime{AT(config.grants.max_lifetime), 1s, 8784h}, "\"8h\"", "",
     "The longest time for which a grant may be valid."},
    {"grants.max_depth", Count{AT(config.grants.max_depth), 1, 1000}, "8", "agents",
     "The most agents that a grant may pass through."},

    {"delegations.default_lifetime", Lifetime{AT(config.default_delegation_lifetime), 1s, 8784h}, "\"10m\"",
     "", "The time for which a delegation is valid that asks for none, within its parent's."},

    {"budgets.checkpoint",
     Choice{kCheckpoints, [](Target t) { return static_cast<std::size_t>(t.config.budgets.checkpoint); },
            [](Target t, std::size_t i) { t.config.budgets.checkpoint = static_cast<Checkpoints>(i); }},
     "\"counter\"", "",
     "How an older copy of the state folder is found out, which would give spent units back: by a device's "
     "`counter`, without which nothing is spent, or by `none`."},
    {"budgets.backend", Text{AT(config.budgets.backend)}, "\"\"", "",
     "The name of the backend whose counter it is, a TPM; empty takes the issuer's."},
    {"budgets.interval", Lifetime{AT(config.budgets.interval), 1s, 24h}, "\"10m\"", "",
     "The time after which the counter advances again if anything was spent; what was spent since is what a "
     "copy could give back."},

    {"verify.max_tokens", Count{AT(config.verify.max_tokens), 1, 1024}, "16", "tokens",
     "The longest chain that is verified."},
    {"verify.max_chain_bytes", Octets{AT(config.verify.max_chain_bytes), 1 * kKiB, 16 * kMiB}, "262144", "",
     "The most octets that the tokens of a chain have together."},
    {"verify.cache_tokens", Count{AT(config.verify.cache_tokens), 0, 10'000'000}, "4096", "tokens",
     "The most tokens whose signatures are remembered as checked; 0 checks each one again."},
    {"verify.child_signing", TextList{AT(config.verify.child_signing)}, "[\"holder\"]", "",
     "By whom tokens after the first may be signed: `holder` of the parent, `issuer`, or both."},
    {"verify.trust_anchors", AbsolutePath{AT(config.verify.trust_anchors)}, "\"\"", "",
     "A file of trust anchors in JSON that are accepted beside this daemon's own; empty names none."},
    {"verify.follow_anchors", Flag{AT(config.verify.follow_anchors)}, "false", "",
     "Follow the keys that each of these anchors publishes at its `iss`, from those in the file on."},
    {"verify.anchors_refresh", Lifetime{AT(config.verify.anchors_refresh), 1s, 24h}, "\"5m\"", "",
     "The time between two looks at the keys of an anchor that is followed."},
    {"verify.anchors_ca", AbsolutePath{AT(config.verify.anchors_ca)}, "\"\"", "",
     "The authorities in PEM that must have certified the anchors' servers; empty takes the system's."},
    {"verify.attestation_verifiers", AbsolutePath{AT(config.verify.attestation_verifiers)}, "\"\"", "",
     "A JWK Set of those whose attestation results count for chains under this daemon's own keys; empty names none."},

    {"attestation.backend", Text{AT(config.attestation.backend)}, "\"\"", "",
     "The name of the backend that holds the key of attestation results; empty takes the issuer's."},
    {"attestation.ek_roots", AbsolutePath{AT(config.attestation.ek_roots)}, "\"\"", "",
     "The roots of TPM vendors to which EK certificates must lead, in PEM or DER: a file, or a folder of them."},
    {"attestation.ek_intermediates", AbsolutePath{AT(config.attestation.ek_intermediates)}, "\"\"", "",
     "Authorities between EK certificates and those roots, in the same form."},
    {"attestation.emulator_roots", AbsolutePath{AT(config.attestation.emulator_roots)}, "\"\"", "",
     "The roots of simulators, in the same form: a key of such a TPM is never taken for one in hardware."},
    {"attestation.token_roots", AbsolutePath{AT(config.attestation.token_roots)}, "\"\"", "",
     "The roots under which vendors' PKCS#11 devices attest keys, in the same form; nothing else may be issued under "
     "them."},
    {"attestation.ek_pins", TextList{AT(config.attestation.ek_pins)}, "[]", "",
     "EKs that are believed as they are: the SHA-256 of their certificate or public area, in hexadecimal."},
    {"attestation.first_use", Flag{AT(config.attestation.first_use)}, "false", "",
     "Let a host whose EK nothing speaks for wait for the operator's approval, rather than refuse it."},
    {"attestation.policy", AbsolutePath{AT(config.attestation.policy)}, "\"\"", "",
     "A file in TOML that says what is asked of hosts beyond good evidence: PCRs, firmware, resets; empty asks for "
     "nothing."},
    {"attestation.result_lifetime", Lifetime{AT(config.attestation.result_lifetime), 1min, 24h}, "\"1h\"", "",
     "How long an attestation result counts."},
    {"attestation.challenge_lifetime", Lifetime{AT(config.attestation.challenge_lifetime), 1s, 1h}, "\"5m\"",
     "", "How long a host has to answer a challenge."},
    {"attestation.require", Text{AT(config.attestation.require)}, "\"\"", "",
     "What must be proved of an agent's key before it is given authority: `hardware`, or a level of custody such as "
     "`tpm-quoted`; empty asks for nothing."},
    {"attestation.max_age", Lifetime{AT(config.attestation.max_age), 0s, 24h}, "\"1h\"", "",
     "How old the evidence for that may be; `0s` has the host asked each time."},

    {"audit.backend", Text{AT(config.audit.backend)}, "\"\"", "",
     "The name of the backend that holds the key of the audit log's checkpoints; empty takes the issuer's."},
    {"audit.overlap", Lifetime{AT(config.audit.overlap), 0s, 8784h}, "\"8784h\"", "",
     "How long that key is kept after another has followed it. What it signed counts for good."},
    {"audit.checkpoint_interval", Lifetime{AT(config.audit.checkpoint_interval), 1s, 24h}, "\"1m\"", "",
     "The time after which the audit log is signed again if it grew; what was recorded since is vouched for by nobody yet."},
    {"anomaly.multiple", Ratio{AT(config.anomaly.multiple), 1.1, 1000}, "2.0", "",
     "How many times what is usual for an agent, in calls a minute, share of denials or latency, is told."},
    {"anomaly.learning", Lifetime{AT(config.anomaly.learning), 1s, 8784h}, "\"24h\"", "",
     "How long an agent is only learned, from its first use on."},
    {"anomaly.quiet", Lifetime{AT(config.anomaly.quiet), 0s, 24h}, "\"10m\"", "",
     "After an alert about a rate or time of an agent, the time until the next of that kind."},
    {"anomaly.suspend", TextList{AT(config.anomaly.suspend)}, "[]", "",
     "The kinds of anomaly for which an agent is suspended, of `call_rate`, `denial_rate`, `latency`, `new_scope`, "
     "`new_resource`, `new_host` and `time_of_day`."},

    {"anomaly.webhook.url", Text{AT(config.anomaly.webhook.url)}, "\"\"", "",
     "The https address to which each anomaly is posted, signed; empty tells nobody. What it has of secrets, user and "
     "password or a query, is never logged."},
    {"anomaly.webhook.ca", AbsolutePath{AT(config.anomaly.webhook.ca)}, "\"\"", "",
     "The authorities in PEM that must have certified that server; empty takes the system's."},
    {"anomaly.webhook.backend", Text{AT(config.anomaly.webhook.backend)}, "\"\"", "",
     "The name of the backend that holds the key by which anomalies are signed; empty takes the issuer's."},

    {"vault.backend", Text{AT(config.vault.backend)}, "\"\"", "",
     "The name of the backend whose device seals the key of the vault of credentials when that is made; empty takes the "
     "issuer's. A key that there is stays with the device that sealed it."},

    {"vault.issuer.name", Text{AT(issuer.name)}, "\"\"", "",
     "The name by which credentials in the vault refer to this issuer.", true},
    {"vault.issuer.type",
     Choice{kVaultIssuerTypes, [](Target t) { return static_cast<std::size_t>(t.issuer.type); },
            [](Target t, std::size_t i) { t.issuer.type = static_cast<VaultIssuerType>(i); }},
     "\"oauth_client_credentials\"", "", "What it makes, and by which protocol."},
    {"vault.issuer.secret", Text{AT(issuer.secret)}, "\"\"", "",
     "The name of the credential in the vault that is the issuer's own: its client secret, or its password at the database. "
     "That is put for the tool `issuer/NAME`. Empty: it has none."},
    {"vault.issuer.ca", AbsolutePath{AT(issuer.ca)}, "\"\"", "",
     "The authorities, in PEM, of which one has signed the provider's certificate; empty takes the system's, which a database over "
     "TCP does not."},
    {"vault.issuer.server", Text{AT(issuer.server)}, "\"\"", "",
     "The authorization server's identifier, as its metadata have it under `issuer`.", true, std::nullopt,
     kOAuth},
    {"vault.issuer.token_endpoint", Text{AT(issuer.token_endpoint)}, "\"\"", "",
     "Where tokens are asked for, an https address.", true, std::nullopt, kOAuth},
    {"vault.issuer.revocation_endpoint", Text{AT(issuer.revocation_endpoint)}, "\"\"", "",
     "Where tokens are taken back (RFC 7009), an https address; empty: the server takes none back.", false,
     std::nullopt, kOAuth},
    {"vault.issuer.client_id", Text{AT(issuer.client_id)}, "\"\"", "",
     "The name of the client at the server.", true, std::nullopt, kOAuth},
    {"vault.issuer.authentication",
     Choice{kAuthentications, [](Target t) { return static_cast<std::size_t>(t.issuer.authentication); },
            [](Target t, std::size_t i) { t.issuer.authentication = static_cast<ClientAuthentication>(i); }},
     "\"client_secret_basic\"", "",
     "How the client shows who it is: by `secret`, or, as a public client, not at all.", false, std::nullopt,
     kOAuth},
    {"vault.issuer.scopes", TextList{AT(issuer.scopes)}, "[]", "",
     "The scopes of OAuth of each token, and those that a person is asked for besides `offline_access`.",
     false, std::nullopt, kOAuth},
    {"vault.issuer.resource", Text{AT(issuer.resource)}, "\"\"", "",
     "The resource that tokens are for (RFC 8707), an absolute URI; empty names none.", false, std::nullopt,
     kOAuth},
    {"vault.issuer.accepts_outliving", Flag{AT(issuer.accepts_outliving)}, "false", "",
     "Give out tokens that live longer than the chain's leaf although the server takes none back.", false,
     std::nullopt, kOAuth},
    {"vault.issuer.single_use", Flag{AT(issuer.single_use)}, "true", "",
     "Have a token for each call, which is revoked after it, where `revocation_endpoint` is given; else calls share tokens for some "
     "minutes.",
     false, std::nullopt, kClientCredentials},
    {"vault.issuer.authorization_endpoint", Text{AT(issuer.authorization_endpoint)}, "\"\"", "",
     "Where a person consents, an https address.", true, std::nullopt, kGrant},
    {"vault.issuer.redirect_uri", Text{AT(issuer.redirect_uri)}, "\"http://127.0.0.1/callback\"", "",
     "Where the server sends the person's browser, as the client is registered: on loopback, of which `chancery vault consent` "
     "chooses the port, or https.",
     false, std::nullopt, kGrant},
    {"vault.issuer.parameters", TextList{AT(issuer.parameters)}, "[\"prompt=consent\"]", "",
     "What else the server wants to be told when a person is asked, each `name=value`.", false, std::nullopt,
     kGrant},
    {"vault.issuer.names_itself", Flag{AT(issuer.names_itself)}, "true", "",
     "Demand that redirects say which server they are from (RFC 9207).", false, std::nullopt, kGrant},
    {"vault.issuer.revokes_singly", Flag{AT(issuer.revokes_singly)}, "false", "",
     "Revoke access tokens: only for a server that ends a token then, and not the person's grant with it.",
     false, std::nullopt, kGrant},
    {"vault.issuer.host", Text{AT(issuer.host)}, "\"\"", "",
     "The database server: a name, or the folder of its Unix socket.", true, std::nullopt, kPostgres},
    {"vault.issuer.port", Count{AT(issuer.port), 1, 65'535}, "5432", "", "Its port.", false, std::nullopt,
     kPostgres},
    {"vault.issuer.database", Text{AT(issuer.database)}, "\"\"", "", "The database in which roles are made.",
     true, std::nullopt, kPostgres},
    {"vault.issuer.user", Text{AT(issuer.user)}, "\"\"", "", "The issuer's own role, which has CREATEROLE.",
     true, std::nullopt, kPostgres},
    {"vault.issuer.groups", TextList{AT(issuer.groups)}, "[]", "",
     "The roles of which each role that is made is a member: what it may do.", true, std::nullopt, kPostgres},
    {"vault.issuer.heir", Text{AT(issuer.heir)}, "\"\"", "",
     "The role that gets what a role has made when that is dropped; empty: it is dropped too.", false,
     std::nullopt, kPostgres},
    {"vault.issuer.owner", Text{AT(issuer.owner)}, "\"chancery\"", "",
     "Whose roles these are: another name for each daemon and issuer that uses the cluster.", false,
     std::nullopt, kPostgres},
    {"vault.issuer.longest_life", Lifetime{AT(issuer.longest_life), 1s, 24h}, "\"15m\"", "",
     "How long a role is good that nobody drops, or until the chain's leaf ends if that comes first.", false,
     std::nullopt, kPostgres},

    {"runtime.agents", TextList{AT(config.runtime.agents)}, "[]", "",
     "The names of the agents that are tool runtimes: they may ask for permits, and get the credentials of the calls that "
     "they are permitted."},
    {"runtime.url", Text{AT(config.runtime.url)}, "\"\"", "",
     "The address at which agents call the tool runtimes, `https://HOST[:PORT]`: proofs of calls are for addresses under it, and "
     "it is the audience of their chains."},
    {"runtime.approval_life", Lifetime{AT(config.runtime.approval_life), 10s, 1h}, "\"15m\"", "",
     "How long a call of a tool that takes an approval waits for a person, and no longer than its token lives."},
    {"runtime.approvers", TextList{AT(config.runtime.approvers)}, "[]", "",
     "Who may decide about calls of tools that declare that they take an approval: principals such as `user:bob@example.org`, and "
     "groups such as `group:finance`; with an empty list nobody can, and such calls expire."},

    {"approvals.keep", Lifetime{AT(config.approvals.keep), 24h, 87840h}, "\"7d\"", "",
     "How long a request is kept after it has ended, with the decisions that people signed about it: whoever needs these as evidence "
     "takes them before, or has them kept longer. The audit log has their hashes for good."},
    {"approvals.keep_last", Lifetime{AT(config.approvals.keep_last), 0s, 8784h}, "\"30d\"", "",
     "How long the document that was decided last is kept, exact arguments included, so that whoever decides the next one like it "
     "sees what changed; `0s` keeps none, and forgets those that were kept."},

    {"approvals.webhook.url", Text{AT(config.approvals.webhook.url)}, "\"\"", "",
     "The https address to which it is posted, signed, that a request waits for a person, and what becomes of it; empty tells nobody. "
     "What it has of secrets, user and password or a query, is never logged."},
    {"approvals.webhook.ca", AbsolutePath{AT(config.approvals.webhook.ca)}, "\"\"", "",
     "The authorities in PEM that must have certified that server; empty takes the system's."},
    {"approvals.webhook.backend", Text{AT(config.approvals.webhook.backend)}, "\"\"", "",
     "The name of the backend that holds the key by which that is signed. One key signs for both webhooks: where `[anomaly.webhook]` "
     "names a backend too, it is the same. Empty takes that one's, or the issuer's."},

    {"gate.name", Text{AT(gate.name)}, "\"\"", "",
     "The name of the gate, by which grants, requests and the audit log refer to it.", true},
    {"gate.scopes", TextList{AT(gate.scopes)}, "[]", "",
     "The scopes of actions that the gate is about, literal or with `.*`; with enforcement `tpm` the scopes of grants."},
    {"gate.tools", TextList{AT(gate.tools)}, "[]", "",
     "The tools whose calls the gate is about, by name; without scopes and tools it is about what is done under grants that name "
     "it."},
    {"gate.when",
     Choice{kGateWhens, [](Target t) { return static_cast<std::size_t>(t.gate.when); },
            [](Target t, std::size_t i) { t.gate.when = static_cast<GateWhen>(i); }},
     "\"always\"", "",
     "When it is closed, so that an operation waits for a person: always, when `parameter` is above a bound, when its value is let "
     "through for the first time, or outside of `hours`."},
    {"gate.parameter", Text{AT(gate.parameter)}, "\"\"", "",
     "The parameter of the action that `above` and `first_time` look at; an action without it waits."},
    {"gate.above", Decimal{AT(gate.above)}, "\"\"", "",
     "The most that passes by itself: what is more waits, and so does what is no number."},
    {"gate.hours", Text{AT(gate.hours)}, "\"\"", "",
     "When it is open, by the local time of a zone, such as `Mo-Fr 08:00-18:00 Europe/Berlin`; days can be listed, such as `Mo,We-Fr`."},
    {"gate.approvers", TextList{AT(gate.approvers)}, "[]", "",
     "Who may decide: principals such as `user:bob@example.org`, and groups such as `group:finance`.", true},
    {"gate.quorum", Count{AT(gate.quorum), 1, 8}, "1", "persons", "How many different persons must approve."},
    {"gate.separation",
     Choice{kSeparations, [](Target t) { return static_cast<std::size_t>(t.gate.separation); },
            [](Target t, std::size_t i) { t.gate.separation = static_cast<GateSeparation>(i); }},
     "\"requester\"", "",
     "Who may not decide: nobody is excluded, the principal for whom the chain acts is, or that one and whoever asked. With "
     "`requester`, users of the daemon's socket whom `console.approvers` does not name are given no grant."},
    {"gate.wait", Lifetime{AT(gate.wait), 10s, 1h}, "\"15m\"", "",
     "How long a request waits for decisions, and no longer than its token lives."},
    {"gate.lifetime", Lifetime{AT(gate.lifetime), 1s, 24h}, "\"5m\"", "",
     "How long an approval can be used after it was given, once."},
    {"gate.enforcement",
     Choice{kEnforcements, [](Target t) { return static_cast<std::size_t>(t.gate.enforcement); },
            [](Target t, std::size_t i) { t.gate.enforcement = static_cast<GateEnforcement>(i); }},
     "\"software\"", "",
     "Who sees to it that nothing passes without an approval: the daemon, or the TPM, which then signs grants of these scopes only "
     "under the approvers' signatures."},

    {"console.enabled", Flag{AT(config.console.enabled)}, "false", "",
     "Serve the pages for people at `/ui`, on `server.tls_listen` alone."},
    {"console.files", AbsolutePath{AT(config.console.files)}, "\"/usr/share/chancery/ui\"", "",
     "The folder of the console's built files, which are read at the start."},
    {"console.rp_id", Text{AT(config.console.rp_id)}, "\"localhost\"", "",
     "The domain for which passkeys are made and asked: the host of the console's address, or a domain above it. Passkeys of "
     "another one are not known any more."},
    {"console.origins", TextList{AT(config.console.origins)}, "[]", "",
     "The addresses at which browsers open the console, each `https://HOST[:PORT]`, the first for `chancery console`; empty: "
     "`rp_id` and the port of `server.tls_listen`."},
    {"console.approvers", TextList{AT(config.console.approvers)}, "[]", "",
     "Who may use the console besides operators, each `USER=PRINCIPAL`: a user of this machine, and who that is "
     "(`bob=user:bob@example.org`). Such a person sees what waits for a decision, and decides. What the user asks for on the daemon's "
     "socket counts as asked for by that person, console or none: name operators who ask for grants behind gates, "
     "or these are refused."},
    {"console.session_life", Lifetime{AT(config.console.session_life), 60s, 24h}, "\"8h\"", "",
     "How long somebody stays signed in at most."},
    {"console.session_idle", Lifetime{AT(config.console.session_idle), 60s, 24h}, "\"15m\"", "",
     "How long somebody stays signed in who does nothing."},

    {"log.level",
     Choice{kLogLevels, [](Target t) { return static_cast<std::size_t>(t.config.log.level); },
            [](Target t, std::size_t i) { t.config.log.level = static_cast<LogLevel>(i); }},
     "\"info\"", "", "The least severe messages that are logged."},
    {"log.format",
     Choice{kLogFormats, [](Target t) { return static_cast<std::size_t>(t.config.log.format); },
            [](Target t, std::size_t i) { t.config.log.format = static_cast<LogFormat>(i); }},
     "\"text\"", "", "How messages are written to the standard error output."},
    {"log.redact", TextList{AT(config.log.redact)}, "[]", "",
     "Regular expressions (RE2) of what appears in no log, error answer or audit entry, besides the secrets that are "
     "always left out."},
});

#undef AT

// What hangs together with sockets, threads, devices and the store is set up once. A dot at the end stands for a section.
constexpr auto kLive = std::to_array<std::string_view>({
    "server.tls_certificate",
    "server.tls_key",
    "server.public_urls",
    "server.max_connections",
    "server.header_limit",
    "server.body_limit",
    "server.header_timeout",
    "server.body_timeout",
    "server.idle_timeout",
    "server.handler_timeout",
    "server.drain_timeout",
    "operator.",
    "runtime.",
    "approvals.keep",
    "approvals.keep_last",
    "gate.",
    "keys.overlap",
    "status.",
    "grants.",
    "delegations.",
    "verify.max_tokens",
    "verify.max_chain_bytes",
    "verify.child_signing",
    "verify.trust_anchors",
    "verify.follow_anchors",
    "verify.anchors_refresh",
    "verify.anchors_ca",
    "verify.attestation_verifiers",
    "attestation.ek_roots",
    "attestation.ek_intermediates",
    "attestation.emulator_roots",
    "attestation.token_roots",
    "attestation.ek_pins",
    "attestation.first_use",
    "attestation.policy",
    "attestation.result_lifetime",
    "attestation.require",
    "attestation.max_age",
    "log.level",
    "log.format",
});

}  // namespace

std::span<const Option> options() noexcept { return kOptions; }

std::string_view backend_type_name(BackendType type) noexcept {
  return kBackendTypes[static_cast<std::size_t>(type)];
}

std::string_view vault_issuer_type_name(VaultIssuerType type) noexcept {
  return kVaultIssuerTypes[static_cast<std::size_t>(type)];
}

bool applies_to(const Option& option, Target target) noexcept {
  if (option.only_for) return *option.only_for == target.backend.type;
  return option.only_for_issuers.empty() ||
         std::ranges::find(option.only_for_issuers, target.issuer.type) != option.only_for_issuers.end();
}

std::string types_text(const Option& option) {
  const auto quoted = [](std::string_view name) { return "`" + std::string(name) + "`"; };
  if (option.only_for) return quoted(backend_type_name(*option.only_for));
  std::string out;
  for (const VaultIssuerType type : option.only_for_issuers)
    out += (out.empty() ? "" : " and ") + quoted(vault_issuer_type_name(type));
  return out;
}

std::string_view section_of(std::string_view option) noexcept {
  const std::size_t dot = option.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : option.substr(0, dot);
}

bool is_live(const Option& option) noexcept {
  return std::ranges::any_of(kLive, [&](std::string_view live) {
    return live.ends_with('.') ? option.name.starts_with(live) : option.name == live;
  });
}

std::string_view nearest_name(std::string_view name) {
  std::string_view nearest;
  std::size_t least = SIZE_MAX;
  const auto consider = [&](std::string_view candidate) {
    const std::size_t distance = edit_distance(name, candidate);
    if (!candidate.empty() && distance < least) {
      least = distance;
      nearest = candidate;
    }
  };
  for (const Option& option : kOptions) {
    consider(option.name);
    consider(section_of(option.name));
  }
  return nearest;
}

}  // namespace chancery::config
