#include "daemon/vault/issuers/oauth_client.hpp"

#include <algorithm>
#include <array>

#include "daemon/curl_memory.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/client/https_fetch.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::vault {
namespace {

using json::Node;
using Kind = TokenRefusal::Kind;

// A token endpoint answers with some hundred octets; JWTs with many claims take a few thousand.
constexpr std::size_t kMostAnswerOctets = 32u << 10;
constexpr std::size_t kMostTokenOctets = 16u << 10;
constexpr std::int64_t kLongestLifetime = 10LL * 365 * 24 * 3600;  // seconds
constexpr std::chrono::seconds kAssertionLifetime = std::chrono::minutes(1);
constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

constexpr Error kNoTime{ErrorCode::kTimeout, "no time was left to ask the authorization server"};

/// What RFC 6749 section 5.2 and RFC 8707 section 2 have a server say, and what is to be done then.
struct KnownRefusal {
  std::string_view name;
  Kind kind;
  Error error;
};
constexpr std::array kKnownRefusals{
    KnownRefusal{"invalid_client",
                 Kind::kRefused,
                 {ErrorCode::kRequestRefused,
                  "the authorization server does not know the client, or not by this secret or key"}},
    KnownRefusal{"invalid_grant",
                 Kind::kGrantEnded,
                 {ErrorCode::kCredentialExpired,
                  "the authorization server takes the grant no longer: a person must consent anew"}},
    KnownRefusal{"unauthorized_client",
                 Kind::kRefused,
                 {ErrorCode::kRequestRefused,
                  "the client may not use this grant type: allow it at the authorization server"}},
    KnownRefusal{"unsupported_grant_type",
                 Kind::kRefused,
                 {ErrorCode::kRequestRefused, "the authorization server does not have this grant type"}},
    KnownRefusal{"invalid_scope",
                 Kind::kRefused,
                 {ErrorCode::kRequestRefused,
                  "the authorization server does not give these scopes: allow them there, or ask for fewer"}},
    KnownRefusal{"invalid_target",
                 Kind::kRefused,
                 {ErrorCode::kRequestRefused,
                  "the authorization server has no such resource: correct the credential's resource"}},
    KnownRefusal{"invalid_request",
                 Kind::kRefused,
                 {ErrorCode::kRequestRefused,
                  "the authorization server did not understand the request: are its addresses right?"}},
    KnownRefusal{"temporarily_unavailable",
                 Kind::kRefused,
                 {ErrorCode::kOverloaded, "the authorization server is overloaded: try again"}},
};

constexpr int kOk = 200;
constexpr int kUnauthorized = 401;
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;

Error with_status(Error error, int status) {
  error.native = static_cast<std::uint64_t>(status);
  return error;
}

// Nothing was sent when nobody was there, or not whom it was for.
Kind kind_of(ErrorCode code) {
  const bool was_sent = code != ErrorCode::kConnectFailed && code != ErrorCode::kTlsFailed &&
                        code != ErrorCode::kInvalidArgument;
  return was_sent ? Kind::kUnknown : Kind::kNotAsked;
}

/// Judges an answer that is none of success.
TokenRefusal refusal_of(int status, const std::string& media_type, ByteView body) {
  if (status == kTooManyRequests || status == kUnavailable)
    return {
        Kind::kRefused,
        with_status({ErrorCode::kOverloaded, "the authorization server is overloaded: try again"}, status)};
  const bool is_client_error = status >= 400 && status < 500;
  if (is_client_error && media_type == "application/json") {
    const auto document = json::Document::parse_borrowed(as_text(body));
    const json::Value* error = document ? document->root().find("error") : nullptr;
    const std::string_view name = error == nullptr ? "" : error->string().value_or("");
    const auto known = std::ranges::find(kKnownRefusals, name, &KnownRefusal::name);
    if (known != kKnownRefusals.end()) return {known->kind, with_status(known->error, status)};
  }
  if (status == kUnauthorized) return {Kind::kRefused, with_status(kKnownRefusals.front().error, status)};
  return {
      is_client_error ? Kind::kRefused : Kind::kUnknown,
      with_status({ErrorCode::kBadResponse,
                   "the authorization server answered otherwise than OAuth has it: is the address right?"},
                  status)};
}

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// RFC 6749 section 3.3
bool is_scope(std::string_view text) {
  return !text.empty() && is_visible_ascii(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

Result<SecretBytes> read_token(const json::Value& member) {
  const std::string_view text = member.string().value_or("");
  if (text.empty() || text.size() > kMostTokenOctets || !is_visible_ascii(text))
    return Error{ErrorCode::kBadResponse,
                 "the authorization server gave a token that no header can carry: is the address right?"};
  return SecretBytes(as_bytes(text));
}

bool is_bearer(const json::Value* type) {
  constexpr std::string_view kBearer = "bearer";
  const std::string_view text = type == nullptr ? "" : type->string().value_or("");
  return std::ranges::equal(text, kBearer, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

}  // namespace

TokenForm& TokenForm::add(std::string_view name, std::string_view value) {
  if (text_.size() > 0) text_.append("&");
  text_.append(name).append("=").append_percent_encoded(value);
  return *this;
}

Result<GivenToken> read_given_token(ByteView body) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(as_text(body)));
  const json::Value& root = document.root();
  const json::Value* access = root.find("access_token");
  if (access == nullptr || !is_bearer(root.find("token_type")))
    return Error{ErrorCode::kBadResponse, "the authorization server gave no bearer token"};
  GivenToken given;
  CHANCERY_ASSIGN(given.access_token, read_token(*access));
  if (const json::Value* refresh = root.find("refresh_token")) {
    CHANCERY_ASSIGN(given.refresh_token, read_token(*refresh));
  }
  if (const json::Value* lifetime = root.find("expires_in")) {
    const auto seconds = lifetime->integer();
    if (!seconds || *seconds <= 0)
      return Error{ErrorCode::kBadResponse, "the authorization server gave a token that has no time to live"};
    given.lifetime = std::chrono::seconds(std::min(*seconds, kLongestLifetime));
  }
  return given;
}

OAuthClient::OAuthClient(OAuthServer server, ClientIdentity identity, Clock now)
    : server_(std::move(server)), identity_(std::move(identity)), now_(std::move(now)) {
  cleanse_curl_memory();  // unless somebody used libcurl before; whether it can be used is found out when it is
}

struct OAuthClient::Exchanged {
  int status = 0;
  std::string media_type;
  SecretBytes body;
};

Result<std::string> OAuthClient::assertion(Deadline deadline) const {
  const AssertionSigner& signer = *identity_.signer;
  CHANCERY_ASSIGN(const std::string jti, new_credential_id());
  const std::chrono::sys_seconds now = now_();
  Node header = Node::object({{"alg", algorithm_name(signer.algorithm)}});
  if (!signer.key_id.empty()) header.set("kid", signer.key_id);
  const Node payload = Node::object({{"iss", identity_.client_id},
                                     {"sub", identity_.client_id},
                                     {"aud", server_.issuer},
                                     {"iat", now.time_since_epoch().count()},
                                     {"exp", (now + kAssertionLifetime).time_since_epoch().count()},
                                     {"jti", jti}});
  const std::string input = base64url_encode(as_bytes(json::to_jcs(header))) + "." +
                            base64url_encode(as_bytes(json::to_jcs(payload)));
  CHANCERY_ASSIGN(const Signature signature, signer.sign(as_bytes(input), deadline));
  return input + "." + base64url_encode(signature);
}

Result<OAuthClient::Exchanged, TokenRefusal> OAuthClient::post(const std::string& endpoint, TokenForm form,
                                                               Deadline deadline) const {
  client::SecretRequest request{endpoint, "application/x-www-form-urlencoded", "application/json"};
  if (identity_.signer) {
    auto signed_by_us = assertion(deadline);
    if (!signed_by_us) return TokenRefusal{Kind::kNotAsked, signed_by_us.error()};
    form.add("client_id", identity_.client_id).add("client_assertion_type", kJwtBearer);
    form.add("client_assertion", *signed_by_us);
  } else if (identity_.secret.empty() && !identity_.secret_source) {
    form.add("client_id", identity_.client_id);
  } else {
    SecretBytes fetched;
    if (identity_.secret_source) {
      auto secret = identity_.secret_source(deadline);
      if (!secret) return TokenRefusal{Kind::kNotAsked, secret.error()};
      fetched = *std::move(secret);
    }
    const SecretBytes& secret = identity_.secret_source ? fetched : identity_.secret;
    SecretWriter text;  // RFC 6749 section 2.3.1: each part is encoded as in a form
    text.append_percent_encoded(identity_.client_id).append(":");
    text.append_percent_encoded(as_text(secret.view()));
    request.user_and_password = text.take();
  }
  request.document = form.take();
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return TokenRefusal{Kind::kNotAsked, kNoTime};
  const client::HttpsFetch fetch(server_.ca_file, {.max_bytes = kMostAnswerOctets, .timeout = left});
  auto answer = fetch.exchange(request);
  if (!answer) return TokenRefusal{kind_of(answer.error().code), answer.error()};
  return Exchanged{answer->status, std::move(answer->media_type), std::move(answer->body)};
}

Result<GivenToken, TokenRefusal> OAuthClient::ask_for_token(TokenForm form, Deadline deadline) const {
  CHANCERY_ASSIGN(const Exchanged answer, post(server_.token_endpoint, std::move(form), deadline));
  if (answer.status != kOk) return refusal_of(answer.status, answer.media_type, answer.body.view());
  if (answer.media_type != "application/json")
    return TokenRefusal{
        Kind::kUnknown,
        {ErrorCode::kBadResponse,
         "the token endpoint answered with another media type than JSON: is the address right?"}};
  auto given = read_given_token(answer.body.view());
  if (!given) {
    return TokenRefusal{Kind::kUnknown, Error{ErrorCode::kBadResponse, given.error().what}};
  }
  return *std::move(given);
}

Status OAuthClient::revoke(ByteView token, std::string_view hint, Deadline deadline) const {
  if (!can_revoke())
    return Error{ErrorCode::kNotFound,
                 "the authorization server takes no token back: it lives until it expires"};
  TokenForm form;
  form.add("token", as_text(token)).add("token_type_hint", hint);
  const auto answer = post(server_.revocation_endpoint, std::move(form), deadline);
  if (!answer) return answer.error().error;
  if (answer->status == kOk) return {};
  return refusal_of(answer->status, answer->media_type, answer->body.view()).error;
}

Result<TokenTarget> target_of(const IssueRequest& request, std::chrono::sys_seconds now) {
  if (request.not_after <= now)
    return Error{ErrorCode::kLimitExceeded, "the chain's leaf has expired: nothing is issued for it"};
  if (!std::ranges::all_of(request.scopes, is_scope))
    return Error{ErrorCode::kInvalidArgument,
                 "a scope of OAuth is visible ASCII without quote and backslash"};
  if (!is_visible_ascii(request.resource) || request.resource.find('#') != std::string::npos)
    return Error{ErrorCode::kInvalidArgument, "a resource is an absolute URI without a fragment"};
  std::vector<std::string> scopes = request.scopes;
  std::ranges::sort(scopes);
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  TokenTarget target{{}, request.resource};
  for (const std::string& scope : scopes) target.scope.append(target.scope.empty() ? "" : " ").append(scope);
  return target;
}

std::chrono::sys_seconds end_of(const GivenToken& token, std::chrono::sys_seconds asked_at) {
  return token.lifetime ? asked_at + *token.lifetime : std::chrono::sys_seconds::max();
}

Result<std::string> new_credential_id() {
  std::array<std::uint8_t, 16> octets{};
  CHANCERY_TRY(random_bytes(octets));
  return hex_encode(octets);
}

}  // namespace chancery::vault
