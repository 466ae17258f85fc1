#include <chancery/hop_custody.hpp>

#include "sdk/base/printable.hpp"

namespace chancery {
namespace {

std::string instant_text(std::chrono::sys_seconds at) {
  return utc_text(static_cast<double>(at.time_since_epoch().count()));
}

std::string how_it_was_judged(const HopCustody& hop) {
  std::string out(custody_name(hop.found.level));
  if (hop.how == CustodyBasis::kVouched) out.append(", vouched for by ").append(hop.verifier);
  if (hop.how == CustodyBasis::kProved) out.append(", proved by evidence that was judged here");
  out.append("; evidence of ").append(instant_text(hop.found.evidence_at));
  if (hop.expires_at) out.append(", counts until ").append(instant_text(*hop.expires_at));
  return out;
}

// What a TPM told of its host, for whoever compares it with what it told before.
std::string host_text(const KeyCustody& found) {
  if (found.ek.empty()) return {};
  std::string out = "; EK " + found.ek;
  if (!found.endorsement.empty()) out.append(" (").append(found.endorsement).append(")");
  return out + ", resets " + std::to_string(found.reset_count) + ", restarts " +
         std::to_string(found.restart_count) +
         (found.is_clock_safe ? "" : ", its clock may have been set back");
}

}  // namespace

std::string_view basis_name(CustodyBasis basis) noexcept {
  switch (basis) {
    case CustodyBasis::kUnproven:
      return "unproven";
    case CustodyBasis::kVouched:
      return "vouched";
    case CustodyBasis::kProved:
      return "proved";
    case CustodyBasis::kSession:
      return "session";
  }
  return "";
}

std::string_view custody_meaning(Custody custody) noexcept {
  switch (custody) {
    case Custody::kSoftware:
      return "nothing is proved of the key: somebody holds it";
    case Custody::kPkcs11Claimed:
      return "its PKCS#11 module says that the key cannot leave it, which nothing proves";
    case Custody::kPkcs11Attested:
      return "the HSM's vendor certifies that the key is in its device; nothing is said of who uses it";
    case Custody::kTpmCertifiedEmulated:
      return "a simulator's TPM certifies the key: this proves nothing about hardware";
    case Custody::kTpmCertified:
      return "a TPM certifies the key as its own; nothing is said of the state of its host";
    case Custody::kTpmQuoted:
      return "a TPM certifies the key as its own, and its host met the policy at that time";
  }
  return "";
}

std::string HopCustody::text() const {
  switch (how) {
    case CustodyBasis::kUnproven:
      return "unproven: nothing that counts says where this key lives";
    case CustodyBasis::kSession:
      return "session: a key in memory, for ten minutes at most, to which the key above handed over";
    case CustodyBasis::kVouched:
    case CustodyBasis::kProved:
      break;
  }
  return how_it_was_judged(*this) + host_text(found) +
         ". Meaning: " + std::string(custody_meaning(found.level));
}

}  // namespace chancery
