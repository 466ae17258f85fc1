#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/service/trust.hpp"
#include "daemon/store/status_book.hpp"

namespace chancery::service {

/// Changes the statuses of tokens, in the book and then in what is published: when a call has returned, no
/// verification that begins on this daemon finds otherwise. Thread-safe.
class TokenStatuses {
 public:
  TokenStatuses(store::StatusBook& book, TrustPublisher& trust) : book_(book), trust_(trust) {}

  /// Publishes all that the book knows to have ended; at start, and now and then to forget what has expired.
  [[nodiscard]] Status publish(std::chrono::sys_seconds now);

  /// Makes the tokens of a chain known that were delegated offline, so that they end with what they stand on.
  /// \return kParentDenied when one of them has ended by that
  [[nodiscard]] Status adopt(const std::vector<store::IssuedToken>& chain);

  /// Errors: as StatusBook's.
  [[nodiscard]] Result<store::StatusAct> add(const store::StatusAct& act, const store::AuditEntry& audit);
  [[nodiscard]] Result<store::StatusAct> lift(std::int64_t id, const store::AuditEntry& audit);

 private:
  [[nodiscard]] Result<store::StatusAct> publish(Result<store::DoneAct> done);

  store::StatusBook& book_;
  TrustPublisher& trust_;
  std::mutex acting_;  // so that what is committed last is published last
};

}  // namespace chancery::service
