#pragma once

#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

#include "daemon/telemetry/secret_prints.hpp"

namespace chancery::telemetry {

/// What stands where a secret was.
inline constexpr std::string_view kRedacted = "[redacted]";

/// Takes secrets out of what the daemon says: log lines, error answers, audit entries and metrics' labels all go
/// through the daemon's one redactor. It knows secret_patterns(), the configured patterns, and values that were given to
/// hide(). Thread-safe; linear in the text.
class Redactor {
 public:
  /// \param patterns  each of which check() has found good
  explicit Redactor(std::span<const std::string> patterns = {});
  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  /// Whether a configured pattern can be used. \return kConfigInvalid (no RE2 pattern, or one that matches everywhere)
  [[nodiscard]] static Status check(std::string_view pattern);

  /// Has a secret redacted from now on, as it is, in hexadecimal, in base64 and in base64url. It is not kept.
  void hide(ByteView secret);

  /// `text` with `[redacted]` in place of each secret.
  [[nodiscard]] std::string text(std::string_view text) const;

  /// A JSON text, each string of which is redacted by itself, so that it stays JSON; an object's names are left as they
  /// are. In canonical form if there was anything to look at closely. What is no JSON is taken for text.
  [[nodiscard]] std::string json(std::string json) const;

 private:
  struct Pattern;

  [[nodiscard]] bool may_have_secrets(std::string_view json) const;
  [[nodiscard]] std::string without_known(std::string_view text) const;

  std::vector<std::unique_ptr<const Pattern>> ours_;
  std::unique_ptr<const Pattern> any_of_ours_;  // mostly there is none, which is known after one look
  std::vector<std::unique_ptr<const Pattern>> configured_;
  mutable std::shared_mutex mutex_;  // of known_
  SecretPrints known_;
};

}  // namespace chancery::telemetry
