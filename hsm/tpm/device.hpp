#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <chancery/result.hpp>

#include "hsm/tpm/connection.hpp"
#include "hsm/tpm/keys.hpp"
#include "sdk/base/fair_queue.hpp"

namespace chancery::hsm {

struct DeviceOptions {
  ConnectionOptions connection;
  std::size_t queue = 256;       ///< requests that may wait
  std::size_t key_cache = 4096;  ///< saved contexts to keep
};

/// A TPM that answers, with what we hold in it; lost as a whole when the connection is.
struct OpenTpm {
  OpenTpm(std::unique_ptr<TpmConnection> opened, std::size_t key_cache, LiveCounts& live)
      : connection(std::move(opened)), keys(*connection, key_cache, live) {}

  std::unique_ptr<TpmConnection> connection;
  TpmKeys keys;
};

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

/// One TPM behind one thread, which alone touches ESYS. Thread-safe.
///
/// Requests wait in a bounded queue; each returns by its deadline, whatever the device does. A connection
/// that broke is made again and the request that met it is repeated, so that a TPM that restarts is hardly
/// noticed. A TPM that stays away, or does not answer, fails every request at once while it is sought in the
/// background.
class TpmDevice {
 public:
  /// Starts the thread, which looks for the TPM at once.
  explicit TpmDevice(DeviceOptions options);
  /// Ends what is under way within about a second. No caller may still be waiting.
  ~TpmDevice();
  TpmDevice(const TpmDevice&) = delete;
  TpmDevice& operator=(const TpmDevice&) = delete;

  /// Runs `work` on the device thread. It must be repeatable, since it is run again after a lost connection,
  /// and must own what it uses, since it may outlive its caller.
  /// \param owner  whose turn it takes
  /// \return what `work` returned, or kDeviceBusy, kDeviceTimeout, or the reason why the TPM is not to be
  ///         had: kDeviceUnavailable, or what ConnectionOptions::accept said
  [[nodiscard]] Status run(std::string_view owner, Deadline deadline, std::function<Status(OpenTpm&)> work);

  /// Waits until the TPM was found, or was looked for in vain for half a second.
  /// \return success when it was found, else why not; kDeviceTimeout when that is not known by the deadline
  [[nodiscard]] Status wait_for_first_attempt(Deadline deadline);

  [[nodiscard]] BackendLoad load() const;
  /// What the TPM that was met last says of itself; empty before the first.
  [[nodiscard]] TpmFacts facts() const;

 private:
  using Item = FairQueue<TpmRequest>::Item;

  // The device thread.
  void serve();
  void seek();
  void found(std::unique_ptr<TpmConnection> connection);
  void missed(const Error& error);
  /// nullptr when there is none and the traces of the last one are to be removed, or at the end.
  [[nodiscard]] Item next_request();
  void rest();
  void perform(const Item& request);
  void lost(const Item& request, const Status& outcome);
  void finish(const Item& request, const Status& outcome);
  void give_up(const Error& error);

  const DeviceOptions options_;
  const Interrupt interrupt_;
  LiveCounts live_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool was_sought_ = false;
  // Why requests fail at once; none while the TPM is there or may be back in a moment.
  std::optional<Error> failure_;
  FairQueue<TpmRequest> queue_;
  TpmFacts facts_;
  std::uint64_t recoveries_ = 0;

  // The device thread's own.
  std::optional<OpenTpm> tpm_;
  Item repeat_;  // met a lost connection, comes first when there is another
  int repeats_ = 0;
  bool has_traces_ = false;  // of a request, in what ESYS keeps
  std::chrono::steady_clock::time_point lost_at_ = std::chrono::steady_clock::now();  // at first: not met yet
  std::chrono::milliseconds pause_{};

  std::thread thread_;  // last: it uses everything above
};

}  // namespace chancery::hsm
