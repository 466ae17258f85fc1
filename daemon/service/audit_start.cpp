#include "daemon/service/audit_start.hpp"

#include <optional>

#include "daemon/service/audit_entry.hpp"
#include "sdk/audit/checkpoint.hpp"
#include "sdk/json/reader.hpp"

namespace chancery::service {
namespace {

constexpr Error kBadSignature{
    ErrorCode::kStoreCorrupt,
    "the newest checkpoint of the audit log is not signed by a key of the log: the database was changed by "
    "another hand; keep the state folder, restore the newest backup, and see docs/operations/audit.md"};
constexpr Error kOtherTree{
    ErrorCode::kStoreCorrupt,
    "the audit log is not the one that was signed: entries were changed or removed; keep the state folder, "
    "restore the newest backup, and see docs/operations/audit.md"};
constexpr Error kOtherCounter{
    ErrorCode::kStoreCorrupt,
    "the audit log says another value of the device's counter than the store does: the database was changed "
    "by another hand; keep the state folder, restore the newest backup, and see docs/operations/audit.md"};

// 65,536 entries, some tenths of a second; AuditDesk goes on from there.
constexpr std::size_t kBlocksAtStart = 256;

// A member of an entry's `details`, or of the entry itself when `of` is empty.
std::string member_of(const store::AuditRecord& record, std::string_view of, std::string_view name) {
  const auto document = json::Document::parse_borrowed(record.json);
  if (!document) return {};
  const json::Value* object = &document->root();
  if (!of.empty()) object = object->find(of);
  const json::Value* value = object == nullptr ? nullptr : object->find(name);
  return value == nullptr ? std::string() : std::string(value->string().value_or(""));
}

Result<std::optional<store::AuditRecord>> last_about(store::AuditBook& log, std::string_view ref) {
  CHANCERY_ASSIGN(std::vector<store::AuditRecord> last, log.last_with_ref(ref, 1));
  if (last.empty()) return std::optional<store::AuditRecord>();
  return std::optional(std::move(last.front()));
}

// Another name is the log's only by an entry that says so.
Status check_name(store::Store& store, const std::string& former, std::uint64_t signed_size) {
  for (std::uint64_t after = signed_size;;) {
    CHANCERY_ASSIGN(const std::vector<store::AuditRecord> page, store.audit_after(after, store::kMaxPage));
    for (const store::AuditRecord& entry : page) {
      if (member_of(entry, {}, "action") == "log.rename" && member_of(entry, "details", "former") == former)
        return {};
    }
    if (page.size() < store::kMaxPage) return kOtherTree;
    after = page.back().sequence;
  }
}

Status check_checkpoint(store::AuditBook& log, store::Store& store) {
  CHANCERY_ASSIGN(const std::optional<store::SignedCheckpoint> last, log.last_checkpoint_of_any_name());
  if (!last) return {};
  const std::string name = last->note.substr(0, last->note.find('\n'));
  CHANCERY_ASSIGN(const std::vector<audit::NoteKey> keys, audit_note_keys(store, name));
  const auto head = audit::open_checkpoint(last->note, keys);
  if (!head || head->origin != name || head->tree.size != last->size) return kBadSignature;
  if (head->tree.size > log.counts().size) return kOtherTree;
  CHANCERY_ASSIGN(const Sha256Digest root, log.root(head->tree.size));
  if (root != head->tree.root) return kOtherTree;
  CHANCERY_ASSIGN(const std::string origin, log.origin({}));
  return origin == name ? Status{} : check_name(store, name, last->size);
}

Status check_counter(store::AuditBook& log, store::CheckpointBook& checkpoints) {
  CHANCERY_ASSIGN(const std::optional<store::AuditRecord> said, last_about(log, kCounterRef));
  if (!said) return {};  // a log that is older than its tie to the counter
  CHANCERY_ASSIGN(const std::optional<store::Checkpoint> kept, checkpoints.last());
  const std::string value = member_of(*said, "details", "value");
  const bool agrees = kept && (value == std::to_string(kept->value) ||
                               (kept->intended && value == std::to_string(*kept->intended)));
  return agrees ? Status{} : Status{kOtherCounter};
}

// Of a change its own `policy` may be the one that it ended.
std::string governed_after(const store::AuditRecord& record) {
  std::string present = member_of(record, "details", "present");
  return present.empty() ? member_of(record, {}, "policy") : present;
}

store::AuditEntry about_daemon(std::string_view action, std::chrono::sys_seconds now, json::Node details) {
  store::AuditEntry entry = audit_entry(action, now, {.details = std::move(details)});
  entry.refs.emplace_back(kDaemonRef);
  return entry;
}

}  // namespace

Result<std::vector<audit::NoteKey>> audit_note_keys(store::Store& store, const std::string& origin) {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, store.keys(store::kAudit));
  std::vector<audit::NoteKey> out;
  for (const store::Key& key : keys) out.push_back({origin, key.stored.public_key});
  return out;
}

Status check_audit_log(store::AuditBook& log, store::Store& store, store::CheckpointBook& checkpoints) {
  CHANCERY_TRY(log.check_blocks(0, kBlocksAtStart));
  CHANCERY_TRY(check_checkpoint(log, store));
  return check_counter(log, checkpoints);
}

Status record_start(store::AuditBook& log, store::Store& store, const DaemonStart& start) {
  CHANCERY_ASSIGN(const std::optional<store::AuditRecord> before, last_about(log, kDaemonRef));
  CHANCERY_ASSIGN(const std::vector<store::AuditRecord> last, store.audit_tail(1));
  log.govern_by(start.policy);
  json::Node details = json::Node::object({{"version", start.version}});
  if (before) details.set("clean", member_of(*before, {}, "action") == "daemon.stop");
  CHANCERY_TRY(store.append_audit(about_daemon("daemon.start", start.now, std::move(details))));
  const std::string former = before ? governed_after(*before) : start.policy;
  if (former != start.policy) CHANCERY_TRY(record_change(store, former, start));
  if (last.empty() || last.front().at <= start.now) return {};
  CHANCERY_TRY(store.append_audit(
      about_daemon("clock.back", start.now,
                   json::Node::object({{"from", last.front().at.time_since_epoch().count()},
                                       {"to", start.now.time_since_epoch().count()}}))));
  return {};
}

Status record_change(store::Store& store, std::string_view former, const DaemonStart& present,
                     json::Node details) {
  details.set("former", former);
  details.set("present", present.policy);
  CHANCERY_TRY(store.append_audit(about_daemon("config.change", present.now, std::move(details))));
  return {};
}

}  // namespace chancery::service
