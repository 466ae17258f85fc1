#pragma once

#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <chancery/verify.hpp>

#include "daemon/store/status_book.hpp"

namespace chancery::service {

/// What verification has seen of tokens since the start: when each was accepted last, and which chains were
/// denied because a token is suspended. In memory and bounded, so that noting costs no more than a look-up: of
/// a million tokens in use some last uses are forgotten. Thread-safe.
class TokenActivity {
 public:
  /// \param trust  that the verdict was found under
  void note(const Verdict& verdict, std::span<const std::string_view> chain, const TrustSnapshot& trust,
            std::chrono::sys_seconds now);

  [[nodiscard]] std::optional<std::chrono::sys_seconds> last_used(const Sha256Digest& token) const;

  /// The denials that were noted since this was asked last.
  [[nodiscard]] std::vector<store::DeniedUse> take_denied();

 private:
  // Digests are random already.
  struct Hash {
    std::size_t operator()(const Sha256Digest& digest) const noexcept {
      std::size_t value = 0;
      std::memcpy(&value, digest.data(), sizeof value);
      return value;
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Sha256Digest, std::chrono::sys_seconds, Hash> last_uses;
  };
  static constexpr std::size_t kShards = 16;

  void note_denied(const Denial& denial, std::span<const std::string_view> chain, const TrustSnapshot& trust,
                   std::chrono::sys_seconds now);
  [[nodiscard]] static std::size_t shard_of(const Sha256Digest& digest) noexcept {
    return digest.back() % kShards;
  }

  std::array<Shard, kShards> shards_;
  std::mutex denied_mutex_;
  std::map<std::pair<Sha256Digest, Sha256Digest>, store::DeniedUse> denied_;  // by token and leaf
};

}  // namespace chancery::service
