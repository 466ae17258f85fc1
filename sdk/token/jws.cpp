#include "sdk/token/jws.hpp"

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery {
namespace {

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

}  // namespace

Status refuse_extensions(const json::Value& header) {
  if (header.find("crit") != nullptr || header.find("b64") != nullptr) {
    return malformed("the header names `crit` or `b64`: no extension is accepted");
  }
  return {};
}

Result<std::string_view> read_algorithm(const json::Value& header) {
  const json::Value* alg = header.find("alg");
  if (alg == nullptr || !alg->string()) return malformed("the header's `alg` must be a string");
  return *alg->string();
}

Result<JwsParts> JwsParts::split(std::string_view compact, std::size_t max_size) {
  if (compact.size() > max_size)
    return malformed("a token is longer than is read: 65536 characters, 16 MiB for a status list");
  const std::size_t first = compact.find('.');
  const std::size_t second = first == std::string_view::npos ? first : compact.find('.', first + 1);
  if (second == std::string_view::npos || compact.find('.', second + 1) != std::string_view::npos) {
    return malformed("a token has exactly three parts, header.payload.signature");
  }
  return JwsParts{compact.substr(0, first), compact.substr(first + 1, second - first - 1),
                  compact.substr(second + 1), compact.substr(0, second)};
}

Result<json::Document> decode_json_object(std::string_view part) {
  std::string text(part.size() % 4 == 1 ? 0 : base64url_decoded_size(part.size()), '\0');
  if (part.size() % 4 == 1 || !base64url_decode_into(part, reinterpret_cast<std::uint8_t*>(text.data()))) {
    return malformed("a token's part is not base64url: no padding, white space or spare bits");
  }
  CHANCERY_ASSIGN(json::Document document, json::Document::parse(std::move(text)));
  if (!document.root().is(json::Value::Kind::kObject))
    return malformed("a token's header and payload are JSON objects");
  return document;
}

std::string signing_input_of(const json::Node& header, const json::Node& payload) {
  const auto encode = [](const json::Node& part) { return base64url_encode(as_bytes(json::to_jcs(part))); };
  return encode(header) + "." + encode(payload);
}

HeaderKey header_key(const json::Value& header) {
  const json::Value* jwk = header.find("jwk");
  if (jwk == nullptr) return {};
  HeaderKey found{true, std::nullopt};
  if (auto key = public_key_from_jwk(*jwk)) found.key = *key;
  return found;
}

Result<Jws> Jws::parse(std::string_view compact, std::size_t max_size) {
  CHANCERY_ASSIGN(const JwsParts parts, JwsParts::split(compact, max_size));
  CHANCERY_ASSIGN(json::Document header, decode_json_object(parts.header));
  CHANCERY_TRY(refuse_extensions(header.root()));
  CHANCERY_ASSIGN(const std::string_view algorithm, read_algorithm(header.root()));
  CHANCERY_ASSIGN(json::Document payload, decode_json_object(parts.payload));
  CHANCERY_ASSIGN(Bytes signature, base64url_decode(parts.signature));
  const auto known = algorithm_from_name(algorithm);  // `algorithm` borrows from `header`
  return Jws{std::move(header), std::move(payload), parts, known, std::move(signature)};
}

bool Jws::verifies_under(const PublicKey& key) const {
  const ByteView message = as_bytes(parts.signing_input);
  return algorithm == key.algorithm() && verify_signature(key, sha256(message), message, signature);
}

}  // namespace chancery
