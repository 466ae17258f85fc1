#include <utility>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/page.hpp"
#include "daemon/rest/routes.hpp"
#include "sdk/wire/attestation_messages.hpp"

namespace chancery::rest {

// --- as a host

Response show_identity(service::Office& office, const Request& request, std::string_view backend) {
  return answered(service::show_identity(office, context_of(request), backend));
}

Response activate_credential(service::Office& office, const Request& request, std::string_view backend) {
  return exchange(request, 200, wire::read_attestation_challenge,
                  [&](const api::AttestationChallenge& challenge) {
                    return service::activate_credential(office, context_of(request), backend, challenge);
                  });
}

Response certify_key(service::Office& office, const Request& request, std::string_view thumbprint) {
  return exchange(request, 200, wire::read_certify_key, [&](const api::CertifyKey& message) {
    return service::certify_key(office, context_of(request), thumbprint, message);
  });
}

Response show_measurements(service::Office& office, const Request& request, std::string_view backend) {
  return exchange(request, 200, wire::read_certify_measurements,
                  [&](const api::CertifyMeasurements& message) {
                    return service::show_measurements(office, context_of(request), backend, message);
                  });
}

// --- as their verifier

Response enroll_host(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_enroll_host, [&](const api::EnrollHost& message) {
    return service::enroll_host(office, context_of(request), message);
  });
}

Response ask_challenge(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_ask_challenge, [&](const api::AskChallenge& message) {
    return service::ask_challenge(office, context_of(request), message);
  });
}

Response take_evidence(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_evidence, [&](const api::Evidence& message) {
    return service::take_evidence(office, context_of(request), message);
  });
}

Response list_hosts(service::Office& office, const Request& request, std::string_view) {
  const auto page = read_page(request.query);
  if (!page) return problem(page.error());
  return answered(service::list_hosts(office, context_of(request), page->limit, page->after));
}

Response show_host(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::show_host(office, context_of(request), name));
}

Response approve_host(service::Office& office, const Request& request, std::string_view name) {
  return exchange(request, 200, wire::read_approve_host, [&](const api::ApproveHost& message) {
    return service::approve_host(office, context_of(request), name, message);
  });
}

Response remove_host(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::remove_host(office, context_of(request), name));
}

Response show_attestation_results(service::Office& office, const Request& request,
                                  std::string_view thumbprint) {
  return answered(service::show_results(office, context_of(request), thumbprint));
}

Response list_attestation_keys(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_attestation_keys(office, context_of(request)));
}

Response rotate_attestation_key(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_rotate_key, [&](const api::RotateKey& message) {
    return service::rotate_attestation_key(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
