#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace chancery::service {

/// Who waits for what becomes of a request, each on a thread that serves: so there are few places, and whoever finds none asks
/// again later. Thread-safe.
class ApprovalWaits {
 public:
  /// One of the places, given back at the end. Borrows the waits.
  class Place {
   public:
    explicit Place(ApprovalWaits& waits) noexcept : waits_(&waits) {}
    ~Place() {
      if (waits_ != nullptr) waits_->leave();
    }
    Place(Place&& other) noexcept : waits_(std::exchange(other.waits_, nullptr)) {}
    Place& operator=(Place&&) = delete;

   private:
    ApprovalWaits* waits_;
  };

  /// \param most  places; as many threads are held at most
  explicit ApprovalWaits(std::size_t most) noexcept : most_(most) {}

  /// Nothing when all places are taken, or everybody has been sent away.
  [[nodiscard]] std::optional<Place> enter();

  /// A count of what has become of requests so far: read it first, then the request, then wait().
  [[nodiscard]] std::uint64_t changes() const;

  /// Waits until something has become of some request since `seen` was read.
  /// \return false when `until` came first, or everybody was sent away
  [[nodiscard]] bool wait(std::uint64_t seen, std::chrono::steady_clock::time_point until);

  /// Something has become of a request, and is in the database.
  void tell();

  /// Nobody waits from then on: the daemon stops.
  void send_away();

  [[nodiscard]] std::size_t waiting() const;

 private:
  void leave();

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  std::uint64_t changes_ = 0;
  bool is_over_ = false;
};

}  // namespace chancery::service
