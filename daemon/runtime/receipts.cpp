#include "daemon/runtime/receipts.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;

// Between two attempts, while the daemon or its device is away.
constexpr auto kPause = 1s;
// What comes within it is signed together: a device signs some ten times a second, and each signature is one more entry in the
// daemon's log, which the calls that follow would wait for.
constexpr auto kGathering = 100ms;

}  // namespace

Receipts::Receipts(Sign sign, Complain complain)
    : sign_(std::move(sign)),
      complain_(std::move(complain)),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

Receipts::~Receipts() {
  thread_.request_stop();
  changed_.notify_all();
}

void Receipts::add(std::string permit, std::string receipt) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(permit);
  order_.push_back(permit);
  kept_.emplace(std::move(permit), SignedReceipt{std::move(receipt), {}});
  if (order_.size() > kMostKept) {
    kept_.erase(order_.front());
    order_.pop_front();
  }
  if (waiting_.size() > kMostKept) waiting_.pop_front();
  changed_.notify_all();
}

std::optional<SignedReceipt> Receipts::find(std::string_view permit) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(permit);
  return found == kept_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Receipts::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::vector<std::string> Receipts::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
  changed_.wait_for(lock, stop, kGathering, [this] { return waiting_.size() >= kMostTogether; });
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostTogether));
  std::vector<std::string> out(waiting_.begin(), waiting_.begin() + count);
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return out;
}

void Receipts::keep(const std::vector<std::string>& permits, const std::string& jws) {
  const std::lock_guard lock(mutex_);
  for (const std::string& permit : permits) {
    const auto found = kept_.find(permit);
    if (found != kept_.end()) found->second.jws = jws;
  }
}

// What cannot be signed now is tried again, before what has come since.
void Receipts::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::vector<std::string> permits = next(stop);
    if (permits.empty()) return;
    while (!stop.stop_requested()) {
      const auto jws = sign_(permits);
      if (jws) {
        keep(permits, *jws);
        break;
      }
      complain_(jws.error());
      if (jws.error().code == ErrorCode::kNotFound || jws.error().code == ErrorCode::kInvalidArgument) break;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, kPause, [] { return false; });
    }
  }
}

}  // namespace chancery::runtime
