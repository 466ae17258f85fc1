#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response list_agent_keys(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::list_keys(office, context_of(request), name));
}

Response rotate_agent(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_rotate_key, [&](const api::RotateKey& message) {
    return service::rotate_agent(office, context_of(request), name, message);
  });
}

Response reenroll_agent(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_reenroll_agent, [&](const api::ReenrollAgent& message) {
    return service::reenroll_agent(office, context_of(request), name, message);
  });
}

Response list_issuer_keys(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_keys(office, context_of(request), {}));
}

Response rotate_issuer(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_rotate_key, [&](const api::RotateKey& message) {
    return service::rotate_issuer(office, context_of(request), message);
  });
}

Response list_webhook_keys(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_webhook_keys(office, context_of(request)));
}

Response rotate_webhook_key(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_rotate_key, [&](const api::RotateKey& message) {
    return service::rotate_webhook_key(office, context_of(request), message);
  });
}

Response revoke_key(service::Office& office, const Request& request, std::string_view thumbprint) {
  return exchange(request, 200, wire::read_revoke_key, [&](const api::RevokeKey& message) {
    return service::revoke_key(office, context_of(request), thumbprint, message);
  });
}

Response adopt_backend(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::adopt_backend(office, context_of(request), name));
}

}  // namespace chancery::rest
