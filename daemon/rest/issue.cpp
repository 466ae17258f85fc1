#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::rest {
namespace {

// Says in the problem document why a presented chain does not verify. Verification is pure: asked again for
// the same instant, it gives the verdict that the use case saw.
Response with_verdict(const service::Office& office, const Request& request,
                      const std::vector<std::string>& chain, const Error& error) {
  const auto verdict = service::verify(office, request.received_at, {chain, std::nullopt});
  if (!verdict || verdict->valid()) return problem(error);
  const Denial& denial = verdict->denial();
  Response response = problem(error);
  const auto document = json::Document::parse(response.body);
  json::Node node =
      json::Node::object({{"outcome", outcome_name(denial.outcome)},
                          {"step", wire::step_node(step_name(denial.step))},
                          {"hop", denial.hop < 0 ? json::Node(nullptr) : json::Node(denial.hop)},
                          {"reason", denial.reason}});
  for (const json::Member& member : document->root().members())
    node.set(std::string(member.name), json::Node::copy(member.value));
  response.body = json::to_jcs(node);
  return response;
}

// A message that presents a chain: when the chain is what is wrong, the problem says how.
template <typename Read, typename Run>
Response exchange_with_chain(service::Office& office, const Request& request, Read read, Run run) {
  if (const Status json = require_json(request); !json) return problem(json.error());
  const auto message = read(std::string_view(request.body));
  if (!message) return problem(message.error());
  const auto answer = run(office, context_of(request), *message);
  if (answer) return json_response(201, wire::write(*answer));
  if (answer.error().code != ErrorCode::kParentDenied) return problem(answer.error());
  return with_verdict(office, request, message->chain, answer.error());
}

}  // namespace

Response create_grant(service::Office& office, const Request& request, std::string_view) {
  bool waits = false;
  Response response = exchange(request, 201, wire::read_create_grant, [&](const api::CreateGrant& message) {
    auto granted = service::grant(office, context_of(request), message);
    waits = granted && granted->approval;
    return granted;
  });
  if (waits) response.status = 202;
  return response;
}

Response create_operator(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_create_operator, [&](const api::CreateOperator& message) {
    return service::create_operator(office, context_of(request), message);
  });
}

Response create_delegation(service::Office& office, const Request& request, std::string_view) {
  return exchange_with_chain(office, request, wire::read_create_delegation, service::delegate);
}

Response create_session(service::Office& office, const Request& request, std::string_view) {
  return exchange_with_chain(office, request, wire::read_create_session, service::open_session);
}

Response create_proof(service::Office& office, const Request& request, std::string_view) {
  return exchange_with_chain(office, request, wire::read_create_proof, service::prove);
}

}  // namespace chancery::rest
