#include "daemon/rest/exchange.hpp"
#include "daemon/rest/page.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response show_overview(service::Office& office, const Request& request, std::string_view) {
  return answered(service::show_overview(office, context_of(request)));
}

Response list_anomalies(service::Office& office, const Request& request, std::string_view) {
  const auto page = read_page(request.query);
  if (!page) return problem(page.error());
  return answered(service::list_anomalies(office, context_of(request), page->limit));
}

}  // namespace chancery::rest
