#include "hsm/pkcs11/session_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "hsm/pkcs11/answer.hpp"
#include "hsm/pkcs11/check.hpp"
#include "hsm/pkcs11/token_errors.hpp"
#include "sdk/base/fair_queue.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kEndTime = 1s;

// A token that is software answers sooner than a caller is woken and sleeps again. While others wait, some
// callers of such a one are woken together: they then disturb the session once.
constexpr std::size_t kMostAsleep = 8;
constexpr auto kSoon = 200us;

bool may_be_tried_again(const Error& error) { return ends_session(error.native); }

/// A request whose caller waits.
struct AwaitedRequest final : PooledRequest {
  using PooledRequest::PooledRequest;
  [[nodiscard]] bool answer(const Result<TokenReply>& result) override { return reply.leave(result); }
  void wake() override { reply.wake(); }

  Answer<Result<TokenReply>> reply;
};

}  // namespace

/// What the threads have in common with the pool; it lives as long as the last of them.
struct SessionPool::Shared {
  Shared(std::shared_ptr<Token> shared_token, const PoolOptions& options)
      : token(std::move(shared_token)), size(options.sessions), queue(options.queue), session_limit(size) {}

  const std::shared_ptr<Token> token;
  const std::size_t size;

  std::mutex mutex;
  std::condition_variable changed;
  bool is_ending = false;
  std::size_t running = 0;  // threads
  FairQueue<PooledRequest> queue;
  std::size_t sessions = 0;       // open, or being opened
  std::size_t session_limit = 0;  // fewer than `size` while the token has no more
  std::uint64_t recoveries = 0;
  std::atomic<std::uint64_t> cached_keys = 0;
  std::atomic<bool> is_up = false;  // whether the last request met a session that answered
};

/// One thread and its session.
class SessionPool::Worker {
 public:
  explicit Worker(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  void serve() {
    while (const auto request = next()) obey(request);
    wake_answered();
    session_.reset();
    const std::lock_guard lock(shared_->mutex);
    --shared_->running;
    shared_->changed.notify_all();
  }

 private:
  using Item = std::shared_ptr<PooledRequest>;

  [[nodiscard]] Item next();
  void obey(const Item& request);
  [[nodiscard]] Result<TokenReply> attempt(const TokenRequest& request);
  void drop_session();
  [[nodiscard]] bool leave_to_others(const Item& request);
  void finish(PooledRequest& request, const Result<TokenReply>& result);
  void wake_answered();

  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<TokenSession> session_;
  std::uint64_t counted_keys_ = 0;
  std::vector<Item> answered_;  // whose callers sleep yet
};

SessionPool::Worker::Item SessionPool::Worker::next() {
  std::unique_lock lock(shared_->mutex);
  // They come back while another session works, or this one serves the last that waits.
  if (shared_->queue.size() <= (shared_->size == 1 ? 1 : 0)) {
    lock.unlock();
    wake_answered();
    lock.lock();
  }
  shared_->changed.wait(lock, [&] {
    const bool may_serve = session_ != nullptr || shared_->sessions < shared_->session_limit;
    return shared_->is_ending || (shared_->queue.size() > 0 && may_serve);
  });
  if (shared_->is_ending) return nullptr;
  if (session_ == nullptr) ++shared_->sessions;
  return shared_->queue.pop();
}

void SessionPool::Worker::obey(const Item& request) {
  const auto begun = Clock::now();
  auto result = attempt(*request);
  if (!result && may_be_tried_again(result.error())) {
    drop_session();
    if (result.error().native == CKR_SESSION_COUNT && leave_to_others(request)) return;
    request->is_repeated = true;
    result = attempt(*request);
    if (!result && may_be_tried_again(result.error())) drop_session();
  }
  finish(*request, result);
  answered_.push_back(request);
  if (answered_.size() >= kMostAsleep || Clock::now() - begun > kSoon) wake_answered();
}

void SessionPool::Worker::wake_answered() {
  for (const Item& request : answered_) request->wake();
  answered_.clear();
}

Result<TokenReply> SessionPool::Worker::attempt(const TokenRequest& request) {
  if (request.deadline <= Clock::now()) return kTokenTooLate;  // without touching the token
  if (request.verb == TokenVerb::kCondition) {
    TokenReply reply;
    CHANCERY_ASSIGN(reply.condition, shared_->token->condition());
    return reply;
  }
  if (session_ == nullptr) {
    CHANCERY_ASSIGN(session_, shared_->token->open_session());
  }
  return session_->perform(request);
}

void SessionPool::Worker::drop_session() {
  const bool had_one = session_ != nullptr;
  session_.reset();
  const std::lock_guard lock(shared_->mutex);
  if (!had_one) return;
  ++shared_->recoveries;
  shared_->session_limit = shared_->size;
}

// A token may have fewer sessions than we have threads, or other programs use them: then those that we have
// must do.
bool SessionPool::Worker::leave_to_others(const Item& request) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->sessions <= 1 || !shared_->queue.push(request)) return false;
    --shared_->sessions;
    shared_->session_limit = shared_->sessions;
  }
  shared_->changed.notify_all();
  return true;
}

void SessionPool::Worker::finish(PooledRequest& request, const Result<TokenReply>& result) {
  // The condition is the token's, and a deadline that had passed says nothing of the session.
  const bool is_late = !result && result.error().code == ErrorCode::kDeviceTimeout;
  if (request.verb != TokenVerb::kCondition && !is_late) shared_->is_up = session_ != nullptr;
  const std::uint64_t keys = session_ == nullptr ? 0 : session_->cached_keys();
  if (keys != counted_keys_) shared_->cached_keys += keys - std::exchange(counted_keys_, keys);
  if (session_ == nullptr) {
    const std::lock_guard lock(shared_->mutex);
    --shared_->sessions;
  }
  if (!request.answer(result) && result && session_ != nullptr) session_->undo(request);
}

// --- the pool

SessionPool::SessionPool(std::shared_ptr<Token> token, PoolOptions options)
    : shared_(std::make_shared<Shared>(std::move(token), options)) {
  shared_->running = options.sessions;
  for (std::size_t i = 0; i < options.sessions; ++i) {
    threads_.emplace_back([shared = shared_] { Worker(shared).serve(); });
  }
}

SessionPool::~SessionPool() {
  std::unique_lock lock(shared_->mutex);
  shared_->is_ending = true;
  const auto waiting = shared_->queue.drain();
  lock.unlock();
  for (const auto& request : waiting) {
    static_cast<void>(request->answer(kTokenEnding));
    request->wake();
  }
  shared_->changed.notify_all();
  lock.lock();
  const bool all_ended = shared_->changed.wait_for(lock, kEndTime, [&] { return shared_->running == 0; });
  lock.unlock();
  for (std::thread& thread : threads_) {
    if (all_ended) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

Status SessionPool::submit(const std::shared_ptr<PooledRequest>& request) {
  if (request->deadline <= Clock::now()) return kTokenTooLate;
  bool may_all_serve = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->queue.push(request)) return kTokenBusy;
    may_all_serve = shared_->session_limit == shared_->size;
  }
  if (may_all_serve) {
    shared_->changed.notify_one();
  } else {
    shared_->changed.notify_all();  // the one that wakes first may have no session, nor may open one
  }
  return {};
}

Result<TokenReply> SessionPool::perform(TokenRequest request) {
  const auto awaited = std::make_shared<AwaitedRequest>(std::move(request));
  CHANCERY_TRY(submit(awaited));
  if (auto reply = awaited->reply.wait_until(awaited->deadline)) return *std::move(reply);
  shared_->is_up = false;
  const std::lock_guard lock(shared_->mutex);
  shared_->queue.remove(*awaited);
  return kTokenTimedOut;
}

TokenFacts SessionPool::facts() const { return shared_->token->facts(); }

BackendLoad SessionPool::load() const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->queue.size(), 0, shared_->sessions, shared_->cached_keys, shared_->recoveries,
          shared_->is_up};
}

}  // namespace chancery::hsm
