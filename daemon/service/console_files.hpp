#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::service {

/// A file of the console as it is served.
struct ConsoleFile {
  std::string type;  ///< its media type
  std::string etag;  ///< of what is in it, with quotes
  std::string body;
};

/// The console's files, which a build made: read once, so that what a session loads is of one build.
class ConsoleFiles {
 public:
  ConsoleFiles() = default;

  /// Reads `index.html`, what stands beside it, and `assets/`, all by names and types that are known.
  /// \return kConfigInvalid: there is no `index.html`, a file is of no known type, a name is none, or it is too much;
  ///         kFileUnreadable
  [[nodiscard]] static Result<ConsoleFiles> read(const std::filesystem::path& folder);

  /// \param name  "index.html", "assets/index-4f2a.js"
  /// \return nullptr when there is none
  [[nodiscard]] const ConsoleFile* find(std::string_view name) const noexcept;

 private:
  [[nodiscard]] Status add(const std::filesystem::path& folder, const std::string& prefix);

  std::map<std::string, ConsoleFile, std::less<>> files_;
  std::size_t octets_ = 0;
};

}  // namespace chancery::service
