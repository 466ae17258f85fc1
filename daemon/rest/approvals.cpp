#include "daemon/service/approvals.hpp"

#include <charconv>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/form.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
namespace {

Result<api::ApprovalQuery> read_approval_query(const Request& request) {
  constexpr Error kWrong{ErrorCode::kInvalidArgument,
                         "the query takes `state` (pending, cancelled or expired), `limit` (1 to 1000) and "
                         "`after` (the `next` of the page before)"};
  CHANCERY_ASSIGN(const Form form, Form::parse(request.query));
  if (!form.has_only({"state", "limit", "after"})) return kWrong;
  api::ApprovalQuery query;
  query.state = form.text("state");
  query.after = form.text("after");
  const std::string_view limit = form.text("limit");
  if (limit.empty()) return query;
  const auto parsed = std::from_chars(limit.data(), limit.data() + limit.size(), query.limit);
  const bool is_whole = parsed.ec == std::errc() && parsed.ptr == limit.data() + limit.size();
  if (!is_whole || query.limit < 1 || query.limit > service::kMaxPage) return kWrong;
  return query;
}

}  // namespace

Response list_approvals(service::Office& office, const Request& request, std::string_view) {
  const auto query = read_approval_query(request);
  if (!query) return problem(query.error());
  return answered(service::list_approvals(office, context_of(request), *query));
}

Response show_approval(service::Office& office, const Request& request, std::string_view id) {
  return answered(service::show_approval(office, context_of(request), id));
}

Response cancel_approval(service::Office& office, const Request& request, std::string_view id) {
  return answered(service::cancel_approval(office, context_of(request), id));
}

}  // namespace chancery::rest
