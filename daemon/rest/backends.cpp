#include "daemon/service/backends.hpp"

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response list_backends(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_backends(office, context_of(request)));
}

Response show_backend(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::show_backend(office, context_of(request), name));
}

Response show_process(service::Office& office, const Request& request, std::string_view) {
  return answered(service::show_process(office, context_of(request)));
}

}  // namespace chancery::rest
