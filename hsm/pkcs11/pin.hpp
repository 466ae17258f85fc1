#pragma once

#include <filesystem>
#include <string_view>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::hsm {

/// The PIN of a token: the systemd credential `chancery.pin.NAME` (under $CREDENTIALS_DIRECTORY) when there
/// is one, else the file. One newline at the end is not part of it.
/// \param backend_name  NAME, of the `[[backend]]` section
/// \param file  absolute; not a symbolic link
/// \return 1 to 255 octets; kFileUnreadable, kFilePermissions when others may read it
[[nodiscard]] Result<SecretBytes> load_pin(std::string_view backend_name, const std::filesystem::path& file);

}  // namespace chancery::hsm
