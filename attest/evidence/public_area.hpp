#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>

#include "attest/evidence/hash.hpp"
#include "attest/evidence/refusal.hpp"
#include "sdk/crypto/openssl_handles.hpp"

namespace chancery::attest {

/// The public area of a key (TPMT_PUBLIC, TPM 2.0 Part 2, 12.2.4) as somebody presented it: well formed, and nothing
/// more is known of it.
class PublicArea {
 public:
  enum class Form : std::uint8_t {
    kBare,   ///< TPMT_PUBLIC
    kSized,  ///< TPM2B_PUBLIC
  };

  /// \return the area, or kMalformed; also for a name algorithm that is no hash
  [[nodiscard]] static Judged<PublicArea> parse(ByteView octets, Form form);

  [[nodiscard]] const TPMT_PUBLIC& area() const noexcept { return area_; }
  [[nodiscard]] Hash name_hash() const noexcept { return name_hash_; }
  /// The key's Name (Part 1, 16): its hash algorithm and the hash of the area.
  [[nodiscard]] const Bytes& name() const noexcept { return name_; }
  /// \param parent  the parent's qualified name, or the four octets of a hierarchy's handle
  [[nodiscard]] Bytes qualified_name(ByteView parent) const;
  [[nodiscard]] bool has(TPMA_OBJECT attributes) const noexcept {
    return (area_.objectAttributes & attributes) == attributes;
  }

  /// RSA with 2048 bits or more, P-256 or P-384. \return kAkKey for others, kMalformed for no point of the curve
  [[nodiscard]] Judged<openssl::Pkey> key() const;
  /// The point of a P-256 key, which nobody has looked for on its curve. \return kMalformed for no P-256 key
  [[nodiscard]] Judged<PublicKey> p256() const;

 private:
  PublicArea(const TPMT_PUBLIC& area, Hash name_hash, Bytes name);

  TPMT_PUBLIC area_;
  Hash name_hash_;
  Bytes name_;
};

}  // namespace chancery::attest
