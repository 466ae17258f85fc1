#pragma once

#include <string>
#include <vector>

#include "sdk/audit/exported_line.hpp"
#include "sdk/audit/log_verifier.hpp"
#include "sdk/crypto/signing_key.hpp"

namespace chancery::audit {

/// A log of a test's own, whose lines can be tampered with before it is judged.
class ExportedLog {
 public:
  static constexpr const char* kOrigin = "chancery.example.org/audit/0123456789abcdef";

  explicit ExportedLog(std::string origin = kOrigin) : origin_(std::move(origin)) {
    lines.push_back(exported_header(origin_));
  }

  void add(const std::string& entry);
  /// \return the note, as somebody else may keep it
  std::string add_checkpoint() { return add_checkpoint(secret_); }
  std::string add_checkpoint(const SigningKey& secret);

  [[nodiscard]] NoteKey key() const { return {origin_, secret_.public_key()}; }
  [[nodiscard]] const SigningKey& secret() const { return secret_; }
  [[nodiscard]] std::string text() const;

  std::vector<std::string> lines;

 private:
  std::string origin_;
  SigningKey secret_ = *SigningKey::generate(Algorithm::kES256);
  Frontier tree_;
};

/// Reads a text in pieces of that size.
[[nodiscard]] ReadMore reading(const std::string& text, std::size_t piece = 1000);

/// An entry as such a log has them.
[[nodiscard]] std::string some_entry(std::uint64_t number);

}  // namespace chancery::audit
