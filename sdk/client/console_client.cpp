#include <chancery/console_client.hpp>

#include "sdk/client/client_impl.hpp"
#include "sdk/wire/console_messages.hpp"

namespace chancery {
namespace {

using client::Call;

Result<Call<api::ConsoleLink>> create_link() {
  return Call<api::ConsoleLink>{{"POST", "/v1/console/links", "{}"},
                                client::reading<wire::read_console_link>};
}

}  // namespace

ClientResult<api::ConsoleLink> ConsoleClient::link() const { return impl_->run(create_link()); }

}  // namespace chancery
