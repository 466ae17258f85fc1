#include "daemon/rest/oauth_request.hpp"

#include <algorithm>
#include <charconv>

#include "sdk/token/authority_json.hpp"

namespace chancery::rest {
namespace {

constexpr std::int64_t kMaxSeconds = 100LL * 366 * 86400;
constexpr std::int64_t kMaxDepth = 1000;

Refusal invalid(std::string_view name, const char* what) {
  return {name, Error{ErrorCode::kInvalidArgument, what}};
}

Refusal invalid_request(const char* what) { return invalid("invalid_request", what); }

OAuthResult<std::string> need(const Form& form, std::string_view name, const char* what) {
  std::string value(form.text(name));
  if (value.empty()) return invalid_request(what);
  return value;
}

OAuthResult<std::int64_t> whole_number(const Form& form, std::string_view name, std::int64_t absent,
                                       std::int64_t most) {
  const std::string_view text = form.text(name);
  if (text.empty()) return absent;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && value >= 1 && value <= most)
    return value;
  return invalid_request("`lifetime_s` and `depth` must be whole numbers above zero");
}

// RFC 8707 section 2: an absolute URI without a fragment.
bool is_resource(std::string_view uri) {
  const std::size_t scheme = uri.find(':');
  return scheme != 0 && scheme != std::string_view::npos && uri.find('#') == std::string_view::npos;
}

OAuthResult<std::vector<std::string>> read_audience(const Form& form) {
  std::vector<std::string> audience = form.texts("resource");
  if (!std::ranges::all_of(audience, is_resource))
    return invalid("invalid_target", "`resource` must be an absolute URI without a fragment");
  for (std::string& name : form.texts("audience")) audience.push_back(std::move(name));
  return audience;
}

OAuthResult<Authority> read_scope(std::string_view text) {
  Authority authority;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    authority.scopes.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const bool are_scopes = std::ranges::all_of(
      authority.scopes, [](const std::string& scope) { return classify_scope(scope).has_value(); });
  if (!are_scopes) return invalid("invalid_scope", "`scope` must be scopes with one space between each two");
  return authority;
}

OAuthResult<Authority> read_details(std::string_view text) {
  constexpr std::string_view kName = "invalid_authorization_details";
  const auto document = json::Document::parse_borrowed(text);
  if (!document) return Refusal{kName, document.error()};
  if (document->root().items().size() != 1)
    return invalid(kName, "`authorization_details` must be an array of exactly one object");
  auto authority = read_detail(document->root().items().front());
  if (!authority) return Refusal{kName, authority.error()};
  if (authority->scopes.empty()) return invalid(kName, "`scopes` must name at least one scope");
  return *std::move(authority);
}

OAuthResult<Authority> read_authority(const Form& form) {
  const std::string_view details = form.text("authorization_details");
  const std::string_view scope = form.text("scope");
  if (details.empty() == scope.empty())
    return invalid_request("ask for authority by `authorization_details` or by `scope`: one of the two");
  return details.empty() ? read_scope(scope) : read_details(details);
}

OAuthResult<std::chrono::seconds> read_lifetime(const Form& form, std::chrono::seconds absent) {
  CHANCERY_ASSIGN(const std::int64_t seconds, whole_number(form, "lifetime_s", absent.count(), kMaxSeconds));
  return std::chrono::seconds(seconds);
}

OAuthResult<std::vector<std::string>> read_subject(const Form& form) {
  if (form.text("subject_token_type") != kChainTokenType)
    return invalid_request("`subject_token_type` must be urn:chancery:token-type:chain");
  CHANCERY_ASSIGN(const std::string text,
                  need(form, "subject_token", "`subject_token` must be a chain, its tokens joined by ~"));
  const auto tokens = split_chain(text);
  return std::vector<std::string>(tokens.begin(), tokens.end());
}

// Who receives is an agent of this daemon's, so there is nothing that a token of its own could add.
std::optional<Refusal> why_not_exchanged(const Form& form) {
  if (!form.text("actor_token").empty())
    return invalid_request("`actor_token` is not taken: name who receives by `agent`");
  const std::string_view wanted = form.text("requested_token_type");
  if (!wanted.empty() && wanted != kAccessTokenType) {
    return invalid_request(
        "`requested_token_type` must be an access token's or absent: its chain is `delegation_chain`");
  }
  return std::nullopt;
}

}  // namespace

OAuthResult<api::CreateGrant> read_client_credentials(const Form& form, const service::Policy& policy) {
  api::CreateGrant out;
  CHANCERY_ASSIGN(out.principal, need(form, "sub", "`sub` must say for whom the agent is to act"));
  CHANCERY_ASSIGN(out.agent, need(form, "agent", "`agent` must be the name of a registered agent"));
  out.agent = service::agent_name(policy, out.agent);
  CHANCERY_ASSIGN(out.audience, read_audience(form));
  if (out.audience.empty()) return invalid("invalid_target", "`resource` must say where the token is for");
  CHANCERY_ASSIGN(out.authority, read_authority(form));
  CHANCERY_ASSIGN(out.lifetime, read_lifetime(form, std::min(policy.default_delegation_lifetime,
                                                             policy.max_grant_lifetime)));
  CHANCERY_ASSIGN(out.depth, whole_number(form, "depth", 1, kMaxDepth));
  return out;
}

OAuthResult<api::CreateDelegation> read_token_exchange(const Form& form) {
  if (const auto refused = why_not_exchanged(form)) return *refused;
  api::CreateDelegation out;
  CHANCERY_ASSIGN(out.chain, read_subject(form));
  CHANCERY_ASSIGN(out.to, need(form, "agent", "`agent` must be the agent that is to receive the token"));
  CHANCERY_ASSIGN(out.audience, read_audience(form));
  CHANCERY_ASSIGN(out.authority, read_authority(form));
  CHANCERY_ASSIGN(out.lifetime, read_lifetime(form, std::chrono::seconds(0)));
  return out;
}

}  // namespace chancery::rest
