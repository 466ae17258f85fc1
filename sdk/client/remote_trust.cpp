#include <mutex>
#include <stop_token>
#include <utility>

#include <chancery/remote_trust.hpp>

#include "sdk/base/ticker.hpp"
#include "sdk/client/followed_keys.hpp"
#include "sdk/client/https_fetch.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery {
namespace {

using client::FollowedKeys;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr const char* kKeySet = "/.well-known/jwks.json";
constexpr const char* kStatusKeySet = "/.well-known/status-jwks.json";

TrustAnchor completed(const RemoteTrustOptions& options) {
  TrustAnchor anchor = options.limits;
  anchor.keys.clear();
  anchor.status_keys.clear();
  if (!anchor.iss) anchor.iss = options.origin;
  if (anchor.status_prefixes.empty()) anchor.status_prefixes = {options.origin + "/v1/status-lists/"};
  return anchor;
}

Result<std::vector<PublicKey>> usable_keys(std::string_view json) {
  CHANCERY_ASSIGN(const std::vector<PublicKey> published, parse_key_set(json));
  std::vector<PublicKey> usable;
  for (const PublicKey& key : published) {
    if (check_point(key)) usable.push_back(key);
  }
  return usable;
}

}  // namespace

struct RemoteTrust::Impl {
  explicit Impl(const RemoteTrustOptions& chosen)
      : options(chosen),
        fetch(chosen.ca_file, {.timeout = chosen.timeout}),
        keys(chosen.pins, chosen.overlap),
        status_keys(chosen.status_pins, chosen.overlap),
        anchor(completed(chosen)) {}

  [[nodiscard]] sys_seconds now() const {
    return options.now ? options.now() : std::chrono::floor<seconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] TrustAnchor current() const {
    const std::lock_guard lock(mutex);
    return anchor;
  }

  void look_if_due(const std::stop_token& stop);
  Status look(const std::stop_token& stop);
  Status follow(FollowedKeys& followed, const char* path, const std::stop_token& stop);
  void publish(const Status& outcome, sys_seconds at);

  const RemoteTrustOptions options;
  const client::HttpsFetch fetch;

  std::mutex looking;  ///< one look at a time; guards the next three. Taken before `mutex`
  FollowedKeys keys;
  FollowedKeys status_keys;
  std::optional<sys_seconds> looked_at;

  mutable std::mutex mutex;  ///< guards the rest
  TrustAnchor anchor;
  RemoteTrustState state;

  std::optional<Ticker> ticker;  // ends before what it uses
};

Status RemoteTrust::Impl::follow(FollowedKeys& followed, const char* path, const std::stop_token& stop) {
  CHANCERY_ASSIGN(const std::string json,
                  fetch.get(options.origin + path, {"application/json", "application/jwk-set+json"}, stop));
  CHANCERY_ASSIGN(const std::vector<PublicKey> published, usable_keys(json));
  return followed.take(published, now());
}

// Each set is followed by itself: what is wrong with one does not hold up the other.
Status RemoteTrust::Impl::look(const std::stop_token& stop) {
  const std::lock_guard lock(looking);
  const Status issuers = follow(keys, kKeySet, stop);
  const Status statuses = follow(status_keys, kStatusKeySet, stop);
  const sys_seconds at = now();
  looked_at = at;
  keys.expire(at);
  status_keys.expire(at);
  publish(issuers ? statuses : issuers, at);
  return issuers ? statuses : issuers;
}

void RemoteTrust::Impl::publish(const Status& outcome, sys_seconds at) {
  TrustAnchor next = current();
  next.keys = keys.keys();
  next.status_keys = status_keys.keys();
  bool is_new = false;
  bool is_new_problem = false;
  {
    const std::lock_guard lock(mutex);
    is_new = next.keys != anchor.keys || next.status_keys != anchor.status_keys;
    is_new_problem = !outcome && (!state.problem || state.problem->code != outcome.error().code);
    anchor = next;
    state.problem = outcome ? std::nullopt : std::optional(outcome.error());
    if (outcome) state.seen_at = at;
  }
  if (is_new && options.changed) options.changed(next);
  if (is_new_problem && options.failed) options.failed(outcome.error());
}

void RemoteTrust::Impl::look_if_due(const std::stop_token& stop) {
  {
    const std::lock_guard lock(looking);
    if (looked_at && now() < *looked_at + options.refresh) return;
  }
  static_cast<void>(look(stop));  // state() tells
}

RemoteTrust::RemoteTrust(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RemoteTrust::~RemoteTrust() = default;
RemoteTrust::RemoteTrust(RemoteTrust&&) noexcept = default;
RemoteTrust& RemoteTrust::operator=(RemoteTrust&&) noexcept = default;

Result<RemoteTrust> RemoteTrust::follow(const RemoteTrustOptions& options) {
  if (!client::is_origin(options.origin))
    return Error{ErrorCode::kInvalidArgument, "`origin` is https://HOST or https://HOST:PORT"};
  if (options.refresh.count() <= 0 || options.timeout.count() <= 0 || options.overlap.count() < 0)
    return Error{ErrorCode::kInvalidArgument,
                 "`refresh` and `timeout` must be more than zero, `overlap` not less"};
  auto impl = std::make_unique<Impl>(options);
  if (options.wait_for_first_look) static_cast<void>(impl->look({}));
  impl->ticker.emplace(seconds(1),
                       [held = impl.get()](const std::stop_token& stop) { held->look_if_due(stop); });
  return RemoteTrust(std::move(impl));
}

TrustAnchor RemoteTrust::anchor() const { return impl_->current(); }

TrustSnapshot RemoteTrust::trust() const {
  TrustConfig config;
  config.anchors.push_back(impl_->current());
  return TrustSnapshot(std::move(config));
}

RemoteTrustState RemoteTrust::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state;
}

Status RemoteTrust::look() { return impl_->look({}); }

}  // namespace chancery
