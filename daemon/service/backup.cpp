#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/office.hpp"

namespace chancery::service {
namespace {

AuditFacts copy_facts(const store::BackupCopy& copy) {
  return {.ids = {{"backup", copy.name}},
          .details = json::Node::object(
              {{"octets", copy.octets}, {"sha256", copy.sha256}, {"entries", copy.entries}})};
}

api::Backup describe(const store::BackupCopy& copy) {
  return {.name = copy.name,
          .path = copy.path.string(),
          .made_at = copy.made_at.time_since_epoch().count(),
          .octets = static_cast<std::int64_t>(copy.octets),
          .sha256 = copy.sha256,
          .schema = static_cast<std::int64_t>(copy.schema),
          .log = copy.log,
          .entries = static_cast<std::int64_t>(copy.entries),
          .checkpoint = copy.checkpoint};
}

}  // namespace

Result<api::Backup> create_backup(Office& office, const CallContext& context) {
  CHANCERY_TRY(require_authority(office, context, scope::kBackupsCreate));
  CHANCERY_ASSIGN(const store::BackupCopy copy, office.backups.make(context.now));
  const auto recorded = office.store.append_audit(audit_entry("backup.create", context, copy_facts(copy)));
  if (recorded) return describe(copy);
  // Nobody is to have one that nobody knows of.
  CHANCERY_TRY(office.backups.remove(copy));
  return recorded.error();
}

}  // namespace chancery::service
