#include "daemon/service/watched.hpp"

#include <algorithm>
#include <array>

namespace chancery::service {

bool is_denial(ErrorCode code) noexcept {
  using enum ErrorCode;
  constexpr std::array kDenials{kNotNarrower,     kNoMeet,    kNothingGranted, kDepthExhausted, kParentDenied,
                                kUnboundedBudget, kForbidden, kNotHolder,      kProofRefused,   kNotFound};
  return std::ranges::find(kDenials, code) != kDenials.end();
}

std::string host_of(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::size_t end = uri.find_first_of("/?#", scheme + 3);
  std::string_view host = uri.substr(scheme + 3, end == std::string_view::npos ? end : end - scheme - 3);
  host.remove_prefix(host.rfind('@') + 1);  // who logs in there, and by what, is nobody's business
  return std::string(host);
}

}  // namespace chancery::service
