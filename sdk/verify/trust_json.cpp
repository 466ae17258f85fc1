#include <chancery/trust.hpp>

#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/verify_key.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/token/authority_json.hpp"

namespace chancery {
namespace {

using json::Value;
using Kind = json::Value::Kind;

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

Result<std::vector<PublicKey>> read_keys(const Value* array) {
  std::vector<PublicKey> keys;
  if (array == nullptr) return keys;
  if (!array->is(Kind::kArray)) return malformed("keys are an array of JWKs");
  for (const Value& item : array->items()) {
    CHANCERY_ASSIGN(const PublicKey key, public_key_from_jwk(item));
    CHANCERY_TRY(check_point(key));
    keys.push_back(key);
  }
  return keys;
}

// A string, or an array of strings. An empty array would read as "nobody" and mean "no restriction": refused.
Result<std::vector<std::string>> read_texts(const Value* value) {
  constexpr const char* kWhat =
      "`sub`, `client_id` and `prefixes` are non-empty arrays of strings, or left out";
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (value->string()) return std::vector<std::string>{std::string(*value->string())};
  if (value->items().empty()) return malformed(kWhat);
  for (const Value& item : value->items()) {
    if (!item.string()) return malformed(kWhat);
    texts.emplace_back(*item.string());
  }
  return texts;
}

Result<TrustAnchor> read_anchor(const Value& object) {
  if (!object.has_only({"iss", "keys", "sub", "client_id", "ceiling", "status", "attestation_verifiers"})) {
    return malformed(
        "an anchor has `iss`, `keys`, `sub`, `client_id`, `ceiling`, `status` and `attestation_verifiers` "
        "only");
  }
  TrustAnchor anchor;
  if (const Value* iss = object.find("iss")) {
    if (!iss->string()) return malformed("an anchor's `iss` is a string");
    anchor.iss = *iss->string();
  }
  CHANCERY_ASSIGN(anchor.keys, read_keys(object.find("keys")));
  if (anchor.keys.empty()) return malformed("an anchor needs `keys`: at least one JWK");
  CHANCERY_ASSIGN(anchor.sub, read_texts(object.find("sub")));
  CHANCERY_ASSIGN(anchor.client_id, read_texts(object.find("client_id")));
  if (const Value* ceiling = object.find("ceiling")) {
    constexpr const char* kCeiling = "`ceiling` has `scopes`, of which at least one, and `constraints`";
    if (!ceiling->has_only({"type", "scopes", "constraints"})) return malformed(kCeiling);
    CHANCERY_ASSIGN(anchor.ceiling, read_authority(*ceiling));
    // None would cover nothing: an anchor that may say nothing is a mistake.
    if (anchor.ceiling->scopes.empty()) return malformed(kCeiling);
  }
  CHANCERY_ASSIGN(anchor.attestation_verifiers, read_keys(object.find("attestation_verifiers")));
  if (const Value* status = object.find("status")) {
    if (!status->has_only({"prefixes", "keys"})) return malformed("`status` has `prefixes` and `keys`");
    CHANCERY_ASSIGN(anchor.status_prefixes, read_texts(status->find("prefixes")));
    CHANCERY_ASSIGN(anchor.status_keys, read_keys(status->find("keys")));
    if (status->find("keys") != nullptr && anchor.status_keys.empty()) {
      return malformed("`keys` of an anchor's `status` holds at least one JWK, or is left out");
    }
  }
  return anchor;
}

}  // namespace

Result<TrustConfig> TrustConfig::parse(std::string_view json) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(json));
  const Value& root = document.root();
  if (!root.has_only({"anchors", "issuers", "status_keys"})) {
    return malformed("trust is an object with `anchors`, and optionally `issuers` and `status_keys`");
  }
  const Value* anchors = root.find("anchors");
  if (anchors == nullptr || !anchors->is(Kind::kArray)) return malformed("trust needs `anchors`: an array");
  TrustConfig config;
  for (const Value& item : anchors->items()) {
    CHANCERY_ASSIGN(TrustAnchor anchor, read_anchor(item));
    config.anchors.push_back(std::move(anchor));
  }
  CHANCERY_ASSIGN(config.issuers, read_keys(root.find("issuers")));
  CHANCERY_ASSIGN(config.status_keys, read_keys(root.find("status_keys")));
  return config;
}

}  // namespace chancery
