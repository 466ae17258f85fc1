#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/trust.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/client/endpoint.hpp"

namespace chancery::cli {

/// $XDG_CONFIG_HOME/chancery/trust.json, else ~/.config/chancery/trust.json.
[[nodiscard]] Checked<std::filesystem::path> default_trust_path(const client::Environment& environment);

/// kFilePermissions unless the file belongs to this user or root, and nobody else may write it or its folder:
/// who can write it decides what is trusted. kNoTrust when there is none.
[[nodiscard]] Checked<void> check_trust_permissions(const std::filesystem::path& path);

/// What is trusted offline: the given files together; with none, the file that CHANCERY_TRUST names, else the
/// default one, of which the permissions are checked. Nothing is fetched.
/// \return the configuration, or kNoTrust (no file, or no anchor in it), kFileUnreadable, kFilePermissions,
///         kMalformed, kInvalidKey, kUnsupportedAlgorithm
[[nodiscard]] Checked<TrustConfig> load_trust(const std::vector<std::string>& files,
                                              const client::Environment& environment);

/// Status lists as they were fetched: each file an object `{"uri", "token", "fetched_at"}` or an array of
/// such; `fetched_at` is RFC 3339 or seconds since 1970, a `token` of null a list that could not be fetched.
[[nodiscard]] Checked<std::vector<FetchedStatusList>> load_status_lists(
    const std::vector<std::string>& files);

/// Puts one trust document into another and leaves no key twice. An anchor that says no more than `iss` and
/// `keys` gives its keys to the anchor of that `iss` that is there, whose restrictions stay; others stand
/// beside.
/// \return the merged document, JSON; kMalformed, kInvalidKey, kUnsupportedAlgorithm; kConflict for a ceiling on a key that is trusted
///         without one
[[nodiscard]] Result<std::string> merge_trust(std::string_view held, std::string_view added);

}  // namespace chancery::cli
