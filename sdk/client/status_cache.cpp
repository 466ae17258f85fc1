#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include <chancery/status_cache.hpp>

#include "sdk/base/ticker.hpp"
#include "sdk/client/https_fetch.hpp"
#include "sdk/verify/htu.hpp"
#include "sdk/verify/status_list.hpp"
#include "sdk/verify/verifier.hpp"

namespace chancery {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr seconds kRetry{10};
constexpr seconds kClockSkew{60};  // by which another's clock may be ahead of ours

/// A list is told by where it is and whose it is: two anchors may name one URI, with keys of their own.
struct ListName {
  std::string uri;
  std::vector<Thumbprint> keys;
  auto operator<=>(const ListName&) const = default;
};

/// A list that chains refer to, fetched or not yet.
struct Entry {
  std::vector<VerifyKey> keys;
  std::optional<FetchedStatusList> list;
  bool shown = false;  ///< `list` is in the snapshot
  double iat = 0;
  sys_seconds due{};    ///< when to fetch it next
  sys_seconds asked{};  ///< when a chain last referred to it
};

/// A list that passed every check, and for how long it will do.
struct TakenList {
  FetchedStatusList list;
  double iat;
  seconds life;
};

double count(sys_seconds at) { return static_cast<double>(at.time_since_epoch().count()); }

std::vector<Thumbprint> thumbprints(const std::vector<VerifyKey>& keys) {
  std::vector<Thumbprint> out;
  for (const VerifyKey& key : keys) out.push_back(key.thumbprint());
  return out;
}

// A server that costs time and says nothing about one list is not asked for its others at once.
bool is_silence(ErrorCode code) {
  return code == ErrorCode::kTimeout || code == ErrorCode::kConnectFailed || code == ErrorCode::kTlsFailed;
}

// A prefix without a path would match hosts whose names begin with its own.
bool may_fetch(const TrustAnchor& anchor, const std::string& uri) {
  if (client::origin_of(uri).empty() || normalize_htu(uri) != uri) return false;
  return std::ranges::any_of(anchor.status_prefixes, [&](const std::string& prefix) {
    return prefix.size() > client::origin_of(prefix).size() && uri.starts_with(prefix);
  });
}

bool is_allowed(const TrustSnapshot& trust, const ListName& name) {
  return std::ranges::any_of(trust.impl().anchors, [&](const ReadyAnchor& anchor) {
    return may_fetch(anchor.config, name.uri) && thumbprints(anchor.status_keys) == name.keys;
  });
}

Result<TakenList> take(const std::string& uri, const Entry& entry, std::string token, sys_seconds now) {
  CHANCERY_ASSIGN(const SignedStatusList opened, open_status_list(token, entry.keys));
  const StatusList& list = opened.list;
  if (list.subject != uri) return Error{ErrorCode::kMalformed, "the status list is another list's"};
  if (!list.iat || !list.exp)
    return Error{ErrorCode::kMalformed, "a status list from elsewhere needs `iat` and `exp`"};
  if (*list.iat > count(now + kClockSkew) || *list.exp <= count(now))
    return Error{ErrorCode::kMalformed, "the status list is not of this time: are both clocks right?"};
  if (*list.iat < entry.iat) return Error{ErrorCode::kConflict, "the status list is older than the one held"};
  // A life beyond any clock's is as good as a long one, and does not overflow.
  const double life = std::min({*list.exp - count(now), list.ttl.value_or(*list.exp), 1e9});
  return TakenList{
      {uri, std::move(token), now}, *list.iat, seconds(static_cast<std::int64_t>(std::max(life, 0.0)))};
}

}  // namespace

struct StatusCache::Impl {
  Impl(TrustConfig trust, const StatusCacheOptions& chosen)
      : options(chosen),
        fetch(chosen.ca_file, {.max_bytes = kMaxStatusListBytes, .timeout = chosen.timeout}),
        config(std::move(trust)),
        snapshot(config) {}

  [[nodiscard]] sys_seconds now() const {
    return options.now ? options.now() : std::chrono::floor<seconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] TrustSnapshot current() const {
    const std::lock_guard lock(mutex);
    return snapshot;
  }
  [[nodiscard]] std::optional<Entry> find(const ListName& name) const {
    const std::lock_guard lock(mutex);
    const auto found = entries.find(name);
    return found == entries.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] bool is_shown(const ListName& name) const {
    const std::lock_guard lock(mutex);
    const auto found = entries.find(name);
    return found != entries.end() && found->second.shown;
  }

  std::vector<ListName> note_references(std::span<const std::string_view> chain, VerifyOptions how);
  bool note(const ListName& name, const std::vector<VerifyKey>& keys);
  void fetch_if_due(const ListName& name, const std::stop_token& stop = {});
  void record(const ListName& name, Result<TakenList> taken, sys_seconds at);
  void forget_idle();
  [[nodiscard]] std::optional<ListName> next_due() const;
  void refresh(const std::stop_token& stop);
  void publish();

  const StatusCacheOptions options;
  const client::HttpsFetch fetch;

  /// Held while a list is fetched and a snapshot made of it: one at a time, in one order. Taken before `mutex`.
  std::mutex fetching;
  std::map<std::string, sys_seconds> silent_until;  ///< origins that failed; under `fetching`

  mutable std::mutex mutex;  ///< guards the rest
  TrustConfig config;
  std::map<ListName, Entry> entries;
  TrustSnapshot snapshot;

  std::optional<Ticker> ticker;  // ends before what it uses
};

// Only a chain that passed steps 1 to 5 decides what is fetched, and under whose keys it is judged.
std::vector<ListName> StatusCache::Impl::note_references(std::span<const std::string_view> chain,
                                                         VerifyOptions how) {
  how.request = nullptr;
  const TrustSnapshot trust = current();
  Verifier verifier(trust, now(), how);
  const Verdict verdict = verifier.run(chain);
  std::vector<ListName> names;
  if (!verdict.valid() && verdict.denial().step != Step::kStatus) return names;
  const ReadyAnchor& anchor = *verifier.status_anchor();
  for (const auto& token : verifier.tokens()) {
    const auto& reference = token->claims().status;
    if (!reference || !may_fetch(anchor.config, reference->uri)) continue;
    ListName name{reference->uri, thumbprints(anchor.status_keys)};
    if (note(name, anchor.status_keys)) names.push_back(std::move(name));
  }
  return names;
}

// Whether there is room for the list, or it is there.
bool StatusCache::Impl::note(const ListName& name, const std::vector<VerifyKey>& keys) {
  const sys_seconds at = now();
  const std::lock_guard lock(mutex);
  const auto found = entries.find(name);
  if (found != entries.end()) {
    found->second.asked = at;
    return true;
  }
  // By anchor: one whose chains name many lists must not crowd out the others'.
  const auto held = std::ranges::count(entries, name.keys, [](const auto& item) { return item.first.keys; });
  if (static_cast<std::size_t>(held) >= options.max_lists) return false;
  entries.emplace(name, Entry{.keys = keys, .list = std::nullopt, .due = at, .asked = at});
  return true;
}

void StatusCache::Impl::fetch_if_due(const ListName& name, const std::stop_token& stop) {
  const std::lock_guard lock(fetching);
  // Whoever held the lock may have fetched it, or found its server silent.
  const auto entry = find(name);
  const sys_seconds at = now();
  if (!entry || entry->due > at) return;
  const std::string origin = client::origin_of(name.uri);
  auto token =
      Result<std::string>(Error{ErrorCode::kConnectFailed, "the server did not answer a moment ago"});
  if (silent_until[origin] <= at) {
    token = fetch.get(name.uri, {"application/statuslist+jwt"}, stop);
    if (!token && is_silence(token.error().code)) silent_until[origin] = at + kRetry;
  }
  if (!token) return record(name, token.error(), at);
  record(name, take(name.uri, *entry, *std::move(token), at), at);
}

void StatusCache::Impl::record(const ListName& name, Result<TakenList> taken, sys_seconds at) {
  {
    const std::lock_guard lock(mutex);
    const auto found = entries.find(name);
    if (found == entries.end()) return;
    Entry& entry = found->second;
    entry.due = at + (taken ? std::max(taken->life / 2, seconds(1)) : kRetry);
    if (!taken) return;
    entry.list = std::move(taken->list);
    entry.iat = taken->iat;
  }
  publish();
}

// Under `fetching`: a snapshot must not be replaced by one of an earlier state.
void StatusCache::Impl::publish() {
  TrustConfig next;
  {
    const std::lock_guard lock(mutex);
    next = config;
    for (const auto& [name, entry] : entries) {
      if (entry.list) next.status_lists.push_back(*entry.list);
    }
  }
  TrustSnapshot made(std::move(next));
  const std::lock_guard lock(mutex);
  snapshot = std::move(made);
  for (auto& [name, entry] : entries) entry.shown = entry.list.has_value();
}

void StatusCache::Impl::forget_idle() {
  const sys_seconds idle_since = now() - options.forget_after;
  const std::lock_guard lock(fetching);
  {
    const std::lock_guard inner(mutex);
    if (std::erase_if(entries, [&](const auto& item) { return item.second.asked < idle_since; }) == 0) return;
  }
  publish();
}

std::optional<ListName> StatusCache::Impl::next_due() const {
  const sys_seconds at = now();
  const std::lock_guard lock(mutex);
  const auto first = std::ranges::min_element(entries, {}, [](const auto& item) { return item.second.due; });
  if (first == entries.end() || first->second.due > at) return std::nullopt;
  return first->first;
}

void StatusCache::Impl::refresh(const std::stop_token& stop) {
  forget_idle();
  // Each turn puts the list's next time off, so that the round ends.
  while (!stop.stop_requested()) {
    const auto name = next_due();
    if (!name) return;
    fetch_if_due(*name, stop);
  }
}

StatusCache::StatusCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StatusCache::~StatusCache() = default;
StatusCache::StatusCache(StatusCache&&) noexcept = default;
StatusCache& StatusCache::operator=(StatusCache&&) noexcept = default;

Result<StatusCache> StatusCache::open(TrustConfig trust, const StatusCacheOptions& options) {
  if (options.timeout.count() <= 0 || options.forget_after.count() <= 0)
    return Error{ErrorCode::kInvalidArgument, "`timeout` and `forget_after` must be more than zero"};
  auto impl = std::make_unique<Impl>(std::move(trust), options);
  impl->ticker.emplace(seconds(1), [held = impl.get()](const std::stop_token& stop) { held->refresh(stop); });
  return StatusCache(std::move(impl));
}

TrustSnapshot StatusCache::trust_for(std::span<const std::string_view> chain, const VerifyOptions& options) {
  for (const ListName& name : impl_->note_references(chain, options)) {
    // A list that is fetched but not in the snapshot yet is waited for as one on its way is.
    if (!impl_->is_shown(name)) impl_->fetch_if_due(name);
  }
  return impl_->current();
}

TrustSnapshot StatusCache::trust() const { return impl_->current(); }

void StatusCache::replace_trust(const TrustConfig& trust) {
  const TrustSnapshot ready(trust);
  const std::lock_guard lock(impl_->fetching);
  {
    const std::lock_guard inner(impl_->mutex);
    impl_->config = trust;
    std::erase_if(impl_->entries, [&](const auto& item) { return !is_allowed(ready, item.first); });
  }
  impl_->publish();
}

void StatusCache::refresh_due() { impl_->refresh({}); }

}  // namespace chancery
