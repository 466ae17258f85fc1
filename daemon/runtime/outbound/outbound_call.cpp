#include "daemon/runtime/outbound/outbound_call.hpp"

#include <algorithm>

#include "daemon/runtime/outbound/exchange.hpp"
#include "daemon/runtime/outbound/handle_pool.hpp"

namespace chancery::runtime {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kMostRedirects = 3;
constexpr std::size_t kMostPins = 1024;
constexpr std::chrono::seconds kPinLife{30};

milliseconds time_until(Clock::time_point deadline) {
  return std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds{0});
}

// The errors of a redirect have the status as `native`.
Error not_followed(const char* what, int status) {
  return {ErrorCode::kBadResponse, what, static_cast<std::uint64_t>(status)};
}

Result<Target> follow(const Target& from, const OutboundRequest& request, const Exchanged& done) {
  const int status = done.response.status;
  if (request.redirects == Redirects::kNone)
    return not_followed("the upstream redirects, which the tool does not declare", status);
  if (request.method != "GET" && request.method != "HEAD") {
    return not_followed(
        "the upstream redirects a request that may change something, which is never sent again", status);
  }
  CHANCERY_ASSIGN(Target next, parse_location(from, *done.location));
  if (next.origin() != from.origin())
    return not_followed("the upstream redirects to another scheme, host or port, which is never followed",
                        status);
  return next;
}

}  // namespace

OutboundCaller::OutboundCaller(Resolver resolver)
    : resolver_(std::move(resolver)), handles_(std::make_unique<HandlePool>()) {}

OutboundCaller::~OutboundCaller() = default;

Result<std::vector<Address>> OutboundCaller::addresses_of(const Target& target,
                                                          const OutboundRequest& request, Instant deadline) {
  if (target.literal) return std::vector{*target.literal};
  {
    const std::lock_guard lock(mutex_);
    const auto pin = pins_.find(target.host);
    if (pin != pins_.end() && Clock::now() < pin->second.until) return pin->second.addresses;
  }
  const auto patience = std::min(time_until(deadline), request.limits.connect_timeout);
  CHANCERY_ASSIGN(std::vector<Address> addresses, resolver_(target.host, patience));
  if (addresses.empty()) return Error{ErrorCode::kConnectFailed, "the upstream's name has no address"};
  const std::lock_guard lock(mutex_);
  if (pins_.size() >= kMostPins) pins_.clear();
  pins_.insert_or_assign(target.host, Pin{addresses, Clock::now() + kPinLife});
  return addresses;
}

void OutboundCaller::forget(const std::string& host) {
  const std::lock_guard lock(mutex_);
  pins_.erase(host);
}

Result<Exchanged> OutboundCaller::exchange_with(const Target& target, const OutboundRequest& request,
                                                Instant deadline, const std::stop_token& stop) {
  CHANCERY_ASSIGN(const std::vector<Address> addresses, addresses_of(target, request, deadline));
  const AddressRule rule(request.allowed);
  for (const Address& address : addresses) CHANCERY_TRY(rule.check(address));
  // A connection is believed by the authorities that it was opened with.
  const std::string key = target.origin() + ' ' + request.ca_file;
  HandlePool::Handle handle = handles_->take(key, addresses);
  if (handle.curl == nullptr) return Error{ErrorCode::kInternal, "libcurl could not start"};
  auto done = exchange(handle.curl.get(), {target, request, addresses, rule, time_until(deadline), stop});
  if (done) {
    handles_->keep(key, std::move(handle));
  } else if (done.error().code == ErrorCode::kConnectFailed) {
    forget(target.host);  // it may have moved
  }
  return done;
}

Result<OutboundResponse> OutboundCaller::call(const OutboundRequest& request, const std::stop_token& stop) {
  const Instant deadline = Clock::now() + request.limits.timeout;
  CHANCERY_TRY(check_request(request));
  CHANCERY_ASSIGN(Target target, parse_target(request.url, request.http_allowed));
  for (int followed = 0;; ++followed) {
    auto exchanged = exchange_with(target, request, deadline, stop);
    if (!exchanged && followed > 0 && was_never_sent(exchanged.error()))
      return not_followed("the upstream redirects to where nobody answers", 0);
    CHANCERY_ASSIGN(Exchanged done, std::move(exchanged));
    if (!done.location) return std::move(done.response);
    CHANCERY_ASSIGN(target, follow(target, request, done));
    if (followed == kMostRedirects)
      return not_followed("the upstream redirects more than three times", done.response.status);
  }
}

}  // namespace chancery::runtime
