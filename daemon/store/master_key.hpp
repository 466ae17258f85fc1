#pragma once

#include <filesystem>

#include <chancery/bytes.hpp>
#include <chancery/result.hpp>

namespace chancery::store {

/// The 32 octets from which the device keys' authorization values are derived: the systemd credential
/// `chancery.master` (under $CREDENTIALS_DIRECTORY) when there is one, else STATE/master.key (0600). Only a
/// file that is not there is passed over; one that cannot be read is an error, never a reason to make
/// another.
/// \param may_create  whether a missing file is made anew: only while no key depends on it
/// \return the secret; kFileUnreadable when it cannot be read, is missing though keys exist, or has another
///         length; kFilePermissions when others may read it (a credential's group may, as systemd's access
///         control list shows so); kFileUnwritable
[[nodiscard]] Result<SecretBytes> load_master_key(const std::filesystem::path& state_folder, bool may_create);

}  // namespace chancery::store
