#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hsm/pkcs11/answer.hpp"
#include "hsm/pkcs11/packet_socket.hpp"
#include "hsm/pkcs11/token_messages.hpp"

namespace chancery::hsm {

/// Keeps the books between callers and the process that holds the module: what was asked, what was sent, what
/// has to be sent again or cleaned up. Starts and ends no process. Thread-safe.
///
/// A request is waiting (no process has it), sent, or answered. One that was sent is kept until it is answered
/// although its caller has left: only then is it known what became of it.
class RequestDesk {
 public:
  using Clock = std::chrono::steady_clock;

  /// \param capacity  requests that are kept at most
  /// \param wake  has the supervising thread look at the desk; called with the desk's lock held
  RequestDesk(std::size_t capacity, std::function<void()> wake)
      : capacity_(capacity), wake_(std::move(wake)) {}

  /// The caller's side: asks and waits.
  [[nodiscard]] Result<TokenReply> ask(TokenRequest request);
  [[nodiscard]] TokenFacts facts() const;
  [[nodiscard]] BackendLoad load() const;

  // The supervising thread's side.

  /// A process is there. \param socket  borrowed until close()
  void open(const PacketSocket& socket);
  /// It is gone: what it had is repeated once, or failed. \param rests_until  when the next one comes
  void close(Clock::time_point rests_until);
  /// No process comes any more.
  void end();
  /// Sends what waits, and what has to be cleaned up. \return whether the socket took all of it
  bool send_waiting();
  /// \return false when it is no message of ours, or answers what was not asked
  [[nodiscard]] bool take(ByteView packet);
  /// Asks for a sign of life, if that was not done yet.
  void probe(Deadline deadline);
  /// For how long the process has been asked and has not answered: zero when nothing is asked.
  [[nodiscard]] Clock::duration silence() const;

  /// Whether the next process presents a PIN of which it is not known whether it was refused.
  [[nodiscard]] bool is_pin_in_doubt() const;
  [[nodiscard]] bool is_pin_refused() const;

 private:
  struct Entry {
    explicit Entry(TokenRequest what) : request(std::move(what)) {}

    TokenRequest request;
    CleansedBytes packet;  // the request, as it is sent
    Answer<Result<TokenReply>> reply;
    bool has_caller = true;
    bool is_clean_up = false;
    bool is_sent = false;
    int times_sent = 0;
  };
  using Item = std::shared_ptr<Entry>;
  static constexpr BackendLoad kNoLoad{.is_up = false};

  [[nodiscard]] Status admit(std::uint64_t id, const Item& entry);
  [[nodiscard]] bool send(Entry& entry);
  void leave(std::uint64_t id);
  void file(TokenRequest request, bool is_clean_up);
  void file_clean_up();
  void end_clean_up(const TokenRequest& removal, const Result<TokenReply>& result);
  /// Takes entries out that `must_go`. \return those whose callers have to be told
  template <typename Predicate>
  [[nodiscard]] std::vector<Item> take_out(Predicate must_go);
  [[nodiscard]] bool take(const TokenAnswer& answer);
  void take(const LoginNews& news);
  [[nodiscard]] Item settle(const TokenAnswer& answer);
  void clean_up_later(const TokenRequest& request, const std::string& serial);

  const std::size_t capacity_;
  const std::function<void()> wake_;

  std::atomic<std::uint64_t> next_id_ = 1;

  mutable std::mutex mutex_;
  const PacketSocket* socket_ = nullptr;
  std::map<std::uint64_t, Item> entries_;
  std::size_t sent_ = 0;
  std::optional<Error> end_;      // why nothing is asked any more
  std::optional<Error> refusal_;  // of the PIN: why nothing is asked that needs a session
  Clock::time_point rests_until_{};
  Clock::time_point heard_{};
  bool is_probing_ = false;
  std::deque<TokenRequest> clean_up_;  // pairs that must not stay; the one being removed is an entry
  bool is_cleaning_up_ = false;
  Clock::time_point clean_up_again_{};
  bool is_logging_in_ = false;
  int doubtful_logins_ = 0;  // in a row
  TokenFacts facts_;
  BackendLoad load_ = kNoLoad;  // as the process said last
  std::uint64_t past_recoveries_ = 0;
};

}  // namespace chancery::hsm
