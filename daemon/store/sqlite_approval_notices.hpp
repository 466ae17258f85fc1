#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/outbox.hpp"

namespace chancery::store {

/// What becomes of requests that wait for a person, for whoever is told of it: {"at", "id", "state"}, a request's id, the state that it
/// came into, and when. Noted in the transaction of each change while a last one told is set; what was told is forgotten, and
/// everything when nobody is told any more.
[[nodiscard]] std::unique_ptr<Outbox> make_sqlite_approval_notices(std::shared_ptr<Journal> journal);

}  // namespace chancery::store
