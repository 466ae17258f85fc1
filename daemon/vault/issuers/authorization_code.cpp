#include "daemon/vault/issuers/authorization_code.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "sdk/base/base64url.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/base/secret_writer.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::vault {
namespace {

constexpr std::size_t kMostQueryOctets = 8u << 10;
constexpr std::string_view kHttps = "https://";
constexpr std::array<std::string_view, 2> kLoopbacks{"http://127.0.0.1", "http://[::1]"};
// What the flow says itself.
constexpr std::array<std::string_view, 8> kOwnParameters{
    "response_type", "client_id", "redirect_uri",   "scope",
    "state",         "resource",  "code_challenge", "code_challenge_method"};
constexpr int kMostAttempts = 3;  // to store what others store at the same time

constexpr Error kNotBegun{ErrorCode::kNotFound,
                          "no such consent was begun here, or it took too long: begin it anew"};
constexpr Error kBadQuery{ErrorCode::kMalformed, "the redirect's query is none that a server would send"};

/// 32 random octets as text: the form of a state, and of a verifier (RFC 7636 section 4.1).
Result<SecretBytes> random_text() {
  SecretBytes octets(32);
  CHANCERY_TRY(random_bytes(octets.writable()));
  SecretWriter text;
  text.absorb(base64url_encode(octets.view()));
  return text.take();
}

/// Decodes one name or value of a form.
bool append_decoded(std::string_view text, SecretWriter& out) {
  while (!text.empty()) {
    const bool is_escape = text.front() == '%';
    const auto c = is_escape ? decode_escape(text) : std::optional(text.front() == '+' ? ' ' : text.front());
    if (!c) return false;
    out.append({&*c, 1});
    text.remove_prefix(is_escape ? 3 : 1);
  }
  return true;
}

/// Puts one parameter where it belongs. Those that we do not know are left out.
void take_parameter(RedirectParameters& out, std::string_view name, SecretWriter& value) {
  if (name == "code") out.code = value.take();
  if (name == "state") out.state = as_text(value.view());
  if (name == "iss") out.issuer = as_text(value.view());
  if (name == "error") out.error = as_text(value.view());
}

// Where the port of an address on loopback begins and ends; npos when it is none.
std::size_t port_begin(std::string_view uri) {
  const auto loopback = std::ranges::find_if(kLoopbacks, [&](std::string_view host) {
    return uri.starts_with(host) && uri.size() > host.size() &&
           (uri[host.size()] == ':' || uri[host.size()] == '/');
  });
  return loopback == kLoopbacks.end() ? std::string_view::npos : loopback->size();
}

}  // namespace

Result<RedirectParameters> parse_redirect(std::string_view query) {
  if (query.size() > kMostQueryOctets) return kBadQuery;
  RedirectParameters out;
  std::set<std::string, std::less<>> names;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    SecretWriter name;
    SecretWriter value;
    if (!append_decoded(pair.substr(0, equals), name) ||
        !append_decoded(pair.substr(std::min(equals + 1, pair.size())), value))
      return kBadQuery;
    if (!names.emplace(as_text(name.view())).second) return kBadQuery;
    take_parameter(out, as_text(name.view()), value);
  }
  if (out.state.empty() || out.code.empty() == out.error.empty()) return kBadQuery;
  return out;
}

Result<BegunConsent> AuthorizationCode::begin(std::uint16_t loopback_port) {
  const auto is_own = [](const auto& parameter) {
    return std::ranges::find(kOwnParameters, parameter.first) != kOwnParameters.end();
  };
  if (std::ranges::any_of(options_.parameters, is_own))
    return Error{ErrorCode::kConfigInvalid, "a parameter of the flow itself cannot be configured"};
  if (!client_->server().authorization_endpoint.starts_with(kHttps))
    return Error{ErrorCode::kConfigInvalid, "an authorization endpoint is needed, an https address"};
  CHANCERY_ASSIGN(std::string redirect, redirect_uri(loopback_port));
  CHANCERY_ASSIGN(const SecretBytes state, random_text());
  CHANCERY_ASSIGN(SecretBytes verifier, random_text());
  BegunConsent out;
  out.state = as_text(state.view());
  out.authorization_url = url(redirect, out.state, verifier.view());
  out.expires_at = now_() + options_.patience;
  remember(out.state, {std::move(verifier), std::move(redirect), out.expires_at});
  return out;
}

Result<std::string> AuthorizationCode::redirect_uri(std::uint16_t loopback_port) const {
  const std::string& configured = options_.redirect_uri;
  const std::size_t port = port_begin(configured);
  const bool is_loopback = port != std::string_view::npos;
  if (!is_loopback && !configured.starts_with(kHttps))
    return Error{ErrorCode::kConfigInvalid,
                 "a redirect address is https, or http on 127.0.0.1 or [::1]: names can be taken over"};
  if (loopback_port == 0) return configured;
  if (!is_loopback)
    return Error{ErrorCode::kInvalidArgument,
                 "the redirect address is not on loopback: it has no port to choose"};
  const std::size_t path = std::min(configured.find('/', port), configured.size());
  return configured.substr(0, port) + ":" + std::to_string(loopback_port) + configured.substr(path);
}

std::string AuthorizationCode::url(const std::string& redirect_uri, const std::string& state,
                                   ByteView verifier) const {
  std::string scope;
  for (const std::string& one : options_.scopes) scope.append(scope.empty() ? "" : " ").append(one);
  std::vector<std::pair<std::string, std::string>> all{
      {"response_type", "code"},
      {"client_id", client_->client_id()},
      {"redirect_uri", redirect_uri},
      {"scope", scope},
      {"state", state},
      {"resource", options_.resource},
      {"code_challenge", base64url_encode(sha256(verifier))},
      {"code_challenge_method", "S256"},
  };
  all.insert(all.end(), options_.parameters.begin(), options_.parameters.end());
  std::string out = client_->server().authorization_endpoint;
  char separator = out.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : all) {
    if (value.empty()) continue;
    out.append(1, separator).append(percent_encode(name)).append("=").append(percent_encode(value));
    separator = '&';
  }
  return out;
}

void AuthorizationCode::remember(const std::string& state, Begun begun) {
  const std::chrono::sys_seconds now = now_();
  const std::lock_guard lock(mutex_);
  std::erase_if(begun_, [&](const auto& entry) { return entry.second.expires_at <= now; });
  if (begun_.size() >= kMostBegun) {
    begun_.erase(
        std::ranges::min_element(begun_, {}, [](const auto& entry) { return entry.second.expires_at; }));
  }
  begun_.insert_or_assign(sha256(as_bytes(state)), std::move(begun));
}

std::optional<AuthorizationCode::Begun> AuthorizationCode::take(const std::string& state) {
  const std::lock_guard lock(mutex_);
  auto found = begun_.extract(sha256(as_bytes(state)));
  if (found.empty() || found.mapped().expires_at <= now_()) return std::nullopt;
  return std::move(found.mapped());
}

// RFC 9207: a code of one server must not be taken to another.
Status AuthorizationCode::check(const RedirectParameters& redirect) const {
  const OAuthServer& server = client_->server();
  const bool may_be_absent = !server.names_itself && redirect.issuer.empty();
  if (redirect.issuer != server.issuer && !may_be_absent)
    return Error{ErrorCode::kForbidden,
                 "the redirect is not from the authorization server that was asked: begin the consent anew"};
  if (redirect.error == "access_denied")
    return Error{ErrorCode::kForbidden, "the person did not consent, or may not"};
  if (!redirect.error.empty())
    return Error{
        ErrorCode::kRequestRefused,
        "the authorization server refused: are client, scopes, resource and redirect address right?"};
  return {};
}

Status AuthorizationCode::finish(const RedirectParameters& redirect, Deadline deadline, GrantStore* into) {
  const std::optional<Begun> begun = take(redirect.state);
  if (!begun) return kNotBegun;
  CHANCERY_TRY(check(redirect));
  TokenForm form;
  form.add("grant_type", "authorization_code").add("code", as_text(redirect.code.view()));
  form.add("redirect_uri", begun->redirect_uri).add("code_verifier", as_text(begun->verifier.view()));
  form.add_if("resource", options_.resource);
  const auto given = client_->ask_for_token(std::move(form), deadline);
  if (!given && given.error().kind == TokenRefusal::Kind::kGrantEnded)
    return Error{ErrorCode::kRequestRefused,
                 "the authorization server does not take the code, which is good once and soon: begin anew"};
  if (!given) return given.error().error;
  const bool has_grant = !given->refresh_token.empty();
  const Status stored = has_grant
                            ? store(into == nullptr ? *store_ : *into, given->refresh_token.view())
                            : Error{ErrorCode::kBadResponse,
                                    "the authorization server gave no refresh token: ask for offline access, "
                                    "by the scope offline_access or as its manual has it"};
  // Nobody uses this one: the first call gets another, for what it needs. That it could not be revoked changes nothing.
  if (client_->can_revoke() && client_->server().revokes_singly)
    static_cast<void>(client_->revoke(given->access_token.view(), "access_token", deadline).has_value());
  return stored;
}

Status AuthorizationCode::store(GrantStore& into, ByteView refresh_token) const {
  for (int attempt = 1;; ++attempt) {
    CHANCERY_ASSIGN(const StoredGrant former, into.load());
    const auto replaced =
        into.replace({StoredGrant::State::kUsable, now_(), SecretBytes(refresh_token), former.generation});
    if (replaced) return {};
    if (replaced.error().code != ErrorCode::kConflict || attempt == kMostAttempts) return replaced.error();
  }
}

}  // namespace chancery::vault
