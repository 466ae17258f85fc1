#include "daemon/vault/issuers/client_credentials.hpp"

#include <algorithm>

#include "daemon/vault/issuers/half_life.hpp"

namespace chancery::vault {
namespace {

// Of what tokens are for. Which there are is said by tools, so that more are a mistake.
constexpr std::size_t kMostPlaces = 1024;

constexpr Error kNoTurn{ErrorCode::kTimeout,
                        "others wait for the same token, and none was given in time: is the server slow?"};

}  // namespace

Result<IssuedCredential> ClientCredentialsIssuer::issue(const IssueRequest& request, Deadline deadline) {
  CHANCERY_ASSIGN(const TokenTarget target, target_of(request, now_()));
  std::shared_ptr<Place> place;
  std::unique_lock<std::timed_mutex> turn;
  if (!request.single_use) {
    place = place_of(target.key());
    if (auto found = shared(*place, request)) return found;
    turn = std::unique_lock(place->asking, deadline);
    if (!turn) return kNoTurn;
    if (auto found = shared(*place, request)) return found;  // who had the turn before us asked for it
  }
  CHANCERY_ASSIGN(Kept kept, ask(target, deadline));
  const bool outlives = kept.expires_at > request.not_after;
  if (outlives && !client_->can_revoke() && !options_.accepts_outliving) return kOutlivesTheLeaf;
  const bool is_own = request.single_use || outlives;
  if (!is_own) {
    const std::lock_guard lock(mutex_);
    place->kept = {kept.id, SecretBytes(kept.token.view()), kept.asked_at, kept.expires_at};
  }
  return give(std::move(kept), is_own && client_->can_revoke());
}

std::shared_ptr<ClientCredentialsIssuer::Place> ClientCredentialsIssuer::place_of(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (places_.size() >= kMostPlaces && !places_.contains(key)) places_.clear();
  std::shared_ptr<Place>& place = places_[key];
  if (place == nullptr) place = std::make_shared<Place>();
  return place;
}

/// \return a copy of the kept token, or kNotFound when there is none that will do
Result<IssuedCredential> ClientCredentialsIssuer::shared(Place& place, const IssueRequest& request) {
  std::unique_lock lock(mutex_);
  const Kept& kept = place.kept;
  const bool will_do = !kept.token.empty() && is_in_first_half(kept.asked_at, kept.expires_at, now_()) &&
                       kept.expires_at <= request.not_after;
  if (!will_do) return Error{ErrorCode::kNotFound, "no token is kept that will do"};
  Kept copy{kept.id, SecretBytes(kept.token.view()), kept.asked_at, kept.expires_at};
  lock.unlock();
  return give(std::move(copy), false);
}

Result<ClientCredentialsIssuer::Kept> ClientCredentialsIssuer::ask(const TokenTarget& target,
                                                                   Deadline deadline) {
  TokenForm form;
  form.add("grant_type", "client_credentials");
  form.add_if("scope", target.scope).add_if("resource", target.resource);
  const std::chrono::sys_seconds asked_at = now_();
  auto given = client_->ask_for_token(std::move(form), deadline);
  if (!given) {
    condition_.note_failure(now_(), given.error().error);
    return given.error().error;
  }
  condition_.note_success(now_());
  CHANCERY_ASSIGN(std::string id, new_credential_id());
  return Kept{std::move(id), std::move(given->access_token), asked_at, end_of(*given, asked_at)};
}

Result<IssuedCredential> ClientCredentialsIssuer::give(Kept kept, bool ends_with_call) {
  lifetimes_.note_issued(now_(), kept.expires_at);
  IssuedCredential out;
  out.id = std::move(kept.id);
  out.value = std::move(kept.token);
  out.issued_at = kept.asked_at;
  out.expires_at = kept.expires_at;
  out.ends_with_call = ends_with_call;
  return out;
}

void ClientCredentialsIssuer::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, place] : places_) {
    if (place->kept.id == id) place->kept = {};
  }
}

Status ClientCredentialsIssuer::revoke(const IssuedCredential& credential, Deadline deadline) {
  forget(credential.id);
  if (credential.expires_at <= now_()) return {};
  const Status revoked = client_->revoke(credential.value.view(), "access_token", deadline);
  if (!revoked) condition_.note_failure(now_(), revoked.error());
  return revoked;
}

void ClientCredentialsIssuer::report_unauthorized(const IssuedCredential& credential) {
  forget(credential.id);
}

// Who asks at this moment has a place of its own, to which nobody comes any more.
void ClientCredentialsIssuer::drop_tokens() {
  const std::lock_guard lock(mutex_);
  places_.clear();
}

Status ClientCredentialsIssuer::sweep(Deadline) {
  const std::chrono::sys_seconds now = now_();
  const std::lock_guard lock(mutex_);
  for (auto& [key, place] : places_) {
    if (place->kept.expires_at <= now) place->kept = {};
  }
  return {};
}

}  // namespace chancery::vault
