#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <chancery/bytes.hpp>

namespace chancery {

/// How a token stopped to count.
enum class TokenEnd : std::uint8_t {
  kRevoked,    ///< for good
  kSuspended,  ///< until the suspension is lifted
};

/// The tokens that a verifier knows to count no more, by their digests (Token::digest). A value that is cheap
/// to copy and to change: a changed one shares what stays the same, so that among a million ended tokens one
/// more costs about as much as among ten. Immutable; share one between threads.
class EndedTokens {
 public:
  struct Change {
    Sha256Digest token{};
    std::optional<TokenEnd> end;  ///< none: it counts again
  };

  /// These tokens with the changes made. Of two changes of one token the later counts.
  [[nodiscard]] EndedTokens with(std::span<const Change> changes) const;

  /// How the token ended; nullopt when it did not. Cost: a few binary searches.
  [[nodiscard]] std::optional<TokenEnd> find(const Sha256Digest& token) const noexcept;

 private:
  using Run = std::vector<Change>;                // in the order of digests, each once
  std::vector<std::shared_ptr<const Run>> runs_;  // newest first, each less than half as long as the next
};

}  // namespace chancery
