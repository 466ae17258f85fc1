#include "daemon/rest/console_gate.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/rest/exchange.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/console.hpp"
#include "sdk/wire/console_messages.hpp"

namespace chancery::rest {
namespace {

constexpr std::string_view kRoot = "/ui";
constexpr std::string_view kApi = "/ui/api/";
constexpr std::string_view kInterface = "/v1/";
constexpr std::string_view kCookie = "__Host-chancery";
constexpr std::string_view kInBackground = "; background";
constexpr std::string_view kNoSession = "1";  // the mark of a page that has none yet

constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

/// What it takes to ask for a route that does not only read by `GET`.
enum class Takes : std::uint8_t {
  kSession,       ///< it changes nothing, or what counts is the signature in the body
  kConfirmation,  ///< the operator, and a passkey's word for this very request
};
struct Opened {
  std::string_view method;
  std::string_view pattern;
  Takes takes;
};
constexpr auto kOpened = std::to_array<Opened>({
    {"POST", "/v1/agents/{name}/freeze", Takes::kConfirmation},
    {"POST", "/v1/agents/{name}/rotate", Takes::kConfirmation},
    {"DELETE", "/v1/approvals/{name}", Takes::kConfirmation},
    {"POST", "/v1/approvals/{name}/decision", Takes::kSession},
    {"POST", "/v1/approvers", Takes::kSession},
    {"POST", "/v1/chains/explain", Takes::kSession},
    {"POST", "/v1/chains/verify", Takes::kSession},
    {"POST", "/v1/freeze", Takes::kConfirmation},
    {"POST", "/v1/impact", Takes::kSession},
    {"POST", "/v1/revocations", Takes::kConfirmation},
});

// nullptr: it is opened by none of them.
const Opened* opened_by(const Route& route) noexcept {
  const auto* const found = std::ranges::find_if(kOpened, [&](const Opened& opened) {
    return opened.method == route.method && opened.pattern == route.pattern;
  });
  return found == kOpened.end() ? nullptr : found;
}

Error forbidden(const char* what) { return {ErrorCode::kForbidden, what}; }

/// What the page says of itself in every request.
struct Mark {
  std::string_view secret;
  bool in_background = false;
};

Mark mark_of(const Request& request) {
  std::string_view text = request.header("x-chancery-console").value_or("");
  const bool in_background = text.ends_with(kInBackground);
  if (in_background) text.remove_suffix(kInBackground.size());
  return {text, in_background};
}

// Browsers send these two by themselves, and no page can change them. The mark is one that a page of another origin cannot
// send without being asked whether it may, which is answered by nobody. Programs can send all of it: those who are sent the cookie, as a
// server on another port of this host is, do not know the session's mark.
Status require_page(const service::ConsoleOptions& options, const Request& request) {
  const bool only_reads = request.method == "GET" || request.method == "HEAD";
  const Mark mark = mark_of(request);
  if (mark.secret.empty() || (mark.in_background && !only_reads))
    return forbidden("this is for the console's page, which sends its mark as `X-Chancery-Console`");
  if (request.header("sec-fetch-site").value_or("same-origin") != "same-origin")
    return forbidden("another site's page may not use the console");
  if (only_reads) return {};
  const auto& origins = options.party.origins;
  const std::string_view origin = request.header("origin").value_or("");
  if (std::ranges::find(origins, origin) != origins.end()) return {};
  return forbidden("the page is not of this console: open it by an address that [console] origins names");
}

// Before an approver's passkey said who it is.
bool comes_before_passkey(const Route& route) noexcept {
  return route.pattern == "/ui/session" || route.handle == ask_console_sign_in ||
         route.handle == sign_in_to_console;
}

Status require_confirmation(service::Office& office, const Request& request) {
  if (request.visitor->role != service::ConsoleRole::kOperator)
    return forbidden("this is for the operator: an approver decides, and reads what is to be decided");
  const auto header = request.header("chancery-confirmation");
  if (!header) return forbidden("this takes a passkey's confirmation: ask for one by POST /ui/confirmations");
  CHANCERY_ASSIGN(const api::PasskeyAnswer answer, wire::read_passkey_confirmation(*header));
  return service::confirm(office, context_of(request), {request.method, request.path, request.body}, answer);
}

// What the interface asks of others by chains.
Status require_visit(service::Office& office, const Route& route, Request& request) {
  const Opened* const opened = opened_by(route);
  if (opened != nullptr && opened->takes == Takes::kConfirmation) {
    CHANCERY_TRY(require_confirmation(office, request));
    request.visitor->is_confirmed = true;
    return {};
  }
  const bool by_signature = opened != nullptr && !service::only_reads(route.scope);
  if (by_signature || route.scope.empty() || service::may_read(*request.visitor, route.scope)) return {};
  return forbidden("this session of the console may not read this: see `may` of GET /ui/session");
}

}  // namespace

bool is_console_path(std::string_view path) noexcept {
  return path.starts_with(kRoot) && (path.size() == kRoot.size() || path[kRoot.size()] == '/');
}

std::optional<std::string> console_api_path(std::string_view path) {
  if (!path.starts_with(kApi)) return std::nullopt;
  return std::string(kInterface).append(path.substr(kApi.size()));
}

bool is_for_console(const Route& route) noexcept {
  if (!route.pattern.starts_with(kInterface)) return false;
  const bool is_anywhere = route.listener == Listener::kAny || route.listener == Listener::kPrivileged;
  return is_anywhere && (route.method == "GET" || opened_by(route) != nullptr);
}

bool is_console_file(const Route& route) noexcept {
  return route.handle == show_console_page || route.handle == show_console_asset ||
         route.handle == show_console_file;
}

Status admit_visitor(service::Office& office, const Route& route, Request& request) {
  using service::ConsoleRefusal;
  const auto refuse = [&](ConsoleRefusal reason, const Error& why) {
    office.tallies->turned_away(reason);
    return why;
  };
  if (const Status page = require_page(office.console->options(), request); !page)
    return refuse(ConsoleRefusal::kForeign, page.error());
  const Mark mark = mark_of(request);
  if (route.handle == open_console) {
    if (mark.secret == kNoSession) return {};
    return refuse(ConsoleRefusal::kForeign, forbidden("a session is opened with `X-Chancery-Console: 1`"));
  }
  const auto session = service::visit_console(
      office, {console_cookie(request).value_or(""), mark.secret, !mark.in_background}, request.received_at);
  if (!session) return refuse(ConsoleRefusal::kSession, session.error());
  request.visitor = session->visitor;
  if (session->needs_passkey && !comes_before_passkey(route))
    return refuse(ConsoleRefusal::kMay, forbidden("sign in with your passkey first"));
  if (route.listener == Listener::kConsole) return {};
  const Status visit = require_visit(office, route, request);
  return visit ? visit : refuse(ConsoleRefusal::kMay, visit.error());
}

std::optional<std::string_view> console_cookie(const Request& request) {
  std::string_view cookies = request.header("cookie").value_or("");
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view cookie = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    const std::size_t equals = cookie.find('=');
    if (equals != std::string_view::npos && cookie.substr(0, equals) == kCookie)
      return cookie.substr(equals + 1);
  }
  return std::nullopt;
}

// The prefix of the name has browsers take it from this very host over TLS alone (RFC 6265bis section 4.1.3.2).
std::string set_console_cookie(std::string_view value) {
  std::string text(kCookie);
  text.append("=").append(value).append("; Path=/; Secure; HttpOnly; SameSite=Strict");
  return value.empty() ? text + "; Max-Age=0" : text;
}

// The edge adds nosniff, and no-store where nothing else is said.
void guard_console(Response& response) {
  constexpr std::array<std::pair<const char*, const char*>, 7> kHeaders{
      {{"Content-Security-Policy", kPolicy},
       {"X-Frame-Options", "DENY"},
       {"Referrer-Policy", "no-referrer"},
       {"Cross-Origin-Opener-Policy", "same-origin"},
       {"Cross-Origin-Embedder-Policy", "require-corp"},
       {"Cross-Origin-Resource-Policy", "same-origin"},
       {"Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-create=(self), "
        "publickey-credentials-get=(self)"}}};
  for (const auto& [name, value] : kHeaders) response.headers.emplace_back(name, value);
}

}  // namespace chancery::rest
