#include <algorithm>

#include <chancery/bytes.hpp>

#include "sdk/base/secret_memory.hpp"

namespace chancery {

SecretBytes::SecretBytes(std::size_t size) {
  if (size > 0) bytes_ = {secret_memory().allocate(size), size};
}

SecretBytes::SecretBytes(ByteView source) : SecretBytes(source.size()) {
  std::ranges::copy(source, bytes_.begin());
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    release();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

void SecretBytes::release() noexcept {
  if (!bytes_.empty()) secret_memory().release(bytes_.data(), bytes_.size());
}

}  // namespace chancery
