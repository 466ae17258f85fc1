#include "hsm/tpm/device.hpp"

#include <algorithm>

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;

// How long a request that has just lost its connection tries to get another: a restarted simulator is back in some
// 10 ms, a restarted service in less than a second.
constexpr auto kReconnectWindow = 1s;
constexpr auto kReconnectPause = 3ms;
// How long a connection attempt may take when the TPM accepts it but then says nothing.
constexpr auto kProbeTime = 2s;
constexpr auto kFirstBackOff = 100ms;
constexpr auto kLongestBackOff = 2000ms;

}  // namespace

TpmDevice::TpmDevice(DeviceOptions options)
    : options_(std::move(options)), thread_([this](const std::stop_token& stop) { serve(stop); }) {}

TpmDevice::~TpmDevice() {
  thread_.request_stop();
  arrived_.notify_all();
  thread_.join();
}

Status TpmDevice::enqueue(Job job) {
  if (job.deadline <= std::chrono::steady_clock::now()) {
    return Error{ErrorCode::kDeviceTimeout, "no time was left for the TPM: the deadline had passed"};
  }
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.queue) return Error{ErrorCode::kDeviceBusy, "too many requests wait for the TPM: try again later"};
    queue_.push_back(std::move(job));
  }
  arrived_.notify_one();
  return {};
}

void TpmDevice::serve(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (arrived_.wait(lock, stop, [&] { return !queue_.empty(); })) {
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job.work();
    lock.lock();
  }
  lock.unlock();
  connection_.reset();
}

Status TpmDevice::ready(Deadline deadline) {
  const auto start = std::chrono::steady_clock::now();
  if (deadline <= start) return Error{ErrorCode::kDeviceTimeout, "the deadline passed while the request waited for the TPM"};
  if (connection_ != nullptr) {
    was_connected_ = true;
    return {};
  }
  if (start < away_until_) return away_because_;
  const Deadline give_up = was_connected_ ? std::min(deadline, start + kReconnectWindow) : start;
  for (;;) {
    const Status connected = connect(std::min(deadline, std::chrono::steady_clock::now() + kProbeTime));
    if (connected) {
      was_connected_ = true;
      back_off_ = 0ms;
      return {};
    }
    // Another TPM, or one that is refused, does not become the right one by asking again at once.
    const bool absent = connected.error().code == ErrorCode::kDeviceUnavailable;
    if (absent && std::chrono::steady_clock::now() + kReconnectPause < give_up) {
      std::this_thread::sleep_for(kReconnectPause);
      continue;
    }
    was_connected_ = false;
    away_because_ = connected.error();
    back_off_ = std::clamp<std::chrono::milliseconds>(back_off_ * 2, kFirstBackOff, kLongestBackOff);
    away_until_ = std::chrono::steady_clock::now() + back_off_;
    return connected;
  }
}

Status TpmDevice::connect(Deadline deadline) {
  TpmFacts facts;
  auto connection = TpmConnection::open(options_.connection, deadline, [&](const TpmFacts& found, ByteView name) {
    facts = found;
    return options_.accept(found, name);
  });
  if (!connection) return connection.error();
  connection_ = *std::move(connection);
  ++recoveries_;
  observe();
  const std::lock_guard lock(mutex_);
  facts_ = std::move(facts);
  return {};
}

void TpmDevice::drop(bool stay_away) {
  connection_.reset();
  live_objects_ = live_sessions_ = 0;
  if (!stay_away) return;
  // It took the command and said nothing: do not let the next request find that out again for its whole deadline.
  was_connected_ = false;
  away_because_ = Error{ErrorCode::kDeviceUnavailable, "the TPM does not answer: it is tried again by itself"};
  back_off_ = kFirstBackOff;
  away_until_ = std::chrono::steady_clock::now() + back_off_;
}

void TpmDevice::observe() {
  live_objects_ = connection_->live_objects();
  live_sessions_ = connection_->live_sessions();
}

BackendLoad TpmDevice::load() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t connections = recoveries_;
  return {queue_.size(), live_objects_, live_sessions_, connections == 0 ? 0 : connections - 1};
}

TpmFacts TpmDevice::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace chancery::hsm
