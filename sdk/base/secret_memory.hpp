#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace chancery {

/// Pages that are set aside for secrets: locked, so that they reach no swap device, left out of core dumps, and
/// between two pages that nobody may touch. What is given back is cleansed at once. Thread-safe.
///
/// Pages are taken in regions of 64 KiB and kept, so that a daemon's secrets fit into any usual
/// RLIMIT_MEMLOCK. When the kernel refuses to lock them they serve all the same, and state() says so.
class SecretMemory {
 public:
  /// mlock(2), or what a test puts in its place.
  using Lock = int (*)(const void* pages, std::size_t size);

  explicit SecretMemory(Lock lock) : lock_(lock) {}
  ~SecretMemory();
  SecretMemory(const SecretMemory&) = delete;
  SecretMemory& operator=(const SecretMemory&) = delete;

  /// \return that many octets, all zero; throws std::bad_alloc
  [[nodiscard]] std::uint8_t* allocate(std::size_t size);
  /// \param size  as it was asked for
  void release(std::uint8_t* octets, std::size_t size) noexcept;

  struct State {
    std::size_t size = 0;      ///< octets set aside
    std::size_t unlocked = 0;  ///< of which the kernel refused to lock
    int error = 0;             ///< errno of the last refusal
  };
  [[nodiscard]] State state() const;

 private:
  struct Region {
    std::uint8_t* begin = nullptr;
    std::vector<bool> used;  // by cell
  };

  [[nodiscard]] Region& add_region(std::size_t cells);

  const Lock lock_;
  mutable std::mutex mutex_;
  std::vector<Region> regions_;
  State state_;
};

/// Where every SecretBytes of this process lives. Never destroyed: static objects hold secrets too.
[[nodiscard]] SecretMemory& secret_memory();

}  // namespace chancery
