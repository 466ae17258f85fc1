#include "sdk/verify/status_list_writer.hpp"

#include <zlib.h>

#include "sdk/base/base64url.hpp"
#include "sdk/token/jws.hpp"

namespace chancery {
namespace {

// The draft recommends the highest level: a list is compressed once and fetched by many.
Result<Bytes> deflate_all(ByteView octets) {
  uLongf size = compressBound(static_cast<uLong>(octets.size()));
  Bytes out(size);
  const int rc =
      compress2(out.data(), &size, octets.data(), static_cast<uLong>(octets.size()), Z_BEST_COMPRESSION);
  if (rc != Z_OK) return Error{ErrorCode::kInternal, "not enough memory to compress a status list"};
  out.resize(size);
  return out;
}

}  // namespace

Result<Bytes> pack_statuses(std::span<const StatusEntry> entries, std::uint64_t size, unsigned bits) {
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8) {
    return Error{ErrorCode::kInvalidArgument, "an entry of a status list has 1, 2, 4 or 8 bits"};
  }
  const std::uint64_t per_octet = 8 / bits;
  if (size > std::uint64_t{kMaxStatusListBytes} * per_octet) {
    return Error{ErrorCode::kTooLarge, "no verifier reads a status list above 16 MiB: make several"};
  }
  const unsigned mask = (1u << bits) - 1;
  Bytes out(static_cast<std::size_t>((size + per_octet - 1) / per_octet));
  for (const StatusEntry& entry : entries) {
    if (entry.index >= size || entry.status > mask) {
      return Error{ErrorCode::kInvalidArgument, "a status is beyond its list's end or needs more bits"};
    }
    const unsigned shift = static_cast<unsigned>(entry.index % per_octet) * bits;
    std::uint8_t& octet = out[static_cast<std::size_t>(entry.index / per_octet)];
    octet = static_cast<std::uint8_t>((octet & ~(mask << shift)) | entry.status << shift);
  }
  return out;
}

Result<std::string> status_list_signing_input(const StatusList& list, std::chrono::sys_seconds issued_at,
                                              const PublicKey& signer) {
  CHANCERY_ASSIGN(const Bytes compressed, deflate_all(list.statuses));
  const json::Node header = json::Node::object({{"alg", algorithm_name(signer.algorithm())},
                                                {"kid", signer.thumbprint().text()},
                                                {"typ", "statuslist+jwt"}});
  json::Node payload = json::Node::object(
      {{"sub", list.subject},
       {"iat", issued_at.time_since_epoch().count()},
       {"status_list", json::Node::object({{"bits", list.bits}, {"lst", base64url_encode(compressed)}})}});
  if (list.exp) payload.set("exp", *list.exp);
  if (list.ttl) payload.set("ttl", *list.ttl);
  return signing_input_of(header, payload);
}

}  // namespace chancery
