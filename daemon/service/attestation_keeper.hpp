#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "daemon/service/office.hpp"

namespace chancery::service {

/// What has to be done about attestation when nobody asks: keys that were made are attested, results about the issuer's keys, those behind gates too, are kept in its metadata, and
/// results that have expired are forgotten. One thread at a time.
class AttestationKeeper {
 public:
  using Complaint = std::function<void(const char* what, const Error& error)>;

  AttestationKeeper(Office& office, Complaint complain) : office_(office), complain_(std::move(complain)) {}

  /// One round. It knows no time but what it is given.
  void tick(std::chrono::sys_seconds now, const std::stop_token& stop = {});

 private:
  void attest_made(std::chrono::sys_seconds now, const std::stop_token& stop);
  void publish_issuer(std::chrono::sys_seconds now);
  void note(const Error& error);

  Office& office_;
  const Complaint complain_;
  std::chrono::sys_seconds next_round_{};
  std::optional<ErrorCode> complained_;  // of the last round
};

}  // namespace chancery::service
