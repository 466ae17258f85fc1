#include "daemon/rest/router.hpp"

#include <optional>

#include "daemon/rest/caller.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/authority.hpp"

namespace chancery::rest {
namespace {

constexpr std::string_view kArgument = "{name}";

// The argument when `path` fits `pattern`; nullopt when it does not.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
  const std::size_t place = pattern.find(kArgument);
  if (place == std::string_view::npos) {
    return pattern == path ? std::optional<std::string_view>("") : std::nullopt;
  }
  const std::string_view prefix = pattern.substr(0, place);
  const std::string_view suffix = pattern.substr(place + kArgument.size());
  if (path.size() < prefix.size() + suffix.size()) return std::nullopt;
  if (!path.starts_with(prefix) || !path.ends_with(suffix)) return std::nullopt;
  const std::string_view argument = path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
  if (argument.empty() || argument.find('/') != std::string_view::npos) return std::nullopt;
  return argument;
}

// HEAD asks for GET's headers; the edge leaves the body out.
bool is_method(const Route& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET");
}

// nullptr when the route exists where the request came in, else why it does not.
const char* why_not_here(Listener listener, const Request& request) {
  switch (listener) {
    case Listener::kAny:
      return nullptr;
    case Listener::kLocal:
      return request.peer.transport != Transport::kTls
                 ? nullptr
                 : "this path exists on the daemon's Unix socket and its plain loopback address only";
    case Listener::kPrivileged:
      return request.peer.credentials || request.peer.transport == Transport::kTls
                 ? nullptr
                 : "this path exists on the daemon's Unix socket and its TLS address only";
    case Listener::kTls:
      return request.peer.transport == Transport::kTls ? nullptr
                                                       : "this path exists on the daemon's TLS address only";
    case Listener::kUnixSocket:
      return request.peer.credentials ? nullptr : "this path exists on the daemon's Unix socket only";
  }
  return nullptr;
}

// Where there are partners, such a route may wait for a status list of theirs.
bool judges_chains(const Route& route) {
  return route.handle == verify_chain || route.handle == explain_chain;
}

Response method_not_allowed(const std::string& allowed) {
  Response response =
      problem(405, ErrorCode::kMethodNotAllowed, "this path has other methods: see the Allow header");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace

bool Router::may_block(std::string_view method, std::string_view path) const {
  for (const Route& route : routes()) {
    if (!is_method(route, method) || !match(route.pattern, path)) continue;
    return route.may_block || (judges_chains(route) && office_.trust.has_partners());
  }
  return false;
}

Response Router::handle(Request& request) {
  std::string allowed;
  for (const Route& route : routes()) {
    const auto argument = match(route.pattern, request.path);
    if (!argument) continue;
    if (const char* why = why_not_here(route.listener, request))
      return problem(404, ErrorCode::kRouteUnknown, why);
    if (is_method(route, request.method)) return run(route, request, *argument);
    allowed.append(allowed.empty() ? "" : ", ").append(route.method);
  }
  if (!allowed.empty()) return method_not_allowed(allowed);
  return problem(404, ErrorCode::kRouteUnknown, "there is nothing at this path: see /openapi.json");
}

Response Router::run(const Route& route, Request& request, std::string_view argument) {
  Response response = answer(route, request, argument);
  office_.requests->add(static_cast<std::size_t>(&route - routes().data()), response.status);
  return response;
}

Response Router::answer(const Route& route, Request& request, std::string_view argument) {
  const bool takes_chain =
      route.listener == Listener::kPrivileged && request.peer.transport == Transport::kTls;
  if (!takes_chain) return route.handle(office_, request, argument);
  Response response = answer_holder(route, request, argument);
  add_nonce(office_, request, response);
  return response;
}

Response Router::answer_holder(const Route& route, Request& request, std::string_view argument) {
  auto caller = find_caller(office_, request);
  if (!caller) return challenge(caller.error());
  const Status granted = service::require_scope(office_.policy, *caller, route.scope);
  if (!granted) return problem(granted.error());
  request.chain = *std::move(caller);
  return route.handle(office_, request, argument);
}

}  // namespace chancery::rest
