#include "daemon/service/credentials.hpp"

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/page.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response put_credential(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_put_credential, [&](const api::PutCredential& message) {
    return service::put_credential(office, context_of(request), message);
  });
}

Response list_credentials(service::Office& office, const Request& request, std::string_view) {
  const auto page = read_page(request.query);
  if (!page) return problem(page.error());
  return answered(service::list_credentials(office, context_of(request), page->limit, page->after));
}

Response show_credential(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::show_credential(office, context_of(request), name));
}

Response revoke_credential(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::revoke_credential(office, context_of(request), name, {}));
}

Response revoke_credential_version(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_revoke_credential, [&](const api::RevokeCredential& message) {
    return service::revoke_credential(office, context_of(request), name, message);
  });
}

Response activate_credential_version(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_activate_credential, [&](const api::ActivateCredential& message) {
    return service::activate_credential_version(office, context_of(request), name, message);
  });
}

Response change_credential(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_change_credential, [&](const api::ChangeCredential& message) {
    return service::change_credential(office, context_of(request), name, message);
  });
}

Response rotate_credential(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_rotate_credential, [&](const api::RotateCredential& message) {
    return service::rotate_credential(office, context_of(request), name, message);
  });
}

Response reset_vault(service::Office& office, const Request& request, std::string_view) {
  if (const Status json = require_json(request); !json) return problem(json.error());
  const Status confirmed = wire::read_confirmation(request.body);
  if (!confirmed) return problem(confirmed.error());
  return answered(service::reset_vault(office, context_of(request)));
}

}  // namespace chancery::rest
