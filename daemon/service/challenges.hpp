#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "attest/evidence/pcr.hpp"
#include "daemon/store/host_book.hpp"

namespace chancery::service {

/// A host that shows it has its EK by opening a credential.
struct Candidate {
  store::Host host;
  Sha256Digest secret;  ///< SHA-256 of what is in the credential
};

/// What a host was asked, and what must be known when it answers.
struct Challenge {
  std::string host;     ///< its name
  std::string ek_name;  ///< of its EK: another machine may have its name by now
  std::chrono::sys_seconds asked_at{};
  store::HostSeen known{};  ///< of its TPM's time, when it was asked: what it answers is no older
  attest::PcrSelection pcrs{};
  std::optional<Candidate> candidate{};  ///< of an enrolment
  Bytes nonce{};                         ///< random

  /// With a fresh nonce. kCryptoFailure.
  [[nodiscard]] Status draw_nonce();
};

struct ChallengeLimits {
  std::size_t open = 1024;   ///< at once
  std::size_t of_host = 32;  ///< of these, of one host
  std::chrono::seconds lifetime{300};
};

/// Challenges that wait for their answer: random, good once, bounded in number and time. They are not kept over a
/// restart: what was asked before it is asked again. Thread-safe.
class Challenges {
 public:
  explicit Challenges(ChallengeLimits limits) : limits_(limits) {}

  struct Opened {
    std::string id;
    Bytes nonce;
    std::chrono::sys_seconds expires_at{};
  };
  /// \param challenge  gets a nonce
  /// \return what the host is to be told; kOverloaded when too many are open, kCryptoFailure
  [[nodiscard]] Result<Opened> open(Challenge challenge, std::chrono::sys_seconds now);

  /// Which host a challenge is for, without answering it. kNotFound.
  [[nodiscard]] Result<std::string> host_of(std::string_view id, std::chrono::sys_seconds now) const;

  /// Takes a challenge out: it is answered, well or badly. kNotFound for one that is not open (any more).
  [[nodiscard]] Result<Challenge> take(std::string_view id, std::chrono::sys_seconds now);

 private:
  struct Open {
    Challenge challenge;
    std::chrono::sys_seconds expires_at;
  };
  void forget_expired(std::chrono::sys_seconds now);  // with mutex_ held

  const ChallengeLimits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, Open, std::less<>> open_;
};

}  // namespace chancery::service
