#include "daemon/service/occasion.hpp"

#include <utility>

#include "daemon/service/audit_entry.hpp"

namespace chancery::service {

Occasion on_behalf_of(const CallContext& context) { return {context.now, context.deadline, &context}; }

store::AuditEntry audit_entry(std::string_view action, const Occasion& occasion, json::Node details) {
  return occasion.caller != nullptr ? audit_entry(action, *occasion.caller, std::move(details))
                                    : audit_entry(action, occasion.now, std::move(details));
}

}  // namespace chancery::service
