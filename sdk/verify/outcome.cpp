#include <array>

#include <chancery/verify.hpp>

namespace chancery {

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kValid:
      return "valid";
    case Outcome::kMalformed:
      return "malformed";
    case Outcome::kNonCanonical:
      return "non_canonical";
    case Outcome::kDuplicateMember:
      return "duplicate_member";
    case Outcome::kNonFinite:
      return "non_finite";
    case Outcome::kSignatureInvalid:
      return "signature_invalid";
    case Outcome::kParHashMismatch:
      return "par_hash_mismatch";
    case Outcome::kDepthInvalid:
      return "depth_invalid";
    case Outcome::kPrincipalAltered:
      return "principal_altered";
    case Outcome::kNotNarrower:
      return "not_narrower";
    case Outcome::kExpired:
      return "expired";
    case Outcome::kHolderBindingFailed:
      return "holder_binding_failed";
    case Outcome::kRevoked:
      return "revoked";
    case Outcome::kStatusUnknown:
      return "status_unknown";
    case Outcome::kAudienceMismatch:
      return "audience_mismatch";
    case Outcome::kScopeNotGranted:
      return "scope_not_granted";
    case Outcome::kCeilingExceeded:
      return "ceiling_exceeded";
    case Outcome::kUnknownConstraint:
      return "unknown_constraint";
    case Outcome::kCustodyUnproven:
      return "custody_unproven";
  }
  return "";
}

std::string_view step_name(Step step) noexcept {
  constexpr std::array<std::string_view, 10> kNames{"parse", "1",       "2", "3", "4",
                                                    "5",     "custody", "6", "7", "8"};
  return kNames[static_cast<std::size_t>(step)];
}

std::string_view step_title(Step step) noexcept {
  switch (step) {
    case Step::kParse:
      return "form";
    case Step::kSignature:
      return "signatures";
    case Step::kLinkage:
      return "linkage to the parent";
    case Step::kShape:
      return "depth and principal";
    case Step::kNarrowing:
      return "narrowing";
    case Step::kValidity:
      return "validity in time";
    case Step::kCustody:
      return "where the keys live";
    case Step::kHolderBinding:
      return "proof of possession";
    case Step::kStatus:
      return "revocation status";
    case Step::kAction:
      return "the action itself";
  }
  return "";
}

}  // namespace chancery
