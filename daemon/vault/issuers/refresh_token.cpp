#include "daemon/vault/issuers/refresh_token.hpp"

#include <algorithm>
#include <utility>

#include "daemon/vault/issuers/half_life.hpp"

namespace chancery::vault {
namespace {

using State = StoredGrant::State;
using Kind = TokenRefusal::Kind;

// How long another process is believed to be at a refresh that it began. Longer than any patience.
constexpr std::chrono::seconds kLongestRefresh = std::chrono::minutes(1);

constexpr Error kNoConsentYet{ErrorCode::kCredentialExpired,
                              "nobody has consented yet: begin the consent, and open its address"};
constexpr Error kConsentEnded{ErrorCode::kCredentialExpired,
                              "the consent has ended: begin the consent anew, and open its address"};
constexpr Error kRefusedTwice{
    ErrorCode::kCredentialExpired,
    "the upstream refused a token right after a refresh, and none is asked for some minutes: see what it wants, then begin the "
    "consent anew"};
constexpr Error kElsewhere{ErrorCode::kOverloaded,
                           "another process uses the refresh token at this moment: try again"};
constexpr Error kSlow{ErrorCode::kTimeout,
                      "no token was given in time; it is still being asked for: try again"};
constexpr Error kConsentedMeanwhile{ErrorCode::kOverloaded,
                                    "the grant was exchanged meanwhile, by a new consent perhaps: try again"};

bool is_under_way(const StoredGrant& grant, std::chrono::sys_seconds now) {
  return grant.state == State::kRefreshing && now < grant.since + kLongestRefresh &&
         now > grant.since - kLongestRefresh;  // also when the clock was set back
}

StoredGrant grant_of(State state, std::chrono::sys_seconds since, ByteView token, std::uint64_t generation) {
  return {state, since, SecretBytes(token), generation};
}

}  // namespace

Result<IssuedCredential> RefreshTokenIssuer::issue(const IssueRequest& request, Deadline deadline) {
  CHANCERY_ASSIGN(const TokenTarget target, target_of(request, now_()));
  const bool is_own = request.single_use;
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::shared_ptr<Token> kept = is_own ? nullptr : kept_for(target);
    if (kept != nullptr) return give(*kept, request, false);
    if (now_() < paused_until_) return kRefusedTwice;
    const bool takes_off = flight_ == nullptr;
    const std::shared_ptr<Flight> flight = takes_off ? take_off(target, is_own) : flight_;
    if (!landed_.wait_until(lock, deadline, [&] { return flight->is_done; })) {
      flight->is_abandoned = flight->is_abandoned || (takes_off && is_own);
      return kSlow;
    }
    const bool is_ours = takes_off || (!is_own && !flight->is_own && flight->target.key() == target.key());
    if (!is_ours) continue;
    if (flight->failure) return *flight->failure;
    return give(*flight->token, request, is_own);
  }
}

bool RefreshTokenIssuer::can_revoke_tokens() const {
  return client_->can_revoke() && client_->server().revokes_singly;
}

std::shared_ptr<RefreshTokenIssuer::Token> RefreshTokenIssuer::kept_for(const TokenTarget& target) const {
  const auto found = tokens_.find(target.key());
  if (found == tokens_.end()) return nullptr;
  const Token& token = *found->second;
  const std::chrono::sys_seconds now = now_();
  const bool will_do = is_in_first_half(token.asked_at, token.expires_at, now) && now < token.ends_by;
  return will_do ? found->second : nullptr;
}

Result<IssuedCredential> RefreshTokenIssuer::give(Token& token, const IssueRequest& request, bool is_own) {
  const bool outlives = token.expires_at > request.not_after;
  const bool can_revoke = can_revoke_tokens();
  if (outlives && !can_revoke && !options_.accepts_outliving) return kOutlivesTheLeaf;
  if (outlives && can_revoke) token.ends_by = std::min(token.ends_by, request.not_after);
  lifetimes_.note_issued(now_(), std::min(token.expires_at, token.ends_by));
  IssuedCredential out;
  out.id = token.id;
  out.value = SecretBytes(token.value.view());
  out.issued_at = token.asked_at;
  out.expires_at = token.expires_at;
  out.ends_with_call = is_own && can_revoke;
  return out;
}

// The former thread has nothing left to do that would need the lock.
std::shared_ptr<RefreshTokenIssuer::Flight> RefreshTokenIssuer::take_off(const TokenTarget& target,
                                                                         bool is_own) {
  auto flight = std::make_shared<Flight>(Flight{target, is_own, epoch_});
  thread_ = std::jthread([this, flight] { fly(flight); });
  flight_ = flight;
  return flight;
}

void RefreshTokenIssuer::fly(const std::shared_ptr<Flight>& flight) {
  const std::chrono::sys_seconds asked_at = now_();
  auto given = refresh(flight->target);
  auto id = new_credential_id();
  const std::lock_guard lock(mutex_);
  if (given && id) {
    flight->token = std::make_shared<Token>(
        Token{*std::move(id), std::move(given->access_token), asked_at, end_of(*given, asked_at)});
    land(flight);
  } else {
    flight->failure = given ? id.error() : given.error();
  }
  flight->is_done = true;
  flight_.reset();
  landed_.notify_all();
}

void RefreshTokenIssuer::land(const std::shared_ptr<Flight>& flight) {
  const bool is_of_former_grant = flight->epoch != epoch_;
  if (flight->is_abandoned || is_of_former_grant) {
    flight->token->ends_by = flight->token->asked_at;
    retire(flight->token);
  }
  if (is_of_former_grant) {
    flight->failure = kConsentedMeanwhile;
    return;
  }
  flight->token->follows_refusal = std::exchange(was_refused_, false);
  if (flight->is_own) return;
  std::shared_ptr<Token>& place = tokens_[flight->target.key()];
  if (place != nullptr) retire(place);
  place = flight->token;
}

// What ends before every leaf for which it was given may as well do so by itself.
void RefreshTokenIssuer::retire(const std::shared_ptr<Token>& token) {
  if (can_revoke_tokens() && token->ends_by < token->expires_at) retired_.push_back(token);
}

Result<GivenToken> RefreshTokenIssuer::refresh(const TokenTarget& target) {
  auto given = [&]() -> Result<GivenToken> {
    CHANCERY_TRY(store_what_waits());
    CHANCERY_ASSIGN(StoredGrant grant, usable_grant());
    // The server may act on what we send although we never hear of it: that we began is noted before.
    grant.state = State::kRefreshing;
    grant.since = now_();
    const auto generation = store_->replace(grant);
    if (!generation) return generation.error().code == ErrorCode::kConflict ? kElsewhere : generation.error();
    grant.generation = *generation;
    return ask(grant, target);
  }();
  if (given) {
    condition_.note_success(now_());
  } else if (given.error().code == ErrorCode::kCredentialExpired) {
    condition_.note_needs_consent(now_(), given.error());
  } else {
    condition_.note_failure(now_(), given.error());
  }
  return given;
}

Result<StoredGrant> RefreshTokenIssuer::usable_grant() {
  CHANCERY_ASSIGN(StoredGrant grant, store_->load());
  if (grant.state == State::kNone) return kNoConsentYet;
  if (grant.state == State::kEnded || grant.refresh_token.empty()) return kConsentEnded;
  if (is_under_way(grant, now_())) return kElsewhere;
  return grant;
}

Result<GivenToken> RefreshTokenIssuer::ask(const StoredGrant& grant, const TokenTarget& target) {
  TokenForm form;
  form.add("grant_type", "refresh_token").add("refresh_token", as_text(grant.refresh_token.view()));
  form.add_if("scope", target.scope).add_if("resource", target.resource);
  auto given = client_->ask_for_token(std::move(form), std::chrono::steady_clock::now() + options_.patience);
  if (!given) return note_refusal(grant, given.error());
  // A server that does not rotate gives none, and the one that we have stays.
  const SecretBytes& next = given->refresh_token.empty() ? grant.refresh_token : given->refresh_token;
  CHANCERY_TRY(keep(grant_of(State::kUsable, now_(), next.view(), grant.generation)));
  return *std::move(given);
}

/// Notes what the refusal leaves of the grant. \return what the caller is told
Error RefreshTokenIssuer::note_refusal(const StoredGrant& grant, const TokenRefusal& refusal) {
  const auto state_after = [&] {
    switch (refusal.kind) {
      case Kind::kNotAsked:
      case Kind::kRefused:
        return State::kUsable;
      case Kind::kGrantEnded:
        return State::kEnded;
      case Kind::kUnknown:
        return State::kUncertain;
    }
    return State::kUncertain;
  };
  const State state = state_after();
  const ByteView token = state == State::kEnded ? ByteView() : grant.refresh_token.view();
  // If it cannot be noted, the intent stays, which leads to the same once its time is over.
  const auto noted = store_->replace(grant_of(state, now_(), token, grant.generation));
  if (!noted && noted.error().code == ErrorCode::kConflict) return kConsentedMeanwhile;
  return refusal.error;
}

/// Puts the next refresh token into the store; if the store cannot now, the next flight begins with it.
Status RefreshTokenIssuer::keep(StoredGrant next) {
  const auto kept = store_->replace(next);
  if (kept) return {};
  if (kept.error().code == ErrorCode::kConflict) return kConsentedMeanwhile;
  unstored_ = std::move(next);
  return kept.error();
}

Status RefreshTokenIssuer::store_what_waits() {
  if (!unstored_) return {};
  const auto kept = store_->replace(*unstored_);
  // Somebody consented anew: what waits is of no use any more.
  if (kept || kept.error().code == ErrorCode::kConflict) {
    unstored_.reset();
    return {};
  }
  return kept.error();
}

void RefreshTokenIssuer::forget(const std::string& id) {
  std::erase_if(tokens_, [&](const auto& entry) { return entry.second->id == id; });
}

Status RefreshTokenIssuer::revoke(const IssuedCredential& credential, Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    forget(credential.id);
  }
  if (credential.expires_at <= now_()) return {};
  if (!client_->server().revokes_singly)
    return Error{ErrorCode::kConflict,
                 "the server may end the grant with the token: let it expire, or say that it revokes singly"};
  const Status revoked = client_->revoke(credential.value.view(), "access_token", deadline);
  if (!revoked) condition_.note_failure(now_(), revoked.error());
  return revoked;
}

void RefreshTokenIssuer::report_unauthorized(const IssuedCredential& credential) {
  const std::chrono::sys_seconds now = now_();
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(tokens_, [&](const auto& entry) { return entry.second->id == credential.id; });
  if (found == tokens_.end()) return;  // somebody else said so before, of the same token
  const Token& token = *found->second;
  if (token.follows_refusal && now < token.asked_at + kProbation) paused_until_ = now + kProbation;
  was_refused_ = true;
  retire(found->second);
  tokens_.erase(found);
}

void RefreshTokenIssuer::report_accepted(const IssuedCredential& credential) {
  const std::lock_guard lock(mutex_);
  for (const auto& [target, token] : tokens_) {
    if (token->id == credential.id) token->follows_refusal = false;
  }
}

std::chrono::sys_seconds RefreshTokenIssuer::pauses_until() const {
  const std::lock_guard lock(mutex_);
  return paused_until_;
}

Status RefreshTokenIssuer::sweep(Deadline deadline) {
  const std::chrono::sys_seconds now = now_();
  std::vector<std::shared_ptr<Token>> due;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(tokens_, [&](const auto& entry) {
      const bool is_over = entry.second->expires_at <= now || entry.second->ends_by <= now;
      if (is_over) retire(entry.second);
      return is_over;
    });
    std::erase_if(retired_, [&](const std::shared_ptr<Token>& token) {
      const bool is_due = token->ends_by <= now;
      if (is_due) due.push_back(token);
      return is_due;
    });
  }
  Status outcome;
  for (const std::shared_ptr<Token>& token : due) {
    if (token->expires_at <= now) continue;
    const Status revoked = client_->revoke(token->value.view(), "access_token", deadline);
    if (revoked) continue;
    outcome = revoked;
    const std::lock_guard lock(mutex_);
    retired_.push_back(token);  // for the next time
  }
  return outcome;
}

void RefreshTokenIssuer::drop_tokens() {
  const std::lock_guard lock(mutex_);
  for (const auto& [target, token] : tokens_) retire(token);
  tokens_.clear();
  was_refused_ = false;
  paused_until_ = {};
  ++epoch_;
}

IssuerFacts RefreshTokenIssuer::facts() const {
  const IssuerFacts facts = condition_.facts();
  const auto grant = store_->look();
  if (!grant) return {IssuerState::kFailing, facts.since, grant.error()};
  if (grant->state == State::kNone) return {IssuerState::kNeedsConsent, grant->since, kNoConsentYet};
  if (grant->state == State::kEnded)
    return {IssuerState::kNeedsConsent, grant->since,
            facts.state == IssuerState::kNeedsConsent ? facts.why : kConsentEnded};
  if (const auto until = pauses_until(); now_() < until)
    return {IssuerState::kNeedsConsent, until - kProbation, kRefusedTwice};
  // Somebody has consented since.
  if (facts.state == IssuerState::kNeedsConsent) return {IssuerState::kReady, grant->since, {}};
  return facts;
}

}  // namespace chancery::vault
