#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <curl/curl.h>

#include <chancery/result.hpp>

#include "daemon/runtime/outbound/outbound_request.hpp"
#include "daemon/runtime/outbound/target.hpp"

namespace chancery::runtime {

/// What one exchange on a handle needs. Borrows all of it for the exchange.
struct ExchangeOrder {
  const Target& target;
  const OutboundRequest& request;
  const std::vector<Address>& pinned;  ///< to which alone it connects; each has passed the rule
  const AddressRule& rule;
  std::chrono::milliseconds patience;
  const std::stop_token& stop;
};

/// What an exchange gave.
struct Exchanged {
  OutboundResponse response{};
  std::optional<std::string> location{};  ///< where a redirect points to; then the body is empty
};

/// Sends one request on a handle and takes the answer. The handle has no options set, before and after.
/// \return as OutboundCaller::call()
[[nodiscard]] Result<Exchanged> exchange(CURL* curl, const ExchangeOrder& order);

}  // namespace chancery::runtime
