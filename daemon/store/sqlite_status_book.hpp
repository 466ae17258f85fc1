#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/status_book.hpp"

namespace chancery::store {

/// The statuses of the tokens in a journal.
/// \param list_size  of new lists: tokens, a power of two
[[nodiscard]] std::unique_ptr<StatusBook> make_sqlite_status_book(std::shared_ptr<Journal> journal,
                                                                  std::uint64_t list_size = kStatusListSize);

}  // namespace chancery::store
