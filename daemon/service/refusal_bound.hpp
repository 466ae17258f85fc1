#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace chancery::service {

/// Refusals of one caller that were counted instead of recorded.
struct CountedRefusals {
  std::string caller;  ///< as identity_of(); empty: of those who did not prove who they are
  std::uint64_t count = 0;
  std::chrono::sys_seconds since{};
  std::chrono::sys_seconds until{};
};

/// Bounds how many refusals a minute are recorded one by one, so that nobody fills the disk by asking for what he does not
/// get. The others are counted, and the count is recorded. Thread-safe.
class RefusalBound {
 public:
  /// In each minute, of all together who did not prove who they are, and of each caller who did.
  struct Limits {
    std::uint64_t unproven = 60;
    std::uint64_t each_caller = 600;
  };

  RefusalBound() = default;
  explicit RefusalBound(Limits limits) noexcept : limits_(limits) {}

  /// Whether a refusal is to be recorded by itself; it is counted otherwise.
  /// \param caller  as identity_of()
  [[nodiscard]] bool admit(std::string_view caller, std::chrono::sys_seconds now);

  /// What was counted in minutes that are over, to be recorded now.
  [[nodiscard]] std::vector<CountedRefusals> take(std::chrono::sys_seconds now);
  /// What was counted at all: at the end.
  [[nodiscard]] std::vector<CountedRefusals> take_all();
  /// What could not be recorded after all.
  void give_back(const CountedRefusals& counted);

 private:
  struct Minute {
    std::chrono::sys_seconds begin{};
    std::uint64_t recorded = 0;
    CountedRefusals counted{};
  };
  // Beyond it, callers share one place: whoever has many keys does not fill the memory either.
  static constexpr std::size_t kMostCallers = 1024;

  using Callers = std::map<std::string, Minute, std::less<>>;

  [[nodiscard]] Callers::value_type& place_of(std::string_view caller);

  const Limits limits_{};
  std::mutex mutex_;
  Callers callers_;
};

}  // namespace chancery::service
