#pragma once

#include <string>
#include <string_view>

#include "daemon/rest/routes.hpp"
#include "sdk/client/transport.hpp"

namespace chancery::tests {

/// A body that each path takes, so that what refuses is the lack of authority.
inline std::string body_for(std::string_view pattern) {
  const std::string thumbprint(43, 'A');
  if (pattern == "/v1/agents") return R"({"name":"new","selectors":{"uid":1}})";
  if (pattern == "/v1/grants")
    return R"({"principal":"user:a","agent":"support","audience":"x","scopes":["a.b"],"lifetime_s":60})";
  if (pattern == "/v1/operators") return R"({"name":"x","jkt":")" + thumbprint + R"("})";
  if (pattern == "/v1/authorize")
    return R"({"chain":"x","proof":"x","method":"GET","uri":"https://x","audience":"x","action":{"scope":"a.b"}})";
  if (pattern == "/v1/revocations" || pattern == "/v1/suspensions" || pattern == "/v1/impact")
    return R"({"agent":"support"})";
  if (pattern == "/v1/incidents") return R"({"agent":"support","freeze":false,"revoke":false})";
  if (pattern == "/v1/drills") return R"({"agent":"support","window_s":60})";
  if (pattern == "/v1/join-tokens") return R"({"agent":"support","chain":["x"]})";
  const std::string challenge =
      R"({"challenge":"x","nonce":"AAAA","pcrs":{},"id_object":"AAAA","encrypted_secret":"AAAA","expires_at":1})";
  const std::string identity = R"({"ek_public":"AAAA","ak_public":"AAAA","srk_public":"AAAA"})";
  const std::string statement = R"({"attest":"AAAA","signature":"AAAA"})";
  if (pattern == "/v1/attestation/challenge") return R"({"host":"support"})";
  if (pattern == "/v1/attestation/evidence")
    return R"({"challenge":"x","key":{"key_public":"AAAA","certification":)" + statement + "}}";
  if (pattern == "/v1/attestation/hosts") return R"({"name":"support","identity":)" + identity + "}";
  if (pattern == "/v1/attestation/hosts/{name}/approve") return R"({"custody":"tpm-certified"})";
  if (pattern == "/v1/backends/{name}/activate") return challenge;
  if (pattern == "/v1/backends/{name}/measurements" || pattern == "/v1/keys/{name}/certify")
    return R"({"nonce":"AAAA"})";
  const std::string digest = "\"" + std::string(64, 'a') + "\"";
  if (pattern == "/v1/permits")
    return R"({"chain":"x","proof":"x","method":"POST","uri":"https://x","audience":"x","action":{"scope":"a.b"},)"
           R"("tool":"t","arguments_sha256":)" +
           digest + "}";
  if (pattern == "/v1/permits/{name}/result") return R"({"status":"done","result_sha256":)" + digest + "}";
  if (pattern == "/v1/receipts") return R"({"permits":["x"]})";
  if (pattern == "/v1/tool-refusals") return R"({"tool":"t","reason":"arguments"})";
  // The octets are `canary-credential`.
  const std::string value = R"("value":"Y2FuYXJ5LWNyZWRlbnRpYWw=")";
  if (pattern == "/v1/credentials")
    return R"({"name":"support","type":"api_key","scope":"a.b","tools":["t"],)" + value + "}";
  if (pattern == "/v1/credentials/{name}/rotate") return "{" + value + "}";
  if (pattern == "/v1/credentials/{name}/revoke") return R"({"version":1})";
  if (pattern == "/v1/issuers/{name}/consented") return R"({"query":"Y2FuYXJ5LWNyZWRlbnRpYWw="})";
  if (pattern == "/v1/approvals/{name}/decision") return R"({"decision":"a.b.c"})";
  if (pattern == "/v1/approvers") return R"({"enrolment":{}})";
  if (pattern == "/v1/vault/reset") return R"({"confirm":"forget all credentials"})";
  return "{}";
}

/// A request that is for a route, though what it names may not be there.
inline client::HttpRequest request_of(const rest::Route& route) {
  std::string path(route.pattern);
  const std::size_t place = path.find("{name}");
  if (place != std::string::npos) {
    const bool is_key = path.starts_with("/v1/keys/");
    path.replace(place, 6,
                 is_key                              ? std::string(43, 'A')
                 : path.starts_with("/v1/backends/") ? "swtpm"
                                                     : "support");
  }
  return {std::string(route.method), path, route.method == "POST" ? body_for(route.pattern) : ""};
}

}  // namespace chancery::tests
