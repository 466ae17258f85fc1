#include <string>
#include <utility>

#include <chancery/freeze_client.hpp>

#include "sdk/base/name.hpp"
#include "sdk/client/client_impl.hpp"
#include "sdk/wire/freeze_messages.hpp"

namespace chancery {
namespace {

using client::Call;
using client::reading;

constexpr const char* kFreeze = "/v1/freeze";

Result<Call<api::AgentFreeze>> about(std::string_view agent, const char* verb, std::string body) {
  if (!is_name(agent))
    return Error{ErrorCode::kInvalidArgument, "an agent's name is [a-z0-9][a-z0-9._-]{0,62}"};
  return Call<api::AgentFreeze>{{"POST", "/v1/agents/" + std::string(agent) + "/" + verb, std::move(body)},
                                reading<wire::read_agent_freeze>};
}

Result<Call<api::FreezeState>> of_all(const char* method, const char* what, std::string body) {
  return Call<api::FreezeState>{{method, std::string(kFreeze) + what, std::move(body)},
                                reading<wire::read_freeze_state>};
}

}  // namespace

ClientResult<api::AgentFreeze> FreezeClient::freeze(std::string_view agent,
                                                    const api::FreezeReason& request) const {
  return impl_->run(about(agent, "freeze", wire::write(request)));
}

ClientResult<api::AgentFreeze> FreezeClient::unfreeze(std::string_view agent,
                                                      const api::SignedSettings& request) const {
  return impl_->run(about(agent, "unfreeze", wire::write(request)));
}

ClientResult<api::FreezeState> FreezeClient::state() const { return impl_->run(of_all("GET", "", {})); }

ClientResult<api::FreezeState> FreezeClient::freeze_all(const api::FreezeReason& request) const {
  return impl_->run(of_all("POST", "", wire::write(request)));
}

ClientResult<api::FreezeState> FreezeClient::lift(const api::SignedSettings& request) const {
  return impl_->run(of_all("POST", "/lift", wire::write(request)));
}

ClientResult<api::FreezeState> FreezeClient::arm(const api::SignedSettings& request) const {
  return impl_->run(of_all("POST", "/arm", wire::write(request)));
}

}  // namespace chancery
