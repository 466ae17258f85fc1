#include "daemon/runtime/outbound/handle_pool.hpp"

#include <cstddef>
#include <utility>

#include "daemon/curl_memory.hpp"

namespace chancery::runtime {
namespace {

constexpr std::size_t kMostOfAKey = 16;
constexpr std::size_t kMostIdle = 256;

}  // namespace

HandlePool::Handle HandlePool::take(const std::string& key, const std::vector<Address>& addresses) {
  std::vector<Handle> outdated;  // ended without the lock: a connection's end takes time
  {
    const std::lock_guard lock(mutex_);
    for (auto found = idle_.find(key); found != idle_.end(); found = idle_.find(key)) {
      Handle handle = std::move(found->second);
      idle_.erase(found);
      if (handle.pinned == addresses) return handle;
      outdated.push_back(std::move(handle));
    }
  }
  return {CurlHandle(cleanse_curl_memory() ? curl_easy_init() : nullptr, curl_easy_cleanup), addresses};
}

void HandlePool::keep(const std::string& key, Handle handle) {
  const std::lock_guard lock(mutex_);
  if (idle_.count(key) < kMostOfAKey && idle_.size() < kMostIdle) idle_.emplace(key, std::move(handle));
}

}  // namespace chancery::runtime
