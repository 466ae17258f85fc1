#include <algorithm>
#include <optional>
#include <utility>

#include <chancery/attestation_relay.hpp>
#include <chancery/token.hpp>

#include "sdk/json/writer.hpp"
#include "sdk/token/bound_nonce.hpp"

namespace chancery {
namespace {

using json::Node;

ClientError unreadable(const Error& error) {
  return {.error = error, .status = 0, .code = {}, .detail = {}, .document = {}};
}

// Each once: an agent may hold more than one token of a chain.
ClientResult<std::vector<Thumbprint>> holders_of(std::span<const std::string> chain) {
  std::vector<Thumbprint> out;
  for (const std::string& compact : chain) {
    const auto token = Token::parse(compact);
    if (!token) return unreadable(token.error());
    const Thumbprint holder = token->claims().holder;
    if (std::ranges::find(out, holder) == out.end()) out.push_back(holder);
  }
  return out;
}

// An agent may have its own key certified, but not ask for what its daemon measured of others.
ClientResult<std::optional<api::Measurements>> measurements_of(const AttestationClient& host,
                                                               const std::string& backend,
                                                               const Bytes& nonce) {
  if (backend.empty()) return std::optional<api::Measurements>();
  auto said = host.measurements(backend, {nonce});
  if (said) return std::optional(*std::move(said));
  const std::string& code = said.error().code;
  if (code == error_name(ErrorCode::kNotFound) || code == error_name(ErrorCode::kForbidden))
    return std::optional<api::Measurements>();
  return said.error();
}

}  // namespace

ClientResult<api::AttestedHost> enroll_host(const AttestationClient& host, const AttestationClient& verifier,
                                            std::string_view name, std::string_view backend) {
  CHANCERY_ASSIGN(api::HostIdentity identity, host.identity(backend));
  CHANCERY_ASSIGN(const api::AttestationChallenge challenge,
                  verifier.enroll({std::string(name), std::move(identity)}));
  CHANCERY_ASSIGN(api::Activation activation, host.activate(backend, challenge));
  CHANCERY_ASSIGN(api::Attested attested,
                  verifier.submit({challenge.id, std::move(activation), std::nullopt, {}, {}}));
  return std::move(attested.host);
}

ClientResult<api::Evidence> make_key_evidence(const AttestationClient& host,
                                              const AttestationClient& verifier, const KeyToAttest& key) {
  CHANCERY_ASSIGN(const api::AttestationChallenge challenge, verifier.challenge({key.host}));
  CHANCERY_ASSIGN(api::KeyEvidence evidence,
                  host.certify(key.jkt, {challenge.nonce, key.leaf, challenge.pcrs}));
  // The daemon binds what it certifies of a key to the token itself; of measurements it is told the nonce alone.
  const Bytes nonce = key.leaf.empty() ? challenge.nonce : bound_nonce(key.leaf, challenge.nonce);
  CHANCERY_ASSIGN(std::optional<api::Measurements> measurements, measurements_of(host, key.backend, nonce));
  return api::Evidence{challenge.id, std::nullopt, std::move(evidence), std::move(measurements), key.leaf};
}

ClientResult<api::Attested> attest_key(const AttestationClient& host, const AttestationClient& verifier,
                                       const KeyToAttest& key) {
  CHANCERY_ASSIGN(const api::Evidence evidence, make_key_evidence(host, verifier, key));
  return verifier.submit(evidence);
}

ClientResult<ChainBundle> bundle(const AttestationClient& verifier, std::span<const std::string> chain) {
  CHANCERY_ASSIGN(const std::vector<Thumbprint> holders, holders_of(chain));
  ChainBundle out;
  Node tokens = Node::array();
  for (const std::string& token : chain) tokens.push_back(token);
  Node results = Node::array();
  for (const Thumbprint& holder : holders) {
    const auto known = verifier.results(holder.text());
    if (!known && !known.error().refused()) return known.error();
    if (!known) {
      out.unattested.push_back({holder, known.error()});
      continue;
    }
    for (const std::string& result : known->results) results.push_back(result);
  }
  out.json =
      json::to_jcs(Node::object({{"chain", std::move(tokens)}, {"attestation_results", std::move(results)}}));
  return out;
}

}  // namespace chancery
