#include "daemon/rest/exchange.hpp"
#include "daemon/rest/page.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
Response create_agent(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_create_agent, [&](const api::CreateAgent& message) {
    return service::create_agent(office, context_of(request), message);
  });
}

Response list_agents(service::Office& office, const Request& request, std::string_view) {
  const auto page = read_page(request.query);
  if (!page) return problem(page.error());
  return answered(service::list_agents(office, context_of(request), page->limit, page->after));
}

Response show_agent(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::show_agent(office, context_of(request), name));
}

Response retire_agent(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::retire_agent(office, context_of(request), name));
}

}  // namespace chancery::rest
