#include "attest/evidence/refusal.hpp"

#include <cstdlib>

namespace chancery::attest {

std::string_view check_name(Check check) noexcept {
  switch (check) {
    case Check::kMalformed:
      return "malformed";
    case Check::kAkKey:
      return "ak_key";
    case Check::kAkAttributes:
      return "ak_attributes";
    case Check::kAkCertKey:
      return "ak_cert_key";
    case Check::kAkName:
      return "ak_name";
    case Check::kNoAk:
      return "no_ak";
    case Check::kEkTemplate:
      return "ek_template";
    case Check::kNoEndorsement:
      return "no_endorsement";
    case Check::kCertParse:
      return "cert_parse";
    case Check::kCriticalExtension:
      return "critical_extension";
    case Check::kChain:
      return "chain";
    case Check::kTime:
      return "time";
    case Check::kIsCa:
      return "is_ca";
    case Check::kNotEk:
      return "not_ek";
    case Check::kKeyUsage:
      return "key_usage";
    case Check::kKeyMismatch:
      return "key_mismatch";
    case Check::kWeakHash:
      return "weak_hash";
    case Check::kScheme:
      return "scheme";
    case Check::kSignature:
      return "signature";
    case Check::kMagic:
      return "magic";
    case Check::kType:
      return "type";
    case Check::kNonce:
      return "nonce";
    case Check::kPcrSelection:
      return "pcr_selection";
    case Check::kPcrMissing:
      return "pcr_missing";
    case Check::kPcrDigest:
      return "pcr_digest";
    case Check::kName:
      return "name";
    case Check::kCreationHash:
      return "creation_hash";
    case Check::kIndexKind:
      return "index_kind";
    case Check::kIndexPart:
      return "index_part";
    case Check::kKeyParent:
      return "key_parent";
    case Check::kKeyType:
      return "key_type";
    case Check::kKeyAttributes:
      return "key_attributes";
    case Check::kKeyPolicy:
      return "key_policy";
    case Check::kPcrPolicy:
      return "pcr_policy";
    case Check::kFirmware:
      return "firmware";
    case Check::kReset:
      return "reset";
    case Check::kRollback:
      return "rollback";
    case Check::kClaims:
      return "claims";
    case Check::kIntegrity:
      return "integrity";
    case Check::kSecret:
      return "secret";
    case Check::kLogParse:
      return "log_parse";
    case Check::kLogReplay:
      return "log_replay";
  }
  std::abort();
}

}  // namespace chancery::attest
