#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "attest/evidence/refusal.hpp"
#include "sdk/cli/failure.hpp"

namespace chancery::cli {

/// What became of a sample of evidence: a JSON file with one statement, credential, certificate chain or event log, in
/// the format of docs/development/attestation-samples.md.
struct SampleVerdict {
  std::string id;
  bool accepted = false;
  std::string
      reason;  ///< `ok`; `parse_only` where nothing could be checked but the form; else the check's name
  std::string explanation;  ///< of a refusal: what was found and what to do

  /// {"id", "verdict": "accept" or "reject", "reason"}
  [[nodiscard]] std::string json() const;
};

struct SampleOptions {
  bool allow_weak_hash = false;  ///< accept signatures over SHA-1
};

/// Judges one sample. Files that it names are looked for beside it, and in the folder above.
/// \return the verdict, or why the file is no sample: kMalformed, kFileUnreadable, kTooLarge
[[nodiscard]] Checked<SampleVerdict> judge_sample(const std::filesystem::path& file,
                                                  const SampleOptions& options = {});

/// The same for a text that stands for the file's.
[[nodiscard]] Checked<SampleVerdict> judge_sample_text(std::string_view text,
                                                       const std::filesystem::path& file,
                                                       const SampleOptions& options = {});

}  // namespace chancery::cli
