#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

#include <chancery/session.hpp>

namespace chancery::client {

/// Sessions of one agent, one after the other, for a program that proves more often than one key may: a daemon takes a
/// thousand unexpired proofs of a key, each of them for six minutes (docs/protocol/authorization.md). Whoever comes when
/// a key has made most of them opens a session with another key, while others go on with what is there, as long as it is
/// good for more. So does everybody when the daemon is away. Thread-safe.
class SessionRotation {
 public:
  static constexpr std::size_t kProofs = 700;  ///< of one key, before another is wanted
  static constexpr std::size_t kMost =
      950;  ///< before whoever comes waits for the other, if it was not refused a moment ago

  /// Of a session that was handed over nobody knows how many proofs its key has made, or who else has it: whoever comes waits for
  /// the other.
  explicit SessionRotation(std::shared_ptr<const Session> first)
      : current_(std::move(first)), used_(current_->was_handed_over() ? kMost : 0) {}

  /// The session for one proof.
  /// \param stop  ends waiting for another one, and opening it: then it is the one that is there
  [[nodiscard]] std::shared_ptr<const Session> take(const std::stop_token& stop = {});

 private:
  class Turn;
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;  // of all that follows
  std::condition_variable_any opened_;
  std::shared_ptr<const Session> current_;
  std::size_t used_;
  bool opening_ = false;
  bool has_failed_ = false;  // the last attempt to open one
  Clock::time_point retry_at_{};
};

}  // namespace chancery::client
