#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "hsm/pkcs11/token.hpp"
#include "hsm/pkcs11/token_owner.hpp"

namespace chancery::hsm {

struct PoolOptions {
  std::size_t sessions = 4;  ///< threads, each with a session of its own
  std::size_t queue = 256;   ///< requests that may wait
};

/// A request on its way through the pool. Shared by whoever asks and the thread that obeys: the one may leave
/// at the deadline while the module still works.
struct PooledRequest : TokenRequest {
  explicit PooledRequest(TokenRequest request) : TokenRequest(std::move(request)) {}
  virtual ~PooledRequest() = default;

  /// Called once, in the session's thread. \return false when nobody is left to be told: what was made is
  /// then taken back
  [[nodiscard]] virtual bool answer(const Result<TokenReply>& result) = 0;
  /// Called some time after answer(), together with others: whoever waits may go on.
  virtual void wake() {}
};

/// The token's owner within this process: a thread for each session, behind one bounded queue.
///
/// PKCS#11 knows no time-outs. A call that stalls inside of the module keeps its thread and session; its
/// caller leaves at the deadline, and the other sessions go on. A request that finds its session lost is
/// repeated once in a new one.
class SessionPool final : public TokenOwner {
 public:
  SessionPool(std::shared_ptr<Token> token, PoolOptions options);
  /// Ends within about a second. A thread that is stalled in the module is left behind, with the module
  /// loaded. No caller may still be waiting.
  ~SessionPool() override;
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  Result<TokenReply> perform(TokenRequest request) override;
  /// The same for whoever does not wait.
  /// \return kDeviceBusy when the queue is full, and the request is then not answered; kDeviceTimeout
  [[nodiscard]] Status submit(const std::shared_ptr<PooledRequest>& request);
  [[nodiscard]] TokenFacts facts() const override;
  [[nodiscard]] BackendLoad load() const override;

 private:
  struct Shared;
  class Worker;

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace chancery::hsm
