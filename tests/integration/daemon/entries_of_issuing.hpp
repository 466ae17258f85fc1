#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <boost/test/unit_test.hpp>

#include "daemon/store/store.hpp"

namespace chancery::tests {

/// How many entries the audit log has of what was done about agents, keys and tokens. What a daemon found out about where
/// keys are it does when it has the time for it; and how it fares itself says nothing of these.
inline std::uint64_t entries_of_issuing(store::Store& store) {
  constexpr std::array kOthers{"attestation", "host.", "daemon.", "counter.", "audit"};
  std::uint64_t found = 0;
  std::uint64_t last = 0;
  for (;;) {
    const auto page = store.audit_after(last, store::kMaxPage);
    BOOST_REQUIRE(page);
    if (page->empty()) return found;
    for (const store::AuditRecord& entry : *page) {
      const bool is_other = std::ranges::any_of(kOthers, [&](const char* action) {
        return entry.json.starts_with(std::string(R"({"action":")") + action);
      });
      const bool is_done = entry.json.find(R"("outcome":"done")") != std::string::npos;
      found += is_done && !is_other ? 1 : 0;
    }
    last = page->back().sequence;
  }
}

}  // namespace chancery::tests
