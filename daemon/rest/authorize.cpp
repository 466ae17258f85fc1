#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response authorize_action(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_authorize, [&](const api::Authorize& message) {
    return service::authorize(office, context_of(request), message);
  });
}

Response settle_decision(service::Office& office, const Request& request, std::string_view decision) {
  return exchange(request, 200, wire::read_settlement, [&](const api::Settlement& message) {
    return service::settle(office, context_of(request), decision, message);
  });
}

Response release_decision(service::Office& office, const Request& request, std::string_view decision) {
  return answered(service::release(office, context_of(request), decision));
}

Response show_budget(service::Office& office, const Request& request, std::string_view) {
  return answered(service::show_budget(office, context_of(request)));
}

Response accept_budget(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_accept_budget, [&](const api::AcceptBudget& message) {
    return service::accept_budget(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
