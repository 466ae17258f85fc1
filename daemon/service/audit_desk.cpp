#include "daemon/service/audit_desk.hpp"

#include <array>
#include <utility>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/audit_start.hpp"
#include "sdk/audit/checkpoint.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::service {
namespace {

using store::SignedCheckpoint;

constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kBlocksAtOnce = 8;
constexpr int kIndexRounds = 8;
constexpr std::size_t kIndexedAtLeast = 512;  // so that one request in some hundred waits for it
constexpr std::chrono::hours kReadAgain{24};
// What no note can be: to see whether the device holds a key.
constexpr std::string_view kTrial = "chancery audit log: is this key here?";
// Clocks are corrected by small steps all the time.
constexpr std::chrono::seconds kNoteworthy{5};

constexpr Error kEmpty{ErrorCode::kNotFound, "the audit log has no entries yet: there is nothing to sign"};
constexpr Error kInconsistent{
    ErrorCode::kStoreCorrupt,
    "the audit log does not contain what was signed of it before, and is not signed any more: keep the state "
    "folder as it is, and see docs/operations/audit.md"};

}  // namespace

// --- checkpoints

Result<SignedCheckpoint> AuditDesk::checkpoint(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  CHANCERY_TRY(options_.may_sign());
  if (is_altered_) return kInconsistent;
  const std::lock_guard lock(signing_);
  return sign_log(now, deadline);
}

void AuditDesk::expect(std::uint64_t value) {
  const std::lock_guard lock(signing_);
  counter_ = value;
}

Status AuditDesk::seal(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::lock_guard lock(signing_);
  CHANCERY_TRY(sign_log(now, deadline));
  return {};
}

// The database says which keys were the log's, and whoever writes to it can add some: so the device is asked.
Result<std::optional<std::uint64_t>> AuditDesk::sealed(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::lock_guard lock(signing_);
  CHANCERY_ASSIGN(const std::optional<SignedCheckpoint> last, book.last_checkpoint_of_any_name());
  CHANCERY_ASSIGN(const std::vector<store::Key> known, store_.keys(store::kAudit));
  if (!last) return std::optional<std::uint64_t>();
  const std::string name = last->note.substr(0, last->note.find('\n'));
  for (const store::Key& key : known) {
    const auto head =
        audit::open_checkpoint(last->note, std::array{audit::NoteKey{name, key.stored.public_key}});
    if (!head) continue;
    CHANCERY_ASSIGN(const bool held, is_held(key, now, deadline));
    return held ? audit::counter_of(*head) : std::nullopt;
  }
  return std::optional<std::uint64_t>();
}

Result<bool> AuditDesk::is_held(const store::Key& key, std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const auto signature = keys.sign(key, as_bytes(kTrial), now, deadline);
  if (signature)
    return verify_signature(key.stored.public_key, sha256(as_bytes(kTrial)), as_bytes(kTrial), *signature);
  const ErrorCode code = signature.error().code;
  if (code == ErrorCode::kKeyLost || code == ErrorCode::kNotFound) return false;
  return signature.error();
}

Result<SignedCheckpoint> AuditDesk::sign_log(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  // First: making the key leaves an entry, which is to be among those that are signed.
  CHANCERY_ASSIGN(const store::Key key, keys.current(now, deadline));
  CHANCERY_ASSIGN(const std::optional<SignedCheckpoint> last, book.last_checkpoint());
  if (last && last->size == book.counts().size) {
    signed_size_ = last->size;
    is_behind_ = false;
    return *last;
  }
  return sign_head(key, last, now, deadline);
}

Result<SignedCheckpoint> AuditDesk::sign_head(const store::Key& key,
                                              const std::optional<SignedCheckpoint>& last,
                                              std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::uint64_t size = book.counts().size;
  if (size == 0) return kEmpty;
  CHANCERY_ASSIGN(const std::string name, origin());
  audit::Checkpoint head{.origin = name, .tree = {size, {}}};
  CHANCERY_ASSIGN(head.tree.root, book.root(size));
  std::optional<std::uint64_t> counter = counter_;
  if (last) {
    CHANCERY_ASSIGN(const std::vector<audit::NoteKey> known, audit_note_keys(store_, name));
    const auto before = audit::open_checkpoint(last->note, known);
    if (!before || before->tree.size > size) return kInconsistent;
    CHANCERY_ASSIGN(const std::vector<Sha256Digest> proof, book.consistency(before->tree.size, size));
    if (!audit::proves_consistency(before->tree, head.tree, proof)) return kInconsistent;
    if (!counter) counter = audit::counter_of(*before);
  }
  if (counter) head.extensions.push_back(audit::counter_line(*counter));
  const std::string text = audit::checkpoint_text(head);
  CHANCERY_ASSIGN(const Signature signature, keys.sign(key, as_bytes(text), now, deadline));
  CHANCERY_ASSIGN(const std::string line, audit::signature_line({name, key.stored.public_key}, signature));
  SignedCheckpoint checkpoint{size, now, text + "\n" + line};
  CHANCERY_TRY(book.keep(checkpoint));
  signed_size_ = size;
  is_behind_ = false;
  return checkpoint;
}

// --- rounds

bool AuditDesk::is_due(std::chrono::sys_seconds now) const {
  if (book.counts().size == signed_size_) return false;
  // Also when the clock was set back since.
  return !tried_at_ || now >= *tried_at_ + options_.interval || now < *tried_at_;
}

void AuditDesk::tick(std::chrono::sys_seconds now) {
  watch_clock(now);
  record(refusals.take(now), now);
  index();
  read_again(now);
  if (!is_due(now)) return;
  tried_at_ = now;
  const auto made = checkpoint(now, std::chrono::steady_clock::now() + options_.patience);
  if (made) return;
  is_behind_ = true;
  complain_("no checkpoint of the audit log could be made", made.error());
}

// Others get the connection in between.
void AuditDesk::index() {
  for (int round = 0; round < kIndexRounds; ++round) {
    const auto more = book.index_some(kIndexedAtLeast);
    if (!more) complain_("references of the audit log could not be brought into its index", more.error());
    if (!more || !*more) return;
  }
}

// A few thousand entries a round, so that nobody waits for the connection.
void AuditDesk::read_again(std::chrono::sys_seconds now) {
  const bool is_recent = read_at_ && now >= *read_at_ && now < *read_at_ + kReadAgain;
  if (is_altered_ || is_recent) return;
  const auto next = book.check_blocks(block_, kBlocksAtOnce);
  if (!next) {
    is_altered_ = next.error().code == ErrorCode::kStoreCorrupt;
    return complain_("the audit log could not be read again", next.error());
  }
  if (*next == block_) read_at_ = now;
  block_ = *next == block_ ? 0 : *next;
}

void AuditDesk::watch_clock(std::chrono::sys_seconds now) {
  const auto before = std::exchange(seen_at_, now);
  if (!before || now + kNoteworthy >= *before) return;
  const auto recorded = store_.append_audit(
      audit_entry("clock.back", now,
                  {.details = json::Node::object({{"from", before->time_since_epoch().count()},
                                                  {"to", now.time_since_epoch().count()}})}));
  if (!recorded) complain_("that the clock was set back could not be recorded", recorded.error());
}

void AuditDesk::record(const std::vector<CountedRefusals>& counted, std::chrono::sys_seconds now) {
  for (const CountedRefusals& refused : counted) {
    const auto recorded = store_.append_audit(
        audit_entry("audit.refusals", now,
                    {.details = json::Node::object({{"of", refused.caller},
                                                    {"count", refused.count},
                                                    {"since", refused.since.time_since_epoch().count()},
                                                    {"until", refused.until.time_since_epoch().count()}}),
                     .outcome = AuditOutcome::kRefused}));
    if (recorded) continue;
    refusals.give_back(refused);
    complain_("counted refusals could not be recorded", recorded.error());
  }
}

void AuditDesk::close(std::chrono::sys_seconds now, const std::function<void()>& seal) {
  record(refusals.take_all(), now);
  store::AuditEntry stop = audit_entry("daemon.stop", now, {});
  stop.refs.emplace_back(kDaemonRef);
  if (const auto recorded = store_.append_audit(stop); !recorded)
    complain_("the stop could not be recorded", recorded.error());
  seal();
  const auto made = checkpoint(now, std::chrono::steady_clock::now() + options_.patience);
  if (!made) complain_("no checkpoint of the audit log could be made", made.error());
}

// --- parameters

SecretBytes AuditDesk::salt_for(std::string_view id) const {
  return hkdf_sha256(options_.salts.view(), as_bytes(id), "chancery audit parameters", kSaltSize);
}

std::string AuditDesk::hash_parameters(std::string_view id, std::string_view parameters) const {
  return hex_encode(hmac_sha256(salt_for(id).view(), as_bytes(parameters)));
}

}  // namespace chancery::service
