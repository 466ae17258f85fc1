#include "daemon/edge/connection.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <string.h>

#include "daemon/edge/request_mark.hpp"
#include "daemon/edge/response_text.hpp"
#include "daemon/rest/request_marks.hpp"
#include "daemon/telemetry/request_scope.hpp"
#include "sdk/base/cleanse.hpp"

namespace chancery::edge {
namespace {

namespace asio = boost::asio;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

using telemetry::EdgeRefusals;

constexpr std::size_t kReadBytes = 8 * 1024;
constexpr std::size_t kKeptAnswerBytes = 64 * 1024;
/// How much of a refused request is read and dropped so that its sender gets to read the answer: closing a
/// TCP socket with unread octets resets the connection, answer included.
constexpr std::size_t kMaxDiscardedBytes = 1024 * 1024;

std::string_view view(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

// What an operator must be able to look up afterwards: every failure that is not the client's fault, and
// every request by which a local process signs or changes something, for which it waited in turn. What is
// judged at once comes in any number, and is for debugging. Never a body, a query or a header field: tokens
// travel in them.
void record(const Surroundings& surroundings, const rest::Request& request, const rest::Response& response,
            steady_clock::time_point begun) {
  const telemetry::Log* const log = surroundings.log;
  if (!log) return;
  using telemetry::Field;
  const Field method("method", request.method), path("path", request.path), status("status", response.status);
  if (response.failure && response.status == 500) {
    log->error("a request failed", *response.failure, {method, path, status});
  } else if (response.failure) {
    log->warning("a request failed", *response.failure, {method, path, status});
  }
  const Field ms("ms", duration_cast<milliseconds>(steady_clock::now() - begun).count());
  const auto& peer = request.peer.credentials;
  const bool changes = request.method != "GET" && request.method != "HEAD" &&
                       surroundings.application.may_block(request.method, request.path);
  if (peer && changes) {
    log->info("request", {method, path, status, {"uid", peer->uid}, {"pid", peer->pid}, ms});
  } else {
    log->debug("request", {method, path, status, ms});
  }
}

// The one place where exceptions of handlers end: they are bugs or exhausted memory.
rest::Response try_handle(rest::Application& application, rest::Request& request, const telemetry::Log* log) {
  try {
    return application.handle(request);
  } catch (const std::exception& exception) {
    if (log) log->error("a handler failed", {{"exception", exception.what()}});
  } catch (...) {
    if (log) log->error("a handler failed");
  }
  return rest::problem(
      500, Error{ErrorCode::kInternal, "the daemon failed: its log has the reason under this Request-Id"});
}

void count(const Surroundings& surroundings, EdgeRefusals::Reason reason) {
  if (surroundings.refusals != nullptr) surroundings.refusals->add(reason);
}

EdgeRefusals::Reason reason_of(const Refusal& refusal) {
  if (refusal.code == ErrorCode::kRequestTimeout) return EdgeRefusals::Reason::kSlow;
  if (refusal.code == ErrorCode::kOverloaded) return EdgeRefusals::Reason::kMemory;
  const bool is_large = refusal.code == ErrorCode::kTooLarge || refusal.code == ErrorCode::kHeadersTooLarge;
  return is_large ? EdgeRefusals::Reason::kTooLarge : EdgeRefusals::Reason::kMalformed;
}

rest::Response not_admitted(BlockingPool::Admission admission) {
  if (admission == BlockingPool::Admission::kOwnerFull) {
    return rest::problem(
        {ErrorCode::kDeviceBusy,
         "too many requests of this user wait for a device or the disk: send fewer at once"});
  }
  return rest::problem(
      {ErrorCode::kOverloaded, "too many requests wait for a device or the disk: try again shortly"});
}

// A handler ends a little before it is given up, so that its own answer, which knows why, is the one that
// goes out.
milliseconds handlers_share(milliseconds time) { return time - std::min(time / 10, milliseconds(250)); }

rest::Response answer(const Surroundings& surroundings, rest::Request& request,
                      steady_clock::time_point begun) {
  const Status marked = rest::read_marks(request);
  const telemetry::RequestMark mark{request.id, request.trace_id, request.task};
  const telemetry::RequestScope scope(mark);
  rest::Response response = marked ? try_handle(surroundings.application, request, surroundings.log)
                                   : rest::problem(marked.error());
  if (!request.trace_id.empty()) {
    response.headers.emplace_back("traceresponse", rest::traceresponse(request.trace_id, request.id));
  }
  record(surroundings, request, response, begun);
  return response;
}

}  // namespace

struct Connection::Job {
  enum class State : std::uint8_t { kWaiting, kRunning, kGivenUp };

  Job(rest::Request&& whole, steady_clock::time_point started) : request(std::move(whole)), begun(started) {}

  bool leave_waiting(State next) {
    State expected = State::kWaiting;
    return state.compare_exchange_strong(expected, next);
  }

  rest::Request request;
  const steady_clock::time_point begun;
  rest::Response response;
  std::atomic<State> state = State::kWaiting;
};

Connection::Connection(Socket socket, const Origin& origin, const Surroundings& surroundings)
    : surroundings_(surroundings),
      limits_(origin.limits),
      transport_(origin.transport),
      open_(origin.open),
      channel_(std::move(socket), origin.tls),
      buffer_(limits_.header_bytes + 2 * kReadBytes),
      reader_(limits_),
      body_(origin.bodies),
      timer_(channel_.socket().get_executor()) {
  ++open_;
}

Connection::~Connection() {
  --open_;
  surroundings_.connections.remove(this);  // again, for one that an exception ended
}

void Connection::start() {
  asio::dispatch(channel_.socket().get_executor(), [self = shared_from_this()] { self->begin(); });
}

void Connection::drain() {
  asio::post(channel_.socket().get_executor(), [self = shared_from_this()] {
    if (self->phase_ == Phase::kHandshake) return self->close();
    if (!self->reading_ || !self->nothing_arrived()) return;
    self->interrupt(Interrupt::kDrain);
  });
}

void Connection::cut() {
  asio::post(channel_.socket().get_executor(), [self = shared_from_this()] { self->close(); });
}

void Connection::begin() {
  if (surroundings_.connections.is_draining()) return close();
  error_code ec;
  channel_.socket().non_blocking(true, ec);
  if (ec) return close();
  if (transport_ == rest::Transport::kUnix) {
    auto process = PeerProcess::of(channel_.socket().native_handle());
    if (!process) return close();
    process_.emplace(*std::move(process));
  }
  if (channel_.has_tls()) {
    expect_within(limits_.handshake_time);
    return channel_.async_handshake(
        [self = shared_from_this()](const error_code& result) { self->on_handshake(result); });
  }
  on_handshake(ec);
}

void Connection::on_handshake(const error_code& ec) {
  if (ec || phase_ == Phase::kClosed) return close();
  phase_ = Phase::kHead;  // whoever connects has something to say: only later requests may take their time
  expect_within(limits_.header_time);
  read();
}

// --- reading

void Connection::read() {
  reading_ = true;
  channel_.async_read_some(
      buffer_.prepare(kReadBytes),
      [self = shared_from_this()](const error_code& ec, std::size_t size) { self->on_read(ec, size); });
}

void Connection::on_read(const error_code& ec, std::size_t size) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  buffer_.commit(size);
  if (interrupt_ != Interrupt::kNone) return on_interrupted();
  if (ec) return close();
  advance();
}

// Ends the read, or the writing of "100 Continue", and leaves the rest to its callback, which alone knows
// that nothing is under way any more: it may be queued already, with success.
void Connection::interrupt(Interrupt reason) {
  if (!reading_ && phase_ != Phase::kBody) return;  // the next request is here, and about to be read
  interrupt_ = reason;
  channel_.socket().cancel();
}

// What was under way was cancelled, or ended just before it could be.
void Connection::on_interrupted() {
  const Interrupt reason = std::exchange(interrupt_, Interrupt::kNone);
  if (reason == Interrupt::kDrain) return nothing_arrived() ? look_once_more() : advance();
  if (nothing_arrived()) return linger();
  refuse({408, ErrorCode::kRequestTimeout,
          reader_.has_head() ? "the request body did not arrive in time"
                             : "the request's head did not arrive in time"});
}

// Draining: a request that came in the last moment is still served.
void Connection::look_once_more() {
  if (channel_.has_tls()) return linger();
  error_code ec;
  buffer_.commit(channel_.socket().read_some(buffer_.prepare(kReadBytes), ec));
  return ec ? linger() : advance();
}

void Connection::advance() {
  if (phase_ == Phase::kClosed) return;
  const auto used = reader_.feed(view(buffer_));
  if (!used) return refuse(used.error());
  // What was sent may be a secret, and the next request may be long in coming.
  explicit_bzero(buffer_.data().data(), *used);
  buffer_.consume(*used);
  if (!body_.grow_to(reader_.body_size())) {
    return refuse(
        {503, ErrorCode::kOverloaded, "the server holds too many request bodies: try again shortly"});
  }
  if (reader_.is_whole()) return handle();
  enter_reading_phase();
  if (reader_.has_head() && reader_.head().expects_continue && !continued_) return say_continue();
  read();
}

void Connection::enter_reading_phase() {
  if (reader_.has_head() && phase_ != Phase::kBody) {
    phase_ = Phase::kBody;
    expect_within(limits_.body_time);
  } else if (phase_ == Phase::kIdle && buffer_.size() > 0) {
    phase_ = Phase::kHead;
    expect_within(limits_.header_time);
  }
}

void Connection::say_continue() {
  continued_ = true;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  channel_.async_write(asio::buffer(kContinue),
                       [self = shared_from_this()](const error_code& ec, std::size_t) {
                         if (self->phase_ == Phase::kClosed) return;
                         // Perhaps a part of it is out, and no answer can follow that.
                         if (ec) return self->close();
                         return self->interrupt_ == Interrupt::kNone ? self->read() : self->on_interrupted();
                       });
}

// --- handling

void Connection::handle() {
  rest::Request& request = reader_.request();
  keep_alive_ = reader_.head().keep_alive;
  omit_body_ = request.method == "HEAD";
  id_ = random_id();
  request.id = id_;
  request.received_at = now_in_seconds();
  const auto begun = steady_clock::now();
  request.deadline = begun + handlers_share(limits_.handler_time);
  request.peer.transport = transport_;
  const bool may_block = surroundings_.application.may_block(request.method, request.path);
  if (process_) {
    // What needs no device concerns no agent: there, unit and executable stay empty, and the time to read
    // them is saved.
    const bool looks = may_block && surroundings_.looks_at_programs;
    request.peer.credentials = looks ? process_->look() : process_->credentials();
  }
  if (surroundings_.log) {
    surroundings_.log->trace("request arrived", {{"request_id", id_},
                                                 {"method", request.method},
                                                 {"path", request.path},
                                                 {"headers", request.headers.size()},
                                                 {"body_octets", request.body.size()},
                                                 {"may_wait", may_block}});
  }
  if (may_block) return handle_elsewhere(begun);
  phase_ = Phase::kHandling;
  send(answer(surroundings_, request, begun));
}

void Connection::handle_elsewhere(steady_clock::time_point begun) {
  phase_ = Phase::kHandling;
  expect_within(limits_.handler_time);
  job_ = std::make_shared<Job>(std::move(reader_.request()), begun);
  auto task = std::make_shared<BlockingPool::Task>();
  task->owner = owner();
  task->work = [self = shared_from_this(), job = job_] {
    if (!job->leave_waiting(Job::State::kRunning)) return;
    job->response = answer(self->surroundings_, job->request, job->begun);
    asio::dispatch(self->channel_.socket().get_executor(), [self, job] { self->on_answer(job); });
  };
  task_ = task;
  const auto admission = surroundings_.pool.submit(std::move(task));
  if (admission == BlockingPool::Admission::kTaken) return;
  const auto job = std::exchange(job_, nullptr);
  count(surroundings_, EdgeRefusals::Reason::kQueue);
  answer_instead(*job, not_admitted(admission));
}

// Whose turn a request takes that may block: a user's of this machine, or that of all others together, of whom
// the most may not have anything signed.
std::string Connection::owner() const {
  return process_ ? "uid " + std::to_string(process_->credentials().uid) : "network";
}

void Connection::on_answer(const std::shared_ptr<Job>& job) {
  if (job != job_) return;  // given up
  job_.reset();
  send(job->response);
  if (job->response.carries_secret) cleanse(job->response.body);
}

// Whether there was a job that had not begun.
bool Connection::withdraw_job() {
  const auto job = std::exchange(job_, nullptr);
  if (!job || !job->leave_waiting(Job::State::kGivenUp)) return false;
  if (const auto task = task_.lock()) surroundings_.pool.remove(*task);
  return true;
}

void Connection::give_up_job() {
  const auto job = job_;
  if (!job) return close();  // memory was missing for it
  const bool untouched = withdraw_job();
  keep_alive_ = false;
  count(surroundings_, EdgeRefusals::Reason::kUnanswered);
  answer_instead(
      *job, untouched
                ? rest::problem({ErrorCode::kOverloaded,
                                 "the request waited too long and was not begun: try again shortly"})
                : rest::problem(504, Error{ErrorCode::kRequestTimeout,
                                           "the request was begun but not finished in time: look whether "
                                           "it took effect before you repeat it"}));
}

// Of a request that no handler has answered, or not in time.
void Connection::answer_instead(const Job& job, const rest::Response& response) {
  const telemetry::RequestMark mark{.id =
                                        job.request.id};  // the job's thread may be about to write the others
  const telemetry::RequestScope scope(mark);
  record(surroundings_, job.request, response, job.begun);
  send(response);
}

// --- answering

void Connection::refuse(const Refusal& refusal) {
  keep_alive_ = false;
  omit_body_ = false;
  id_ = random_id();
  count(surroundings_, reason_of(refusal));
  if (surroundings_.log) {
    surroundings_.log->debug("request refused",
                             {{"request_id", id_}, {"status", refusal.status}, {"why", refusal.detail}});
  }
  send(rest::problem(refusal.status, refusal.code, refusal.detail));
}

void Connection::send(const rest::Response& response) {
  keep_alive_ = keep_alive_ && !surroundings_.connections.is_draining();
  phase_ = Phase::kWriting;
  append_response(out_, response,
                  {.request_id = id_,
                   .version = reader_.head().version,
                   .keep_alive = keep_alive_,
                   .omit_body = omit_body_,
                   .now = now_in_seconds()});
  is_secret_ = response.carries_secret;
  std::size_t written = 0;
  if (!channel_.has_tls()) {
    // Nearly always the kernel takes the whole answer at once; then no operation is queued and no deadline
    // set.
    error_code ec;
    written = channel_.socket().write_some(asio::buffer(out_), ec);
    if (ec && ec != asio::error::would_block) return close();
    if (written == out_.size()) return on_written();
  }
  expect_within(limits_.write_time);
  channel_.async_write(asio::buffer(out_) + written,
                       [self = shared_from_this()](const error_code& ec, std::size_t) {
                         if (self->phase_ == Phase::kClosed) return;
                         return ec ? self->close() : self->on_written();
                       });
}

void Connection::on_written() {
  if (std::exchange(is_secret_, false)) cleanse(out_);
  if (out_.capacity() > kKeptAnswerBytes) std::string().swap(out_);  // an assignment would keep it
  out_.clear();
  reader_.restart();
  body_.release();
  if (!keep_alive_) return linger();
  continued_ = false;
  phase_ = Phase::kIdle;
  // The drain began while this answer, which promised to keep the connection, was on its way.
  if (surroundings_.connections.is_draining() && nothing_arrived()) return look_once_more();
  expect_within(limits_.idle_time);
  if (buffer_.size() == 0) return read();
  // The next request is here already. Posted, so that a long pipeline neither nests nor starves other
  // connections.
  asio::post(channel_.socket().get_executor(), [self = shared_from_this()] { self->advance(); });
}

// --- closing

// Says that nothing more comes, then reads on for a while so that the peer can take the last answer.
void Connection::linger() {
  phase_ = Phase::kClosing;
  expect_within(limits_.linger_time);
  buffer_.consume(buffer_.size());
  if (!channel_.has_tls()) return discard();
  channel_.async_shutdown([self = shared_from_this()](const error_code&) {
    if (self->phase_ != Phase::kClosed) self->discard();
  });
}

void Connection::discard() {
  error_code ec;
  if (discarded_ == 0) channel_.socket().shutdown(Socket::shutdown_send, ec);
  if (ec || discarded_ > kMaxDiscardedBytes) return close();
  channel_.socket().async_read_some(buffer_.prepare(kReadBytes),
                                    [self = shared_from_this()](const error_code& result, std::size_t size) {
                                      if (self->phase_ == Phase::kClosed) return;
                                      self->discarded_ += size;
                                      return result ? self->close() : self->discard();
                                    });
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  withdraw_job();
  timer_.cancel();
  error_code ignored;
  channel_.socket().close(ignored);
  surroundings_.connections.remove(this);
}

// --- time

// Deadlines mostly move later, with every request. So the timer is left alone then, looks at the clock when
// it fires, and waits on; it is set anew only for a deadline before its own.
void Connection::expect_within(std::chrono::milliseconds time) {
  due_ = steady_clock::now() + time;
  if (!armed_ || due_ < timer_.expiry()) arm_timer();
}

void Connection::arm_timer() {
  armed_ = true;
  timer_.expires_at(due_);
  timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (!ec) self->on_timer();
  });
}

void Connection::on_timer() {
  if (phase_ == Phase::kClosed) return;
  armed_ = false;
  if (steady_clock::now() < due_) return arm_timer();
  on_timeout();
}

void Connection::on_timeout() {
  switch (phase_) {
    case Phase::kHandshake:
    case Phase::kWriting:
    case Phase::kClosing:
      return close();
    case Phase::kIdle:
    case Phase::kHead:
    case Phase::kBody:
      return interrupt(Interrupt::kTimeout);
    case Phase::kHandling:
      return give_up_job();
    case Phase::kClosed:
      return;
  }
}

}  // namespace chancery::edge
