#pragma once

#include <memory>

#include "daemon/store/anomaly_book.hpp"
#include "daemon/store/approval_book.hpp"
#include "daemon/store/approver_book.hpp"
#include "daemon/store/audit_book.hpp"
#include "daemon/store/backup_shelf.hpp"
#include "daemon/store/checkpoint_book.hpp"
#include "daemon/store/freeze_book.hpp"
#include "daemon/store/gate_book.hpp"
#include "daemon/store/grant_book.hpp"
#include "daemon/store/host_book.hpp"
#include "daemon/store/incident_book.hpp"
#include "daemon/store/join_book.hpp"
#include "daemon/store/journal.hpp"
#include "daemon/store/ledger.hpp"
#include "daemon/store/outbox.hpp"
#include "daemon/store/permit_book.hpp"
#include "daemon/store/proof_book.hpp"
#include "daemon/store/status_book.hpp"
#include "daemon/store/store.hpp"
#include "daemon/store/vault_book.hpp"

namespace chancery::store {

/// Everything that the daemon keeps, in one journal.
struct Books {
  std::unique_ptr<Store> store;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<ProofBook> proofs;
  std::unique_ptr<JoinBook> joins;
  std::unique_ptr<CheckpointBook> checkpoints;
  std::unique_ptr<StatusBook> statuses;
  std::unique_ptr<HostBook> hosts;
  std::unique_ptr<AuditBook> audit;
  std::unique_ptr<AnomalyBook> anomalies;
  std::unique_ptr<BackupShelf> backups;
  std::unique_ptr<VaultBook> vault;
  std::unique_ptr<PermitBook> permits;
  std::unique_ptr<GrantBook> grants;
  std::unique_ptr<ApprovalBook> approvals;
  std::unique_ptr<ApproverBook> approvers;
  std::unique_ptr<GateBook> gates;
  std::unique_ptr<FreezeBook> freezes;
  std::unique_ptr<IncidentBook> incidents;
  std::unique_ptr<Outbox> approval_notices;  ///< what becomes of requests that wait for a person
};

[[nodiscard]] Books make_sqlite_books(const std::shared_ptr<Journal>& journal);

}  // namespace chancery::store
