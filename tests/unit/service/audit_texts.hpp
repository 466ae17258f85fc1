#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "daemon/store/store.hpp"

namespace chancery::tests {

/// The last entries of the audit log, as they stand there, that have a text in them; a page at most.
[[nodiscard]] inline std::vector<std::string> audit_texts(store::Store& store, std::string_view about = {}) {
  const auto all = store.audit_tail(store::kMaxPage);
  BOOST_REQUIRE(all);
  std::vector<std::string> out;
  for (const store::AuditRecord& record : *all)
    if (record.json.find(about) != std::string::npos) out.push_back(record.json);
  return out;
}

/// Those of one action.
[[nodiscard]] inline std::vector<std::string> audit_texts_of(store::Store& store, const std::string& action) {
  return audit_texts(store, R"("action":")" + action + "\"");
}

/// The actions of those that have a text in them.
[[nodiscard]] inline std::vector<std::string> audited_actions(store::Store& store, std::string_view about) {
  std::vector<std::string> out;
  for (const std::string& entry : audit_texts(store, about)) {
    const std::size_t at = entry.find(R"("action":")") + 10;
    out.push_back(entry.substr(at, entry.find('"', at) - at));
  }
  return out;
}

}  // namespace chancery::tests
