#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <chancery/bytes.hpp>

#include "sdk/cli/failure.hpp"
#include "sdk/client/endpoint.hpp"

namespace chancery::cli {

/// `text` without the space around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// A whole file, pipe or, for `-`, standard input, which can be read once.
/// \return kFileUnreadable, kTooLarge (more than `limit` octets), kInvalidArgument (a second `-`)
[[nodiscard]] Checked<std::string> read_input(const std::string& path, std::size_t limit);

/// The same for a secret, without the space around it: a file that others than its owner may read is refused.
/// \return also kFilePermissions
[[nodiscard]] Checked<std::string> read_secret(const std::string& path, std::size_t limit);

/// A private key's file, or a pipe that it comes through, read once into memory for secrets.
/// \return kFileUnreadable, kTooLarge, kFilePermissions
[[nodiscard]] Checked<SecretBytes> read_key_file(const std::string& path, std::size_t limit);

/// Whether something that can be read is at `path`: an argument that is none is taken for a text.
[[nodiscard]] bool is_input(const std::string& path);

/// Where this user's settings are: $XDG_CONFIG_HOME/chancery, else ~/.config/chancery.
[[nodiscard]] Checked<std::filesystem::path> config_folder(const client::Environment& environment);

/// Makes a folder for its owner alone; one that is there stays as it is. \return kFileUnwritable
[[nodiscard]] Checked<void> make_private_folder(const std::filesystem::path& folder);

/// Replaces a file as a whole: a reader sees the old text or the new one, also after a crash.
/// \param mode  its permissions, less the umask
/// \return kFileUnwritable
[[nodiscard]] Checked<void> replace_file(const std::filesystem::path& path, std::string_view text,
                                         unsigned mode);

/// The same for a file that is not there yet: whoever else makes it at the same time, one of both is told.
/// \return kConflict when there is one, kFileUnwritable
[[nodiscard]] Checked<void> create_file(const std::filesystem::path& path, std::string_view text,
                                        unsigned mode);

}  // namespace chancery::cli
