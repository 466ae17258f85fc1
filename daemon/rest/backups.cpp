#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response create_backup(service::Office& office, const Request& request, std::string_view) {
  const auto made = service::create_backup(office, context_of(request));
  return made ? json_response(201, wire::write(*made)) : problem(made.error());
}

}  // namespace chancery::rest
