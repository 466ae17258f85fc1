#include <charconv>

#include "daemon/rest/entity_tag.hpp"
#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {
Response list_status_keys(service::Office& office, const Request& request, std::string_view) {
  return answered(service::list_status_keys(office, context_of(request)));
}

Response rotate_status_key(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_rotate_key, [&](const api::RotateKey& message) {
    return service::rotate_status_key(office, context_of(request), message);
  });
}

Response revoke(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_change_status, [&](const api::ChangeStatus& message) {
    return service::revoke(office, context_of(request), message);
  });
}

Response suspend(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_change_status, [&](const api::ChangeStatus& message) {
    return service::suspend(office, context_of(request), message);
  });
}

Response lift_suspension(service::Office& office, const Request& request, std::string_view id) {
  return answered(service::lift(office, context_of(request), id));
}

Response show_impact(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_ask_impact, [&](const api::AskImpact& message) {
    return service::impact(office, context_of(request), message);
  });
}

Response start_drill(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_create_drill, [&](const api::CreateDrill& message) {
    return service::start_drill(office, context_of(request), message);
  });
}

Response show_drill(service::Office& office, const Request& request, std::string_view id) {
  return answered(service::show_drill(office, context_of(request), id));
}

Response show_status_list(service::Office& office, const Request& request, std::string_view name) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  // One list has one name: a list's `sub` is its address.
  if (parsed.ec != std::errc() || std::to_string(number) != name) {
    return problem(404, ErrorCode::kNotFound, "there is no such status list");
  }
  const auto list = office.statuses.lists.get(number, request.received_at, request.deadline);
  if (!list) return problem(list.error());
  Response response{200, "application/statuslist+jwt", (*list)->compact, {}};
  // A list may be about to change or to expire whatever its age: the ETag makes asking again cheap.
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("ETag", (*list)->etag);
  if (!names_tag(request.header("if-none-match").value_or(""), (*list)->etag)) return response;
  response.status = 304;
  response.body.clear();
  return response;
}

}  // namespace chancery::rest
