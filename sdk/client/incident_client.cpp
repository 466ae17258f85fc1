#include <string>
#include <utility>

#include <chancery/incident_client.hpp>

#include "sdk/base/name.hpp"
#include "sdk/client/client_impl.hpp"
#include "sdk/wire/incident_messages.hpp"

namespace chancery {
namespace {

using client::Call;

constexpr std::size_t kMostOctets = 64 * 1024 * 1024;

Result<api::Incident> take(std::string body) { return api::Incident{std::move(body)}; }

Result<Call<api::Incident>> opening(const api::OpenIncident& request) {
  if (!is_name(request.agent))
    return Error{ErrorCode::kInvalidArgument, "an agent's name is [a-z0-9][a-z0-9._-]{0,62}"};
  Call<api::Incident> call{{"POST", "/v1/incidents", wire::write(request)}, take};
  call.request.is_deed = true;
  call.request.max_answer = kMostOctets;
  return call;
}

}  // namespace

ClientResult<api::Incident> IncidentClient::open(const api::OpenIncident& request) const {
  return impl_->run(opening(request));
}

}  // namespace chancery
