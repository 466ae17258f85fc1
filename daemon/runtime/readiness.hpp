#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::runtime {

/// Whether the daemon is there and knows this process as a tool runtime. What is asked is remembered for a second, so that whoever asks
/// often costs the daemon nothing. Thread-safe.
class Readiness {
 public:
  /// How the daemon is asked, within seconds.
  struct Questions {
    std::function<Status()> is_there;  ///< anything that it answers everybody
    /// Something that only a runtime may: kForbidden when it is none. Stands in the daemon's audit log, so that it is asked no more
    /// once it was answered.
    std::function<Status()> is_known;
  };
  using Instant = std::chrono::steady_clock::time_point;

  explicit Readiness(Questions questions) : questions_(std::move(questions)) {}

  /// \return what is missing: `daemon` (it does not answer), `registration` (it does not know the runtime); empty: nothing
  [[nodiscard]] std::vector<std::string_view> missing(Instant now);

  /// The daemon refused as it refuses those that are no runtime: ask it again.
  void doubt();

 private:
  void look(Instant now);

  const Questions questions_;
  std::mutex mutex_;  // of all below, and held while the daemon is asked
  std::optional<Instant> looked_at_;
  std::optional<Instant> asked_at_;  // whether it is known
  bool is_there_ = false;
  bool is_known_ = false;
};

}  // namespace chancery::runtime
