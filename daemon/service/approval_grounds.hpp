#pragma once

#include <chancery/result.hpp>

#include "daemon/service/office.hpp"
#include "daemon/store/approval_book.hpp"

namespace chancery::service {

/// Whether an approval rests on what people signed, looked at anew before it is used: the row that says so is one that anybody who writes
/// to the database could change. In this order:
/// - its document is about what is asked for now, and is not so old that no approval of it could be good still;
/// - its votes to approve that verify by their keys, for this id and this document, are by different persons, whom the request's gates name
///   and whom separation does not exclude, as many as each gate takes. By a key that was revoked none counts;
/// - the same by the configuration as it is now: gates, lifetimes, who is who, and for whom passkeys are. One that was good by that of its
///   time alone lapses now, with an entry in the audit log.
/// Costs a signature check for each vote. A vote that does not hold is passed over.
/// \param approved  with its document, as ApprovalBook::find() has read it: its digest is the document's
/// \param asked     what is asked for now, as it would be parked
/// \return false: it has lapsed, and the same is asked for anew; kStoreCorrupt when it does not rest on what people signed
[[nodiscard]] Result<bool> has_grounds(const Office& office, const store::ParkedCall& approved,
                                       const store::ParkedCall& asked);

}  // namespace chancery::service
