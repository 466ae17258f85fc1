#include <algorithm>
#include <array>

#include "daemon/service/authenticate.hpp"
#include "daemon/service/key_proof.hpp"
#include "daemon/service/oauth.hpp"
#include "sdk/token/jws.hpp"

namespace chancery::service {
namespace {

using std::chrono::sys_seconds;

Error bad_assertion(const char* what) { return {ErrorCode::kUnauthenticated, what}; }

std::optional<std::string_view> text_claim(const Jws& assertion, std::string_view name) {
  const json::Value* claim = assertion.payload.root().find(name);
  return claim == nullptr ? std::nullopt : claim->string();
}

std::optional<double> time_claim(const Jws& assertion, std::string_view name) {
  const json::Value* claim = assertion.payload.root().find(name);
  return claim == nullptr ? std::nullopt : claim->number();
}

// What was signed for another purpose, such as a DPoP proof, is no assertion (RFC 8725 section 3.11).
Status check_type(const Jws& assertion) {
  constexpr std::array<std::string_view, 2> kTypes{"JWT", "client-authentication+jwt"};
  const json::Value* typ = assertion.header.root().find("typ");
  if (typ == nullptr || std::ranges::find(kTypes, typ->string().value_or("")) != kTypes.end()) return {};
  return bad_assertion("the assertion's `typ` must be JWT, client-authentication+jwt or absent");
}

// A chain names its holder's key by thumbprint: the assertion must bring the key.
Status check_signature(const Jws& assertion, const Thumbprint& holder) {
  const HeaderKey jwk = header_key(assertion.header.root());
  if (!jwk.key || jwk.key->thumbprint() != holder)
    return bad_assertion("the assertion's header must have, as `jwk`, the key that holds `client_chain`");
  if (!assertion.verifies_under(*jwk.key))
    return bad_assertion("the assertion's signature does not verify: sign with ES256 or Ed25519");
  return {};
}

Status check_names(const Jws& assertion, std::string_view client, std::string_view client_id) {
  const bool is_same = text_claim(assertion, "iss") == client && text_claim(assertion, "sub") == client &&
                       (client_id.empty() || client_id == client);
  if (is_same) return {};
  return bad_assertion(
      "`iss`, `sub` and `client_id` must be the `client_id` of the last token of `client_chain`");
}

bool is_this_server(const Policy& policy, std::string_view audience) {
  return audience == policy.issuer_url || std::ranges::any_of(policy.public_urls, [&](std::string_view url) {
           return audience.starts_with(url) && audience.substr(url.size()) == kTokenPath;
         });
}

// An assertion that names another server too could be taken there by us, or here by it.
Status check_audience(const Jws& assertion, const Policy& policy) {
  const json::Value* aud = assertion.payload.root().find("aud");
  const auto values = aud == nullptr  ? std::span<const json::Value>()
                      : aud->string() ? std::span(aud, 1)
                                      : aud->items();
  const bool is_ours = !values.empty() && std::ranges::all_of(values, [&](const json::Value& value) {
    return is_this_server(policy, value.string().value_or(""));
  });
  if (is_ours) return {};
  return bad_assertion(
      "the assertion's `aud` must be the issuer's URL or its token endpoint, and nothing else");
}

// `iat` has the window of a proof, so that what was used must be remembered just as long.
Status check_times(const Jws& assertion, const DpopPresentation& window, sys_seconds now) {
  const auto at = static_cast<double>(now.time_since_epoch().count());
  const auto issued = time_claim(assertion, "iat");
  const auto ends = time_claim(assertion, "exp");
  const double latest = at + static_cast<double>(window.iat_future.count());
  if (!issued || *issued < at - static_cast<double>(window.iat_past.count()) || *issued > latest)
    return bad_assertion("the assertion's `iat` must be of the last five minutes");
  if (!ends || *ends <= at) return bad_assertion("the assertion's `exp` must lie ahead: make a fresh one");
  if (assertion.payload.root().find("nbf") != nullptr &&
      time_claim(assertion, "nbf").value_or(latest + 1) > latest) {
    return bad_assertion("the assertion's `nbf` must have come");
  }
  return {};
}

// One jti may stand in a proof and in an assertion of the same request.
Status require_first_use_of(Office& office, const Jws& assertion, const Thumbprint& key,
                            const DpopPresentation& window, sys_seconds now) {
  const auto jti = text_claim(assertion, "jti");
  if (!jti || jti->empty()) return bad_assertion("the assertion's `jti` must be a non-empty string");
  const Status first = require_first_use(office, key, "client_assertion " + std::string(*jti), window, now);
  if (first || first.error().code != ErrorCode::kProofRefused) return first;
  return bad_assertion("this assertion was used before: make a fresh one");
}

}  // namespace

Result<VerifiedChain> authenticate_client(Office& office, const ClientAssertion& shown, sys_seconds now) {
  CHANCERY_ASSIGN(VerifiedChain chain, require_own_chain(office, split_chain(shown.chain), now));
  const Claims& leaf = chain.leaf().claims();
  const auto assertion = Jws::parse(shown.assertion);
  if (!assertion) return bad_assertion("`client_assertion` must be a signed JWT");
  const DpopPresentation window;
  CHANCERY_TRY(check_type(*assertion));
  CHANCERY_TRY(check_signature(*assertion, leaf.holder));
  CHANCERY_TRY(check_names(*assertion, leaf.client_id, shown.client_id));
  CHANCERY_TRY(check_audience(*assertion, *office.policy.current()));
  CHANCERY_TRY(check_times(*assertion, window, now));
  CHANCERY_TRY(require_first_use_of(office, *assertion, leaf.holder, window, now));
  return chain;
}

}  // namespace chancery::service
