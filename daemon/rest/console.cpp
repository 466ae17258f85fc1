// The console: its files, signing in, and what takes a passkey.

#include "daemon/service/console.hpp"

#include <algorithm>
#include <utility>

#include "daemon/rest/console_gate.hpp"
#include "daemon/rest/entity_tag.hpp"
#include "daemon/rest/exchange.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/wire/console_messages.hpp"

namespace chancery::rest {
namespace {

Response not_enabled() {
  return problem(404, ErrorCode::kRouteUnknown,
                 "the console is not enabled here: set [console] enabled, and restart");
}

Response file_response(const service::Office& office, const Request& request, std::string_view name,
                       const char* caching) {
  const service::ConsoleFile* const file = office.console->files().find(name);
  if (file == nullptr)
    return problem(404, ErrorCode::kRouteUnknown, "the console has no such file: its pages begin at /ui");
  Response response{200, file->type, file->body, {}};
  if (caching == nullptr) return response;
  response.headers.emplace_back("Cache-Control", caching);
  response.headers.emplace_back("ETag", file->etag);
  if (!names_tag(request.header("if-none-match").value_or(""), file->etag)) return response;
  response.status = 304;
  response.body.clear();
  return response;
}

// Scopes, of which the interface knows.
std::vector<std::string> readable(const service::ConsoleVisitor& visitor) {
  std::vector<std::string> scopes;
  for (const Route& route : routes()) {
    if (route.scope.empty() || !service::may_read(visitor, route.scope)) continue;
    if (std::ranges::find(scopes, route.scope) == scopes.end()) scopes.emplace_back(route.scope);
  }
  std::ranges::sort(scopes);
  return scopes;
}

Response session_response(int status, api::ConsoleSession session, const service::ConsoleVisitor& visitor) {
  session.may = readable(visitor);
  return json_response(status, wire::write(session));
}

Response entry_response(int status, service::ConsoleEntry entry) {
  Response response = session_response(status, std::move(entry.session), entry.visitor);
  response.headers.emplace_back("Set-Cookie", set_console_cookie(entry.cookie));
  return response;
}

/// Reads the body as a message and runs a use case with it that opens a session, or gives it another cookie.
template <typename Read, typename Run>
Response enter(const Request& request, int status, Read read, Run run) {
  if (const Status json = require_json(request); !json) return problem(json.error());
  const auto message = read(std::string_view(request.body));
  if (!message) return problem(message.error());
  auto entry = run(*message);
  return entry ? entry_response(status, *std::move(entry)) : problem(entry.error());
}

}  // namespace

// --- files

Response show_console_page(service::Office& office, const Request& request, std::string_view) {
  return file_response(office, request, "index.html", nullptr);
}

// Its name changes with what is in it.
Response show_console_asset(service::Office& office, const Request& request, std::string_view name) {
  return file_response(office, request, "assets/" + std::string(name), "public, max-age=31536000, immutable");
}

Response show_console_file(service::Office& office, const Request& request, std::string_view name) {
  return file_response(office, request, name, "no-cache");
}

// --- signing in

Response create_console_link(service::Office& office, const Request& request, std::string_view) {
  if (office.console == nullptr) return not_enabled();
  const auto link = service::give_console_link(office, context_of(request));
  return link ? json_response(201, wire::write(*link)) : problem(link.error());
}

// The session that the browser had before is left, and nobody can use it any more.
Response open_console(service::Office& office, const Request& request, std::string_view) {
  return enter(request, 201, wire::read_open_console, [&](const api::OpenConsole& message) {
    auto entry = service::open_console(office, context_of(request), message);
    const auto former = console_cookie(request);
    if (entry && former) office.console->leave(*former);
    return entry;
  });
}

Response show_console_session(service::Office& office, const Request& request, std::string_view) {
  auto session = service::show_console_session(office, context_of(request));
  return session ? session_response(200, *std::move(session), *request.visitor) : problem(session.error());
}

Response close_console(service::Office& office, const Request& request, std::string_view) {
  const Status closed = service::close_console(office, context_of(request));
  Response response = closed ? Response{204, "application/json", {}, {}} : problem(closed.error());
  response.headers.emplace_back("Set-Cookie", set_console_cookie({}));
  return response;
}

Response ask_console_sign_in(service::Office& office, const Request& request, std::string_view) {
  return answered(service::ask_sign_in(office, context_of(request)));
}

Response sign_in_to_console(service::Office& office, const Request& request, std::string_view) {
  return enter(request, 200, wire::read_passkey_answer, [&](const api::PasskeyAnswer& message) {
    return service::sign_in_with_passkey(office, context_of(request), message);
  });
}

// --- what takes a passkey

Response ask_console_confirmation(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_ask_confirmation, [&](const api::AskConfirmation& message) {
    return service::ask_confirmation(office, context_of(request), message);
  });
}

Response prepare_console_decision(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_prepare_decision, [&](const api::PrepareDecision& message) {
    return service::prepare_decision(office, context_of(request), message);
  });
}

Response prepare_console_authorization(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_prepare_authorization,
                  [&](const api::PrepareAuthorization& message) {
                    return service::prepare_authorization(office, context_of(request), message);
                  });
}

Response ask_console_passkey(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_ask_passkey, [&](const api::AskPasskey& message) {
    return service::ask_new_passkey(office, context_of(request), message);
  });
}

Response check_console_passkey(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 200, wire::read_check_passkey, [&](const api::CheckPasskey& message) {
    return service::check_new_passkey(office, context_of(request), message);
  });
}

}  // namespace chancery::rest
