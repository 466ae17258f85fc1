#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <string.h>

#include <chancery/bytes.hpp>

#include "sdk/base/percent.hpp"

namespace chancery {

/// Puts a secret text together. Whatever it outgrows is cleansed, so that no part of it stays behind. Move-only.
class SecretWriter {
 public:
  SecretWriter& append(std::string_view text) {
    reserve(size_ + text.size());
    std::ranges::copy(text, octets_.writable().begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += text.size();
    return *this;
  }
  SecretWriter& append(ByteView octets) { return append(as_text(octets)); }

  /// Takes in a text that was made elsewhere, and cleanses it there.
  SecretWriter& absorb(std::string text) {
    append(text);
    explicit_bzero(text.data(), text.size());
    return *this;
  }

  /// Each octet that needs it as `%XX`, as in the value of a form.
  SecretWriter& append_percent_encoded(std::string_view text) {
    for (const char c : text) is_unreserved(c) ? append({&c, 1}) : append(percent_escape(c));
    return *this;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ByteView view() const noexcept { return octets_.view().first(size_); }

  /// What was written and no more; the writer is empty then.
  [[nodiscard]] SecretBytes take() {
    SecretBytes out(view());
    octets_ = {};
    size_ = 0;
    return out;
  }

 private:
  void reserve(std::size_t wanted) {
    constexpr std::size_t kLeast = 256;
    if (wanted <= octets_.size()) return;
    SecretBytes larger(std::max({kLeast, wanted, 2 * octets_.size()}));
    std::ranges::copy(view(), larger.writable().begin());
    octets_ = std::move(larger);
  }

  SecretBytes octets_;
  std::size_t size_ = 0;
};

}  // namespace chancery
