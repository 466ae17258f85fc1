#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <chancery/result.hpp>

#include "hsm/key_backend.hpp"

namespace chancery::hsm {

struct OpenTpm;

/// What a caller wants of the device thread. Shared by both: the caller may leave at its deadline while the
/// device still works, so `work` owns all that it uses.
struct TpmRequest {
  std::string owner;  ///< whose turn it takes
  Deadline deadline;
  std::function<Status(OpenTpm&)> work;

  // Guarded by the device's mutex.
  std::optional<Status> outcome;
  std::condition_variable finished;
};

/// Requests that wait for the device: bounded, and fair among owners, so that one busy agent can neither fill
/// the queue nor keep others waiting behind its own. Not thread-safe: the device's mutex guards it.
class RequestQueue {
 public:
  using Item = std::shared_ptr<TpmRequest>;

  /// \param capacity  requests that may wait; one owner may fill half of it
  explicit RequestQueue(std::size_t capacity) : capacity_(capacity) {}

  /// False when it is full, for everybody or for this owner.
  [[nodiscard]] bool push(Item item);
  /// The next request of the owner whose turn it is; null when there is none.
  [[nodiscard]] Item pop();
  /// Takes a request out whose caller has gone. One that is not there is no error.
  void remove(const TpmRequest& request);
  /// Takes all of them out.
  [[nodiscard]] std::vector<Item> drain();

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  const std::size_t capacity_;
  std::size_t size_ = 0;
  std::map<std::string, std::deque<Item>, std::less<>> waiting_;  // no owner without a request
  std::deque<std::string> turns_;                                 // each owner of `waiting_` once
};

}  // namespace chancery::hsm
