#include <chancery/token.hpp>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/token/jws.hpp"

namespace chancery {
namespace {

using json::Value;
using Kind = json::Value::Kind;

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

Result<json::Document> decode_canonical(std::string_view part) {
  CHANCERY_ASSIGN(json::Document document, decode_json_object(part));
  if (!document.canonical()) {
    return Error{ErrorCode::kNonCanonical, "a token's header or payload is not its own JCS form (RFC 8785)"};
  }
  return document;
}

Status read_string(const Value& payload, std::string_view name, bool may_be_empty, std::string& out,
                   const char* what) {
  const Value* claim = payload.find(name);
  if (claim == nullptr || !claim->string() || (!may_be_empty && claim->string()->empty()))
    return malformed(what);
  out = *claim->string();
  return {};
}

Status read_time(const Value& payload, std::string_view name, double& out, const char* what) {
  const Value* claim = payload.find(name);
  if (claim == nullptr || !claim->number()) return malformed(what);
  out = *claim->number();
  return {};
}

Status read_times(const Value& payload, Claims& claims) {
  CHANCERY_TRY(read_time(payload, "iat", claims.iat, "claim `iat` must be a number of seconds"));
  CHANCERY_TRY(read_time(payload, "exp", claims.exp, "claim `exp` must be a number of seconds"));
  if (payload.find("nbf") == nullptr) return {};
  double nbf = 0;
  CHANCERY_TRY(read_time(payload, "nbf", nbf, "claim `nbf`, when present, must be a number of seconds"));
  claims.nbf = nbf;
  return {};
}

Status read_audience(const Value& payload, Claims& claims) {
  constexpr const char* kWhat = "claim `aud` must be a string or a non-empty array of strings";
  const Value* aud = payload.find("aud");
  if (aud == nullptr) return malformed(kWhat);
  if (aud->string()) {
    claims.aud.emplace_back(*aud->string());
    return {};
  }
  if (aud->items().empty()) return malformed(kWhat);
  for (const Value& item : aud->items()) {
    if (!item.string()) return malformed(kWhat);
    claims.aud.emplace_back(*item.string());
  }
  return {};
}

Status read_confirmation(const Value& payload, Claims& claims) {
  constexpr const char* kWhat = "claim `cnf` must hold `jkt`, a SHA-256 JWK thumbprint in base64url";
  const Value* cnf = payload.find("cnf");
  const Value* jkt = cnf == nullptr ? nullptr : cnf->find("jkt");
  if (jkt == nullptr || !jkt->string()) return malformed(kWhat);
  const auto octets = base64url_decode_exactly<32>(*jkt->string());
  if (!octets) return malformed(kWhat);
  claims.holder.octets = *octets;
  return {};
}

Status read_depths(const Value& payload, Claims& claims) {
  const Value* depth = payload.find("del_depth");
  const auto value = depth == nullptr ? std::nullopt : depth->integer();
  if (!value || *value < 0) return malformed("claim `del_depth` must be an integer of at least 0");
  claims.del_depth = *value;
  const Value* max_depth = payload.find("del_max_depth");
  if (max_depth == nullptr) return {};
  const auto bound = max_depth->integer();
  if (!bound || *bound < 1) return malformed("claim `del_max_depth` must be an integer of at least 1");
  claims.del_max_depth = *bound;
  return {};
}

Status read_status(const Value& payload, Claims& claims) {
  const Value* status = payload.find("status");
  if (status == nullptr) return {};
  claims.has_status = true;
  if (!status->is(Kind::kObject)) return malformed("claim `status` must be an object");
  const Value* list = status->find("status_list");
  if (list == nullptr) return {};
  constexpr const char* kWhat =
      "`status_list` must have `idx`, an integer of at least 0, and a non-empty `uri`";
  const Value* index = list->find("idx");
  const Value* uri = list->find("uri");
  if (index == nullptr || uri == nullptr) return malformed(kWhat);
  const auto idx = index->integer();
  if (!idx || *idx < 0 || !uri->string() || uri->string()->empty()) return malformed(kWhat);
  claims.status = StatusReference{std::string(*uri->string()), static_cast<std::uint64_t>(*idx)};
  return {};
}

Status read_details(const Value& payload, Claims& claims) {
  const Value* details = payload.find("authorization_details");
  if (details == nullptr || details->items().size() != 1) {
    return malformed("claim `authorization_details` must be an array of exactly one object");
  }
  CHANCERY_ASSIGN(claims.authority, read_detail(details->items().front()));
  return {};
}

Result<Claims> read_claims(const Value& payload) {
  Claims claims;
  CHANCERY_TRY(read_string(payload, "iss", false, claims.iss, "claim `iss` must be a non-empty string"));
  CHANCERY_TRY(read_string(payload, "sub", false, claims.sub, "claim `sub` must be a non-empty string"));
  CHANCERY_TRY(
      read_string(payload, "client_id", true, claims.client_id, "claim `client_id` must be a string"));
  CHANCERY_TRY(read_string(payload, "jti", false, claims.jti, "claim `jti` must be a non-empty string"));
  CHANCERY_TRY(read_audience(payload, claims));
  CHANCERY_TRY(read_times(payload, claims));
  CHANCERY_TRY(read_confirmation(payload, claims));
  if (payload.find("par_hash") != nullptr) {
    claims.par_hash.emplace();
    CHANCERY_TRY(
        read_string(payload, "par_hash", true, *claims.par_hash, "claim `par_hash` must be a string"));
  }
  CHANCERY_TRY(read_depths(payload, claims));
  CHANCERY_TRY(read_status(payload, claims));
  const Value* session = payload.find("chancery_session");
  claims.is_session = session != nullptr && session->boolean().value_or(false);
  CHANCERY_TRY(read_details(payload, claims));
  return claims;
}

}  // namespace

/// Fills a Token from its compact form, step by step.
class TokenReader {
 public:
  static Result<Token> read(std::string_view compact) {
    CHANCERY_ASSIGN(const JwsParts parts, JwsParts::split(compact));
    CHANCERY_ASSIGN(const json::Document header, decode_canonical(parts.header));
    CHANCERY_ASSIGN(const json::Document payload, decode_canonical(parts.payload));
    Token token;
    CHANCERY_ASSIGN(token.signature_, base64url_decode(parts.signature));
    CHANCERY_TRY(read_header(header.root(), token));
    CHANCERY_ASSIGN(token.claims_, read_claims(payload.root()));
    token.compact_ = compact;
    token.signing_input_size_ = parts.signing_input.size();
    token.digest_ = sha256(as_bytes(token.signing_input()));
    return token;
  }

 private:
  static Status read_header(const Value& header, Token& token) {
    CHANCERY_TRY(refuse_extensions(header));
    CHANCERY_ASSIGN(const std::string_view alg, read_algorithm(header));
    token.algorithm_text_ = alg;
    token.algorithm_ = algorithm_from_name(alg);
    const Value* typ = header.find("typ");
    if (typ == nullptr || (typ->string() != "at+jwt" && typ->string() != "application/at+jwt")) {
      return malformed("the header's `typ` must be at+jwt or application/at+jwt");
    }
    const HeaderKey jwk = header_key(header);
    token.has_jwk_ = jwk.present;
    token.signer_ = jwk.key;
    if (jwk.key) token.signer_thumbprint_ = jwk.key->thumbprint();
    return {};
  }
};

Result<Token> Token::parse(std::string_view compact) { return TokenReader::read(compact); }

}  // namespace chancery
