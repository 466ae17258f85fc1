#include "daemon/service/approvals.hpp"

#include <charconv>
#include <chrono>
#include <optional>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/form.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
namespace {

std::optional<std::size_t> whole(std::string_view text) {
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<api::ApprovalQuery> read_approval_query(const Request& request) {
  constexpr Error kWrong{
      ErrorCode::kInvalidArgument,
      "the query takes `state` (pending, approved, denied, cancelled, expired, used or lapsed; or settled), "
      "`order` (oldest or newest first), `limit` (1 to 1000) and `after` (the `next` of the page before)"};
  CHANCERY_ASSIGN(const Form form, Form::parse(request.query));
  if (!form.has_only({"state", "order", "limit", "after"})) return kWrong;
  api::ApprovalQuery query;
  query.state = form.text("state");
  query.after = form.text("after");
  const std::string_view order = form.text("order");
  if (!order.empty() && order != "oldest" && order != "newest") return kWrong;
  query.newest_first = order == "newest";
  const std::string_view limit = form.text("limit");
  if (limit.empty()) return query;
  const auto number = whole(limit);
  if (!number || *number < 1 || *number > service::kMaxPage) return kWrong;
  query.limit = *number;
  return query;
}

Result<std::chrono::seconds> read_wait(const Request& request) {
  constexpr Error kWrong{ErrorCode::kInvalidArgument, "the query takes `wait`, 0 to 30 seconds"};
  CHANCERY_ASSIGN(const Form form, Form::parse(request.query));
  if (!form.has_only({"wait"})) return kWrong;
  const std::string_view wait = form.text("wait");
  if (wait.empty()) return std::chrono::seconds(0);
  const auto number = whole(wait);
  if (!number || *number > static_cast<std::size_t>(service::kLongestWait.count())) return kWrong;
  return std::chrono::seconds(*number);
}

}  // namespace

Response list_approvals(service::Office& office, const Request& request, std::string_view) {
  const auto query = read_approval_query(request);
  if (!query) return problem(query.error());
  return answered(service::list_approvals(office, context_of(request), *query));
}

Response show_approval(service::Office& office, const Request& request, std::string_view id) {
  const auto wait = read_wait(request);
  if (!wait) return problem(wait.error());
  return answered(service::show_approval(office, context_of(request), id, *wait));
}

Response decide_approval(service::Office& office, const Request& request, std::string_view id) {
  return exchange(request, 200, wire::read_decide_approval, [&](const api::DecideApproval& message) {
    return service::decide_approval(office, context_of(request), id, message);
  });
}

Response cancel_approval(service::Office& office, const Request& request, std::string_view id) {
  return answered(service::cancel_approval(office, context_of(request), id));
}

}  // namespace chancery::rest
