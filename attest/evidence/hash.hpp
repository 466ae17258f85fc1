#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include <openssl/evp.h>

#include <chancery/bytes.hpp>

namespace chancery::attest {

/// A hash that a TPM may use (TCG Algorithm Registry): TPM_ALG_ID, and how others call it.
class Hash {
 public:
  /// \return the hash, or nothing for an algorithm that is none or not known here
  [[nodiscard]] static std::optional<Hash> of(std::uint16_t algorithm) noexcept;
  /// \param bank  "sha1", "sha256", "sha384", "sha512", "sha3_256" …
  [[nodiscard]] static std::optional<Hash> named(std::string_view bank) noexcept;

  [[nodiscard]] std::uint16_t algorithm() const noexcept { return row_->algorithm; }
  [[nodiscard]] std::string_view name() const noexcept { return row_->name; }
  [[nodiscard]] std::size_t size() const noexcept { return row_->size; }
  [[nodiscard]] bool is_weak() const noexcept { return row_->size < 32; }
  [[nodiscard]] const EVP_MD* openssl() const noexcept;

  /// Over the parts, one after the other.
  [[nodiscard]] Bytes operator()(std::initializer_list<ByteView> parts) const;

  friend bool operator==(const Hash& a, const Hash& b) noexcept { return a.algorithm() == b.algorithm(); }
  friend auto operator<=>(const Hash& a, const Hash& b) noexcept { return a.algorithm() <=> b.algorithm(); }

 private:
  struct Row {
    std::uint16_t algorithm;
    const char* name;
    const char* openssl;
    std::size_t size;
  };
  explicit Hash(const Row& row) noexcept : row_(&row) {}
  static const Row kRows[];
  const Row* row_;
};

/// A hash as Names have it: the algorithm's two octets, then the hash.
[[nodiscard]] Bytes named(Hash hash, std::initializer_list<ByteView> parts);

}  // namespace chancery::attest
