#pragma once

#include <chancery/api_console.hpp>
#include <chancery/client.hpp>

namespace chancery {

/// What programs ask around the console; everything that Client says of its own calls holds. Borrows the client, which must
/// outlive it but may be moved.
class ConsoleClient {
 public:
  explicit ConsoleClient(const Client& daemon) noexcept : impl_(daemon.impl_.get()) {}

  /// A link that signs in to the console once, within a minute; on the Unix socket alone.
  ClientResult<api::ConsoleLink> link() const;

 private:
  Client::Impl* impl_;
};

}  // namespace chancery
