#include "sdk/verify/status_list.hpp"

#include <algorithm>

#include <zlib.h>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/token/jws.hpp"

namespace chancery {
namespace {

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

// Inflates one whole zlib stream (RFC 1950), no octet before or after it.
Result<Bytes> inflate_all(ByteView compressed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Error{ErrorCode::kInternal, "zlib could not start"};
  stream.next_in = const_cast<Bytef*>(compressed.data());  // zlib reads it only
  stream.avail_in = static_cast<uInt>(compressed.size());
  Bytes out;
  int rc = Z_OK;
  while (rc == Z_OK && out.size() <= kMaxStatusListBytes) {
    const std::size_t filled = out.size();
    out.resize(std::max<std::size_t>(filled * 2, 4096));
    stream.next_out = out.data() + filled;
    stream.avail_out = static_cast<uInt>(out.size() - filled);
    rc = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  const bool whole = rc == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > kMaxStatusListBytes)
    return Error{ErrorCode::kTooLarge, "the status list inflates beyond 16 MiB"};
  if (!whole) return malformed("`lst` is not one whole zlib stream");
  return out;
}

Result<std::optional<double>> read_optional_number(const json::Value& payload, std::string_view name) {
  const json::Value* claim = payload.find(name);
  if (claim == nullptr) return std::optional<double>();
  if (!claim->number()) return malformed("`exp` and `ttl` of a status list are numbers");
  return claim->number();
}

Result<StatusList> read_list(const json::Value& payload) {
  StatusList out;
  const json::Value* subject = payload.find("sub");
  if (subject == nullptr || !subject->string()) return malformed("a status list's `sub` is its URI");
  out.subject = *subject->string();
  if (const json::Value* iat = payload.find("iat")) out.iat = iat->number();
  CHANCERY_ASSIGN(out.exp, read_optional_number(payload, "exp"));
  CHANCERY_ASSIGN(out.ttl, read_optional_number(payload, "ttl"));
  const json::Value* list = payload.find("status_list");
  const json::Value* bits = list == nullptr ? nullptr : list->find("bits");
  const json::Value* lst = list == nullptr ? nullptr : list->find("lst");
  if (bits == nullptr || lst == nullptr || !lst->string())
    return malformed("a status list has `bits` and `lst`");
  const auto width = bits->integer();
  if (width != 1 && width != 2 && width != 4 && width != 8)
    return malformed("`bits` of a status list is 1, 2, 4 or 8");
  out.bits = static_cast<unsigned>(*width);
  CHANCERY_ASSIGN(const Bytes compressed, base64url_decode(*lst->string()));
  CHANCERY_ASSIGN(out.statuses, inflate_all(compressed));
  return out;
}

}  // namespace

std::optional<unsigned> StatusList::at(std::uint64_t index) const noexcept {
  const std::uint64_t per_octet = 8 / bits;
  if (index / per_octet >= statuses.size()) return std::nullopt;
  const unsigned octet = statuses[index / per_octet];
  const unsigned shift = static_cast<unsigned>(index % per_octet) * bits;  // least significant bits first
  return octet >> shift & ((1u << bits) - 1);
}

bool StatusList::fresh(std::chrono::sys_seconds fetched_at, std::chrono::sys_seconds now) const noexcept {
  if (!exp && !ttl) return false;
  const auto age = static_cast<double>((now - fetched_at).count());
  if (exp && static_cast<double>(now.time_since_epoch().count()) >= *exp) return false;
  return !ttl || (age >= 0 && age <= *ttl);
}

Result<SignedStatusList> open_status_list(std::string_view compact, std::span<const VerifyKey> keys) {
  // The list itself may be large: the limit on delegation tokens does not apply to it.
  CHANCERY_ASSIGN(const Jws jws, Jws::parse(compact, kMaxStatusListBytes));
  const json::Value* typ = jws.header.root().find("typ");
  if (typ == nullptr ||
      (typ->string() != "statuslist+jwt" && typ->string() != "application/statuslist+jwt")) {
    return malformed("a status list's `typ` is statuslist+jwt");
  }
  const ByteView message = as_bytes(jws.parts.signing_input);
  const Sha256Digest digest = sha256(message);
  const auto key = std::ranges::find_if(keys, [&](const VerifyKey& candidate) {
    return jws.algorithm == candidate.public_key().algorithm() &&
           candidate.verify(digest, message, jws.signature);
  });
  if (key == keys.end()) {
    return Error{ErrorCode::kSignatureInvalid,
                 "the status list verifies under none of the configured status keys"};
  }
  CHANCERY_ASSIGN(StatusList list, read_list(jws.payload.root()));
  return SignedStatusList{std::move(list), *key};
}

}  // namespace chancery
