#include "daemon/service/console_sight.hpp"

#include <charconv>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/form.hpp"
#include "daemon/rest/routes.hpp"
#include "sdk/wire/console_messages.hpp"

namespace chancery::rest {
namespace {

/// \param otherwise  when there is none
/// \return nullopt when it is no number
template <typename Number>
std::optional<Number> number_in(std::string_view text, Number otherwise) {
  if (text.empty()) return otherwise;
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<api::ConsoleAgentQuery> read_agent_query(const Request& request) {
  constexpr Error kWrong{
      ErrorCode::kInvalidArgument,
      "the query takes `search`, `after` (the `next` of the page before) and `limit` (1 to 200)"};
  CHANCERY_ASSIGN(const Form form, Form::parse(request.query));
  if (!form.has_only({"search", "after", "limit"})) return kWrong;
  api::ConsoleAgentQuery query;
  const auto limit = number_in(form.text("limit"), query.limit);
  if (!limit) return kWrong;
  query.search = form.text("search");
  query.after = form.text("after");
  query.limit = *limit;
  return query;
}

Result<api::ConsoleAuditQuery> read_audit_query(const Request& request) {
  constexpr Error kWrong{
      ErrorCode::kInvalidArgument,
      "the query takes `ref`, `action`, `before` (an entry's number) and `limit` (1 to 200)"};
  CHANCERY_ASSIGN(const Form form, Form::parse(request.query));
  if (!form.has_only({"ref", "action", "before", "limit"})) return kWrong;
  api::ConsoleAuditQuery query;
  const auto limit = number_in(form.text("limit"), query.limit);
  const auto before = number_in(form.text("before"), std::uint64_t{0});
  if (!limit || !before) return kWrong;
  query.ref = form.text("ref");
  query.action = form.text("action");
  if (!form.text("before").empty()) query.before = *before;
  query.limit = *limit;
  return query;
}

}  // namespace

Response list_console_agents(service::Office& office, const Request& request, std::string_view) {
  const auto query = read_agent_query(request);
  if (!query) return problem(query.error());
  return answered(service::list_console_agents(office, context_of(request), *query));
}

Response show_console_agent(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::show_console_agent(office, context_of(request), name));
}

Response show_console_approval(service::Office& office, const Request& request, std::string_view id) {
  return answered(service::show_console_approval(office, context_of(request), id));
}

Response show_console_chain(service::Office& office, const Request& request, std::string_view token) {
  return answered(service::show_console_chain(office, context_of(request), token));
}

Response search_audit(service::Office& office, const Request& request, std::string_view) {
  const auto query = read_audit_query(request);
  if (!query) return problem(query.error());
  return answered(service::search_audit(office, context_of(request), *query));
}

}  // namespace chancery::rest
