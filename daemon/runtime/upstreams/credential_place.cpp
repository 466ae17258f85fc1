#include "daemon/runtime/upstreams/credential_place.hpp"

#include <algorithm>
#include <string>

#include "sdk/base/base64.hpp"
#include "sdk/base/cleanse.hpp"
#include "sdk/base/percent.hpp"

namespace chancery::runtime {
namespace {

using tools::CredentialPlace;

constexpr Error kUnfit{
    ErrorCode::kInvalidArgument,
    "the credential has characters that no header and no address may have: put another value"};

bool may_stand(std::uint8_t octet) { return octet >= ' ' && octet != 0x7F; }

// In memory for secrets from one end to the other.
SecretBytes joined(std::string_view before, ByteView value, std::string_view after) {
  SecretBytes out(before.size() + value.size() + after.size());
  auto at = std::ranges::copy(as_bytes(before), out.writable().begin()).out;
  at = std::ranges::copy(value, at).out;
  std::ranges::copy(as_bytes(after), at);
  return out;
}

SecretBytes basic_value(const std::string& user, ByteView password) {
  const SecretBytes plain = joined(user + ":", password, {});
  std::string encoded = base64_encode(plain.view());
  SecretBytes out = joined("Basic ", as_bytes(encoded), {});
  cleanse(encoded);
  return out;
}

// libcurl wants the address as a text, so that this one is a secret from here on.
void add_to_query(const std::string& name, ByteView value, std::string& url) {
  std::string encoded = percent_encode(as_text(value));
  std::string with;
  with.reserve(url.size() + name.size() + encoded.size() + 2);
  with.append(url).append(url.find('?') == std::string::npos ? "?" : "&").append(percent_encode(name));
  with.append("=").append(encoded);
  cleanse(encoded);
  url.swap(with);
}

}  // namespace

Status place_credential(const CredentialPlace& place, const SecretBytes& value, OutboundRequest& request) {
  if (value.empty() || !std::ranges::all_of(value.view(), may_stand)) return kUnfit;
  switch (place.kind) {
    case CredentialPlace::Kind::kHeader:
      request.credentials.push_back({place.name, joined(place.before, value.view(), place.after)});
      return {};
    case CredentialPlace::Kind::kBasic:
      request.credentials.push_back({"authorization", basic_value(place.name, value.view())});
      return {};
    case CredentialPlace::Kind::kQuery:
      add_to_query(place.name, value.view(), request.url);
      return {};
  }
  return kUnfit;
}

}  // namespace chancery::runtime
