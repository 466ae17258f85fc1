#include "daemon/vault/issuers/curl_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <curl/curl.h>
#include <string.h>

namespace chancery::vault {
namespace {

// What is given back must be known in size: it stands before each piece, in as much room as keeps the piece aligned.
constexpr std::size_t kHead = alignof(std::max_align_t);
static_assert(kHead >= sizeof(std::size_t));

void* allocate(std::size_t size) {
  if (size > SIZE_MAX - kHead) return nullptr;
  auto* const head = static_cast<unsigned char*>(std::malloc(kHead + size));
  if (head == nullptr) return nullptr;
  std::memcpy(head, &size, sizeof size);
  return head + kHead;
}

std::size_t size_of(const void* piece) {
  std::size_t size = 0;
  std::memcpy(&size, static_cast<const unsigned char*>(piece) - kHead, sizeof size);
  return size;
}

void release(void* piece) {
  if (piece == nullptr) return;
  explicit_bzero(piece, size_of(piece));
  std::free(static_cast<unsigned char*>(piece) - kHead);
}

void* reallocate(void* piece, std::size_t size) {
  void* const other = allocate(size);
  if (piece == nullptr || other == nullptr) return other;
  std::memcpy(other, piece, std::min(size, size_of(piece)));
  release(piece);
  return other;
}

char* duplicate(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  auto* const copy = static_cast<char*>(allocate(size));
  if (copy != nullptr) std::memcpy(copy, text, size);
  return copy;
}

void* allocate_zeros(std::size_t count, std::size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* const piece = allocate(count * size);
  if (piece != nullptr) std::memset(piece, 0, count * size);
  return piece;
}

}  // namespace

bool cleanse_curl_memory() {
  static const CURLcode ready =
      curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, release, reallocate, duplicate, allocate_zeros);
  return ready == CURLE_OK;
}

}  // namespace chancery::vault
