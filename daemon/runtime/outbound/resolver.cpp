#include "daemon/runtime/outbound/resolver.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include <netdb.h>
#include <sys/socket.h>

namespace chancery::runtime {
namespace {

using Addresses = Result<std::vector<Address>>;

constexpr int kMostLookups = 32;
constexpr std::size_t kMostAddresses = 32;

// Threads of lookups outlive who asked, and this must outlive them.
std::atomic<int> lookups{0};

/// What a lookup's thread and whoever waits for it share.
struct Lookup {
  std::mutex mutex;
  std::condition_variable is_done;
  std::optional<Addresses> found;
};

Addresses addresses_in(const addrinfo* list) {
  std::vector<Address> found;
  for (; list != nullptr && found.size() < kMostAddresses; list = list->ai_next) {
    const auto address = Address::from(*list->ai_addr);
    if (address && std::ranges::find(found, *address) == found.end()) found.push_back(*address);
  }
  if (found.empty()) return Error{ErrorCode::kConnectFailed, "the upstream's name has no address"};
  return found;
}

Addresses look_up(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  if (failure != 0) {
    return Error{ErrorCode::kConnectFailed,
                 "the upstream's name was not resolved: is it right, and does a name server answer?",
                 static_cast<std::uint64_t>(-failure)};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, ::freeaddrinfo);
  return addresses_in(list);
}

void run(const std::shared_ptr<Lookup>& lookup, const std::string& host) {
  Addresses found = look_up(host);
  {
    const std::lock_guard lock(lookup->mutex);
    lookup->found = std::move(found);
  }
  lookup->is_done.notify_all();
  --lookups;
}

}  // namespace

Addresses resolve_by_system(const std::string& host, std::chrono::milliseconds patience) {
  constexpr Error kTooMany{ErrorCode::kOverloaded,
                           "too many names are being resolved: do the name servers answer?"};
  if (++lookups > kMostLookups) {
    --lookups;
    return kTooMany;
  }
  const auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, host] { run(lookup, host); }).detach();
  } catch (const std::system_error&) {
    --lookups;
    return kTooMany;
  }
  std::unique_lock lock(lookup->mutex);
  const auto is_found = [&lookup] { return lookup->found.has_value(); };
  if (!lookup->is_done.wait_for(lock, patience, is_found))
    return Error{ErrorCode::kTimeout,
                 "the upstream's name was not resolved in time: do the name servers answer?"};
  return *std::move(lookup->found);
}

}  // namespace chancery::runtime
