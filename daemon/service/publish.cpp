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

}  // namespace

Result<std::string> key_set(const Office& office) {
  CHANCERY_ASSIGN(const std::vector<store::DaemonKey> keys, office.issuer.all());
  Node array = Node::array();
  for (const store::DaemonKey& key : keys) array.push_back(verification_key(key.key.public_key));
  return json::to_jcs(Node::object({{"keys", std::move(array)}}));
}

std::string metadata(const Office& office) {
  const std::string& issuer = office.policy.issuer_url;
  return json::to_jcs(Node::object({
      {"issuer", issuer},
      {"jwks_uri", issuer + "/.well-known/jwks.json"},
      {"response_types_supported", Node::array()},
      {"grant_types_supported", Node::array()},
      {"authorization_details_types_supported", Node::array({"agent_delegation"})},
      {"dpop_signing_alg_values_supported", Node::array({"ES256", "Ed25519"})},
  }));
}

api::Readiness readiness(const Office& office, hsm::Deadline deadline) {
  std::vector<std::string> missing;
  const auto note = [&](std::string what, const Error& error) {
    missing.push_back(std::move(what) + ": " + error.what + " (" + std::string(error_name(error.code)) + ")");
  };
  if (const Status store = office.store.check(); !store) note("store", store.error());
  for (const std::string& name : office.backends.names()) {
    const auto backend = office.backends.find(name);
    if (const Status status = (*backend)->check(deadline); !status) note("backend " + name, status.error());
  }
  // How many only: anybody may ask this. `chancery agent list` names them.
  if (const auto counts = office.store.counts(); !counts) {
    note("agents", counts.error());
  } else if (counts->lost_agents > 0) {
    missing.push_back("agents: " + std::to_string(counts->lost_agents) +
                      " with a lost key: retire and register them again (key_lost)");
  }
  if (const auto key = office.issuer.existing(); !key) {
    note("issuer key", key.error());
  } else if (!*key) {
    missing.push_back("issuer key: none made yet: it is made when its backend answers");
  }

  Node array = Node::array();
  for (const std::string& what : missing) array.push_back(what);
  api::Readiness out{missing.empty(), missing, {}};
  out.json = json::to_jcs(Node::object({{"ready", out.ready}, {"missing", std::move(array)}}));
  return out;
}

}  // namespace chancery::service
