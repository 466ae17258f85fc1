#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response verify_chain(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_verify_chain, [&](const api::VerifyChain& message) {
    return service::verify(office, request.received_at, message);
  });
}

}  // namespace chancery::rest
