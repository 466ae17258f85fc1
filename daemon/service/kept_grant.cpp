#include "daemon/service/kept_grant.hpp"

#include "daemon/service/audit_entry.hpp"
#include "daemon/vault/envelope.hpp"

namespace chancery::service {
namespace {

using Kept = store::GrantState;
using State = vault::StoredGrant::State;

// For the device, which is asked once after each start.
constexpr std::chrono::seconds kPatience{10};

State state_of(Kept kept) noexcept {
  switch (kept) {
    case Kept::kUsable:
      return State::kUsable;
    case Kept::kRefreshing:
      return State::kRefreshing;
    case Kept::kUncertain:
      return State::kUncertain;
    case Kept::kEnded:
      return State::kEnded;
  }
  return State::kEnded;
}

Kept kept_of(State state) noexcept {
  switch (state) {
    case State::kUsable:
      return Kept::kUsable;
    case State::kRefreshing:
      return Kept::kRefreshing;
    case State::kUncertain:
      return Kept::kUncertain;
    case State::kNone:
    case State::kEnded:
      break;
  }
  return Kept::kEnded;
}

vault::StoredGrant grant_of(const store::SealedGrant& kept) {
  vault::StoredGrant out;
  out.state = state_of(kept.state);
  out.since = kept.since;
  out.generation = kept.generation;
  return out;
}

}  // namespace

Result<vault::StoredGrant> KeptGrant::load() {
  CHANCERY_ASSIGN(const auto kept, book_.find(issuer_));
  if (!kept) return vault::StoredGrant{};
  vault::StoredGrant out = grant_of(*kept);
  if (!kept->envelope) return out;
  CHANCERY_ASSIGN(const vault::VaultKey::Key key, vault_.key(occasion()));
  CHANCERY_ASSIGN(out.refresh_token, vault::open_grant(*key, *kept));
  return out;
}

Result<vault::StoredGrant> KeptGrant::look() {
  CHANCERY_ASSIGN(const auto kept, book_.find(issuer_));
  return kept ? grant_of(*kept) : vault::StoredGrant{};
}

Result<std::uint64_t> KeptGrant::replace(const vault::StoredGrant& grant) {
  store::SealedGrant next;
  next.issuer = issuer_;
  next.state = grant.refresh_token.empty() ? Kept::kEnded : kept_of(grant.state);
  next.since = grant.since;
  next.generation = grant.generation + 1;
  if (next.state != Kept::kEnded) {
    CHANCERY_ASSIGN(const vault::VaultKey::Key key, vault_.key(occasion()));
    CHANCERY_ASSIGN(next.envelope, vault::seal_grant(*key, next, grant.refresh_token));
  }
  std::optional<store::AuditEntry> audit = consent_;
  if (!audit && next.state == Kept::kEnded)
    audit = audit_entry("issuer.consent_end", next.since, {.ids = {{"issuer", issuer_}}});
  CHANCERY_TRY(book_.replace(next, audit ? &*audit : nullptr));
  return next.generation;
}

Occasion KeptGrant::occasion() const {
  return {now_(), std::chrono::steady_clock::now() + kPatience, nullptr};
}

}  // namespace chancery::service
