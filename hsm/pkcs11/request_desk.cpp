#include "hsm/pkcs11/request_desk.hpp"

#include <algorithm>

#include "hsm/pkcs11/check.hpp"
#include "hsm/pkcs11/token_errors.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;

constexpr int kMostTries = 2;
constexpr int kMostDoubtfulLogins = 2;
constexpr std::size_t kMostCleanUps = 256;
constexpr auto kCleanUpTime = 1min;
constexpr auto kCleanUpPause = 1s;

constexpr Error kTooLong{ErrorCode::kTooLarge,
                         "the message is too long for a key that hashes it in the token: use an ES256 key"};
constexpr Error kDied{ErrorCode::kDeviceUnavailable,
                      "the process that holds the PKCS#11 module ended twice: look at the module's own log"};
constexpr Error kResting{
    ErrorCode::kDeviceUnavailable,
    "the process that holds the PKCS#11 module keeps ending, and is started again after a "
    "pause: look at the module's own log"};
constexpr Error kPinInDoubt{ErrorCode::kPinRefused,
                            "the PKCS#11 module ended twice while the PIN was presented, which is not tried "
                            "again: look at the module's own log, then restart"};

// Whether a session gave the answer: a queue may say these while every session is stalled.
bool shows_life(const Result<TokenReply>& result) {
  return result ||
         (result.error().code != ErrorCode::kDeviceBusy && result.error().code != ErrorCode::kDeviceTimeout);
}

bool needs_session(const TokenRequest& request) { return request.verb != TokenVerb::kCondition; }

}  // namespace

// --- the callers' side

Result<TokenReply> RequestDesk::ask(TokenRequest request) {
  if (request.deadline <= Clock::now()) return kTokenTooLate;
  if (request.input.size() > kLongestInput) return kTooLong;
  const std::uint64_t id = next_id_++;
  const auto entry = std::make_shared<Entry>(std::move(request));
  entry->packet = encode(id, entry->request);
  CHANCERY_TRY(admit(id, entry));
  if (auto reply = entry->reply.wait_until(entry->request.deadline)) return *std::move(reply);
  leave(id);
  return kTokenTimedOut;
}

Status RequestDesk::admit(std::uint64_t id, const Item& entry) {
  const std::lock_guard lock(mutex_);
  if (end_) return *end_;
  if (refusal_ && needs_session(entry->request)) return *refusal_;
  const bool makes_too_many = entry->request.verb == TokenVerb::kCreate && clean_up_.size() >= kMostCleanUps;
  if (entries_.size() >= capacity_ || makes_too_many) return kTokenBusy;
  if (socket_ == nullptr && rests_until_ > entry->request.deadline) return kResting;
  entries_.emplace(id, entry);
  if (socket_ != nullptr && !send(*entry)) wake_();
  return {};
}

bool RequestDesk::send(Entry& entry) {
  if (socket_->try_send(entry.packet) != PacketSocket::Sent::kYes) return false;
  entry.is_sent = true;
  ++entry.times_sent;
  if (sent_++ == 0) {
    heard_ = Clock::now();
    is_probing_ = false;
  }
  return true;
}

void RequestDesk::leave(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  entry.has_caller = false;
  load_.is_up = false;
  if (entry.is_sent) return;  // what became of it is still to be told
  if (entry.times_sent > 0) clean_up_later(entry.request, {});
  entries_.erase(found);
}

TokenFacts RequestDesk::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

BackendLoad RequestDesk::load() const {
  const std::lock_guard lock(mutex_);
  BackendLoad load = load_;
  load.queued = entries_.size() + clean_up_.size();
  load.recoveries += past_recoveries_;
  load.is_up = load.is_up && socket_ != nullptr && !end_ && !refusal_;
  return load;
}

// --- the supervising thread's side

void RequestDesk::open(const PacketSocket& socket) {
  const std::lock_guard lock(mutex_);
  socket_ = &socket;
}

template <typename Predicate>
std::vector<RequestDesk::Item> RequestDesk::take_out(Predicate must_go) {
  std::vector<Item> out;
  std::erase_if(entries_, [&](const auto& row) {
    if (!must_go(*row.second)) return false;
    if (row.second->is_clean_up) clean_up_.push_front(std::move(row.second->request));
    if (row.second->times_sent > 0) clean_up_later(row.second->request, {});
    out.push_back(row.second);
    return true;
  });
  return out;
}

void RequestDesk::close(Clock::time_point rests_until) {
  std::vector<Item> gone;
  std::optional<Error> ended, refused;
  {
    const std::lock_guard lock(mutex_);
    if (socket_ != nullptr) past_recoveries_ += std::exchange(load_, kNoLoad).recoveries + 1;
    socket_ = nullptr;
    rests_until_ = rests_until;
    is_cleaning_up_ = false;
    sent_ = 0;
    if (std::exchange(is_logging_in_, false) && ++doubtful_logins_ >= kMostDoubtfulLogins) {
      if (!refusal_) refusal_ = kPinInDoubt;
    }
    gone = take_out([&](const Entry& entry) {
      const bool is_done = entry.is_sent && (!entry.has_caller || entry.times_sent >= kMostTries);
      const bool is_refused = refusal_ && needs_session(entry.request);
      return end_ || is_refused || entry.is_clean_up || is_done || entry.request.deadline < rests_until;
    });
    for (const auto& [id, entry] : entries_) {
      if (!std::exchange(entry->is_sent, false)) continue;
      entry->request.is_repeated = true;
      entry->packet = encode(id, entry->request);
    }
    ended = end_;
    refused = refusal_;
  }
  for (const Item& entry : gone) {
    const auto& known = ended || !needs_session(entry->request) ? ended : refused;
    static_cast<void>(entry->reply.put(known.value_or(entry->times_sent < kMostTries ? kResting : kDied)));
  }
}

void RequestDesk::end() {
  std::vector<Item> gone;
  {
    const std::lock_guard lock(mutex_);
    if (!end_) end_ = kTokenEnding;
    gone = take_out([](const Entry&) { return true; });
  }
  for (const Item& entry : gone) static_cast<void>(entry->reply.put(kTokenEnding));
}

bool RequestDesk::send_waiting() {
  const std::lock_guard lock(mutex_);
  if (socket_ == nullptr) return true;
  file_clean_up();
  if (sent_ == entries_.size()) return true;
  return std::ranges::all_of(entries_,
                             [&](const auto& row) { return row.second->is_sent || send(*row.second); });
}

void RequestDesk::file(TokenRequest request, bool is_clean_up) {
  const std::uint64_t id = next_id_++;
  const auto entry = std::make_shared<Entry>(std::move(request));
  entry->packet = encode(id, entry->request);
  entry->has_caller = false;
  entry->is_clean_up = is_clean_up;
  entries_.emplace(id, entry);
}

void RequestDesk::probe(Deadline deadline) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(is_probing_, true)) file({TokenVerb::kCheck, {}, deadline}, false);
}

RequestDesk::Clock::duration RequestDesk::silence() const {
  const std::lock_guard lock(mutex_);
  return sent_ == 0 ? Clock::duration::zero() : Clock::now() - heard_;
}

bool RequestDesk::is_pin_in_doubt() const {
  const std::lock_guard lock(mutex_);
  return doubtful_logins_ > 0;
}

bool RequestDesk::is_pin_refused() const {
  const std::lock_guard lock(mutex_);
  return refusal_.has_value();
}

// --- what the process says

bool RequestDesk::take(ByteView packet) {
  const auto message = decode_from_owner(packet);
  if (!message) return false;
  if (const auto* answer = std::get_if<TokenAnswer>(&*message)) return take(*answer);
  const std::lock_guard lock(mutex_);
  if (const auto* news = std::get_if<LoginNews>(&*message)) take(*news);
  if (const auto* facts = std::get_if<TokenFacts>(&*message)) facts_ = *facts;
  return true;
}

void RequestDesk::take(const LoginNews& news) {
  is_logging_in_ = news.step == LoginStep::kBegins;
  if (news.step == LoginStep::kAccepted) doubtful_logins_ = 0;
  if (news.step != LoginStep::kRefused) return;
  const Status refused = check_pkcs11(static_cast<CK_RV>(news.native), "");
  if (!refused && !refusal_) refusal_ = refused.error();
}

bool RequestDesk::take(const TokenAnswer& answer) {
  const Item entry = settle(answer);
  if (!entry) return false;
  // Nobody knows of a pair whose maker has left.
  if (entry->has_caller && !entry->reply.put(answer.result)) {
    const std::lock_guard lock(mutex_);
    if (answer.result) clean_up_later(entry->request, answer.result->serial);
  }
  return true;
}

RequestDesk::Item RequestDesk::settle(const TokenAnswer& answer) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(answer.id);
  if (found == entries_.end() || !found->second->is_sent) return nullptr;
  Item entry = std::move(found->second);
  entries_.erase(found);
  --sent_;
  const bool was_up = std::exchange(load_, answer.load).is_up;
  if (shows_life(answer.result)) {
    heard_ = Clock::now();
    is_probing_ = false;
  } else {
    load_.is_up = was_up;
  }
  if (!entry->has_caller && answer.result) clean_up_later(entry->request, answer.result->serial);
  if (entry->is_clean_up) end_clean_up(entry->request, answer.result);
  return entry;
}

// --- what must not stay in the token

void RequestDesk::clean_up_later(const TokenRequest& request, const std::string& serial) {
  if (request.verb != TokenVerb::kCreate) return;
  TokenRequest removal{TokenVerb::kDestroy, request.owner, {}};
  removal.key = request.key;  // its id is random, so that a later key of the same label is safe
  removal.key.serial = serial;
  clean_up_.push_back(std::move(removal));
  wake_();
}

void RequestDesk::file_clean_up() {
  if (clean_up_.empty() || is_cleaning_up_ || Clock::now() < clean_up_again_) return;
  if (end_ || refusal_) return;
  is_cleaning_up_ = true;
  TokenRequest removal = std::move(clean_up_.front());
  clean_up_.pop_front();
  removal.deadline = Clock::now() + kCleanUpTime;
  file(std::move(removal), true);
}

void RequestDesk::end_clean_up(const TokenRequest& removal, const Result<TokenReply>& result) {
  is_cleaning_up_ = false;
  clean_up_again_ = result ? Clock::time_point{} : Clock::now() + kCleanUpPause;
  if (result || result.error().code == ErrorCode::kWrongDevice) return;  // another token's is out of reach
  clean_up_.push_back(removal);                                          // behind those that may succeed
}

}  // namespace chancery::hsm
