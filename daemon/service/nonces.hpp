#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::service {

/// The nonces that this process wants in DPoP proofs (RFC 9449 section 8): a proof that was made before it
/// started, or for another server, has none of them. Nothing is kept: a nonce is a function of a secret of this
/// process and of the time, and good for five to ten minutes. Thread-safe.
class Nonces {
 public:
  [[nodiscard]] static Result<Nonces> create();

  [[nodiscard]] std::string current(std::chrono::sys_seconds now) const;
  [[nodiscard]] bool accepts(std::string_view nonce, std::chrono::sys_seconds now) const;

 private:
  explicit Nonces(SecretBytes secret) : secret_(std::move(secret)) {}
  [[nodiscard]] std::string of(std::chrono::sys_seconds now) const;

  SecretBytes secret_;
};

}  // namespace chancery::service
