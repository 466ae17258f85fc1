#include "daemon/service/freeze.hpp"

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response freeze_agent(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_freeze_reason, [&](const api::FreezeReason& message) {
    return service::freeze_agent(office, context_of(request), name, message);
  });
}

Response unfreeze_agent(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_signed_settings, [&](const api::SignedSettings& message) {
    return service::unfreeze_agent(office, context_of(request), name, message);
  });
}

Response show_freeze(service::Office& office, const Request& request, std::string_view) {
  return answered(service::show_freeze(office, context_of(request)));
}

Response freeze_all(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_freeze_reason, [&](const api::FreezeReason& message) {
    return service::freeze_all(office, context_of(request), message);
  });
}

Response lift_freeze(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_signed_settings, [&](const api::SignedSettings& message) {
    return service::lift_freeze(office, context_of(request), message);
  });
}

Response arm_switches(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_signed_settings, [&](const api::SignedSettings& message) {
    return service::arm_switches(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
