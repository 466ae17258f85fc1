#include <set>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/openapi.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
namespace {

// What is the same for everybody for a while may be cached, unlike all else.
Response cacheable(std::string body) {
  Response response = json_response(200, std::move(body));
  response.headers.emplace_back("Cache-Control", "public, max-age=60");
  return response;
}

}  // namespace

Response show_key_set(service::Office& office, const Request&, std::string_view) {
  return cacheable(service::key_set(office));
}

Response show_status_key_set(service::Office& office, const Request&, std::string_view) {
  return cacheable(service::status_key_set(office));
}

Response show_attestation_key_set(service::Office& office, const Request&, std::string_view) {
  return cacheable(service::attestation_key_set(office));
}

Response show_webhook_key_set(service::Office& office, const Request&, std::string_view) {
  return cacheable(service::webhook_key_set(office));
}

Response show_metadata(service::Office& office, const Request&, std::string_view) {
  return cacheable(service::metadata(office));
}

Response show_protected_resource(service::Office& office, const Request&, std::string_view) {
  std::set<std::string_view> scopes;
  for (const Route& route : routes()) {
    if (!route.scope.empty()) scopes.insert(route.scope);
  }
  return cacheable(service::protected_resource(office, {scopes.begin(), scopes.end()}));
}

Response show_openapi(service::Office&, const Request&, std::string_view) {
  return cacheable(std::string(openapi_json()));
}

Response show_health(service::Office&, const Request&, std::string_view) {
  return json_response(200, R"({"status":"ok"})");
}

Response show_readiness(service::Office& office, const Request& request, std::string_view) {
  const api::Readiness readiness = office.readiness.ask(request.received_at, request.deadline);
  return json_response(readiness.ready ? 200 : 503, readiness.json);
}

}  // namespace chancery::rest
