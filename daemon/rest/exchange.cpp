#include "daemon/rest/exchange.hpp"

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
  }
  context.request_id = request.id;
  context.now = request.received_at;
  context.deadline = request.deadline;
  return context;
}

Status require_json(const Request& request) {
  std::string_view type = request.header("content-type").value_or("");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  constexpr std::string_view kJson = "application/json";
  bool equal = type.size() == kJson.size();
  for (std::size_t i = 0; equal && i < kJson.size(); ++i) {
    equal = std::tolower(static_cast<unsigned char>(type[i])) == kJson[i];
  }
  if (equal) return {};
  return Error{ErrorCode::kUnsupportedMediaType,
               "send the body as JSON, with `Content-Type: application/json`"};
}

}  // namespace chancery::rest
