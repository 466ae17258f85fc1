#include "tests/unit/sdk/made_status_list.hpp"

#include <cstdlib>

#include <zlib.h>

#include "sdk/base/base64url.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tests {
namespace {

// A broken fixture is no result of a test.
std::string compressed(const Bytes& statuses) {
  Bytes out(compressBound(statuses.size()));
  uLongf size = out.size();
  if (compress(out.data(), &size, statuses.data(), statuses.size()) != Z_OK) std::abort();
  return base64url_encode(ByteView(out).first(size));
}

}  // namespace

std::string sign_status_list(const MadeStatusList& list, const SigningKey& key) {
  const json::Node header = json::Node::object({{"alg", "ES256"}, {"typ", "statuslist+jwt"}});
  json::Node payload = json::Node::object(
      {{"sub", list.uri},
       {"status_list", json::Node::object({{"bits", 1}, {"lst", compressed(list.statuses)}})}});
  if (list.iat) payload.set("iat", *list.iat);
  if (list.exp) payload.set("exp", *list.exp);
  if (list.ttl) payload.set("ttl", *list.ttl);
  const std::string input = base64url_encode(as_bytes(json::to_jcs(header))) + "." +
                            base64url_encode(as_bytes(json::to_jcs(payload)));
  return input + "." + base64url_encode(key.sign(as_bytes(input)).value());
}

}  // namespace chancery::tests
