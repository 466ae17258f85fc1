#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/crypto/hash.hpp"

namespace chancery::setup {

/// Reads the files of trust and attestation that a configuration names, each once, and keeps a digest of what stood in them:
/// what is told apart by it is what was parsed, whoever writes to a file meanwhile.
class PolicyFiles {
 public:
  /// \param option  which names the file, such as "verify.trust_anchors"
  /// \param what  which option's file cannot be read: a literal
  /// \return what stands in it, or kFileUnreadable
  [[nodiscard]] Result<std::string> read(std::string_view option, const std::filesystem::path& file,
                                         const char* what);
  /// The same of one file, or of all in a folder, in the order of their names.
  [[nodiscard]] Result<std::vector<std::string>> read_all(std::string_view option,
                                                          const std::filesystem::path& path,
                                                          const char* what);
  /// Of a file that others read, whenever they need it: what stands in it now, if anything does.
  void note(std::string_view option, const std::filesystem::path& file);

  /// The options whose files hold something else than here, or are in one of the two alone.
  [[nodiscard]] std::vector<std::string> differing(const PolicyFiles& other) const;
  /// By option.
  [[nodiscard]] const std::map<std::string, Sha256Digest>& digests() const noexcept { return digests_; }

 private:
  std::map<std::string, Sha256Digest> digests_;
};

}  // namespace chancery::setup
