#include "daemon/setup/reload.hpp"

#include <algorithm>
#include <array>
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

// What is learned of partners' keys rests on these. Limits of verification and ways of signing are policy.
constexpr std::array<std::string_view, 5> kTrust{"verify.trust_anchors", "verify.attestation_verifiers",
                                                 "verify.follow_anchors", "verify.anchors_refresh",
                                                 "verify.anchors_ca"};

bool concerns_trust(const std::vector<std::string>& options) {
  return std::ranges::any_of(
      options, [](std::string_view option) { return std::ranges::find(kTrust, option) != kTrust.end(); });
}

bool names_any(const std::vector<std::string>& options, std::string_view beginning) {
  return std::ranges::any_of(options,
                             [&](const std::string& option) { return option.starts_with(beginning); });
}

// A file that holds something else is another value of the option that names it.
void add(std::vector<std::string>& changed, std::vector<std::string> options) {
  for (std::string& option : options) {
    if (std::ranges::find(changed, option) == changed.end()) changed.push_back(std::move(option));
  }
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

Reload::Reload(std::filesystem::path file, config::Config running, PolicyFiles files,
               service::Premises& premises, edge::Server& server, telemetry::Log& log)
    : file_(std::move(file)),
      running_(std::move(running)),
      files_(std::move(files)),
      version_(policy_version(running_, files_)),
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
  config::TakenOver taken = config::take_over(running_, read);
  // What is live may contradict what waits for a restart.
  if (auto contradiction = config::check_config(taken.config)) return *std::move(contradiction);
  auto prepared = prepare(taken.config, false);
  if (!prepared) return prepared.error();
  add(taken.changed, prepared->files.differing(files_));
  if (const Status done = take_over(taken, *std::move(prepared), now); !done) return done.error();
  log_.info("the configuration was read again", {{"changed", joined(taken.changed)}});
  if (!taken.need_restart.empty())
    log_.warning("some changes take a restart", {{"options", joined(taken.need_restart)}});
  return std::nullopt;
}

// Everything that may be wrong is found out, and the change recorded, before the first part of it can be seen.
Status Reload::take_over(const config::TakenOver& taken, Prepared prepared, std::chrono::sys_seconds now) {
  const config::ServerConfig& server = taken.config.server;
  std::optional<boost::asio::ssl::context> tls;
  if (server.tls_listen) {
    CHANCERY_ASSIGN(tls, edge::server_tls(server.tls_certificate, server.tls_key));
  }
  service::PremisesOptions& next = prepared.options;
  service::Premises::Change change{.policy = std::move(next.policy),
                                   .attestation = std::move(next.attestation),
                                   .forget_results = names_any(taken.changed, "attestation."),
                                   .key_memory = key_memory(taken.config)};
  if (concerns_trust(taken.changed)) {
    change.trust = {std::move(next.anchors), std::move(next.attestation_verifiers),
                    partners(taken.config.verify)};
  }
  const std::string version = policy_version(taken.config, prepared.files);
  const auto record = [&] {
    return service::record_change(*premises_.books.store, version_, {.policy = version, .now = now},
                                  difference(taken));
  };
  CHANCERY_TRY(premises_.change(std::move(change), now, record));
  premises_.books.audit->govern_by(version);
  server_.use(limits(server));
  if (tls) server_.use(*std::move(tls));
  log_.use(setup::log(taken.config.log, nullptr));  // what is redacted takes a restart
  running_ = taken.config;
  files_ = std::move(prepared.files);
  version_ = version;
  return {};
}

void Reload::complain(const Complaint& complaint) const {
  constexpr const char* kWhat = "the configuration is as it was: what was read is not good";
  if (const auto* error = std::get_if<Error>(&complaint)) return log_.error(kWhat, *error);
  const auto& wrong = std::get<config::ConfigError>(complaint);
  log_.error(kWhat, {{"file", file_.string()}, {"line", wrong.line}, {"what", wrong.message}});
}

}  // namespace chancery::setup
