#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <string.h>

namespace chancery {

/// Cleanses memory before it is given back, that of a container which has grown out of it too.
template <typename T>
struct CleansingAllocator {
  using value_type = T;

  CleansingAllocator() = default;
  template <typename U>
  CleansingAllocator(const CleansingAllocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const CleansingAllocator&) const = default;
};

/// Octets that may have a secret among them on their way from one place to another. A secret that stays is SecretBytes,
/// which are locked in memory besides.
using CleansedBytes = std::vector<std::uint8_t, CleansingAllocator<std::uint8_t>>;

}  // namespace chancery
