#pragma once

#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "sdk/redaction/pattern_set.hpp"
#include "sdk/redaction/secret_prints.hpp"

namespace chancery::redaction {

/// Takes secrets out of what a daemon says of itself: short texts, many a second. It knows secret_patterns(), the
/// configured patterns, and values that were given to hide(). Thread-safe; linear in the text.
///
/// What others say, who may have changed a secret's form, goes through SecretFinder.
class LogRedactor {
 public:
  /// \param patterns  each of which check() has found good
  explicit LogRedactor(std::span<const std::string> patterns = {}) : configured_(patterns) {}

  /// Whether a configured pattern can be used. \return kConfigInvalid (no RE2 pattern, or one that matches everywhere)
  [[nodiscard]] static Status check(std::string_view pattern);

  /// Has a secret redacted from now on, as it is, in hexadecimal, in base64 and in base64url. It is not kept.
  void hide(ByteView secret);

  /// Takes one hide() back: of a secret that is good for nothing any more. It is redacted as long as another is left.
  void forget(ByteView secret);

  /// `text` with `[redacted]` in place of each secret. What has more than a thousand goes as a whole behind them.
  [[nodiscard]] std::string text(std::string_view text) const;

  /// A JSON text, each string of which is redacted by itself, so that it stays JSON; an object's names are left as they
  /// are. In canonical form if there was anything to look at closely. What is no JSON is taken for text.
  [[nodiscard]] std::string json(std::string json) const;

 private:
  [[nodiscard]] std::vector<Hit> find(std::string_view text) const;
  [[nodiscard]] bool may_have_secrets(std::string_view json) const;

  PatternSet patterns_;
  ConfiguredPatterns configured_;
  mutable std::shared_mutex mutex_;  // of known_
  SecretPrints known_;
};

}  // namespace chancery::redaction
