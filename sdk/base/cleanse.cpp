#include "sdk/base/cleanse.hpp"

#include <string.h>

namespace chancery {

void cleanse(std::string& text) noexcept {
  text.resize(text.capacity());  // within what it has: allocates nothing
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace chancery
