#include "sdk/base/secret_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace chancery {
namespace {

// One cell holds a derived key or an authorization value, and no two secrets share a cache line.
constexpr std::size_t kCell = 64;
constexpr std::size_t kRegion = 64 * 1024;

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t cells_for(std::size_t size) noexcept { return (size + kCell - 1) / kCell; }

// The first of `count` free cells in a row; all of them when there are none.
std::size_t find_free(const std::vector<bool>& used, std::size_t count) {
  const auto found = std::search_n(used.begin(), used.end(), static_cast<std::ptrdiff_t>(count), false);
  return static_cast<std::size_t>(found - used.begin());
}

void mark(std::vector<bool>& used, std::size_t first, std::size_t count, bool value) {
  std::fill_n(used.begin() + static_cast<std::ptrdiff_t>(first), count, value);
}

}  // namespace

SecretMemory::~SecretMemory() {
  for (const Region& region : regions_) {
    explicit_bzero(region.begin, region.used.size() * kCell);
    ::munmap(region.begin - page_size(), region.used.size() * kCell + 2 * page_size());
  }
}

std::uint8_t* SecretMemory::allocate(std::size_t size) {
  const std::size_t count = cells_for(size);
  const std::lock_guard lock(mutex_);
  for (Region& region : regions_) {
    const std::size_t first = find_free(region.used, count);
    if (first == region.used.size()) continue;
    mark(region.used, first, count, true);
    return region.begin + first * kCell;
  }
  Region& region = add_region(count);
  mark(region.used, 0, count, true);
  return region.begin;
}

void SecretMemory::release(std::uint8_t* octets, std::size_t size) noexcept {
  explicit_bzero(octets, size);
  const std::lock_guard lock(mutex_);
  const auto region = std::ranges::find_if(regions_, [&](const Region& candidate) {
    return octets >= candidate.begin && octets < candidate.begin + candidate.used.size() * kCell;
  });
  mark(region->used, static_cast<std::size_t>(octets - region->begin) / kCell, cells_for(size), false);
}

SecretMemory::Region& SecretMemory::add_region(std::size_t cells) {
  const std::size_t wanted = std::max(cells * kCell, kRegion);
  const std::size_t size = (wanted + page_size() - 1) / page_size() * page_size();
  std::vector<bool> used(size / kCell);
  regions_.reserve(regions_.size() + 1);  // nothing below may throw once there are pages
  void* const pages = ::mmap(nullptr, size + 2 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::uint8_t*>(pages) + page_size();
  if (::mprotect(begin, size, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(pages, size + 2 * page_size());
    throw std::bad_alloc();
  }
  ::madvise(begin, size, MADV_DONTDUMP);
  if (lock_(begin, size) != 0) {
    state_.unlocked += size;
    state_.error = errno;
  }
  state_.size += size;
  regions_.push_back({begin, std::move(used)});
  return regions_.back();
}

SecretMemory::State SecretMemory::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

SecretMemory& secret_memory() {
  static auto& memory = *new SecretMemory(::mlock);
  return memory;
}

}  // namespace chancery
