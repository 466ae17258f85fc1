#include <algorithm>
#include <cmath>
#include <set>

#include <chancery/token.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/token/scope_set.hpp"

namespace chancery {
namespace {

json::Node string_array(const std::vector<std::string>& items) {
  return json::Node::array(std::vector<json::Node>(items.begin(), items.end()));
}

json::Node audience_node(const std::vector<std::string>& aud) {
  return aud.size() == 1 ? json::Node(aud.front()) : string_array(aud);
}

json::Node claims_node(const Claims& claims) {
  json::Node node = json::Node::object({
      {"iss", claims.iss},
      {"sub", claims.sub},
      {"client_id", claims.client_id},
      {"jti", claims.jti},
      {"aud", audience_node(claims.aud)},
      {"iat", claims.iat},
      {"exp", claims.exp},
      {"cnf", json::Node::object({{"jkt", claims.holder.text()}})},
      {"del_depth", claims.del_depth},
      {"authorization_details", json::Node::array({to_json(claims.authority)})},
  });
  if (claims.nbf) node.set("nbf", *claims.nbf);
  if (claims.del_max_depth) node.set("del_max_depth", *claims.del_max_depth);
  if (claims.par_hash) node.set("par_hash", *claims.par_hash);
  if (claims.status) {
    node.set("status",
             json::Node::object({{"status_list", json::Node::object({{"uri", claims.status->uri},
                                                                     {"idx", claims.status->index}})}}));
  }
  if (claims.is_session) node.set("chancery_session", true);
  return node;
}

std::vector<std::string> common_audience(const std::vector<std::string>& parent,
                                         const std::vector<std::string>& asked) {
  if (asked.empty()) return parent;
  std::vector<std::string> common;
  for (const std::string& audience : asked) {
    const bool repeated = std::ranges::find(common, audience) != common.end();
    if (!repeated && std::ranges::find(parent, audience) != parent.end()) common.push_back(audience);
  }
  return common;
}

// What no token could hold need not be judged: a request body may be far longer than a token. The payload is
// base64url; the shortest elements are `"a",` and `{"":0,"key":""},`.
constexpr std::size_t kMaxPayload = kMaxTokenSize / 4 * 3;
constexpr std::size_t kMaxScopes = kMaxPayload / 4;
constexpr std::size_t kMaxConstraints = kMaxPayload / 16;

Status check_size(const Authority& asked) {
  if (asked.scopes.size() <= kMaxScopes && asked.constraints.size() <= kMaxConstraints) return {};
  return Error{ErrorCode::kTooLarge,
               "the request has more scopes or constraints than a token can hold: ask for fewer"};
}

// A constraint that speaks of none of the granted actions takes nothing from the request.
bool bears_on(const Constraint& constraint, const ScopeSet& given) {
  const auto key = qualified_key(constraint.key);
  return !key || given.covers(key->scope) || !given.within(key->scope).empty();
}

void note_narrowed_scopes(const Authority& asked, const ScopeSet& given, std::vector<Narrowing>& out) {
  std::set<std::string_view> told;  // once each: a wildcard's parts may be many
  for (const std::string& scope : asked.scopes) {
    if (given.covers(scope) || !told.insert(scope).second) continue;
    const auto parts = given.within(scope);
    out.push_back({"scope", json::to_jcs(json::Node(scope)),
                   json::to_jcs(json::Node::array(std::vector<json::Node>(parts.begin(), parts.end())))});
  }
}

// Whether all that `asked` allows, `given` allows too: sets may be written in another order.
bool gives_all(const Constraint& given, const Constraint& asked) {
  return subsumes(Authority{{}, {given}}, Authority{{}, {asked}});
}

void note_narrowed_constraints(const Authority& asked, const Authority& given, const ScopeSet& given_scopes,
                               std::vector<Narrowing>& out) {
  for (const Constraint& constraint : given.constraints) {
    const auto like = std::ranges::find_if(asked.constraints, [&](const Constraint& a) {
      return a.key == constraint.key && a.type() == constraint.type();
    });
    if (like == asked.constraints.end() ? !bears_on(constraint, given_scopes) : gives_all(constraint, *like))
      continue;
    out.push_back({constraint.key + " " + std::string(constraint.type()),
                   like == asked.constraints.end() ? "null" : rule_jcs(*like), rule_jcs(constraint)});
  }
}

void note_narrowed_audience(const std::vector<std::string>& asked, const std::vector<std::string>& given,
                            std::vector<Narrowing>& out) {
  const bool whole = std::ranges::all_of(
      asked, [&](const std::string& audience) { return std::ranges::find(given, audience) != given.end(); });
  if (!whole)
    out.push_back({"audience", json::to_jcs(string_array(asked)), json::to_jcs(string_array(given))});
}

std::string seconds_text(double seconds) { return json::to_jcs(json::Node(seconds)); }

}  // namespace

UnsignedToken UnsignedToken::encode(const Claims& claims, const PublicKey& signer, bool show_signer) {
  json::Node header = json::Node::object({{"alg", algorithm_name(signer.algorithm())}, {"typ", "at+jwt"}});
  if (show_signer) {
    header.set("jwk", json::Node::canonical(signer.jwk()));
  } else {
    header.set("kid", signer.thumbprint().text());
  }
  UnsignedToken token;
  token.signing_input_ = signing_input_of(header, claims_node(claims));
  return token;
}

std::string UnsignedToken::with(const Signature& signature) const {
  return signing_input_ + "." + base64url_encode(signature);
}

Result<Attenuation> attenuate(const Token& parent, std::int64_t max_depth, const DelegationRequest& request,
                              std::chrono::sys_seconds now) {
  const Claims& from = parent.claims();
  if (from.del_depth + 1 >= max_depth) {
    return Error{ErrorCode::kDepthExhausted,
                 "the chain may not grow further: its `del_max_depth` is reached"};
  }
  CHANCERY_TRY(check_size(request.authority));
  Attenuation child;
  Claims& claims = child.claims;
  CHANCERY_ASSIGN(claims.authority, meet(from.authority, request.authority));
  if (claims.authority.scopes.empty()) {
    return Error{ErrorCode::kNothingGranted,
                 "no requested scope is within the parent's: ask for one that it covers"};
  }
  claims.aud = common_audience(from.aud, request.audience);
  if (claims.aud.empty()) {
    return Error{ErrorCode::kAudienceNotGranted,
                 "no requested audience is among the parent's: ask for one of them"};
  }
  const auto issued = static_cast<double>(now.time_since_epoch().count());
  const double asked_exp = issued + static_cast<double>(request.lifetime.count());
  claims.iat = issued;
  claims.exp = std::min(asked_exp, from.exp);
  if (claims.exp < issued || request.lifetime.count() <= 0) {
    return Error{ErrorCode::kLimitExceeded,
                 "no time is left: ask for a lifetime above zero under a parent that has not expired"};
  }
  claims.iss = from.client_id;
  claims.sub = from.sub;
  claims.client_id = request.client_id;
  claims.jti = request.jti;
  claims.holder = request.holder;
  claims.del_depth = from.del_depth + 1;
  claims.par_hash = base64url_encode(parent.digest());

  const ScopeSet given(claims.authority.scopes);
  note_narrowed_scopes(request.authority, given, child.narrowed);
  note_narrowed_constraints(request.authority, claims.authority, given, child.narrowed);
  note_narrowed_audience(request.audience, claims.aud, child.narrowed);
  if (claims.exp < asked_exp) {
    child.narrowed.push_back(
        {"lifetime_s", seconds_text(asked_exp - issued), seconds_text(claims.exp - issued)});
  }
  return child;
}

}  // namespace chancery
