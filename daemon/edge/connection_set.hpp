#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace chancery::edge {

class Connection;

/// The open connections of a server, so that they can be drained. Thread-safe.
class ConnectionSet {
 public:
  /// \return false once draining: the connection must not be served
  [[nodiscard]] bool add(const std::shared_ptr<Connection>& connection);

  /// To be called when its socket is closed, and at its end; harmless for connections that are not in the
  /// set.
  void remove(const Connection* connection);

  [[nodiscard]] bool is_draining() const noexcept { return draining_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t size() const;

  /// Refuses further connections and tells those that are there.
  void drain();

  /// \return whether none is left at `deadline`
  [[nodiscard]] bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

  /// Has all that are left closed, without waiting for it.
  /// \return how many
  std::size_t cut();

 private:
  template <typename Call>
  std::size_t for_each(Call call);

  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  std::unordered_map<const Connection*, std::weak_ptr<Connection>> connections_;
  std::atomic<bool> draining_ = false;
};

}  // namespace chancery::edge
