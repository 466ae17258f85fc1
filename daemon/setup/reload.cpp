#include "daemon/setup/reload.hpp"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/edge/tls.hpp"
#include "daemon/service/audit_start.hpp"
#include "daemon/setup/options.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::setup {
namespace {

// To tell whether anything changed: whether a file can be read is for those to say who need it.
std::string contents(std::initializer_list<const std::filesystem::path*> files) {
  std::string out;
  for (const std::filesystem::path* file : files) {
    std::ifstream in(*file, std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(in), {});
    out += std::to_string(content.size()) + ":" + content;
  }
  return out;
}

std::string trust_files(const config::Config& config) {
  const config::VerifyConfig& verify = config.verify;
  return contents({&verify.trust_anchors, &verify.attestation_verifiers, &verify.anchors_ca});
}

std::string attestation_files(const config::Config& config) { return contents({&config.attestation.policy}); }

bool names_any(const std::vector<std::string>& options, std::string_view beginning) {
  return std::ranges::any_of(options,
                             [&](const std::string& option) { return option.starts_with(beginning); });
}

json::Node array_of(const std::vector<std::string>& names) {
  json::Node array = json::Node::array();
  for (const std::string& name : names) array.push_back(json::Node(name));
  return array;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name;
  return out;
}

// Names alone: values may say more than an audit log should.
json::Node difference(const config::TakenOver& taken) {
  return json::Node::object(
      {{"changed", array_of(taken.changed)}, {"need_restart", array_of(taken.need_restart)}});
}

}  // namespace

Reload::Reload(std::filesystem::path file, config::Config running, service::Premises& premises,
               edge::Server& server, telemetry::Log& log)
    : file_(std::move(file)),
      running_(std::move(running)),
      version_(policy_version(running_)),
      trust_files_(trust_files(running_)),
      attestation_files_(attestation_files(running_)),
      premises_(premises),
      server_(server),
      log_(log) {}

void Reload::again(std::chrono::sys_seconds now) {
  const auto read = config::load_config(file_);
  const auto* error = std::get_if<config::ConfigError>(&read);
  const auto complaint = error != nullptr ? Complaint(*error) : take(std::get<config::Config>(read), now);
  if (complaint) complain(*complaint);
}

std::optional<Reload::Complaint> Reload::take(const config::Config& read, std::chrono::sys_seconds now) {
  const config::TakenOver taken = config::take_over(running_, read);
  // What is live may contradict what waits for a restart.
  if (auto contradiction = config::check_config(taken.config)) return *std::move(contradiction);
  if (const Status done = take_over(taken, now); !done) return done.error();
  log_.info("the configuration was read again", {{"changed", joined(taken.changed)}});
  if (!taken.need_restart.empty())
    log_.warning("some changes take a restart", {{"options", joined(taken.need_restart)}});
  return std::nullopt;
}

// Everything that may be wrong is found out, and the change recorded, before the first part of it can be seen.
Status Reload::take_over(const config::TakenOver& taken, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(service::PremisesOptions prepared, prepare(taken.config, false));
  const config::ServerConfig& server = taken.config.server;
  std::optional<boost::asio::ssl::context> tls;
  if (server.tls_listen) {
    CHANCERY_ASSIGN(tls, edge::server_tls(server.tls_certificate, server.tls_key));
  }
  std::string trust_read = trust_files(taken.config);
  std::string attestation_read = attestation_files(taken.config);
  service::Premises::Change change{.policy = std::move(prepared.policy),
                                   .attestation = std::move(prepared.attestation),
                                   .key_memory = key_memory(taken.config)};
  change.forget_results = attestation_read != attestation_files_ || names_any(taken.changed, "attestation.");
  if (trust_read != trust_files_ || names_any(taken.changed, "verify.")) {
    change.trust = {std::move(prepared.anchors), std::move(prepared.attestation_verifiers),
                    partners(taken.config.verify)};
  }
  const std::string version = policy_version(taken.config);
  const auto record = [&] {
    return service::record_change(*premises_.books.audit, *premises_.books.store, version_,
                                  {.policy = version, .now = now}, difference(taken));
  };
  CHANCERY_TRY(premises_.change(std::move(change), now, record));
  server_.use(limits(server));
  if (tls) server_.use(*std::move(tls));
  log_.use(setup::log(taken.config.log, nullptr));  // what is redacted takes a restart
  running_ = taken.config;
  version_ = version;
  trust_files_ = std::move(trust_read);
  attestation_files_ = std::move(attestation_read);
  return {};
}

void Reload::complain(const Complaint& complaint) const {
  constexpr const char* kWhat = "the configuration is as it was: what was read is not good";
  if (const auto* error = std::get_if<Error>(&complaint)) return log_.error(kWhat, *error);
  const auto& wrong = std::get<config::ConfigError>(complaint);
  log_.error(kWhat, {{"file", file_.string()}, {"line", wrong.line}, {"what", wrong.message}});
}

}  // namespace chancery::setup
