#include "sdk/cli/trust_file.hpp"

#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "sdk/cli/files.hpp"
#include "sdk/cli/time_syntax.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using json::Value;

constexpr std::size_t kMaxTrustFile = 4 * 1024 * 1024;
constexpr std::size_t kMaxStatusFile = 64 * 1024 * 1024;

bool only_owner_writes(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  const bool owned = info.st_uid == ::geteuid() || info.st_uid == 0;
  return owned && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Failure no_trust(std::string_view subject) {
  return failure({ErrorCode::kNoTrust, "no trust anchor: run `chancery trust add`, or give --trust FILE"},
                 subject);
}

template <typename T>
void append(std::vector<T>& all, std::vector<T> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

Checked<void> add_trust_file(TrustConfig& trust, const std::string& path) {
  CHANCERY_ASSIGN(const std::string text, read_input(path, kMaxTrustFile));
  auto part = TrustConfig::parse(text);
  if (!part) return failure(part.error(), path);
  append(trust.anchors, std::move(part->anchors));
  append(trust.issuers, std::move(part->issuers));
  append(trust.status_keys, std::move(part->status_keys));
  return {};
}

Checked<std::vector<std::string>> trust_files(const client::Environment& environment) {
  const char* named = environment("CHANCERY_TRUST");
  if (named != nullptr && named[0] != '\0') return std::vector<std::string>{named};
  CHANCERY_ASSIGN(const std::filesystem::path path, default_trust_path(environment));
  CHANCERY_TRY(check_trust_permissions(path));
  return std::vector<std::string>{path.string()};
}

Result<std::chrono::sys_seconds> fetched_at(const Value& list) {
  constexpr const char* kWhat = "`fetched_at` is RFC 3339 or whole seconds since 1970";
  const Value* at = list.find("fetched_at");
  if (at != nullptr && at->integer()) return std::chrono::sys_seconds(std::chrono::seconds(*at->integer()));
  if (at != nullptr && at->string()) {
    if (const auto instant = parse_instant(*at->string())) return *instant;
  }
  return Error{ErrorCode::kMalformed, kWhat};
}

Status add_status_list(std::vector<FetchedStatusList>& lists, const Value& item) {
  CHANCERY_TRY(wire::allow_only(item, {"uri", "token", "fetched_at"},
                                "a status list has `uri`, `token` and `fetched_at` only"));
  FetchedStatusList list;
  CHANCERY_ASSIGN(list.uri, wire::need_text(item, "uri", "a status list has `uri`: where it was fetched"));
  CHANCERY_ASSIGN(list.fetched_at, fetched_at(item));
  const Value* token = item.find("token");
  if (token != nullptr && token->is(Value::Kind::kNull)) return {};
  CHANCERY_ASSIGN(
      list.token,
      wire::need_text(item, "token", "a status list has `token`: the compact statuslist+jwt, or null"));
  lists.push_back(std::move(list));
  return {};
}

Status add_status_lists(std::vector<FetchedStatusList>& lists, std::string_view text) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const Value& root = document.root();
  if (!root.is(Value::Kind::kArray)) return add_status_list(lists, root);
  for (const Value& item : root.items()) CHANCERY_TRY(add_status_list(lists, item));
  return {};
}

}  // namespace

Checked<std::filesystem::path> default_trust_path(const client::Environment& environment) {
  CHANCERY_ASSIGN(const std::filesystem::path folder, config_folder(environment));
  return folder / "trust.json";
}

Checked<void> check_trust_permissions(const std::filesystem::path& path) {
  if (!is_input(path.string())) return no_trust(path.string());
  if (only_owner_writes(path) && only_owner_writes(path.parent_path())) return {};
  return failure({ErrorCode::kFilePermissions,
                  "others can change what is trusted: chmod 0600 the file and 0700 its folder"},
                 path.string());
}

Checked<TrustConfig> load_trust(const std::vector<std::string>& files,
                                const client::Environment& environment) {
  std::vector<std::string> paths = files;
  if (paths.empty()) {
    CHANCERY_ASSIGN(paths, trust_files(environment));
  }
  TrustConfig trust;
  for (const std::string& path : paths) CHANCERY_TRY(add_trust_file(trust, path));
  if (trust.anchors.empty()) return no_trust(paths.front());
  return trust;
}

Checked<std::vector<FetchedStatusList>> load_status_lists(const std::vector<std::string>& files) {
  std::vector<FetchedStatusList> lists;
  for (const std::string& path : files) {
    CHANCERY_ASSIGN(const std::string text, read_input(path, kMaxStatusFile));
    if (const Status added = add_status_lists(lists, text); !added) return failure(added.error(), path);
  }
  return lists;
}

}  // namespace chancery::cli
