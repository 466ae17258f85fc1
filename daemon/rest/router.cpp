#include "daemon/rest/router.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/rest/caller.hpp"
#include "daemon/rest/console_gate.hpp"
#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/cleanse.hpp"

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
    case Listener::kConsole:
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

// Where the body itself may say enough, nobody has to show a chain; one that is shown is looked at.
bool takes_chain(const Route& route, const Request& request) {
  if (request.peer.transport != Transport::kTls) return false;
  if (route.listener == Listener::kPrivileged) return true;
  return route.listener == Listener::kAny && !route.scope.empty() && request.header("authorization");
}

Response method_not_allowed(const std::string& allowed) {
  Response response =
      problem(405, ErrorCode::kMethodNotAllowed, "this path has other methods: see the Allow header");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

// What the argument of a route names.
struct ArgumentName {
  std::string_view prefix;
  const char* id;
};
constexpr ArgumentName kArgumentNames[] = {
    {"/v1/agents/", "agent"},     {"/v1/attestation/hosts/", "host"},
    {"/v1/backends/", "backend"}, {"/v1/decisions/", "decision"},
    {"/v1/keys/", "key"},         {"/v1/suspensions/", "act"},
};
constexpr std::size_t kLongestIdentifier = 128;

// It is the sender's, and is judged by nobody yet.
bool may_be_recorded(std::string_view argument) {
  return argument.size() <= kLongestIdentifier &&
         std::ranges::all_of(argument, [](char c) { return c > ' ' && c <= '~'; });
}

service::AuditFacts facts_of(const Route& route, std::string_view argument) {
  service::AuditFacts facts;
  if (argument.empty() || !may_be_recorded(argument)) return facts;
  for (const ArgumentName& named : kArgumentNames) {
    if (!route.pattern.starts_with(named.prefix)) continue;
    if (named.id == std::string_view("agent")) {
      facts.agent = argument;
    } else {
      facts.ids.emplace_back(named.id, argument);
    }
  }
  return facts;
}

// To be told the nonce that a proof must carry is how a caller over TLS begins, and no refusal of anything.
bool is_to_be_recorded(const service::Attempt& attempt, const Response& response) {
  const bool is_beginning = response.refusal && response.refusal->code == ErrorCode::kNonceRequired;
  return !attempt.action.empty() && response.status >= 400 && !attempt.is_recorded && !is_beginning;
}

}  // namespace

bool Router::may_block(std::string_view method, std::string_view path) const {
  const auto meant = console_api_path(path);
  if (meant) path = *meant;
  for (const Route& route : routes()) {
    if (!is_method(route, method) || !match(route.pattern, path)) continue;
    return route.may_block || (judges_chains(route) && office_.trust.has_partners());
  }
  return false;
}

Response Router::handle(Request& request) {
  if (!is_console_path(request.path)) return dispatch(request, request.path);
  const auto meant = console_api_path(request.path);
  Response response = office_.console != nullptr
                          ? dispatch(request, meant ? *meant : request.path)
                          : problem(404, ErrorCode::kRouteUnknown,
                                    "the console is not enabled here: set [console] enabled, and restart");
  guard_console(response);
  return response;
}

/// \param path  the request's own, or that of the interface for which it stands
Response Router::dispatch(Request& request, std::string_view path) {
  const bool is_by_console = path != request.path;
  std::string allowed;
  const char* elsewhere = nullptr;
  for (const Route& route : routes()) {
    const auto argument = match(route.pattern, path);
    if (!argument || (is_by_console && !is_for_console(route))) continue;
    const Listener listener = is_by_console ? Listener::kConsole : route.listener;
    const bool is_meant = is_method(route, request.method);
    if (const char* why = why_not_here(listener, request)) {
      if (is_meant) return problem(404, ErrorCode::kRouteUnknown, why);
      elsewhere = why;
      continue;
    }
    if (is_meant) return run(route, request, *argument);
    allowed.append(allowed.empty() ? "" : ", ").append(route.method);
  }
  if (!allowed.empty()) return method_not_allowed(allowed);
  if (elsewhere != nullptr) return problem(404, ErrorCode::kRouteUnknown, elsewhere);
  return problem(404, ErrorCode::kRouteUnknown, "there is nothing at this path: see /openapi.json");
}

Response Router::run(const Route& route, Request& request, std::string_view argument) {
  const auto begun = std::chrono::steady_clock::now();
  service::Attempt attempt{.action = route.action, .facts = facts_of(route, argument)};
  request.attempt = &attempt;
  Response response = answer(route, request, argument);
  if (is_to_be_recorded(attempt, response)) response = record_refusal(request, std::move(response));
  request.attempt = nullptr;
  if (route.carries_secret) cleanse(request.body);
  response.carries_secret = route.carries_secret;
  const auto took = std::chrono::steady_clock::now() - begun;
  office_.requests->add(static_cast<std::size_t>(&route - routes().data()), response.status);
  office_.tallies->took(class_of(route)).add(took);
  if (response.status >= 400) response.body = office_.redactor->json(std::move(response.body));
  tell(route, request, response, took);
  return response;
}

// Without a record nothing is answered, a refusal neither.
Response Router::record_refusal(const Request& request, Response refused) {
  const service::CallContext context = context_of(request);
  if (!office_.audit.refusals.admit(service::identity_of(context.caller), context.now)) return refused;
  const bool is_ours = refused.status >= 500;
  const auto recorded = office_.store.append_audit(service::refusal_entry(
      context, refused.refusal, is_ours ? service::AuditOutcome::kFailed : service::AuditOutcome::kRefused));
  return recorded ? std::move(refused) : problem(recorded.error());
}

// For debugging: which route it was, and who asked.
void Router::tell(const Route& route, const Request& request, const Response& response,
                  std::chrono::nanoseconds took) const {
  const telemetry::Log* const log = office_.log;
  if (log == nullptr || !log->writes(telemetry::Level::kDebug)) return;
  const std::string caller = service::identity_of(context_of(request).caller);
  log->debug("route", {{"method", route.method},
                       {"route", route.pattern},
                       {"caller", caller},
                       {"status", response.status},
                       {"us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()}});
}

Response Router::answer(const Route& route, Request& request, std::string_view argument) {
  if (is_console_path(request.path)) return answer_visitor(route, request, argument);
  if (!takes_chain(route, request)) return route.handle(office_, request, argument);
  Response response = answer_holder(route, request, argument);
  add_nonce(office_, request, response);
  return response;
}

Response Router::answer_visitor(const Route& route, Request& request, std::string_view argument) {
  if (!is_console_file(route)) {
    if (const Status admitted = admit_visitor(office_, route, request); !admitted)
      return problem(admitted.error());
  }
  return route.handle(office_, request, argument);
}

Response Router::answer_holder(const Route& route, Request& request, std::string_view argument) {
  auto caller = find_caller(office_, request);
  if (!caller) return challenge(caller.error());
  request.chain = *std::move(caller);  // who is refused below is known
  if (route.listener == Listener::kAny) return route.handle(office_, request, argument);
  const Status granted = service::require_scope(*office_.policy.current(), *request.chain, route.scope);
  if (!granted) return problem(granted.error());
  return route.handle(office_, request, argument);
}

}  // namespace chancery::rest
