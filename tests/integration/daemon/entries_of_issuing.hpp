#pragma once

#include <cstdint>

#include <boost/test/unit_test.hpp>

#include "daemon/store/store.hpp"

namespace chancery::tests {

/// How many entries the audit log has that are about agents, keys and tokens. What a daemon found out about where keys are it
/// does when it has the time for it.
inline std::uint64_t entries_of_issuing(store::Store& store) {
  std::uint64_t found = 0;
  std::uint64_t last = 0;
  for (;;) {
    const auto page = store.audit_after(last, store::kMaxPage);
    BOOST_REQUIRE(page);
    if (page->empty()) return found;
    for (const store::AuditRecord& entry : *page) {
      const bool is_attestation = entry.json.starts_with(R"({"action":"attestation)") ||
                                  entry.json.starts_with(R"({"action":"host.)");
      found += is_attestation ? 0 : 1;
    }
    last = page->back().sequence;
  }
}

}  // namespace chancery::tests
