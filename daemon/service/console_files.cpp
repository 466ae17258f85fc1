#include "daemon/service/console_files.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kMostOctets = 16u << 20;
constexpr std::size_t kMostFiles = 256;
constexpr std::size_t kLongestName = 128;
constexpr std::size_t kTagDigits = 32;

struct Type {
  std::string_view extension;
  const char* name;
};
constexpr std::array<Type, 11> kTypes{{{".html", "text/html; charset=utf-8"},
                                       {".js", "text/javascript; charset=utf-8"},
                                       {".css", "text/css; charset=utf-8"},
                                       {".svg", "image/svg+xml"},
                                       {".png", "image/png"},
                                       {".ico", "image/x-icon"},
                                       {".woff2", "font/woff2"},
                                       {".json", "application/json"},
                                       {".map", "application/json"},
                                       {".txt", "text/plain; charset=utf-8"},
                                       {".webmanifest", "application/manifest+json"}}};

constexpr Error kNoPage{
    ErrorCode::kConfigInvalid,
    "[console] files has no index.html: name the folder of the console's built files, or set "
    "[console] enabled = false"};

// What can stand in a path as it is.
bool is_file_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

Result<ConsoleFile> read_file(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  const auto* const type = std::ranges::find(kTypes, extension, &Type::extension);
  if (type == kTypes.end() || !is_file_name(path.filename().string()))
    return Error{ErrorCode::kConfigInvalid,
                 "[console] files holds a file that the console has no use for: name the folder of its built "
                 "files alone"};
  std::ifstream file(path, std::ios::binary);
  ConsoleFile out;
  out.type = type->name;
  out.body.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  if (!file) return Error{ErrorCode::kFileUnreadable, "[console] files has a file that cannot be read"};
  out.etag = "\"" + hex_encode(sha256(as_bytes(out.body))).substr(0, kTagDigits) + "\"";
  return out;
}

}  // namespace

Status ConsoleFiles::add(const std::filesystem::path& folder, const std::string& prefix) {
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->is_directory(failure)) continue;
    CHANCERY_ASSIGN(ConsoleFile file, read_file(entry->path()));
    octets_ += file.body.size();
    files_.emplace(prefix + entry->path().filename().string(), std::move(file));
    if (octets_ > kMostOctets || files_.size() > kMostFiles)
      return Error{
          ErrorCode::kConfigInvalid,
          "[console] files holds more than 16 MiB or 256 files: name the folder of the console's built "
          "files alone"};
  }
  if (!failure) return {};
  return Error{ErrorCode::kFileUnreadable, "[console] files is no folder that can be read"};
}

Result<ConsoleFiles> ConsoleFiles::read(const std::filesystem::path& folder) {
  std::error_code failure;
  if (!std::filesystem::exists(folder / "index.html", failure)) return kNoPage;
  ConsoleFiles out;
  CHANCERY_TRY(out.add(folder, ""));
  const std::filesystem::path assets = folder / "assets";
  if (std::filesystem::is_directory(assets, failure)) CHANCERY_TRY(out.add(assets, "assets/"));
  return out;
}

const ConsoleFile* ConsoleFiles::find(std::string_view name) const noexcept {
  const auto found = files_.find(name);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace chancery::service
