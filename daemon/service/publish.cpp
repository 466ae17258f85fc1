#include "daemon/service/oauth.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {
namespace {

using json::Node;

Node verification_key(const PublicKey& key) {
  const auto document = json::Document::parse(key.jwk());
  Node node = Node::object(
      {{"alg", algorithm_name(key.algorithm())}, {"use", "sig"}, {"kid", key.thumbprint().text()}});
  for (const json::Member& member : document->root().members())
    node.set(std::string(member.name), Node::copy(member.value));
  return node;
}

std::string key_set_of(const std::vector<PublicKey>& keys) {
  Node array = Node::array();
  for (const PublicKey& key : keys) array.push_back(verification_key(key));
  return json::to_jcs(Node::object({{"keys", std::move(array)}}));
}

// Where the keys of the trust anchor are, by this daemon's own word: what that is worth is for the reader to say.
Node results_about_issuer(const Office& office) {
  Node array = Node::array();
  for (const std::string& result : office.attestation.issuer_results()) array.push_back(Node(result));
  return array;
}

Node texts(const std::vector<std::string>& list) {
  Node array = Node::array();
  for (const std::string& text : list) array.push_back(text);
  return array;
}

// What keys of the issuer may grant, for who makes trust anchors of them. Nothing without a gate that a TPM enforces.
std::optional<Node> ceilings(const Office& office) {
  const GateCeilings ceilings = office.trust.gate_ceilings();
  if (!ceilings.ungated) return std::nullopt;
  Node gates = Node::array();
  for (const auto& [name, gated] : ceilings.gated) {
    if (gated.keys.empty()) continue;
    Node keys = Node::array();
    for (const PublicKey& key : gated.keys) keys.push_back(verification_key(key));
    gates.push_back(
        Node::object({{"gate", name}, {"scopes", texts(gated.scopes)}, {"keys", std::move(keys)}}));
  }
  return Node::object({{"scopes", texts(*ceilings.ungated)}, {"gates", std::move(gates)}});
}

}  // namespace

std::string key_set(const Office& office) { return key_set_of(office.trust.keys(store::kIssuer)); }

std::string status_key_set(const Office& office) {
  return key_set_of(office.trust.keys(store::kStatusLists));
}

std::string attestation_key_set(const Office& office) {
  return key_set_of(office.trust.keys(store::kAttestation));
}

std::string webhook_key_set(const Office& office) { return key_set_of(office.trust.keys(store::kWebhook)); }

std::string metadata(const Office& office) {
  const std::string issuer = office.policy->issuer_url;
  const Node algorithms = Node::array({"ES256", "Ed25519"});
  const Node authentication = Node::array({"private_key_jwt"});
  Node node = Node::object({
      {"issuer", issuer},
      {"jwks_uri", issuer + "/.well-known/jwks.json"},
      {"attestation_jwks_uri", issuer + "/.well-known/attestation-jwks.json"},
      {"attestation_results", results_about_issuer(office)},
      {"status_list_jwks_uri", issuer + "/.well-known/status-jwks.json"},
      {"status_list_prefix", status_list_prefix(issuer)},
      {"webhook_jwks_uri", issuer + "/.well-known/webhook-jwks.json"},
      {"token_endpoint", issuer + std::string(kTokenPath)},
      {"token_endpoint_auth_methods_supported", authentication},
      {"token_endpoint_auth_signing_alg_values_supported", algorithms},
      {"introspection_endpoint", issuer + "/v1/introspect"},
      {"introspection_endpoint_auth_methods_supported", authentication},
      {"introspection_endpoint_auth_signing_alg_values_supported", algorithms},
      {"revocation_endpoint", issuer + "/v1/revoke"},
      {"revocation_endpoint_auth_methods_supported", authentication},
      {"revocation_endpoint_auth_signing_alg_values_supported", algorithms},
      {"response_types_supported", Node::array()},
      {"grant_types_supported",
       Node::array({"client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"})},
      {"authorization_details_types_supported", Node::array({"agent_delegation"})},
      {"dpop_signing_alg_values_supported", algorithms},
      {"protected_resources", Node::array({issuer})},
  });
  if (auto known = ceilings(office)) node.set("grant_ceilings", *std::move(known));
  return json::to_jcs(node);
}

std::string protected_resource(const Office& office, const std::vector<std::string_view>& scopes) {
  const std::string issuer = office.policy->issuer_url;
  Node supported = Node::array();
  for (const std::string_view scope : scopes) supported.push_back(Node(scope));
  return json::to_jcs(Node::object({
      {"resource", issuer},
      {"authorization_servers", Node::array({issuer})},
      {"scopes_supported", std::move(supported)},
      // None: a chain is of use with a proof only.
      {"bearer_methods_supported", Node::array()},
      {"dpop_bound_access_tokens_required", true},
      {"dpop_signing_alg_values_supported", Node::array({"ES256", "Ed25519"})},
      {"authorization_details_types_supported", Node::array({"agent_delegation"})},
  }));
}

}  // namespace chancery::service
