#pragma once

#include <array>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <chancery/bytes.hpp>

namespace chancery::service {

/// When each token was used last, of those that were used lately. Bounded: once twice `most` others have been used
/// since, a token may be forgotten, and one that is used again and again makes nobody forget. Thread-safe.
class RecentUses {
 public:
  /// \param most  how many are remembered at least, about
  explicit RecentUses(std::size_t most = 1u << 17) : most_in_shard_(most / kShards) {}

  void note(const Sha256Digest& token, std::chrono::sys_seconds now);
  [[nodiscard]] std::optional<std::chrono::sys_seconds> find(const Sha256Digest& token) const;

 private:
  // Digests are random already.
  struct Hash {
    std::size_t operator()(const Sha256Digest& digest) const noexcept {
      std::size_t value = 0;
      std::memcpy(&value, digest.data(), sizeof value);
      return value;
    }
  };
  using Uses = std::unordered_map<Sha256Digest, std::chrono::sys_seconds, Hash>;
  struct Shard {
    mutable std::mutex mutex;
    Uses recent;
    Uses former;  // those that were recent before
  };
  static constexpr std::size_t kShards = 16;

  [[nodiscard]] static std::size_t shard_of(const Sha256Digest& digest) noexcept {
    return digest.back() % kShards;
  }

  const std::size_t most_in_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace chancery::service
