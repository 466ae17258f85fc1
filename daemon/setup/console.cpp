#include "daemon/setup/console.hpp"

#include <charconv>
#include <string>
#include <utility>

#include <pwd.h>

namespace chancery::setup {
namespace {

constexpr std::uint16_t kHttpsPort = 443;  // browsers leave it out of origins

Result<std::uint32_t> user_named(const std::string& name) {
  std::uint32_t uid = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), uid);
  if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size()) return uid;
  const passwd* const entry = ::getpwnam(name.c_str());
  if (entry != nullptr) return std::uint32_t{entry->pw_uid};
  return Error{
      ErrorCode::kConfigInvalid,
      "[console] approvers names a user who does not exist on this machine: make it, or take it out"};
}

}  // namespace

Result<std::map<std::uint32_t, std::string>> persons(const config::ConsoleConfig& console) {
  std::map<std::uint32_t, std::string> out;
  for (const std::string& text : console.approvers) {
    const std::size_t equals = text.find('=');
    CHANCERY_ASSIGN(const std::uint32_t uid, user_named(text.substr(0, equals)));
    if (!out.emplace(uid, text.substr(equals + 1)).second)
      return Error{ErrorCode::kConfigInvalid, "[console] approvers names a user twice: each is one person"};
  }
  return out;
}

std::optional<RelyingParty> relying_party(const config::Config& config) {
  const config::ConsoleConfig& console = config.console;
  if (!console.origins.empty()) return RelyingParty{console.rp_id, console.origins};
  const auto& listen = config.server.tls_listen;
  if (!listen || listen->port == 0) return std::nullopt;
  std::string origin = "https://" + console.rp_id;
  if (listen->port != kHttpsPort) origin += ":" + std::to_string(listen->port);
  return RelyingParty{console.rp_id, {std::move(origin)}};
}

Result<std::unique_ptr<service::ConsoleDesk>> console(const config::Config& config) {
  if (!config.console.enabled) return std::unique_ptr<service::ConsoleDesk>();
  auto party = relying_party(config);
  if (!party)
    return Error{ErrorCode::kConfigInvalid,
                 "[console] origins is required: give the address at which browsers open the console"};
  service::ConsoleOptions options;
  options.party = *std::move(party);
  CHANCERY_ASSIGN(options.approvers, persons(config.console));
  options.session_life = config.console.session_life;
  options.session_idle = config.console.session_idle;
  CHANCERY_ASSIGN(service::ConsoleFiles files, service::ConsoleFiles::read(config.console.files));
  return std::make_unique<service::ConsoleDesk>(std::move(options), std::move(files));
}

}  // namespace chancery::setup
