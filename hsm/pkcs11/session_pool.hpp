#pragma once

#include <functional>
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

  Result<std::pair<PublicKey, std::string>> create(std::string_view agent, const KeyReference& key,
                                                   Deadline deadline) override;
  Result<Signature> sign(std::string_view agent, const KeyReference& key, const Sha256Digest& digest,
                         Deadline deadline) override;
  Status destroy(std::string_view agent, const KeyReference& key, Deadline deadline) override;
  Status discard(std::string_view agent, const std::string& label, Deadline deadline) override;
  Status check(Deadline deadline) override;
  Result<TokenCondition> condition(Deadline deadline) override;
  [[nodiscard]] TokenFacts facts() const override;
  [[nodiscard]] BackendLoad load() const override;

 private:
  struct Request;
  struct Shared;
  class Worker;

  [[nodiscard]] Status run(std::shared_ptr<Request> request);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace chancery::hsm
