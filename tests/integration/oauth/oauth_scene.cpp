#include "tests/integration/oauth/oauth_scene.hpp"

#include <charconv>

#include "sdk/base/base64url.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::tests {
namespace {

using json::Node;

constexpr const char* kAuthority = R"({"scopes":["chancery.grants.mint","chancery.delegations.create",
  "chancery.sessions.create","chancery.introspect"],"constraints":[
  {"key":"chancery.grants.mint#agent","one_of":["support"]},
  {"key":"chancery.grants.mint#sub","prefix":"user:"},
  {"key":"chancery.delegations.create#agent","one_of":["support"]},
  {"key":"chancery.sessions.create#agent","one_of":["support","lookup"]}]})";

std::string random_text() {
  std::array<std::uint8_t, 16> octets{};
  BOOST_REQUIRE(random_bytes(octets));
  return base64url_encode(octets);
}

std::string sign(const Node& header, const Node& payload, const HolderKey& key) {
  const std::string input = base64url_encode(as_bytes(json::to_jcs(header))) + "." +
                            base64url_encode(as_bytes(json::to_jcs(payload)));
  return input + "." + base64url_encode(required(key.sign(as_bytes(input))));
}

void set_text(Node& node, const char* name, const std::string& text) {
  if (!text.empty()) node.set(name, text);
}

std::uint16_t port_of(const std::string& address) {
  std::uint16_t port = 0;
  const std::size_t colon = address.rfind(':') + 1;
  std::from_chars(address.data() + colon, address.data() + address.size(), port);
  return port;
}

std::string form_of(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out.append(out.empty() ? "" : "&").append(percent_encode(name)).append("=").append(percent_encode(value));
  return out;
}

}  // namespace

std::string OAuthAnswer::member(std::string_view name) const {
  const json::Value* value = body ? body->root().find(name) : nullptr;
  if (value == nullptr) return {};
  return std::string(value->string().value_or(value->source()));
}

OAuthScene::OAuthScene(std::unique_ptr<DaemonProcess> started)
    : RemoteOffice(std::move(started)), chain(delegated(key, kAuthority)) {
  for (const char* agent : {"support", "lookup"})
    answered(daemon->client().create_agent(agent_of(agent, 4711)));
}

AssertionClaims OAuthScene::right_claims() const {
  const std::string id = required(Token::parse(chain.back())).claims().client_id;
  const std::int64_t at = now().time_since_epoch().count();
  return {id, id, {issuer}, at, at + 60, {}, random_text(), {}, key};
}

std::string OAuthScene::assertion(const AssertionClaims& claims, const HolderKey& signer) {
  Node header = Node::object({{"alg", algorithm_name(signer.public_key().algorithm())}});
  set_text(header, "typ", claims.typ);
  if (claims.shown) header.set("jwk", Node::canonical(claims.shown->public_key().jwk()));
  Node payload = Node::object();
  set_text(payload, "iss", claims.iss);
  set_text(payload, "sub", claims.sub);
  set_text(payload, "jti", claims.jti);
  if (!claims.aud.empty()) payload.set("aud", wire::text_array(claims.aud));
  if (claims.iat) payload.set("iat", *claims.iat);
  if (claims.exp) payload.set("exp", *claims.exp);
  if (claims.nbf) payload.set("nbf", *claims.nbf);
  return sign(header, payload, signer);
}

Fields OAuthScene::authentication() const {
  return {{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
          {"client_assertion", assertion(right_claims(), key)},
          {"client_chain", text_of(chain)}};
}

Fields OAuthScene::as_client(const Fields& fields) const {
  Fields all = authentication();
  all.insert(all.end(), fields.begin(), fields.end());
  return all;
}

Fields OAuthScene::credentials_request() const {
  return as_client({{"grant_type", "client_credentials"},
                    {"sub", "user:alice@example.org"},
                    {"agent", "support"},
                    {"resource", "https://api.example.org"},
                    {"lifetime_s", "1800"},
                    {"depth", "2"},
                    {"authorization_details", R"([{"type":"agent_delegation","scopes":["crm.*"],)"
                                              R"("constraints":[{"key":"amount","max":100}]}])"}});
}

OAuthAnswer OAuthScene::exchange(const std::string& request) const {
  auto client = testing::RawClient::to_tls(port_of(issuer), authority_file());
  BOOST_REQUIRE(client.send(request));
  auto answer = client.receive();
  BOOST_REQUIRE(answer);
  auto body = json::Document::parse(answer->body);
  return {*std::move(answer), body ? std::optional(*std::move(body)) : std::nullopt};
}

OAuthAnswer OAuthScene::post(std::string_view path, const Fields& fields, const std::string& headers) const {
  const std::string body = form_of(fields);
  return exchange("POST " + std::string(path) + " HTTP/1.1\r\nHost: " + host +
                  "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
}

OAuthAnswer OAuthScene::get(std::string_view path) const {
  return exchange("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
}

std::string OAuthScene::binding_proof(const HolderKey& by, const std::optional<std::string>& nonce) const {
  const Node header = Node::object({{"typ", "dpop+jwt"},
                                    {"alg", algorithm_name(by.public_key().algorithm())},
                                    {"jwk", Node::canonical(by.public_key().jwk())}});
  Node payload = Node::object({{"htm", "POST"},
                               {"htu", issuer + "/v1/token"},
                               {"iat", now().time_since_epoch().count()},
                               {"jti", random_text()}});
  if (nonce) payload.set("nonce", *nonce);
  return sign(header, payload, by);
}

std::string text_of(const std::vector<std::string>& chain) { return join_chain(chain); }

}  // namespace chancery::tests
