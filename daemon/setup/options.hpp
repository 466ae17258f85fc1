#pragma once

#include <memory>
#include <string>
#include <vector>

#include <chancery/keys.hpp>
#include <chancery/result.hpp>
#include <chancery/trust.hpp>

#include "daemon/config/config.hpp"
#include "daemon/edge/server.hpp"
#include "daemon/service/key_keeper.hpp"
#include "daemon/service/premises.hpp"
#include "daemon/setup/policy_files.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::setup {

// What a configuration says, in the words of the part of the daemon that it is for.

/// \return the policy, or kConfigInvalid
[[nodiscard]] Result<service::Policy> policy(const config::Config& config, bool dev);

/// What shows of a configuration before anything is written or any device is asked.
struct Prepared {
  service::PremisesOptions
      options;        ///< policy, anchors, attestation, whose results count, who is told of anomalies
  PolicyFiles files;  ///< that it was read from
};
/// \return the errors of policy() and of the four below
[[nodiscard]] Result<Prepared> prepare(const config::Config& config, bool dev);

/// The anchors of others. \return kFileUnreadable, kMalformed, kConfigInvalid (one that cannot be followed)
[[nodiscard]] Result<TrustConfig> anchors(const config::Config& config, PolicyFiles& files);

/// Whom attestation believes and what it asks for. \return kFileUnreadable, kConfigInvalid
[[nodiscard]] Result<service::AttestationOptions> attestation(const config::Config& config,
                                                              PolicyFiles& files);

/// Whose attestation results count for chains under the daemon's own anchor. \return kFileUnreadable, kMalformed,
/// kInvalidKey, kConfigInvalid (a set without a usable key)
[[nodiscard]] Result<std::vector<PublicKey>> attestation_verifiers(const config::Config& config,
                                                                   PolicyFiles& files);

/// By whose signature TPMs unfreeze agents' keys; none: no TPM freezes any. \return kFileUnreadable, kConfigInvalid
[[nodiscard]] Result<std::optional<PublicKey>> operator_key(const config::FreezeConfig& config);

/// How it is posted to whom the configuration names.
/// \param unreadable  what to say, as kFileUnreadable, when the authorities cannot be read; a literal
[[nodiscard]] Result<service::WebhookOptions> webhook(const config::WebhookConfig& config,
                                                      const char* unreadable);

/// Adds to policy, anchors and attestation, which are read before any device is asked, what else the configuration decides.
/// \param master  from which the audit log's salts are made
void complete(service::PremisesOptions& options, const config::Config& config,
              const service::Backends& backends, const SecretBytes& master);

/// Which configuration it is: 16 hexadecimal digits, others for every other text of it and of the files of policy that it
/// names, as they were read.
[[nodiscard]] std::string policy_version(const config::Config& config, const PolicyFiles& files);

[[nodiscard]] service::PartnerOptions partners(const config::VerifyConfig& config);

/// How long the issuer's keys and holders' keys that have ended are published.
[[nodiscard]] std::chrono::seconds key_memory(const config::Config& config);

[[nodiscard]] edge::Limits limits(const config::ServerConfig& server);

[[nodiscard]] service::KeeperOptions keeper(const config::Config& config);
[[nodiscard]] edge::ServerOptions server(const config::Config& config, const telemetry::Log& log);
/// What takes secrets out of all that the daemon says. \return kConfigInvalid (a pattern)
[[nodiscard]] Result<std::shared_ptr<telemetry::Redactor>> redactor(const config::LogConfig& config);
[[nodiscard]] telemetry::LogOptions log(const config::LogConfig& config,
                                        std::shared_ptr<const telemetry::Redactor> redactor);

}  // namespace chancery::setup
