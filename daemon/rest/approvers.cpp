#include "daemon/service/approvers.hpp"

#include <string>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"
#include "sdk/base/percent.hpp"

namespace chancery::rest {
namespace {

// Principals have characters that clients escape in paths.
Result<std::string> unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '%') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto octet = decode_escape(text);
    if (!octet)
      return Error{ErrorCode::kInvalidArgument, "in the path, `%` stands before two hexadecimal digits"};
    out += *octet;
    text.remove_prefix(3);
  }
  return out;
}

}  // namespace

Response list_approvers(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_approvers(office, context_of(request)));
}

Response show_approver(service::Office& office, const Request& request, std::string_view argument) {
  const auto principal = unescaped(argument);
  if (!principal) return problem(principal.error());
  return answered(service::show_approver(office, context_of(request), *principal));
}

Response list_gates(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_gates(office, context_of(request)));
}

Response enroll_approver(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_enroll_approver, [&](const api::EnrollApprover& message) {
    return service::enroll_approver(office, context_of(request), message);
  });
}

Response revoke_approver_key(service::Office& office, const Request& request, std::string_view jkt) {
  return exchange(request, 200, wire::read_revoke_approver_key, [&](const api::RevokeApproverKey& message) {
    return service::revoke_approver_key(office, context_of(request), jkt, message);
  });
}

}  // namespace chancery::rest
