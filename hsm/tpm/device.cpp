#include "hsm/tpm/device.hpp"

#include <algorithm>

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// How long requests wait for a TPM that has just gone, or that starts together with us: a simulator takes
// some 10 ms.
constexpr auto kGrace = 500ms;
constexpr auto kFirstPause = 2ms;
constexpr auto kLongestPause = 500ms;

// For what is done between requests, for nobody in particular.
constexpr auto kTidyTime = 1s;

// A request that meets a lost connection again and again may be the reason for it.
constexpr int kMaxRepeats = 4;

// After so long without a request the traces of the last one are removed. Doing it at once would take as much
// of the processor as a signature does.
constexpr auto kQuiet = 500ms;

constexpr Error kTooLate{ErrorCode::kDeviceTimeout, "no time was left for the TPM: the deadline had passed"};
constexpr Error kTimedOut{ErrorCode::kDeviceTimeout,
                          "the TPM did not answer in time: it may be stopped or overloaded"};
constexpr Error kBusy{ErrorCode::kDeviceBusy, "too many requests wait for the TPM: try again later"};
constexpr Error kLost{ErrorCode::kDeviceUnavailable,
                      "the connection to the TPM was lost: it is sought again by itself"};
constexpr Error kStopped{ErrorCode::kDeviceUnavailable,
                         "the TPM does not answer: it is sought again by itself"};
constexpr Error kEnding{ErrorCode::kDeviceUnavailable, "the TPM is no longer used: the backend is ending"};

}  // namespace

TpmDevice::TpmDevice(DeviceOptions options)
    : options_(std::move(options)), queue_(options_.queue), thread_([this] { serve(); }) {}

TpmDevice::~TpmDevice() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  interrupt_.raise();
  changed_.notify_all();
  thread_.join();
}

// --- callers

Status TpmDevice::run(std::string_view owner, Deadline deadline, std::function<Status(OpenTpm&)> work) {
  if (deadline <= Clock::now()) return kTooLate;
  auto request = std::make_shared<TpmRequest>();
  request->owner = owner;
  request->deadline = deadline;
  request->work = std::move(work);

  {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (!queue_.push(request)) return kBusy;
  }
  changed_.notify_all();  // without the mutex, which the woken thread wants at once
  std::unique_lock lock(mutex_);
  if (request->finished.wait_until(lock, deadline, [&] { return request->outcome.has_value(); })) {
    return *request->outcome;
  }
  queue_.remove(*request);  // nobody waits for it any more
  return kTimedOut;
}

Status TpmDevice::wait_for_first_attempt(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, deadline, [&] { return was_sought_; })) return kTimedOut;
  return failure_ ? Status{*failure_} : Status{};
}

BackendLoad TpmDevice::load() const {
  const std::lock_guard lock(mutex_);
  return {queue_.size(),     live_.objects.held, live_.sessions.held,
          live_.cached_keys, recoveries_,        was_sought_ && !failure_};
}

TpmFacts TpmDevice::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

// --- the device thread

void TpmDevice::serve() {
  while (!interrupt_.raised()) {
    if (!tpm_) {
      seek();
    } else if (const Item request = next_request()) {
      perform(request);
    } else {
      rest();
    }
  }
  give_up(kEnding);
  tpm_.reset();
}

void TpmDevice::seek() {
  auto opened = TpmConnection::open(options_.connection, interrupt_, live_);
  if (opened) {
    found(*std::move(opened));
    return;
  }
  missed(opened.error());
  interrupt_.sleep_for(pause_);
}

void TpmDevice::found(std::unique_ptr<TpmConnection> connection) {
  tpm_.emplace(std::move(connection), options_.key_cache, live_);
  pause_ = 0ms;
  const std::lock_guard lock(mutex_);
  const bool is_first = !was_sought_;
  if (!is_first) ++recoveries_;
  was_sought_ = true;
  failure_.reset();
  facts_ = tpm_->connection->facts();
  changed_.notify_all();
}

void TpmDevice::missed(const Error& error) {
  pause_ = std::clamp<std::chrono::milliseconds>(pause_ * 2, kFirstPause, kLongestPause);
  // Only an absent TPM is worth waiting for: a stopped one took its time already, a wrong one stays wrong.
  const bool may_be_back = error.code == ErrorCode::kDeviceUnavailable && Clock::now() < lost_at_ + kGrace;
  if (!may_be_back) give_up(error.code == ErrorCode::kDeviceTimeout ? kStopped : error);
}

TpmDevice::Item TpmDevice::next_request() {
  if (repeat_) return std::exchange(repeat_, nullptr);
  repeats_ = 0;
  const auto is_wanted = [&] { return stopping_ || queue_.size() > 0; };
  std::unique_lock lock(mutex_);
  if (has_traces_) {
    if (!changed_.wait_for(lock, kQuiet, is_wanted)) return nullptr;
  } else {
    changed_.wait(lock, is_wanted);
  }
  return stopping_ ? nullptr : queue_.pop();
}

void TpmDevice::rest() {
  has_traces_ = false;
  tpm_->keys.forget_authorization();
}

void TpmDevice::perform(const Item& request) {
  if (request->deadline <= Clock::now()) {
    finish(request, kTooLate);  // without touching the TPM
    return;
  }
  TpmConnection& connection = *tpm_->connection;
  if (connection.broken()) {  // gone while nobody asked
    lost(request, kLost);
    return;
  }
  connection.set_deadline(request->deadline);
  has_traces_ = true;
  const Status outcome = request->work(*tpm_);
  if (!outcome && connection.broken()) {
    lost(request, outcome);
    return;
  }
  finish(request, outcome);
  connection.set_deadline(Clock::now() + kTidyTime);
  tpm_->keys.tidy();
}

void TpmDevice::lost(const Item& request, const Status& outcome) {
  tpm_.reset();
  lost_at_ = Clock::now();
  pause_ = 0ms;
  // Our requests leave nothing in the TPM but what they return, so they may be repeated even if only the
  // answer was lost. One that the TPM did not answer in time has had its turn.
  if (outcome.error().code != ErrorCode::kDeviceTimeout && ++repeats_ < kMaxRepeats) {
    repeat_ = request;
    return;
  }
  finish(request, outcome);
  if (outcome.error().code == ErrorCode::kDeviceTimeout) give_up(kStopped);
}

void TpmDevice::finish(const Item& request, const Status& outcome) {
  {
    const std::lock_guard lock(mutex_);
    request->outcome = outcome;
  }
  request->finished.notify_all();
}

// From here on nobody waits for a TPM that is known to be away.
void TpmDevice::give_up(const Error& error) {
  const std::lock_guard lock(mutex_);
  was_sought_ = true;
  failure_ = error;
  std::vector<Item> waiting = queue_.drain();
  if (repeat_) waiting.push_back(std::exchange(repeat_, nullptr));
  for (const Item& item : waiting) {
    item->outcome = error;
    item->finished.notify_all();
  }
  changed_.notify_all();
}

}  // namespace chancery::hsm
