#pragma once

#include <memory>

#include "daemon/store/journal.hpp"
#include "daemon/store/proof_book.hpp"

namespace chancery::store {

[[nodiscard]] std::unique_ptr<ProofBook> make_sqlite_proof_book(std::shared_ptr<Journal> journal);

/// Records one use within an effect of the journal, with whatever else the effect does. What is not recorded
/// changes nothing.
[[nodiscard]] Result<ProofRecord> insert_proof(Journal& journal, const ProofUse& use);

}  // namespace chancery::store
