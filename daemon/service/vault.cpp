#include "daemon/service/vault.hpp"

#include <algorithm>

#include "daemon/vault/envelope.hpp"

namespace chancery::service {
namespace {

using store::Credential;
using store::CredentialVersion;
using store::VersionState;

constexpr std::chrono::seconds kBetweenPrunings = std::chrono::minutes(10);

constexpr Error kNothingActive{
    ErrorCode::kNotFound, "the credential has no value that may be used: put one with `chancery vault put`"};
constexpr Error kOtherTool{ErrorCode::kForbidden,
                           "the credential is not for this tool: `chancery vault show` says for which it is"};
constexpr Error kOtherScope{ErrorCode::kForbidden,
                            "the credential is for another scope: `chancery vault show` says for which one"};
constexpr Error kExpired{ErrorCode::kRetired,
                         "the credential has expired: put a new value with `chancery vault rotate`"};

struct RefusedAs {
  ErrorCode code;
  Vault::Outcome outcome;
};
constexpr std::array kRefusals{
    RefusedAs{ErrorCode::kNotFound, Vault::Outcome::kUnknown},
    RefusedAs{ErrorCode::kForbidden, Vault::Outcome::kRefused},
    RefusedAs{ErrorCode::kRetired, Vault::Outcome::kExpired},
    RefusedAs{ErrorCode::kSpendingHalted, Vault::Outcome::kHalted},
};

Vault::Outcome outcome_of(const Result<Released>& released) noexcept {
  if (released) return Vault::Outcome::kReleased;
  const auto found = std::ranges::find(kRefusals, released.error().code, &RefusedAs::code);
  return found == kRefusals.end() ? Vault::Outcome::kFailed : found->outcome;
}

Status may_have(const Credential& credential, const CredentialVersion& version, const ReleaseRequest& request,
                std::chrono::sys_seconds now) {
  if (std::ranges::find(credential.tools, request.tool) == credential.tools.end()) return kOtherTool;
  if (!scope_covers(credential.scope, request.scope)) return kOtherScope;
  return version.expires_at && *version.expires_at <= now ? Status{kExpired} : Status{};
}

// Whose call it is, and what it gets.
AuditFacts release_facts(const Credential& credential, std::int64_t version, const ReleaseRequest& request) {
  AuditFacts facts = request.facts;
  facts.ids.emplace_back("credential", credential.name);
  facts.ids.emplace_back("credential_id", credential.id);
  facts.ids.emplace_back("use", request.use_id);
  facts.details.set("version", version);
  facts.details.set("tool", request.tool);
  facts.details.set("scope", request.scope);
  facts.details.set("until", std::int64_t{request.until.time_since_epoch().count()});
  if (!credential.issuer.empty()) facts.details.set("issuer", credential.issuer);
  return facts;
}

AuditFacts retirement_facts(const store::RetiringVersion& version) {
  return {.ids = {{"credential", version.name}, {"credential_id", version.credential}},
          .details = json::Node::object({{"version", version.number}, {"open_uses", version.open_uses}})};
}

vault::VaultKey::Sealers sealers_of(const Backends& backends) {
  return [&backends](std::string_view name) -> Result<hsm::Sealer*> {
    CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends.find(name));
    if (hsm::Sealer* const sealer = backend->sealer()) return sealer;
    return Error{ErrorCode::kInvalidArgument,
                 "the backend of the vault has no way to seal its key: name another with [vault] backend"};
  };
}

}  // namespace

Vault::Vault(store::VaultBook& kept, const Backends& backends, const Spending& spending, std::string backend,
             std::shared_ptr<telemetry::Redactor> redactor)
    : book(kept),
      spending_(spending),
      redactor_(std::move(redactor)),
      key_(kept, sealers_of(backends), std::move(backend)) {}

Result<Released> Vault::release(const ReleaseRequest& request, const Occasion& occasion, const Take& take) {
  const Take by_itself = [&](const Credential& read, const store::CredentialUse& use,
                             const store::AuditEntry& audit) -> Status {
    CHANCERY_TRY(book.take_use(read, use, occasion.now, audit));
    return {};
  };
  auto released = release_newest(request, occasion, take ? take : by_itself);
  counts_[static_cast<std::size_t>(outcome_of(released))].fetch_add(1, std::memory_order_relaxed);
  return released;
}

Status Vault::may_release(const ReleaseRequest& request, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(const Credential credential, book.find(request.credential, now));
  const CredentialVersion* const active = credential.version_in(VersionState::kActive);
  return active == nullptr ? Status{kNothingActive} : may_have(credential, *active, request, now);
}

// A credential that changes between the look at it and the release is looked at again, so that a rotation fails no call. One
// that did not change refuses for another reason.
Result<Released> Vault::release_newest(const ReleaseRequest& request, const Occasion& occasion,
                                       const Take& take) {
  CHANCERY_TRY(spending_.require_newest());
  std::int64_t seen = 0;
  while (true) {
    CHANCERY_ASSIGN(const Credential credential, book.find(request.credential, occasion.now));
    auto released = release_from(credential, request, occasion, take);
    const bool may_have_changed = !released && (released.error().code == ErrorCode::kConflict ||
                                                released.error().code == ErrorCode::kNotFound ||
                                                released.error().code == ErrorCode::kStoreCorrupt);
    if (!may_have_changed || credential.revision == seen) return released;
    seen = credential.revision;
  }
}

Result<Released> Vault::release_from(const Credential& credential, const ReleaseRequest& request,
                                     const Occasion& occasion, const Take& take) {
  const CredentialVersion* const active = credential.version_in(VersionState::kActive);
  if (active == nullptr) return kNothingActive;
  CHANCERY_TRY(may_have(credential, *active, request, occasion.now));
  CHANCERY_ASSIGN(const vault::VaultKey::Key opened, key_.current(occasion.deadline));
  CHANCERY_ASSIGN(const store::Envelope envelope, book.envelope(credential.id, active->number));
  CHANCERY_ASSIGN(SecretBytes value, vault::open_value(*opened, credential, *active, envelope));
  // What is sealed of one that is issued is the name of who does, and no secret.
  const bool is_issued = !credential.issuer.empty();
  if (!is_issued) hide_once(credential, active->number, value);
  if (is_issued) value = {};
  CHANCERY_TRY(
      take(credential, {credential.id, active->number, request.use_id, request.until},
           audit_entry("credential.release", occasion, release_facts(credential, active->number, request))));
  return Released{std::move(value), credential.issuer, credential.id,
                  credential.type,  active->number,    credential.rotate_on_hit};
}

Result<store::Envelope> Vault::seal(const Credential& credential, const CredentialVersion& version,
                                    const SecretBytes& value, const Occasion& occasion) {
  CHANCERY_ASSIGN(const vault::VaultKey::Key opened, key(occasion));
  return vault::seal_value(*opened, credential, version, value);
}

Result<store::Envelope> Vault::reseal(const Credential& former, const CredentialVersion& version,
                                      const Credential& next, const Occasion& occasion) {
  CHANCERY_ASSIGN(const vault::VaultKey::Key opened, key_.current(occasion.deadline));
  CHANCERY_ASSIGN(const store::Envelope envelope, book.envelope(former.id, version.number));
  CHANCERY_ASSIGN(const SecretBytes value, vault::open_value(*opened, former, version, envelope));
  return vault::seal_value(*opened, next, version, value);
}

Result<std::uint64_t> Vault::reset(const Occasion& occasion, AuditFacts facts) {
  CHANCERY_ASSIGN(const std::uint64_t sequence,
                  book.reset(occasion.now, audit_entry("vault.reset", occasion, std::move(facts))));
  key_.forget();
  return sequence;
}

void Vault::tick(std::chrono::sys_seconds now, const Spending::Complaint& complain) {
  const auto idle = book.idle(now);
  if (!idle) return complain("versions of credentials that retire could not be looked up", idle.error());
  for (const store::RetiringVersion& version : *idle) {
    const auto retired =
        book.retire(version, now, audit_entry("credential.retire", now, retirement_facts(version)));
    // A conflict: somebody revoked it meanwhile.
    if (!retired && retired.error().code != ErrorCode::kConflict)
      complain("a version of a credential that nobody uses any more could not be revoked", retired.error());
  }
  if (now < next_pruning_ && next_pruning_ <= now + kBetweenPrunings) return;
  next_pruning_ = now + kBetweenPrunings;
  if (const Status pruned = book.prune(now); !pruned)
    complain("uses of credentials whose time is over could not be forgotten", pruned.error());
}

Result<vault::VaultKey::Key> Vault::key(const Occasion& occasion) {
  auto opened = key_.current(occasion.deadline);
  if (opened || opened.error().code != ErrorCode::kNotFound) return opened;
  AuditFacts facts = backend_facts(key_.backend());
  return key_.make(audit_entry("vault.create", occasion, std::move(facts)), occasion.now, occasion.deadline);
}

void Vault::hide_once(const Credential& credential, std::int64_t version, const SecretBytes& value) {
  {
    const std::lock_guard lock(mutex_);
    if (hidden_.contains({credential.id, version})) return;
  }
  hide(value);  // twice does no harm; before anybody else counts on it
  const std::lock_guard lock(mutex_);
  hidden_.emplace(credential.id, version);
}

AuditFacts credential_facts(const Credential& credential) {
  return {.ids = {{"credential", credential.name}, {"credential_id", credential.id}}};
}

}  // namespace chancery::service
