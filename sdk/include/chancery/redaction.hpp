#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery {

/// What a Redactor looks for besides the values that it is told and the patterns of well-known kinds of secrets.
struct RedactorOptions {
  std::vector<std::string> patterns{};  ///< regular expressions in RE2's syntax, which take linear time
  bool random_tokens =
      false;  ///< tokens that are as good as random; a guess, so that logs may lose ids by it
};

/// Takes secrets out of what a program is about to write: a log's formatter gives each line to redact().
///
/// It knows the kinds of secrets that docs/operations/logging.md lists by how they look, and values that hide() told it in
/// whatever usual form: as they are, percent-encoded, escaped as in JSON or HTML, in hexadecimal, base64 and base64url.
/// Of a value it keeps a fingerprint, not the value. It is no wall against somebody who means to smuggle a secret out and
/// may write it in a form of his own.
///
/// Thread-safe. Move-only; what was moved from may only be destroyed.
class Redactor {
 public:
  /// \return kConfigInvalid for a pattern that RE2 does not take, or that matches the empty text
  [[nodiscard]] static Result<Redactor> create(const RedactorOptions& options = {});
  ~Redactor();
  Redactor(Redactor&& other) noexcept;
  Redactor& operator=(Redactor&& other) noexcept;
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  /// Has a value redacted from now on. White space around it does not count.
  /// \return kInvalidArgument (less than four octets stand everywhere by chance), kTooLarge (more than 16384)
  Status hide(ByteView secret);
  Status hide(const SecretBytes& secret) { return hide(secret.view()); }

  /// `text` with `[redacted]` in place of each secret.
  [[nodiscard]] std::string redact(std::string_view text) const;

  /// The same for JSON, which stays JSON. Members that are named as passwords, keys or tokens are redacted whatever they
  /// hold. As it is when there is no secret in it, else in canonical form; what is no JSON is taken for text.
  [[nodiscard]] std::string redact_json(std::string_view json) const;

 private:
  struct Parts;
  explicit Redactor(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace chancery
