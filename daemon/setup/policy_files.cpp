#include "daemon/setup/policy_files.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <system_error>

namespace chancery::setup {
namespace {

// A folder can be opened, and reading it fails.
Result<std::string> content_of(const std::filesystem::path& file, const char* what) {
  std::ifstream in(file, std::ios::binary);
  std::string content;
  std::array<char, 4096> part;
  do {
    in.read(part.data(), part.size());
    content.append(part.data(), static_cast<std::size_t>(in.gcount()));
  } while (in);
  return in.eof() && !in.bad() ? Result<std::string>(std::move(content))
                               : Error{ErrorCode::kFileUnreadable, what};
}

// Sorted, so that what is refused is the same each time.
Result<std::vector<std::filesystem::path>> files_in(const std::filesystem::path& folder, const char* what) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (failed) return Error{ErrorCode::kFileUnreadable, what};
  std::ranges::sort(files);
  return files;
}

// Each by its digest, so that nothing can move from one file to the next unnoticed.
Sha256Digest digest_of(const std::vector<std::string>& contents) {
  Bytes digests;
  for (const std::string& content : contents) {
    const Sha256Digest digest = sha256(as_bytes(content));
    digests.insert(digests.end(), digest.begin(), digest.end());
  }
  return sha256(digests);
}

}  // namespace

Result<std::string> PolicyFiles::read(std::string_view option, const std::filesystem::path& file,
                                      const char* what) {
  CHANCERY_ASSIGN(std::string content, content_of(file, what));
  digests_[std::string(option)] = digest_of({content});
  return content;
}

Result<std::vector<std::string>> PolicyFiles::read_all(std::string_view option,
                                                       const std::filesystem::path& path, const char* what) {
  std::vector<std::filesystem::path> files{path};
  if (std::error_code failed; std::filesystem::is_directory(path, failed)) {
    CHANCERY_ASSIGN(files, files_in(path, what));
  }
  std::vector<std::string> contents;
  for (const std::filesystem::path& file : files) {
    CHANCERY_ASSIGN(std::string content, content_of(file, what));
    contents.push_back(std::move(content));
  }
  digests_[std::string(option)] = digest_of(contents);
  return contents;
}

void PolicyFiles::note(std::string_view option, const std::filesystem::path& file) {
  if (const auto content = content_of(file, "")) digests_[std::string(option)] = digest_of({*content});
}

std::vector<std::string> PolicyFiles::differing(const PolicyFiles& other) const {
  std::set<std::string> options;
  const auto add_from = [&](const PolicyFiles& some, const PolicyFiles& rest) {
    for (const auto& [option, digest] : some.digests_) {
      const auto found = rest.digests_.find(option);
      if (found == rest.digests_.end() || found->second != digest) options.insert(option);
    }
  };
  add_from(*this, other);
  add_from(other, *this);
  return {options.begin(), options.end()};
}

}  // namespace chancery::setup
