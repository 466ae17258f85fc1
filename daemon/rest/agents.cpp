#include <charconv>

#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
namespace {

struct Page {
  std::size_t limit = 100;
  std::string_view after;
};

// `limit` and `after`, nothing else.
Result<Page> read_page(std::string_view query) {
  Page page;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (item.starts_with("after=")) {
      page.after = item.substr(6);
      continue;
    }
    const std::string_view number = item.starts_with("limit=") ? item.substr(6) : std::string_view();
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), page.limit);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == number.data() + number.size();
    if (!whole || page.limit < 1 || page.limit > service::kMaxPage) {
      return Error{ErrorCode::kInvalidArgument,
                   "the query takes `limit` (1 to 1000) and `after` (the `next` of the page before)"};
    }
  }
  return page;
}

}  // namespace

Response create_agent(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_create_agent, [&](const api::CreateAgent& message) {
    return service::create_agent(office, context_of(request), message);
  });
}

Response list_agents(service::Office& office, const Request& request, std::string_view) {
  const auto page = read_page(request.query);
  if (!page) return problem(page.error());
  return answered(service::list_agents(office, context_of(request), page->limit, page->after));
}

Response show_agent(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::show_agent(office, context_of(request), name));
}

Response retire_agent(service::Office& office, const Request& request, std::string_view name) {
  return answered(service::retire_agent(office, context_of(request), name));
}

}  // namespace chancery::rest
