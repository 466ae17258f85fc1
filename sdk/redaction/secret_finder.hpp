#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/redaction/field_paths.hpp"
#include "sdk/redaction/hit.hpp"
#include "sdk/redaction/known_secrets.hpp"
#include "sdk/redaction/pattern_set.hpp"
#include "sdk/redaction/personal_data.hpp"

namespace chancery::redaction {

/// What a SecretFinder looks for besides values that are known.
struct FinderOptions {
  bool patterns = true;       ///< secret_patterns()
  bool random_tokens = true;  ///< find_random_tokens()
  bool named_members = true;  ///< in JSON: members that are named as passwords, keys or tokens are
  PersonalKinds personal{};
  std::vector<std::string> configured{};  ///< expressions that ConfiguredPatterns::check() found good
};

/// A text without its secrets, and what they were.
struct Redacted {
  std::string text;
  std::vector<Hit> hits;  ///< of the text before
};

/// Finds secrets in what others say: arguments that go to a tool, and what the tool answers. Thread-safe; immutable but
/// for the known secrets, which it shares.
class SecretFinder {
 public:
  /// \param known  may get more later; null: none
  explicit SecretFinder(std::shared_ptr<const KnownSecrets> known, FinderOptions options = {});

  /// In the order in which they begin; they may overlap. For arguments: any hit is a reason to refuse the call, and what
  /// it says may be logged.
  [[nodiscard]] std::vector<Hit> find(std::string_view text) const;

  /// The same for JSON, string by string, with the place of each; numbers too, since PINs and cards are such. Fields that
  /// are listed are hits whatever they hold. What is no JSON is taken for text.
  [[nodiscard]] std::vector<Hit> find_json(std::string_view json, const FieldPaths& fields = {}) const;

  /// `text` with `[redacted]` in place of each secret.
  [[nodiscard]] Redacted redact(std::string_view text) const;

  /// The same for JSON, which stays JSON: in canonical form when something was found, else as it is. Secrets in members'
  /// names are redacted as well; a name that would stand there twice gets a number. What is no JSON is taken for text.
  [[nodiscard]] Redacted redact_json(std::string_view json, const FieldPaths& fields = {}) const;

  /// How many octets a secret can have, in whatever form, to be found by StreamRedactor.
  [[nodiscard]] std::size_t reach() const;

 private:
  std::shared_ptr<const KnownSecrets> known_;
  FinderOptions options_;
  PatternSet patterns_;
  ConfiguredPatterns configured_;
};

}  // namespace chancery::redaction
