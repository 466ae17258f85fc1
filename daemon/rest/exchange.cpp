#include "daemon/rest/exchange.hpp"

#include <algorithm>
#include <cctype>

namespace chancery::rest {

Response json_response(int status, std::string body) {
  return Response{status, "application/json", std::move(body), {}};
}

service::CallContext context_of(const Request& request) {
  service::CallContext context;
  if (const auto& peer = request.peer.credentials) {
    context.caller.process = service::Process{peer->uid,        peer->gid,  peer->groups,    peer->pid,
                                              peer->start_time, peer->unit, peer->executable};
  } else {
    context.caller.chain = request.chain;
    context.caller.visitor = request.visitor;
  }
  context.request_id = request.id;
  context.task = request.task;
  context.trace_id = request.trace_id;
  context.attempt = request.attempt;
  context.now = request.received_at;
  context.deadline = request.deadline;
  return context;
}

bool has_media_type(const Request& request, std::string_view type) {
  std::string_view declared = request.header("content-type").value_or("");
  declared = declared.substr(0, declared.find(';'));
  while (!declared.empty() && declared.back() == ' ') declared.remove_suffix(1);
  return std::ranges::equal(declared, type, [](unsigned char a, char b) { return std::tolower(a) == b; });
}

Status require_json(const Request& request) {
  if (has_media_type(request, "application/json")) return {};
  return Error{ErrorCode::kUnsupportedMediaType,
               "send the body as JSON, with `Content-Type: application/json`"};
}

}  // namespace chancery::rest
