#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "daemon/edge/blocking_pool.hpp"
#include "daemon/edge/body_budget.hpp"
#include "daemon/edge/channel.hpp"
#include "daemon/edge/connection_set.hpp"
#include "daemon/edge/limits.hpp"
#include "daemon/edge/peer.hpp"
#include "daemon/edge/request_reader.hpp"
#include "daemon/rest/http.hpp"
#include "daemon/telemetry/edge_refusals.hpp"
#include "daemon/telemetry/log.hpp"

namespace chancery::edge {

/// What the connections of a server share; outlives them.
struct Surroundings {
  rest::Application& application;
  BlockingPool& pool;
  ConnectionSet& connections;
  const telemetry::Log* log = nullptr;          ///< nullptr: nothing is logged
  telemetry::EdgeRefusals* refusals = nullptr;  ///< nullptr: they are not counted
  bool looks_at_programs = true;                ///< as ServerOptions has it
};

/// How a connection came about.
struct Origin {
  rest::Transport transport = rest::Transport::kPlain;
  boost::asio::ssl::context* tls = nullptr;  ///< with Transport::kTls; borrowed while the connection is made
  std::atomic<std::size_t>& open;            ///< the listener's count of open connections
  BodyBudget& bodies;                        ///< the listener's
  Limits limits{};                           ///< of the moment: it keeps them
};

/// Serves one accepted socket: reads requests one after another, has each answered, writes the answer, and
/// sees to the limits. Pipelined requests wait in the buffer, so that answers keep their order. One deadline
/// runs at any time; which one, the phase says.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket socket, const Origin& origin, const Surroundings& surroundings);
  ~Connection();

  /// To be called once, after ConnectionSet::add(). Thread-safe, as the two below.
  void start();

  /// Closes the connection when no request has begun to arrive; else after that one's answer.
  void drain();

  /// Closes the connection at once.
  void cut();

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  using error_code = boost::system::error_code;

  enum class Phase : std::uint8_t { kHandshake, kIdle, kHead, kBody, kHandling, kWriting, kClosing, kClosed };
  enum class Interrupt : std::uint8_t { kNone, kTimeout, kDrain };

  // A request at a handler that may block. It belongs to both sides, since either may give up first.
  struct Job;

  void begin();
  void on_handshake(const error_code& ec);

  void read();
  void on_read(const error_code& ec, std::size_t size);
  void interrupt(Interrupt reason);
  void on_interrupted();
  void look_once_more();
  void advance();
  void enter_reading_phase();
  void say_continue();

  void handle();
  [[nodiscard]] std::string owner() const;
  void handle_elsewhere(std::chrono::steady_clock::time_point begun);
  void on_answer(const std::shared_ptr<Job>& job);
  void give_up_job();
  bool withdraw_job();
  void answer_instead(const Job& job, const rest::Response& response);

  void refuse(const Refusal& refusal);
  void send(const rest::Response& response);
  void on_written();

  void linger();
  void discard();
  void close();

  void expect_within(std::chrono::milliseconds time);
  void arm_timer();
  void on_timer();
  void on_timeout();

  [[nodiscard]] bool nothing_arrived() const { return buffer_.size() == 0 && !reader_.has_head(); }

  const Surroundings& surroundings_;
  const Limits limits_;
  const rest::Transport transport_;
  std::atomic<std::size_t>& open_;
  Channel channel_;
  std::optional<PeerProcess> process_;

  Phase phase_ = Phase::kHandshake;
  Interrupt interrupt_ = Interrupt::kNone;
  bool reading_ = false;     // a read is under way
  bool keep_alive_ = false;  // after the answer
  bool omit_body_ = false;   // of the answer
  bool continued_ = false;   // 100 Continue was sent for this request
  std::string id_;           // of the request that is being answered
  boost::beast::flat_buffer buffer_;
  RequestReader reader_;
  std::shared_ptr<Job> job_;
  std::weak_ptr<BlockingPool::Task> task_;  // which holds this connection
  std::string out_;
  bool is_secret_ = false;  // what out_ holds
  std::size_t discarded_ = 0;
  BodyBudget::Share body_;  // of the request that is read or handled

  Timer timer_;
  std::chrono::steady_clock::time_point due_{};
  bool armed_ = false;
};

}  // namespace chancery::edge
