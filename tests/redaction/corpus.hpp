#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sdk/redaction/secret_finder.hpp"

namespace chancery::tests {

/// A text of the corpus. Its secrets are made from a seed when the corpus is read, so that no file of the repository holds
/// anything that looks like one.
struct Sample {
  std::string detector;  ///< what should find it; empty: nothing should
  std::string about;     ///< the context, or what the text has that is no secret
  std::string form;      ///< how the secret is written
  std::string text;
  redaction::Extent secret{};
};

struct Corpus {
  std::vector<std::string> known;  ///< values to be told to KnownSecrets
  std::vector<Sample> positives;
  std::vector<Sample> negatives;
};

/// Reads the contexts and negatives below `folder` and makes the samples. The same on every machine.
[[nodiscard]] Corpus read_corpus(const std::filesystem::path& folder);

/// What a detector made of the corpus.
struct Figures {
  int found = 0;
  int missed = 0;
  int wrong = 0;                        ///< texts without a secret in which it found one
  std::vector<std::string> mistakes{};  ///< for people

  [[nodiscard]] double recall() const;
  [[nodiscard]] double precision() const;
};

/// The figures of a finder that looks for all there is, by detector.
[[nodiscard]] std::map<std::string, Figures> measure(const Corpus& corpus);

/// A finder that knows the corpus's values and looks for everything.
[[nodiscard]] redaction::SecretFinder full_finder(const Corpus& corpus);

}  // namespace chancery::tests
