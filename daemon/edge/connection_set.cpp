#include "daemon/edge/connection_set.hpp"

#include <vector>

#include "daemon/edge/connection.hpp"

namespace chancery::edge {

bool ConnectionSet::add(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex_);
  if (is_draining()) return false;
  connections_.insert_or_assign(connection.get(), connection);
  return true;
}

void ConnectionSet::remove(const Connection* connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  if (connections_.empty()) emptied_.notify_all();
}

std::size_t ConnectionSet::size() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void ConnectionSet::drain() {
  {
    const std::lock_guard lock(mutex_);
    draining_.store(true, std::memory_order_release);
  }
  for_each([](Connection& connection) { connection.drain(); });
}

bool ConnectionSet::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_until(lock, deadline, [this] { return connections_.empty(); });
}

std::size_t ConnectionSet::cut() {
  return for_each([](Connection& connection) { connection.cut(); });
}

// Outside of the lock, which connections take when they close or end.
template <typename Call>
std::size_t ConnectionSet::for_each(Call call) {
  std::vector<std::shared_ptr<Connection>> alive;
  {
    const std::lock_guard lock(mutex_);
    // So that nothing below throws: a connection must not end under the lock, which its destructor takes.
    alive.reserve(connections_.size());
    for (const auto& [key, connection] : connections_) {
      if (auto kept = connection.lock()) alive.push_back(std::move(kept));
    }
  }
  for (const auto& connection : alive) call(*connection);
  return alive.size();
}

}  // namespace chancery::edge
