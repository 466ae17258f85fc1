#include "daemon/rest/caller.hpp"
#include "daemon/rest/exchange.hpp"
#include "daemon/rest/routes.hpp"

namespace chancery::rest {

Response create_join_token(service::Office& office, const Request& request, std::string_view) {
  return exchange(request, 201, wire::read_create_join_token, [&](const api::CreateJoinToken& message) {
    return service::create_join_token(office, context_of(request), message);
  });
}

// The join token stands where a chain's last token would, bound to the proof in the same way.
Response join(service::Office& office, const Request& request, std::string_view) {
  const auto presented = read_presented(request);
  const auto joined = presented
                          ? service::join(office, context_of(request), presented->token, presented->proof)
                          : Result<api::Joined>(presented.error());
  Response response = joined ? json_response(201, wire::write(*joined)) : challenge(joined.error());
  add_nonce(office, request, response);
  return response;
}

}  // namespace chancery::rest
