#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/incident.hpp"

namespace chancery::rest {

Response open_incident(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_open_incident, [&](const api::OpenIncident& message) {
    return service::open_incident(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
