#pragma once

#include <filesystem>
#include <memory>
#include <thread>

#include "hsm/pkcs11/session_pool.hpp"
#include "hsm/pkcs11/token.hpp"
#include "hsm/pkcs11/token_owner.hpp"

namespace chancery::hsm {

struct IsolationOptions {
  TokenOptions token;
  PoolOptions pool;
  /// What runs the module: a program that calls run_owner_process().
  std::filesystem::path program = "/proc/self/exe";
  /// A process that has not answered for three times as long, although it was asked, is killed.
  std::chrono::milliseconds timeout{10'000};
};

/// The token's owner in a process of its own: module, PIN and sessions are over there, and what goes wrong
/// inside of the module ends that process alone.
///
/// When it ends, requests that were under way are repeated once in a new one, and fail at its second end. A
/// new process is started at once; if they keep ending, after a pause that doubles up to half a minute. A pair
/// that was being made, or whose maker had left, is removed again as soon as the token can be reached.
///
/// A PIN that was refused is never presented again, and no process that is started later is told it; the
/// token's condition can still be asked for. If a process ends while it presents the PIN, the next one presents
/// it only if the token does not say that a try has failed since the last good one, and there is no third.
class IsolatedToken final : public TokenOwner {
 public:
  explicit IsolatedToken(IsolationOptions options);
  /// Ends within about two seconds, and the other process with it. No caller may still be waiting.
  ~IsolatedToken() override;
  IsolatedToken(const IsolatedToken&) = delete;
  IsolatedToken& operator=(const IsolatedToken&) = delete;

  /// As in TokenOwner; kTooLarge for a message beyond kLongestInput that is not hashed here.
  Result<TokenReply> perform(TokenRequest request) override;
  [[nodiscard]] TokenFacts facts() const override;
  /// `queued` counts what the other process has not answered or cleaned up yet, `recoveries` its new starts too.
  [[nodiscard]] BackendLoad load() const override;

 private:
  class Supervisor;

  std::unique_ptr<Supervisor> supervisor_;
  std::thread thread_;
};

}  // namespace chancery::hsm
