#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/api_overview.hpp>
#include <chancery/result.hpp>

#include "daemon/anomaly/baseline.hpp"
#include "daemon/store/anomaly_book.hpp"
#include "daemon/telemetry/redactor.hpp"

namespace chancery::service {

struct Office;

struct AnomalyOptions {
  anomaly::Rules rules{};
  std::set<anomaly::Kind> suspends{};  ///< of which kinds an agent is suspended
};

/// Watches how agents use their authority, and tells what is unlike before. A use is noted in memory, and costs the
/// request nothing else; what follows from it, tick() does. What was learned is kept in the store every five minutes and
/// at the end. Thread-safe.
class AnomalyWatch {
 public:
  /// The most agents that are watched: beyond them, nothing is told of others.
  static constexpr std::size_t kMostAgents = 10'000;
  /// The most findings that wait for tick(): beyond them, they are counted only, but for one of each agent that is to be
  /// suspended.
  static constexpr std::size_t kMostWaiting = 1000;

  using Redactor = telemetry::Redactor;

  /// \param book      borrowed
  /// \param redactor  takes secrets out of what is kept of an anomaly: scopes, audiences and hosts are what somebody sent
  AnomalyWatch(store::AnomalyBook& book, AnomalyOptions options,
               std::shared_ptr<const Redactor> redactor = std::make_shared<Redactor>())
      : book_(book), options_(std::move(options)), redactor_(std::move(redactor)) {}

  /// Takes up what was learned before.
  [[nodiscard]] Status open();

  /// \param use  of an agent that has shown its key. Whose an unknown key is, tick() finds out before the use counts; uses of
  ///             keys that are no agent's here count for nobody.
  void saw(const anomaly::Use& use, std::chrono::sys_seconds now);

  /// An agent; without an id, none.
  struct Owner {
    std::string id{};
    std::string name{};
  };

  /// What tick() does with an anomaly.
  struct Response {
    /// Whose agent's a key is that has not ended.
    std::function<Result<Owner>(const Thumbprint& key)> owner;
    /// Suspends an agent. \return the act
    std::function<Result<std::int64_t>(const api::Anomaly& anomaly)> suspend;
    /// Tells it: to the log, and to whom else it is told. Once more where the agent could be suspended only later.
    std::function<void(const api::Anomaly& anomaly)> tell;
    /// What could not be done.
    std::function<void(const char* what, const Error& error)> complain;
  };
  /// Responds to what was found since the last time, and to what could not be answered with a suspension then.
  void tick(std::chrono::sys_seconds now, const Response& response);

  /// Keeps what was learned since it was kept last.
  [[nodiscard]] Status keep();

  /// Forgets an agent that is retired: who gets its name is another.
  void forget(const std::string& agent);

  /// How many of that kind were found since the start.
  [[nodiscard]] std::uint64_t count(anomaly::Kind kind) const noexcept {
    return counts_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  }
  /// Newest first.
  [[nodiscard]] Result<api::AnomalyList> recent(std::size_t limit);

 private:
  /// How many keys are remembered, and how many uses of unknown ones wait.
  static constexpr std::size_t kMostKeys = 4 * kMostAgents;
  static constexpr std::size_t kMostUnknown = 256;

  struct Watched {
    anomaly::Baseline baseline{};
    bool is_kept = false;  ///< as it is
  };
  struct Waiting {
    std::string agent;  // id
    api::Anomaly anomaly;
    bool suspends = false;
    bool is_told = false;  // without a suspension, since that failed
  };
  struct UseOfUnknown {
    anomaly::Use use;
    std::chrono::sys_seconds at;
  };

  void find_owners(const Response& response);
  [[nodiscard]] bool knows(const Thumbprint& key);
  void remember(const Thumbprint& key, const Owner& owner);
  void note(const Owner& owner, const anomaly::Use& use, std::chrono::sys_seconds now);
  [[nodiscard]] std::vector<std::string> changed();
  [[nodiscard]] std::optional<anomaly::Baseline> take_changed(const std::string& agent);
  [[nodiscard]] Status keep(std::span<const std::string> agents);
  [[nodiscard]] bool has_room(const std::string& agent, bool suspends) const;
  [[nodiscard]] bool respond(Waiting& one, const Response& response);
  void wait_again(std::vector<Waiting> failed);

  store::AnomalyBook& book_;
  const AnomalyOptions options_;
  const std::shared_ptr<const Redactor> redactor_;
  std::mutex mutex_;                                     // of the next six
  std::map<std::string, Watched, std::less<>> watched_;  // by agent's id
  std::map<Thumbprint, Owner> owners_;
  std::vector<UseOfUnknown> unknown_;
  std::vector<Waiting> waiting_;
  std::set<std::string, std::less<>> suspending_;  // ids of agents whose suspension waits, or is under way
  std::uint64_t dropped_ = 0;                      // since the last tick
  std::chrono::sys_seconds kept_at_{};             // tick()'s
  std::array<std::atomic<std::uint64_t>, anomaly::kKindNames.size()> counts_{};
};

/// Whose agent's a key is, as AnomalyWatch::Response asks it.
[[nodiscard]] Result<AnomalyWatch::Owner> owner_of(const Office& office, const Thumbprint& key);

}  // namespace chancery::service
