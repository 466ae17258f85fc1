#include "tests/vectors/scene.hpp"

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include <boost/test/unit_test.hpp>
#include <zlib.h>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "tests/vectors/vector_reader.hpp"

namespace chancery::tests {
namespace {

constexpr std::string_view kScopes = R"(["ledger.*","docs.export"])";

std::string hash_text(std::string_view text) { return base64url_encode(sha256(as_bytes(text))); }

std::string number(std::int64_t value) { return std::to_string(value); }

std::string jwk_with_alg(const SigningKey& key) {
  std::string jwk = key.public_key().jwk();
  return R"({"alg":")" + std::string(algorithm_name(key.public_key().algorithm())) + R"(",)" + jwk.substr(1);
}

std::string jwks(std::initializer_list<const SigningKey*> keys) {
  std::string out = "[";
  for (const SigningKey* key : keys) out.append(out.size() > 1 ? "," : "").append(jwk_with_alg(*key));
  return out + "]";
}

std::string detail_json(std::string_view scopes, std::string_view constraints) {
  Members detail{{"type", quoted("agent_delegation")},
                 {"scopes", std::string(scopes)},
                 {"constraints", std::string(constraints)}};
  return "[" + object_text(detail) + "]";
}

Draft signed_by(const SigningKey& signer, std::string_view typ) {
  Draft draft;
  draft.header["alg"] = quoted(algorithm_name(signer.public_key().algorithm()));
  draft.header["typ"] = quoted(typ);
  draft.signer = &signer;
  return draft;
}

Draft token_draft(std::size_t hop, const SigningKey& signer, const SigningKey& holder) {
  Draft draft = signed_by(signer, "at+jwt");
  draft.payload = {
      {"iss",
       quoted(hop == 0 ? "https://as.example.net" : "spiffe://example.net/agent/" + std::to_string(hop - 1))},
      {"sub", quoted("user:ana@example.net")},
      {"client_id", quoted("spiffe://example.net/agent/" + std::to_string(hop))},
      {"jti", quoted("token-" + std::to_string(hop))},
      {"aud", quoted(kAudience)},
      {"iat", number(kNow - 60)},
      {"exp", number(kNow + 3600)},
      {"cnf", R"({"jkt":")" + holder.public_key().thumbprint().text() + R"("})"},
      {"del_depth", std::to_string(hop)},
      {"authorization_details", detail_json(kScopes, "")},
  };
  if (hop == 0) draft.payload["del_max_depth"] = "4";
  if (hop > 0) draft.header["jwk"] = signer.public_key().jwk();
  return draft;
}

}  // namespace

Scene::Scene() {
  const TestKeys& keys = test_keys();
  vector = {
      {"mode", quoted("chain")},
      {"now", number(kNow)},
      {"accepted_algs", R"(["Ed25519","ES256"])"},
      {"child_signing", R"(["holder","issuer"])"},
      {"trusted_roots", jwks({&keys.root, &keys.ed_root})},
      {"trusted_issuers", jwks({&keys.issuer})},
      {"status_keys", jwks({&keys.status, &keys.ed_status})},
      {"audience", quoted(kAudience)},
  };
  dpop = {{"htm", quoted("POST")}, {"htu", quoted("https://ledger.example.net/rows")},
          {"nonce", "null"},       {"iat_past", "300"},
          {"iat_future", "60"},    {"seen_jti", "[]"}};
  grow(3);
}

void Scene::grow(std::size_t count, bool ed25519_only) {
  const TestKeys& keys = test_keys();
  const auto& holders = ed25519_only ? keys.ed_holders : keys.holders;
  const SigningKey* signer = ed25519_only ? &keys.ed_root : &keys.root;
  tokens.clear();
  for (std::size_t hop = 0; hop < count; ++hop) {
    tokens.push_back(token_draft(hop, *signer, holders[hop]));
    signer = &holders[hop];
  }
  proof = signed_by(*signer, "dpop+jwt");
  proof.header["jwk"] = signer->public_key().jwk();
  proof.payload = {{"jti", quoted("proof-1")},
                   {"htm", quoted("POST")},
                   {"htu", quoted("https://ledger.example.net/rows")},
                   {"iat", number(kNow)}};
}

void Scene::allow(std::size_t hop, std::string_view scopes, std::string_view constraints) {
  tokens[hop].payload["authorization_details"] = detail_json(scopes, constraints);
}

void Scene::allow(std::string_view scopes, std::string_view constraints) {
  for (std::size_t hop = 0; hop < tokens.size(); ++hop) allow(hop, scopes, constraints);
}

void Scene::bound(std::string_view constraints) { allow(kScopes, constraints); }

void Scene::sign_as_issuer(std::size_t hop, const SigningKey& key) {
  tokens[hop].signer = &key;
  tokens[hop].header.erase("jwk");
  tokens[hop].header["alg"] = quoted(algorithm_name(key.public_key().algorithm()));
}

void Scene::act(std::string_view scope, std::string_view params, std::string_view totals) {
  vector["mode"] = quoted("request");
  vector["action"] = object_text(
      {{"scope", quoted(scope)}, {"params", std::string(params)}, {"totals", std::string(totals)}});
}

ListDraft& Scene::publish(std::size_t hop, std::uint64_t index, unsigned bits, const Bytes& statuses) {
  tokens[hop].payload["status"] =
      R"({"status_list":{"idx":)" + std::to_string(index) + R"(,"uri":)" + quoted(kStatusUri) + "}}";
  ListDraft list{signed_by(test_keys().status, "statuslist+jwt")};
  list.token.payload = {
      {"sub", quoted(kStatusUri)},
      {"iat", number(kNow - 30)},
      {"exp", number(kNow + 3600)},
      {"ttl", "600"},
      {"status_list", R"({"bits":)" + std::to_string(bits) + R"(,"lst":")" + compressed(statuses) + R"("})"}};
  return lists.emplace_back(std::move(list));
}

std::vector<std::string> Scene::chain() const {
  std::vector<std::string> out;
  for (std::size_t hop = 0; hop < tokens.size(); ++hop) {
    Draft draft = tokens[hop];
    if (hop > 0 && !draft.payload.contains("par_hash")) {
      draft.payload["par_hash"] = quoted(parent_hash(out.back()));
    }
    out.push_back(draft.compact());
  }
  return out;
}

std::string Scene::dpop_json(const std::string& leaf) const {
  if (!has_proof) return "null";
  Draft draft = proof;
  if (!draft.payload.contains("ath")) draft.payload["ath"] = quoted(hash_text(leaf));
  Members out = dpop;
  out["proof"] = quoted(draft.compact());
  return object_text(out);
}

std::string Scene::json(std::string_view id, std::string_view outcome, std::string_view step) const {
  const auto compacts = chain();
  std::string chain_json = "[";
  for (const std::string& token : compacts)
    chain_json.append(chain_json.size() > 1 ? "," : "").append(quoted(token));
  std::string lists_json = "[";
  for (const ListDraft& list : lists) {
    const std::string token = list.fetched ? quoted(list.token.compact()) : "null";
    lists_json.append(lists_json.size() > 1 ? "," : "");
    lists_json +=
        object_text({{"uri", quoted(list.uri)}, {"token", token}, {"fetched_at", number(list.fetched_at)}});
  }
  const std::string step_json = step.empty() ? "null" : step == "parse" ? quoted(step) : std::string(step);
  Members out = vector;
  out["id"] = quoted(id);
  out["chain"] = chain_json + "]";
  out["status_lists"] = lists_json + "]";
  out["expected"] = object_text({{"outcome", quoted(outcome)}, {"step", step_json}});
  if (vector.contains("action")) out["dpop"] = dpop_json(compacts.back());
  return object_text(out);
}

std::string compressed(const Bytes& statuses) {
  uLongf size = compressBound(statuses.size());
  Bytes out(size);
  if (compress2(out.data(), &size, statuses.data(), statuses.size(), 9) != Z_OK)
    throw std::runtime_error("compress2");
  out.resize(size);
  return base64url_encode(out);
}

std::ostream& operator<<(std::ostream& out, const Crafted& row) { return out << row.id; }

void check_crafted(const Crafted& row) {
  Scene scene;
  row.change(scene);
  BOOST_TEST(check_vector_file("{\"vectors\":[" + scene.json(row.id, row.outcome, row.step) + "]}") == 1u);
}

}  // namespace chancery::tests
