#pragma once

#include <filesystem>
#include <memory>

#include <chancery/result.hpp>

#include "daemon/store/journal.hpp"
#include "daemon/store/store.hpp"

namespace chancery::store {

/// Opens the store in a state folder, which is made (0700) when it is missing: takes the folder's lock,
/// opens or creates `chancery.db` (0600), checks that it is ours and brings its schema up to date. The
/// store keeps the lock for its lifetime.
/// \return the store; kStoreLocked when another daemon holds the folder (`native` is its process id),
///         kFilePermissions when others may write to the folder, kStoreCorrupt when the file is damaged or
///         not ours, kStoreUnavailable when a newer version wrote it (`native` is its schema version) or the
///         folder or file cannot be used (`native` is the errno or SQLite code)
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& state_folder);

/// The store over a journal that other books are kept in too.
[[nodiscard]] std::unique_ptr<Store> make_sqlite_store(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
