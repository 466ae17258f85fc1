#include "hsm/pkcs11/session_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "hsm/pkcs11/check.hpp"
#include "sdk/base/fair_queue.hpp"

namespace chancery::hsm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kEndTime = 1s;

constexpr Error kTooLate{ErrorCode::kDeviceTimeout,
                         "no time was left for the token: the deadline had passed"};
constexpr Error kTimedOut{ErrorCode::kDeviceTimeout,
                          "the token did not answer in time: it may be stalled or overloaded"};
constexpr Error kBusy{ErrorCode::kDeviceBusy, "too many requests wait for the token: try again later"};
constexpr Error kEnding{ErrorCode::kDeviceUnavailable, "the token is no longer used: the backend is ending"};

bool may_be_tried_again(const Error& error) { return ends_session(error.native); }

}  // namespace

/// Shared by caller and worker: the caller may leave at its deadline while the module still works, so both
/// functions own all that they use.
struct SessionPool::Request {
  std::string owner;
  Deadline deadline;
  std::function<Status(TokenSession&)> work;
  /// In the place of `work`, what needs no session.
  std::function<Status(Token&)> look;
  /// Takes back what `work` did, when nobody was left to be told.
  std::function<void(TokenSession&)> undo;

  // Guarded by the pool's mutex.
  std::optional<Status> outcome;
  bool is_abandoned = false;
  std::condition_variable finished;
};

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
  FairQueue<Request> queue;
  std::size_t sessions = 0;       // open, or being opened
  std::size_t session_limit = 0;  // fewer than `size` while the token has no more
  std::uint64_t recoveries = 0;
  std::atomic<std::uint64_t> cached_keys = 0;
};

/// One thread and its session.
class SessionPool::Worker {
 public:
  explicit Worker(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  void serve() {
    while (const auto request = next()) perform(request);
    session_.reset();
    const std::lock_guard lock(shared_->mutex);
    --shared_->running;
    shared_->changed.notify_all();
  }

 private:
  using Item = std::shared_ptr<Request>;

  [[nodiscard]] Item next();
  void perform(const Item& request);
  [[nodiscard]] Status attempt(const Request& request);
  void drop_session();
  [[nodiscard]] bool leave_to_others(const Item& request);
  void finish(const Item& request, const Status& outcome);

  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<TokenSession> session_;
  std::uint64_t counted_keys_ = 0;
};

SessionPool::Worker::Item SessionPool::Worker::next() {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [&] {
    const bool may_serve = session_ != nullptr || shared_->sessions < shared_->session_limit;
    return shared_->is_ending || (shared_->queue.size() > 0 && may_serve);
  });
  if (shared_->is_ending) return nullptr;
  if (session_ == nullptr) ++shared_->sessions;
  return shared_->queue.pop();
}

void SessionPool::Worker::perform(const Item& request) {
  Status outcome = attempt(*request);
  if (!outcome && may_be_tried_again(outcome.error())) {
    drop_session();
    if (outcome.error().native == CKR_SESSION_COUNT && leave_to_others(request)) return;
    outcome = attempt(*request);
    if (!outcome && may_be_tried_again(outcome.error())) drop_session();
  }
  const std::uint64_t keys = session_ == nullptr ? 0 : session_->cached_keys();
  shared_->cached_keys += keys - std::exchange(counted_keys_, keys);
  finish(request, outcome);
}

Status SessionPool::Worker::attempt(const Request& request) {
  if (request.deadline <= Clock::now()) return kTooLate;  // without touching the token
  if (request.look) return request.look(*shared_->token);
  if (session_ == nullptr) {
    CHANCERY_ASSIGN(session_, shared_->token->open_session());
  }
  return request.work(*session_);
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

void SessionPool::Worker::finish(const Item& request, const Status& outcome) {
  bool is_abandoned = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (session_ == nullptr) --shared_->sessions;
    request->outcome = outcome;
    is_abandoned = request->is_abandoned;
  }
  request->finished.notify_all();
  if (is_abandoned && outcome && request->undo) request->undo(*session_);
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
  for (const auto& request : shared_->queue.drain()) {
    request->outcome = kEnding;
    request->finished.notify_all();
  }
  shared_->changed.notify_all();
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

Status SessionPool::run(std::shared_ptr<Request> request) {
  if (request->deadline <= Clock::now()) return kTooLate;
  bool may_all_serve = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->queue.push(request)) return kBusy;
    may_all_serve = shared_->session_limit == shared_->size;
  }
  if (may_all_serve) {
    shared_->changed.notify_one();
  } else {
    shared_->changed.notify_all();  // the one that wakes first may have no session, nor may open one
  }
  std::unique_lock lock(shared_->mutex);
  if (request->finished.wait_until(lock, request->deadline, [&] { return request->outcome.has_value(); })) {
    return *request->outcome;
  }
  request->is_abandoned = true;
  shared_->queue.remove(*request);
  return kTimedOut;
}

Result<std::pair<PublicKey, std::string>> SessionPool::create(std::string_view agent, const KeyReference& key,
                                                              Deadline deadline) {
  using Made = std::optional<std::pair<PublicKey, std::string>>;
  const auto made = std::make_shared<Made>();
  const auto tries = std::make_shared<int>(0);
  auto request = std::make_shared<Request>();
  request->owner = agent;
  request->deadline = deadline;
  request->work = [key, made, tries](TokenSession& session) -> Status {
    KeyReference here = key;
    here.serial = session.serial();
    // A pair of which only the answer was lost is there already.
    if ((*tries)++ > 0) CHANCERY_TRY(session.destroy(here));
    CHANCERY_ASSIGN(const PublicKey public_key, session.create(here));
    made->emplace(public_key, here.serial);
    return {};
  };
  request->undo = [key](TokenSession& session) {
    KeyReference here = key;
    here.serial = session.serial();
    static_cast<void>(session.destroy(here));
  };
  CHANCERY_TRY(run(std::move(request)));
  return **made;
}

Result<Signature> SessionPool::sign(std::string_view agent, const KeyReference& key,
                                    const Sha256Digest& digest, Deadline deadline) {
  const auto signature = std::make_shared<Signature>();
  auto request = std::make_shared<Request>();
  request->owner = agent;
  request->deadline = deadline;
  request->work = [key, digest, signature](TokenSession& session) -> Status {
    CHANCERY_ASSIGN(*signature, session.sign(key, digest));
    return {};
  };
  CHANCERY_TRY(run(std::move(request)));
  return *signature;
}

Status SessionPool::destroy(std::string_view agent, const KeyReference& key, Deadline deadline) {
  auto request = std::make_shared<Request>();
  request->owner = agent;
  request->deadline = deadline;
  request->work = [key](TokenSession& session) { return session.destroy(key); };
  return run(std::move(request));
}

Status SessionPool::discard(std::string_view agent, const std::string& label, Deadline deadline) {
  auto request = std::make_shared<Request>();
  request->owner = agent;
  request->deadline = deadline;
  request->work = [label](TokenSession& session) { return session.discard(label); };
  return run(std::move(request));
}

Status SessionPool::check(Deadline deadline) {
  auto request = std::make_shared<Request>();
  request->deadline = deadline;
  request->work = [](TokenSession& session) { return session.ping(); };
  return run(std::move(request));
}

Result<TokenCondition> SessionPool::condition(Deadline deadline) {
  const auto condition = std::make_shared<TokenCondition>();
  auto request = std::make_shared<Request>();
  request->deadline = deadline;
  request->look = [condition](Token& token) -> Status {
    CHANCERY_ASSIGN(*condition, token.condition());
    return {};
  };
  CHANCERY_TRY(run(std::move(request)));
  return *condition;
}

TokenFacts SessionPool::facts() const { return shared_->token->facts(); }

BackendLoad SessionPool::load() const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->queue.size(), 0, shared_->sessions, shared_->cached_keys, shared_->recoveries,
          shared_->sessions > 0};
}

}  // namespace chancery::hsm
