#include "daemon/service/proved_custody.hpp"

#include <algorithm>

namespace chancery::service {

// Of several results the strongest counts: whoever reads it knows the verifier by `chancery attest show`.
std::string proved_custody(const Office& office, const Thumbprint& key, std::chrono::sys_seconds now) {
  const auto results = office.attestation.hosts.results(key, now);
  if (!results || results->empty()) return {};
  const auto best = std::ranges::max_element(*results, {}, &store::HeldResult::custody);
  return std::string(custody_name(best->custody));
}

}  // namespace chancery::service
