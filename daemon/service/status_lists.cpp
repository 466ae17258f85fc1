#include "daemon/service/status_lists.hpp"

#include <vector>

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/verify/status_list_writer.hpp"

namespace chancery::service {
namespace {

constexpr unsigned kBits = 2;

bool is_young(std::chrono::sys_seconds made, std::chrono::sys_seconds now, std::chrono::seconds limit) {
  return made <= now && now < made + limit;
}

Result<Bytes> pack(const store::StatusListRecord& record) {
  std::vector<StatusEntry> entries;
  entries.reserve(record.entries.size());
  for (const auto& entry : record.entries) entries.push_back({entry.index, entry.status});
  return pack_statuses(entries, record.size, kBits);
}

}  // namespace

// Lists that are not there get no slot: anybody may ask for any name.
Result<std::shared_ptr<StatusLists::Slot>> StatusLists::slot_of(std::uint64_t name) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(name);
    if (found != slots_.end()) return found->second;
  }
  CHANCERY_TRY(book_.list(name));
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Slot>& slot = slots_[name];
  if (!slot) slot = std::make_shared<Slot>();
  return slot;
}

std::optional<StatusLists::Made> StatusLists::made_in(const Slot& slot) const {
  const std::lock_guard lock(mutex_);
  return slot.made;
}

Result<std::shared_ptr<const SignedStatusListToken>> StatusLists::get(std::uint64_t name,
                                                                      std::chrono::sys_seconds now,
                                                                      hsm::Deadline deadline) {
  CHANCERY_ASSIGN(const std::shared_ptr<Slot> slot, slot_of(name));
  std::optional<Made> made = made_in(*slot);
  const auto is_current = [&] { return made && made->generation == trust_.generation(); };
  if (is_current() && is_young(made->at, now, kStatusListTtl)) return made->token;
  std::unique_lock signing(slot->signing, std::defer_lock);
  // Its time to be signed anew has come, but what it says is still so.
  const bool can_serve = is_current() && is_young(made->at, now, kStatusListLifetime);
  if (can_serve && !signing.try_lock()) return made->token;
  if (!can_serve && !signing.try_lock_until(deadline)) {
    return Error{ErrorCode::kDeviceTimeout, "the status list is being signed: ask again in a moment"};
  }
  made = made_in(*slot);  // by whoever was at it before
  if (is_current() && is_young(made->at, now, kStatusListTtl)) return made->token;
  auto next = make(name, made, now, deadline);
  if (!next && can_serve) return made->token;
  if (!next) return next.error();
  const std::lock_guard lock(mutex_);
  slot->made = *std::move(next);
  return slot->made->token;
}

Result<StatusLists::Made> StatusLists::make(std::uint64_t name, const std::optional<Made>& former,
                                            std::chrono::sys_seconds now, hsm::Deadline deadline) {
  // First, since it may be made now, which is published.
  CHANCERY_ASSIGN(const store::Key key, keys_.current(now, deadline));
  const std::uint64_t generation = trust_.generation();  // before the book is read
  CHANCERY_ASSIGN(const store::StatusListRecord record, book_.list(name));
  CHANCERY_ASSIGN(Bytes statuses, pack(record));
  const bool is_same = former && former->statuses == statuses && is_young(former->at, now, kStatusListTtl);
  Made made;
  if (is_same) {
    made = *former;
  } else {
    CHANCERY_ASSIGN(made, sign(name, std::move(statuses), {key, now, deadline}));
  }
  made.generation = generation;
  return made;
}

std::optional<std::chrono::sys_seconds> StatusLists::last_signed_at() const {
  const std::lock_guard lock(mutex_);
  std::optional<std::chrono::sys_seconds> newest;
  for (const auto& [name, slot] : slots_) {
    if (slot->made && (!newest || slot->made->at > *newest)) newest = slot->made->at;
  }
  return newest;
}

Result<StatusLists::Made> StatusLists::sign(std::uint64_t name, Bytes statuses, const Signing& signing) {
  const auto& [key, now, deadline] = signing;
  StatusList list;
  list.subject = prefix_ + std::to_string(name);
  list.exp = static_cast<double>((now + kStatusListLifetime).time_since_epoch().count());
  list.ttl = static_cast<double>(kStatusListTtl.count());
  list.bits = kBits;
  list.statuses = std::move(statuses);
  CHANCERY_ASSIGN(const std::string input, status_list_signing_input(list, now, key.stored.public_key));
  CHANCERY_ASSIGN(const Signature signature, keys_.sign(key, as_bytes(input), now, deadline));
  SignedStatusListToken token{input + "." + base64url_encode(signature), {}};
  token.etag = '"' + base64url_encode(sha256(as_bytes(token.compact))) + '"';
  Made made;
  made.token = std::make_shared<const SignedStatusListToken>(std::move(token));
  made.statuses = std::move(list.statuses);
  made.at = now;
  return made;
}

}  // namespace chancery::service
