#include "daemon/vault/issuer.hpp"

namespace chancery::vault {

std::string_view issuer_state_name(IssuerState state) noexcept {
  switch (state) {
    case IssuerState::kReady:
      return "ready";
    case IssuerState::kNeedsConsent:
      return "needs_consent";
    case IssuerState::kFailing:
      return "failing";
  }
  return "";
}

}  // namespace chancery::vault
