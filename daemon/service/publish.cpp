#include "daemon/service/office.hpp"
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

// An issuer may end with a slash, which then belongs to its name: only the address must not have two.
std::string without_slash(const std::string& url) {
  return url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
}

}  // namespace

std::string key_set(const Office& office) {
  Node array = Node::array();
  for (const PublicKey& key : office.trust.issuer_keys()) array.push_back(verification_key(key));
  return json::to_jcs(Node::object({{"keys", std::move(array)}}));
}

std::string metadata(const Office& office) {
  const std::string& issuer = office.policy.issuer_url;
  return json::to_jcs(Node::object({
      {"issuer", issuer},
      {"jwks_uri", without_slash(issuer) + "/.well-known/jwks.json"},
      {"response_types_supported", Node::array()},
      {"grant_types_supported", Node::array()},
      {"authorization_details_types_supported", Node::array({"agent_delegation"})},
      {"dpop_signing_alg_values_supported", Node::array({"ES256", "Ed25519"})},
  }));
}

}  // namespace chancery::service
