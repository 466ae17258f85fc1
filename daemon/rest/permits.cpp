#include "daemon/service/permits.hpp"

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response ask_permit(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_ask_permit, [&](const api::AskPermit& message) {
    return service::ask_permit(office, context_of(request), message);
  });
}

Response use_permit(service::Office& office, const Request& request, std::string_view permit) {
  return answered(service::use_permit(office, context_of(request), permit));
}

Response report_result(service::Office& office, const Request& request, std::string_view permit) {
  return exchange(request, 200, wire::read_call_result, [&](const api::CallResult& message) {
    return service::report_result(office, context_of(request), permit, message);
  });
}

Response sign_receipts(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_sign_receipts, [&](const api::SignReceipts& message) {
    return service::sign_receipts(office, context_of(request), message);
  });
}

Response report_refusal(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_tool_refusal, [&](const api::ToolRefusal& message) {
    return service::report_refusal(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
