#include "daemon/service/issuers.hpp"

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response list_issuers(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_issuers(office, context_of(request)));
}

Response begin_consent(service::Office& office, const Request& request, std::string_view issuer) {
  return exchange(request, 201, wire::read_begin_consent, [&](const api::BeginConsent& message) {
    return service::begin_consent(office, context_of(request), issuer, message);
  });
}

Response finish_consent(service::Office& office, const Request& request, std::string_view issuer) {
  return exchange(request, 200, wire::read_finish_consent, [&](const api::FinishConsent& message) {
    return service::finish_consent(office, context_of(request), issuer, message);
  });
}

}  // namespace chancery::rest
