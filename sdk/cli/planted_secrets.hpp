#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/redaction/secret_finder.hpp"

namespace chancery::cli {

/// A secret that stands in a file.
struct PlantedSecret {
  std::string kind;
  std::size_t line = 0;    ///< from 1 on; 0 in a binary file
  std::size_t column = 0;  ///< in octets, from 1 on
  std::size_t offset = 0;  ///< in octets from the file's beginning on
  std::string fingerprint;
};

/// 16 hexadecimal digits that are the same wherever the same secret stands, and do not tell it. Of a short password they
/// can be guessed all the same, if slowly: it takes some thousand hashes to make one.
[[nodiscard]] std::string fingerprint_of(std::string_view secret);

/// Looks for secrets in files of any kind.
class PlantedSecrets {
 public:
  /// \param random_tokens  tokens that are as good as random as well, in files that are text
  explicit PlantedSecrets(bool random_tokens);

  /// The secrets of one file, in order, those that overlap as one. Of a file with NUL octets only what has a form of its
  /// own counts. In a file named `.env` or alike each value counts whose name says that it is secret.
  [[nodiscard]] std::vector<PlantedSecret> find(const std::filesystem::path& path,
                                                std::string_view text) const;

 private:
  redaction::SecretFinder text_finder_;
  redaction::SecretFinder binary_finder_;
};

}  // namespace chancery::cli
