#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/office.hpp"

namespace chancery::rest {

// What stands between the console's page and the routes (docs/protocol/console.md).

/// Whether a path is the console's: `/ui`, and all below.
[[nodiscard]] bool is_console_path(std::string_view path) noexcept;

/// The path of the interface that a path below `/ui/api/` stands for; nullopt for any other.
[[nodiscard]] std::optional<std::string> console_api_path(std::string_view path);

/// Whether a route of the interface exists below `/ui/api` too: what reads, decisions and enrolments, whose signatures count, and the
/// few acts that a passkey confirms.
[[nodiscard]] bool is_for_console(const Route& route) noexcept;

/// Whether a route gives one of the console's files, for which nobody signs in.
[[nodiscard]] bool is_console_file(const Route& route) noexcept;

/// Finds out who in the console sends a request, and whether that may be answered: the page's mark, origin, session, passkey, and of
/// what changes something the confirmation.
/// \param request  whose `visitor` is filled in, unless it asks for a session
/// \return kForbidden, kUnauthenticated
[[nodiscard]] Status admit_visitor(service::Office& office, const Route& route, Request& request);

/// The session's cookie; nullopt without one.
[[nodiscard]] std::optional<std::string_view> console_cookie(const Request& request);
/// `Set-Cookie` for a session's cookie, or to take it back. \param value  empty: it is taken back
[[nodiscard]] std::string set_console_cookie(std::string_view value);

/// Adds what every answer below `/ui` tells a browser: nothing of others is loaded, run, framed or told where it comes from.
void guard_console(Response& response);

}  // namespace chancery::rest
