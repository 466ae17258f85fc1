#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include <chancery/result.hpp>

#include "hsm/tpm/connection.hpp"

namespace chancery::hsm {

struct DeviceOptions {
  ConnectionOptions connection;
  std::size_t queue = 256;  ///< requests that may wait
  /// Judges what was found, once per connection, before any secret goes to the TPM; on the device thread.
  Acceptance accept;
};

/// One TPM behind one thread, which alone touches ESYS. Requests wait in a bounded queue; each returns by its deadline,
/// whatever the device does. A connection that broke is made again, and commands that may be repeated are. While the
/// TPM is known to be away, requests fail at once and it is tried again now and then. Thread-safe.
class TpmDevice {
 public:
  explicit TpmDevice(DeviceOptions options);
  ~TpmDevice();
  TpmDevice(const TpmDevice&) = delete;
  TpmDevice& operator=(const TpmDevice&) = delete;

  /// Runs `work` on the device thread. It must be repeatable: it is run again after a lost connection. It may outlive
  /// the caller, who has gone by the deadline, so it owns what it uses.
  /// \return what it returned, or kDeviceBusy, kDeviceTimeout, kDeviceUnavailable, or what `accept` said
  template <typename T>
  Result<T> run(Deadline deadline, std::function<Result<T>(TpmConnection&)> work) {
    auto answer = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> future = answer->get_future();
    CHANCERY_TRY(enqueue({deadline, [this, deadline, answer, work = std::move(work)] {
                            answer->set_value(attempt<T>(deadline, work));
                          }}));
    if (future.wait_until(deadline) == std::future_status::ready) return future.get();
    return Error{ErrorCode::kDeviceTimeout, "the TPM did not answer in time: it may be stopped or overloaded"};
  }

  [[nodiscard]] BackendLoad load() const;
  [[nodiscard]] TpmFacts facts() const;

 private:
  struct Job {
    Deadline deadline;
    std::function<void()> work;
  };

  template <typename T>
  Result<T> attempt(Deadline deadline, const std::function<Result<T>(TpmConnection&)>& work) {
    for (;;) {
      CHANCERY_TRY(ready(deadline));
      connection_->set_deadline(deadline);
      Result<T> result = work(*connection_);
      observe();
      if (!connection_->broken()) return result;
      const bool silent = connection_->timed_out();
      drop(silent);
      if (silent) return Error{ErrorCode::kDeviceTimeout, "the TPM did not answer in time: it may be stopped or overloaded"};
    }
  }

  [[nodiscard]] Status enqueue(Job job);
  void serve(const std::stop_token& stop);
  /// A working connection, made within the deadline if there is none.
  [[nodiscard]] Status ready(Deadline deadline);
  [[nodiscard]] Status connect(Deadline deadline);
  void drop(bool stay_away);
  void observe();

  const DeviceOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Job> queue_;
  TpmFacts facts_;

  // The device thread's own.
  std::unique_ptr<TpmConnection> connection_;
  bool was_connected_ = false;  // the last request found a working connection, or had lost one just now
  Deadline away_until_{};
  std::chrono::milliseconds back_off_{0};
  Error away_because_{};

  std::atomic<std::uint64_t> live_objects_ = 0;
  std::atomic<std::uint64_t> live_sessions_ = 0;
  std::atomic<std::uint64_t> recoveries_ = 0;
  std::jthread thread_;  // last: it uses everything above
};

}  // namespace chancery::hsm
