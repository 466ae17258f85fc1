#include "daemon/runtime/receipts.hpp"

#include <algorithm>
#include <utility>

namespace chancery::runtime {
namespace {

using namespace std::chrono_literals;

// Between two attempts, while the daemon or its device is away, or does not know the runtime: each is twice the one before.
constexpr auto kFirstPause = 1s;
constexpr auto kLongestPause = 30s;
// What comes within it is signed together: a device signs some ten times a second, and each signature is one more entry in the
// daemon's log, which the calls that follow would wait for.
constexpr auto kGathering = 100ms;

// Refusals that are about one of the permits, whoever asks and however often.
bool is_of_a_permit(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalidArgument;
}

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
  return waiting_.size() + in_hand_;
}

std::size_t Receipts::settle(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  is_settling_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, patience, [this] { return waiting_.size() + in_hand_ == 0 || has_failed_; });
  return waiting_.size() + in_hand_;
}

Receipts::Permits Receipts::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return !waiting_.empty(); });
  changed_.wait_for(lock, stop, kGathering,
                    [this] { return is_settling_ || waiting_.size() >= kMostTogether; });
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostTogether));
  Permits out(waiting_.begin(), waiting_.begin() + count);
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  in_hand_ = out.size();
  return out;
}

void Receipts::keep(const Permits& permits, const std::string& jws) {
  const std::lock_guard lock(mutex_);
  for (const std::string& permit : permits) {
    const auto found = kept_.find(permit);
    if (found != kept_.end()) found->second.jws = jws;
  }
  in_hand_ -= permits.size();
  pause_ = {};
  changed_.notify_all();
}

void Receipts::give_up(const std::string& permit, const Error& error) {
  complain_(error, permit);
  const std::lock_guard lock(mutex_);
  --in_hand_;
  changed_.notify_all();
}

bool Receipts::is_settling() const {
  const std::lock_guard lock(mutex_);
  return is_settling_;
}

bool Receipts::wait_to_retry(bool was_last, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  has_failed_ = has_failed_ || was_last;
  changed_.notify_all();
  pause_ = std::clamp<std::chrono::milliseconds>(2 * pause_, kFirstPause, kLongestPause);
  changed_.wait_for(lock, stop, pause_, [&] { return is_settling_ && !was_last; });
  return !stop.stop_requested();
}

void Receipts::sign_all(Permits permits, const std::stop_token& stop) {
  std::vector<Permits> parts{std::move(permits)};
  while (!parts.empty() && !stop.stop_requested()) {
    Permits& part = parts.back();
    const bool is_last = is_settling();
    const auto jws = sign_(part);
    if (jws) {
      keep(part, *jws);
      parts.pop_back();
    } else if (!is_of_a_permit(jws.error())) {
      complain_(jws.error(), {});
      if (!wait_to_retry(is_last, stop)) return;
    } else if (part.size() == 1) {
      give_up(part.front(), jws.error());
      parts.pop_back();
    } else {
      const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
      Permits first(part.begin(), middle);
      part.erase(part.begin(), middle);
      parts.push_back(std::move(first));
    }
  }
}

// What cannot be signed now is tried again, before what has come since.
void Receipts::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Permits permits = next(stop);
    if (permits.empty()) return;
    sign_all(std::move(permits), stop);
  }
}

}  // namespace chancery::runtime
