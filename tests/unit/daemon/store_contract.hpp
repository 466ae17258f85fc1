#pragma once

#include <filesystem>
#include <memory>
#include <ostream>

#include <chancery/result.hpp>

#include "daemon/store/store.hpp"

namespace chancery::store::testing {

/// An implementation that the contract is held against. A further one joins by a row in store_contract.cpp.
struct StoreKind {
  const char* name;
  /// Opens the store that belongs to a folder: empty at first, the same records when it is opened again.
  Result<std::unique_ptr<Store>> (*open)(const std::filesystem::path& folder);
};

inline std::ostream& operator<<(std::ostream& out, const StoreKind& kind) { return out << kind.name; }

}  // namespace chancery::store::testing
