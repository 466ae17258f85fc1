#pragma once

#include <chrono>
#include <functional>

#include <chancery/result.hpp>

#include "daemon/service/status_desk.hpp"
#include "daemon/store/join_book.hpp"

namespace chancery::service {

/// What has to be done about statuses when nobody asks: what drills have denied is recorded, drills whose end
/// has come are ended, also those that were under way when the daemon was stopped, and what concerns expired
/// tokens alone is forgotten, join tokens too. One thread at a time.
class StatusKeeper {
 public:
  using Complaint = std::function<void(const char* what, const Error& error)>;

  StatusKeeper(StatusDesk& statuses, store::JoinBook& joins, Complaint complain)
      : statuses_(statuses), joins_(joins), complain_(std::move(complain)) {}

  /// One round. It knows no time but what it is given.
  void tick(std::chrono::sys_seconds now);

 private:
  void record_denied();
  void end_drills(std::chrono::sys_seconds now);
  void forget_expired(std::chrono::sys_seconds now);

  StatusDesk& statuses_;
  store::JoinBook& joins_;
  const Complaint complain_;
  std::chrono::sys_seconds next_clearing_{};
};

}  // namespace chancery::service
