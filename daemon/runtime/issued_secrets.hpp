#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <chancery/api_runtime.hpp>
#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "sdk/redaction/known_secrets.hpp"

namespace chancery::runtime {

/// Has what was issued for calls looked for in what upstreams answer: as long as a call with it is under way and, because tokens
/// may be shared or good until their end, until then. The values are not kept. Thread-safe.
class IssuedSecrets {
 public:
  /// Values with which no call is under way. Of more than these, those are looked for no more whose end comes first.
  static constexpr std::size_t kMostEnded = 2048;
  /// For so long after its end an upstream whose clock is behind may take a token.
  static constexpr std::chrono::seconds kLeeway{60};

  /// One value, for call_ended().
  using Id = Sha256Digest;

  /// \param known  borrowed: outlives this
  explicit IssuedSecrets(redaction::KnownSecrets& known) : known_(known) {}

  /// A call has been given it: from now on it is looked for, by the names of all records by which it was given.
  /// \return why it cannot be looked for, as KnownSecrets::add(); the call's end is to be told all the same
  Status call_begins(const api::ReleasedCredential& credential, std::chrono::sys_seconds now);

  /// The call is over, and what it was answered has been looked through.
  void call_ended(const Id& id, std::chrono::sys_seconds now);

  [[nodiscard]] static Id id_of(const api::ReleasedCredential& credential);

 private:
  struct Issued {
    std::size_t calls = 0;  // under way
    std::optional<std::chrono::sys_seconds> expires_at{};
    std::map<std::string, redaction::KnownSecrets::Handle> handles{};  // by the record's name
  };
  using All = std::map<Id, Issued>;

  void forget_expired(std::chrono::sys_seconds now);
  void forget_next();
  void forget(All::iterator issued);

  redaction::KnownSecrets& known_;
  std::mutex mutex_;  // of what follows
  All issued_;
  std::set<std::pair<std::chrono::sys_seconds, Id>> ended_;  // those without a call, by their end
};

}  // namespace chancery::runtime
