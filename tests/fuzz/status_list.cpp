#include "sdk/verify/status_list.hpp"

#include <string>

#include <zlib.h>

#include "sdk/base/base64url.hpp"
#include "tests/fuzz/signed_chain.hpp"
#include "tests/fuzz/target.hpp"

// An input is a compact status list token; or, when it begins with a brace, its payload, in which `@LST`
// stands for a short list; or, when it begins with a digit, that many bits an entry and then the octets of
// `lst`, as they are.

namespace chancery::fuzz {
namespace {

constexpr std::string_view kHeader = R"({"alg":"Ed25519","typ":"statuslist+jwt"})";

const SigningKey& status_key() { return hop_keys().signers.front(); }

const std::string& short_list() {
  static const std::string list = [] {
    const Bytes statuses{0x1B, 0x00, 0xFF};
    Bytes out(64);
    uLongf size = out.size();
    require(compress(out.data(), &size, statuses.data(), statuses.size()) == Z_OK);
    return base64url_encode(ByteView(out).first(size));
  }();
  return list;
}

std::string token_of(std::string_view input) {
  if (input.starts_with('{'))
    return signed_jws(kHeader, filled(std::string(input), "@LST", short_list()), status_key());
  if (input.empty() || input[0] < '0' || input[0] > '9') return std::string(input);
  const std::string payload = R"({"sub":"u","status_list":{"bits":)" + std::string(input.substr(0, 1)) +
                              R"(,"lst":")" + base64url_encode(as_bytes(input.substr(1))) + R"("}})";
  return signed_jws(kHeader, payload, status_key());
}

void check_list(const StatusList& list) {
  const std::uint64_t entries = std::uint64_t{list.statuses.size()} * 8 / list.bits;
  require(list.statuses.size() <= kMaxStatusListBytes);
  require(!list.at(entries) && !list.at(UINT64_MAX));
  if (entries == 0) return;
  require(list.at(0) && *list.at(0) < 1u << list.bits);
  require(list.at(entries - 1) && *list.at(entries - 1) < 1u << list.bits);
}

}  // namespace
}  // namespace chancery::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  static const std::vector<VerifyKey> keys{VerifyKey::from(fuzz::status_key().public_key()).value()};
  const std::string token = fuzz::token_of(fuzz::text_of(data, size));
  const auto opened = open_status_list(token, keys);
  if (!opened) return 0;
  fuzz::check_list(opened->list);
  fuzz::require(opened->key.thumbprint() == keys[0].thumbprint());
  fuzz::require(!open_status_list(token, {}));
  using Instant = std::chrono::sys_seconds;
  if (!opened->list.exp && !opened->list.ttl) {
    fuzz::require(!opened->list.fresh(Instant(), Instant()));
  }
  return 0;
}
