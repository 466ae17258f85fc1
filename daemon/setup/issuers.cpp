#include "daemon/setup/issuers.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include "daemon/vault/issuers/client_credentials.hpp"
#include "daemon/vault/issuers/postgres_roles.hpp"
#include "daemon/vault/issuers/refresh_token.hpp"

namespace chancery::setup {
namespace {

using config::VaultIssuerConfig;
using config::VaultIssuerType;
using service::IssuerParts;
using service::MadeIssuer;

constexpr std::string_view type_name(VaultIssuerType type) {
  switch (type) {
    case VaultIssuerType::kOAuthClientCredentials:
      return "oauth_client_credentials";
    case VaultIssuerType::kOAuthGrant:
      return "oauth_grant";
    case VaultIssuerType::kPostgresRole:
      return "postgres_role";
  }
  return "";
}

std::shared_ptr<const vault::OAuthClient> client_of(const VaultIssuerConfig& config,
                                                    const IssuerParts& parts) {
  vault::OAuthServer server;
  server.issuer = config.server;
  server.authorization_endpoint = config.authorization_endpoint;
  server.token_endpoint = config.token_endpoint;
  server.revocation_endpoint = config.revocation_endpoint;
  server.ca_file = config.ca.string();
  server.names_itself = config.names_itself;
  server.revokes_singly = config.revokes_singly;
  vault::ClientIdentity identity;
  identity.client_id = config.client_id;
  identity.secret_source = parts.secret;
  return std::make_shared<const vault::OAuthClient>(std::move(server), std::move(identity), parts.now);
}

MadeIssuer client_credentials(const VaultIssuerConfig& config, const IssuerParts& parts) {
  auto issuer = std::make_unique<vault::ClientCredentialsIssuer>(
      client_of(config, parts), vault::ClientCredentialsOptions{config.accepts_outliving}, parts.now,
      parts.lifetimes);
  MadeIssuer out;
  out.drop_tokens = [tokens = issuer.get()] { tokens->drop_tokens(); };
  out.issuer = std::move(issuer);
  return out;
}

// Without offline access there is no refresh token to live from.
vault::AuthorizationCodeOptions consent_options(const VaultIssuerConfig& config) {
  constexpr const char* kOffline = "offline_access";
  vault::AuthorizationCodeOptions out;
  out.scopes = config.scopes;
  if (std::ranges::find(out.scopes, kOffline) == out.scopes.end()) out.scopes.emplace_back(kOffline);
  out.resource = config.resource;
  out.redirect_uri = config.redirect_uri;
  for (const std::string& parameter : config.parameters) {
    const std::size_t equals = parameter.find('=');
    out.parameters.emplace_back(parameter.substr(0, equals), parameter.substr(equals + 1));
  }
  return out;
}

MadeIssuer grant(const VaultIssuerConfig& config, const IssuerParts& parts) {
  const auto client = client_of(config, parts);
  vault::RefreshTokenOptions options;
  options.accepts_outliving = config.accepts_outliving;
  auto issuer =
      std::make_unique<vault::RefreshTokenIssuer>(client, parts.grant, options, parts.now, parts.lifetimes);
  MadeIssuer out;
  out.consent =
      std::make_unique<vault::AuthorizationCode>(client, parts.grant, consent_options(config), parts.now);
  out.drop_tokens = [tokens = issuer.get()] { tokens->drop_tokens(); };
  out.issuer = std::move(issuer);
  return out;
}

MadeIssuer postgres_role(const VaultIssuerConfig& config, const IssuerParts& parts) {
  vault::PostgresAddress address;
  address.host = config.host;
  address.port = static_cast<std::uint16_t>(config.port);
  address.database = config.database;
  address.user = config.user;
  address.password_source = parts.secret;
  address.ca_file = config.ca.string();
  MadeIssuer out;
  out.issuer = std::make_unique<vault::PostgresRoleIssuer>(
      std::move(address),
      vault::PostgresRolesOptions{config.owner, config.groups, config.heir, config.longest_life}, parts.now,
      parts.lifetimes);
  return out;
}

MadeIssuer make(const VaultIssuerConfig& config, const IssuerParts& parts) {
  switch (config.type) {
    case VaultIssuerType::kOAuthClientCredentials:
      return client_credentials(config, parts);
    case VaultIssuerType::kOAuthGrant:
      return grant(config, parts);
    case VaultIssuerType::kPostgresRole:
      break;
  }
  return postgres_role(config, parts);
}

}  // namespace

Result<std::vector<service::IssuerSetup>> issuers(const config::VaultConfig& config) {
  std::vector<service::IssuerSetup> out;
  for (const VaultIssuerConfig& one : config.issuers) {
    if (!one.ca.empty() && !std::ifstream(one.ca, std::ios::binary))
      return Error{ErrorCode::kFileUnreadable, "[[vault.issuer]] ca cannot be read"};
    service::IssuerSetup setup;
    setup.name = one.name;
    setup.type = type_name(one.type);
    setup.secret = one.secret;
    setup.request.scopes = one.scopes;
    setup.request.resource = one.resource;
    setup.request.single_use = one.type == VaultIssuerType::kOAuthClientCredentials && one.single_use &&
                               !one.revocation_endpoint.empty();
    setup.make = [one](const IssuerParts& parts) { return make(one, parts); };
    out.push_back(std::move(setup));
  }
  return out;
}

}  // namespace chancery::setup
