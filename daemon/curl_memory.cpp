#include "daemon/curl_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <curl/curl.h>
#include <string.h>

namespace chancery {
namespace {

// In front of each block of libcurl's stands its size, so that all of it can be cleansed.
constexpr std::size_t kRoom = alignof(std::max_align_t);
static_assert(kRoom >= sizeof(std::size_t));

void* allocate(std::size_t size) {
  if (size > SIZE_MAX - kRoom) return nullptr;
  auto* const block = static_cast<unsigned char*>(std::malloc(kRoom + size));
  if (block == nullptr) return nullptr;
  std::memcpy(block, &size, sizeof size);
  return block + kRoom;
}

std::size_t size_of(void* octets) {
  std::size_t size = 0;
  std::memcpy(&size, static_cast<unsigned char*>(octets) - kRoom, sizeof size);
  return size;
}

void release(void* octets) {
  if (octets == nullptr) return;
  explicit_bzero(octets, size_of(octets));
  std::free(static_cast<unsigned char*>(octets) - kRoom);
}

// Never in place by realloc(3), which may leave a copy behind.
void* reallocate(void* octets, std::size_t size) {
  if (octets == nullptr) return allocate(size);
  const std::size_t former = size_of(octets);
  if (size <= former && former - size < former / 2) return octets;
  void* const moved = allocate(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, octets, std::min(former, size));
  release(octets);
  return moved;
}

char* duplicate(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  auto* const copy = static_cast<char*>(allocate(size));
  if (copy != nullptr) std::memcpy(copy, text, size);
  return copy;
}

void* allocate_zeroed(std::size_t count, std::size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* const octets = allocate(count * size);
  if (octets != nullptr) std::memset(octets, 0, count * size);
  return octets;
}

}  // namespace

bool cleanse_curl_memory() {
  static const CURLcode ready =
      curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, release, reallocate, duplicate, allocate_zeroed);
  return ready == CURLE_OK;
}

}  // namespace chancery
