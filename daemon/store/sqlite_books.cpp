#include "daemon/store/sqlite_books.hpp"

#include "daemon/store/sqlite_anomaly_book.hpp"
#include "daemon/store/sqlite_approval_book.hpp"
#include "daemon/store/sqlite_approval_notices.hpp"
#include "daemon/store/sqlite_approver_book.hpp"
#include "daemon/store/sqlite_audit_book.hpp"
#include "daemon/store/sqlite_checkpoint_book.hpp"
#include "daemon/store/sqlite_freeze_book.hpp"
#include "daemon/store/sqlite_gate_book.hpp"
#include "daemon/store/sqlite_grant_book.hpp"
#include "daemon/store/sqlite_host_book.hpp"
#include "daemon/store/sqlite_incident_book.hpp"
#include "daemon/store/sqlite_join_book.hpp"
#include "daemon/store/sqlite_ledger.hpp"
#include "daemon/store/sqlite_permit_book.hpp"
#include "daemon/store/sqlite_proof_book.hpp"
#include "daemon/store/sqlite_status_book.hpp"
#include "daemon/store/sqlite_store.hpp"
#include "daemon/store/sqlite_vault_book.hpp"

namespace chancery::store {

Books make_sqlite_books(const std::shared_ptr<Journal>& journal) {
  return {make_sqlite_store(journal),           make_sqlite_ledger(journal),
          make_sqlite_proof_book(journal),      make_sqlite_join_book(journal),
          make_sqlite_checkpoint_book(journal), make_sqlite_status_book(journal),
          make_sqlite_host_book(journal),       make_sqlite_audit_book(journal),
          make_sqlite_anomaly_book(journal),    std::make_unique<BackupShelf>(journal->file()),
          make_sqlite_vault_book(journal),      make_sqlite_permit_book(journal),
          make_sqlite_grant_book(journal),      make_sqlite_approval_book(journal),
          make_sqlite_approver_book(journal),   make_sqlite_gate_book(journal),
          make_sqlite_freeze_book(journal),     make_sqlite_incident_book(journal),
          make_sqlite_approval_notices(journal)};
}

}  // namespace chancery::store
