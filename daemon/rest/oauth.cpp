#include "daemon/service/oauth.hpp"

#include <algorithm>

#include "daemon/rest/caller.hpp"
#include "daemon/rest/exchange.hpp"
#include "daemon/rest/oauth_answer.hpp"
#include "daemon/rest/oauth_request.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
namespace {

constexpr std::string_view kClientCredentials = "client_credentials";
constexpr std::string_view kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

using Key = std::optional<Thumbprint>;

// The client by its assertion (RFC 7523), as the use cases know a caller.
OAuthResult<service::CallContext> find_client(service::Office& office, const Request& request,
                                              const Form& form) {
  if (form.text("client_assertion_type") != kJwtBearer) {
    return refusal({ErrorCode::kUnauthenticated,
                    "show who calls by private_key_jwt: `client_assertion_type`, `client_assertion` and "
                    "`client_chain`"});
  }
  const service::ClientAssertion shown{form.text("client_assertion"), form.text("client_chain"),
                                       form.text("client_id")};
  CHANCERY_ASSIGN(VerifiedChain chain,
                  in_oauth(service::authenticate_client(office, shown, request.received_at)));
  service::CallContext context = context_of(request);
  context.caller.chain = std::move(chain);
  return context;
}

// Two proofs are not none: they are refused (RFC 9449 section 4.3).
OAuthResult<Key> find_key(service::Office& office, const Request& request) {
  const bool is_sent =
      std::ranges::any_of(request.headers, [](const auto& header) { return header.first == "dpop"; });
  if (!is_sent) return Key();
  const auto proof = request.header("dpop");
  if (!proof) return refusal({ErrorCode::kProofRefused, "send one `DPoP` header"});
  CHANCERY_ASSIGN(const Thumbprint key,
                  in_oauth(service::find_binding(office, std::string(*proof), request.received_at)));
  return Key(key);
}

// Authority is refused in the word for how it was asked for (RFC 6749 section 5.2).
Refusal refuse_authority(const Form& form, Refusal refused) {
  if (refused.name == "invalid_authorization_details" && !form.text("scope").empty())
    refused.name = "invalid_scope";
  return refused;
}

OAuthResult<Response> token_response(const Request& request, const Form& form,
                                     const Result<std::vector<std::string>>& chain,
                                     std::string_view issued_token_type) {
  if (!chain) return refuse_authority(form, refusal(chain.error()));
  return json_response(200, write_tokens(*chain, request.received_at, issued_token_type));
}

OAuthResult<Response> issue(service::Office& office, const Request& request) {
  CHANCERY_ASSIGN(const Form form, in_oauth(Form::read(request)));
  const std::string_view grant_type = form.text("grant_type");
  if (grant_type != kClientCredentials && grant_type != kTokenExchange) {
    return Refusal{"unsupported_grant_type",
                   {ErrorCode::kInvalidArgument,
                    "`grant_type` must be client_credentials or RFC 8693's token-exchange"}};
  }
  CHANCERY_ASSIGN(const service::CallContext context, find_client(office, request, form));
  CHANCERY_ASSIGN(const Key key, find_key(office, request));
  if (grant_type == kClientCredentials) {
    CHANCERY_ASSIGN(const api::CreateGrant asked, read_client_credentials(form, *office.policy.current()));
    return token_response(request, form, service::token_by_credentials(office, context, asked, key), {});
  }
  CHANCERY_ASSIGN(const api::CreateDelegation asked, read_token_exchange(form));
  return token_response(request, form, service::token_by_exchange(office, context, asked, key),
                        kAccessTokenType);
}

// A resource server shows an assertion, like a client of the token endpoint, or a chain and proof, as everywhere
// else on this daemon.
OAuthResult<service::CallContext> find_resource_server(service::Office& office, const Request& request,
                                                       const Form& form) {
  if (!form.text("client_assertion").empty()) return find_client(office, request, form);
  CHANCERY_ASSIGN(VerifiedChain chain, in_oauth(find_caller(office, request)));
  service::CallContext context = context_of(request);
  context.caller.chain = std::move(chain);
  return context;
}

OAuthResult<std::string_view> need_token(const Form& form) {
  const std::string_view token = form.text("token");
  if (token.empty()) return refusal({ErrorCode::kInvalidArgument, "`token` must be a chain or a token"});
  return token;
}

OAuthResult<Response> introspect(service::Office& office, const Request& request) {
  CHANCERY_ASSIGN(const Form form, in_oauth(Form::read(request)));
  CHANCERY_ASSIGN(const service::CallContext context, find_resource_server(office, request, form));
  CHANCERY_ASSIGN(const std::string_view token, need_token(form));
  CHANCERY_ASSIGN(const auto chain, in_oauth(service::introspect(office, context, token)));
  return json_response(200, write_introspection(chain));
}

OAuthResult<Response> revoke(service::Office& office, const Request& request) {
  CHANCERY_ASSIGN(const Form form, in_oauth(Form::read(request)));
  CHANCERY_ASSIGN(const service::CallContext context, find_client(office, request, form));
  CHANCERY_ASSIGN(const std::string_view token, need_token(form));
  const Status revoked = service::revoke_token(office, context, token);
  if (!revoked) return refusal(revoked.error());
  return json_response(200, "{}");
}

// RFC 7662 section 2.3: who may not ask is told as at any protected resource (RFC 6750 section 3.1).
Response refuse_introspection(Refusal refused) {
  if (refused.cause.code == ErrorCode::kForbidden) refused.name = "insufficient_scope";
  Response response = refuse(refused);
  const Response challenged = challenge(refused.cause);
  if (challenged.status != 401 && challenged.status != 403) return response;
  response.status = challenged.status;
  response.headers = challenged.headers;
  return response;
}

}  // namespace

Response issue_token(service::Office& office, const Request& request, std::string_view) {
  const auto issued = issue(office, request);
  Response response = issued ? *issued : refuse(issued.error());
  add_nonce(office, request, response);
  return response;
}

Response introspect_token(service::Office& office, const Request& request, std::string_view) {
  const auto answer = introspect(office, request);
  Response response = answer ? *answer : refuse_introspection(answer.error());
  add_nonce(office, request, response);
  return response;
}

Response revoke_token(service::Office& office, const Request& request, std::string_view) {
  const auto revoked = revoke(office, request);
  return revoked ? *revoked : refuse(revoked.error());
}

}  // namespace chancery::rest
