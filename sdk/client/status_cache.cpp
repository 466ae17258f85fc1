#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
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

// So many servers may be slow at once before lists of the others are renewed late.
constexpr int kRenewers = 4;

/// A list is told by where it is and whose it is: two anchors may name one URI, with keys of their own.
struct ListName {
  std::string uri;
  std::vector<Thumbprint> keys;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a pointer in a defaulted comparison
  auto operator<=>(const ListName&) const = default;
};

/// A list that chains refer to, fetched or not yet.
struct Entry {
  std::vector<VerifyKey> keys;
  std::optional<FetchedStatusList> list;
  std::optional<Thumbprint> signer;  ///< of `list`
  bool shown = false;                ///< `list` is in the snapshot
  double iat = 0;
  sys_seconds due{};    ///< when to fetch it next
  sys_seconds asked{};  ///< when a chain last referred to it
};

/// A list that passed every check, and for how long it will do.
struct TakenList {
  FetchedStatusList list;
  Thumbprint signer;
  double iat;
  seconds life;
};

double count(sys_seconds at) { return static_cast<double>(at.time_since_epoch().count()); }

std::vector<Thumbprint> thumbprints(const std::vector<VerifyKey>& keys) {
  std::vector<Thumbprint> out;
  for (const VerifyKey& key : keys) out.push_back(key.thumbprint());
  return out;
}

/// Where lists are fetched from.
struct Server {
  std::mutex asking;  ///< one fetch at a time, so that all learn from it; taken before the cache's mutexes
  sys_seconds silent_until{};  ///< under `asking`
};

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

// A list counts for as long as the anchor has the key that signed it, whatever other keys come and go.
bool is_entry_of(const ReadyAnchor& anchor, const ListName& name, const Entry& entry) {
  if (!may_fetch(anchor.config, name.uri)) return false;
  const std::vector<Thumbprint> keys = thumbprints(anchor.status_keys);
  return entry.signer ? std::ranges::find(keys, *entry.signer) != keys.end() : keys == name.keys;
}

// The entries that these anchors allow, under the keys that they have.
std::map<ListName, Entry> entries_under(const TrustSnapshot& trust,
                                        const std::map<ListName, Entry>& entries) {
  std::map<ListName, Entry> out;
  for (const auto& [name, entry] : entries) {
    for (const ReadyAnchor& anchor : trust.impl().anchors) {
      if (!is_entry_of(anchor, name, entry)) continue;
      Entry& kept = out[{name.uri, thumbprints(anchor.status_keys)}];
      if (kept.list && kept.iat >= entry.iat) continue;
      kept = entry;
      kept.keys = anchor.status_keys;
    }
  }
  return out;
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
  return TakenList{{uri, std::move(token), now},
                   opened.key.thumbprint(),
                   *list.iat,
                   seconds(static_cast<std::int64_t>(std::max(life, 0.0)))};
}

}  // namespace

struct StatusCache::Impl {
  Impl(TrustConfig trust, const StatusCacheOptions& chosen)
      : options(chosen),
        fetch(chosen.ca_file, {.max_bytes = kMaxStatusListBytes, .timeout = chosen.timeout}),
        config(std::move(trust)),
        snapshot(config) {}
  ~Impl() {
    for (Ticker& renewer : renewers) renewer.request_stop();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

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
  [[nodiscard]] std::shared_ptr<Server> server_of(const ListName& name);
  void fetch_if_due(const ListName& name);
  void fetch_if_due(Server& server, const ListName& name, const std::stop_token& stop);
  [[nodiscard]] Result<std::string> ask(Server& server, const std::string& uri, const std::stop_token& stop);
  void record(const ListName& name, Result<TakenList> taken, sys_seconds at);
  void forget_idle();
  [[nodiscard]] std::optional<ListName> next_due(const std::set<std::string>& passed_over) const;
  void renew(const std::stop_token& stop);
  void publish();

  const StatusCacheOptions options;
  const client::HttpsFetch fetch;

  std::mutex
      publishing;  ///< held while a snapshot is made: one at a time, in one order. Taken before `mutex`

  mutable std::mutex mutex;  ///< guards the rest
  TrustConfig config;
  std::map<ListName, Entry> entries;
  std::map<std::string, std::shared_ptr<Server>> servers;  ///< by origin, each of an anchor's prefixes
  TrustSnapshot snapshot;

  std::list<Ticker> renewers;  // end before what they use
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
  entries.emplace(name,
                  Entry{.keys = keys, .list = std::nullopt, .signer = std::nullopt, .due = at, .asked = at});
  return true;
}

std::shared_ptr<Server> StatusCache::Impl::server_of(const ListName& name) {
  const std::lock_guard lock(mutex);
  auto& server = servers[client::origin_of(name.uri)];
  if (!server) server = std::make_shared<Server>();
  return server;
}

void StatusCache::Impl::fetch_if_due(const ListName& name) {
  const auto server = server_of(name);
  const std::lock_guard lock(server->asking);
  fetch_if_due(*server, name, {});
}

// Under the server's lock: whoever held it may have fetched the list, or found the server silent.
void StatusCache::Impl::fetch_if_due(Server& server, const ListName& name, const std::stop_token& stop) {
  const auto entry = find(name);
  const sys_seconds at = now();
  if (!entry || entry->due > at) return;
  auto token = ask(server, name.uri, stop);
  if (!token) return record(name, token.error(), at);
  record(name, take(name.uri, *entry, *std::move(token), at), at);
}

// A server that costs time is not asked for its other lists at once, whether it answered in the end or not.
Result<std::string> StatusCache::Impl::ask(Server& server, const std::string& uri,
                                           const std::stop_token& stop) {
  const sys_seconds at = now();
  if (server.silent_until > at)
    return Error{ErrorCode::kConnectFailed, "the server did not answer a moment ago"};
  const auto began = std::chrono::steady_clock::now();
  auto token = fetch.get(uri, {"application/statuslist+jwt"}, stop);
  const bool is_slow = std::chrono::steady_clock::now() - began > options.timeout / 2;
  if (is_slow || (!token && is_silence(token.error().code))) server.silent_until = at + kRetry;
  return token;
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
    entry.signer = taken->signer;
    entry.iat = taken->iat;
  }
  publish();
}

void StatusCache::Impl::publish() {
  const std::lock_guard one(publishing);  // a snapshot must not be replaced by one of an earlier state
  TrustConfig next;
  std::vector<ListName> shown;
  {
    const std::lock_guard lock(mutex);
    next = config;
    for (const auto& [name, entry] : entries) {
      if (!entry.list) continue;
      next.status_lists.push_back(*entry.list);
      shown.push_back(name);
    }
  }
  TrustSnapshot made(std::move(next));
  const std::lock_guard lock(mutex);
  snapshot = std::move(made);
  for (const ListName& name : shown) {
    // One that was forgotten and noted again meanwhile has no list yet.
    const auto found = entries.find(name);
    if (found != entries.end()) found->second.shown = found->second.list.has_value();
  }
}

void StatusCache::Impl::forget_idle() {
  const sys_seconds idle_since = now() - options.forget_after;
  {
    const std::lock_guard lock(mutex);
    if (std::erase_if(entries, [&](const auto& item) { return item.second.asked < idle_since; }) == 0) return;
  }
  publish();
}

// The list that has been due for longest, of servers that are not passed over.
std::optional<ListName> StatusCache::Impl::next_due(const std::set<std::string>& passed_over) const {
  std::optional<ListName> next;
  sys_seconds latest = now();
  const std::lock_guard lock(mutex);
  for (const auto& [name, entry] : entries) {
    if (entry.due > latest || passed_over.contains(client::origin_of(name.uri))) continue;
    latest = entry.due;
    next = name;
  }
  return next;
}

// What another thread is at the server of is left to that one. Each turn puts a list's next time off, or its server,
// so that the round ends.
void StatusCache::Impl::renew(const std::stop_token& stop) {
  forget_idle();
  std::set<std::string> passed_over;
  while (!stop.stop_requested()) {
    const auto name = next_due(passed_over);
    if (!name) return;
    const auto server = server_of(*name);
    const std::unique_lock lock(server->asking, std::try_to_lock);
    if (lock) {
      fetch_if_due(*server, *name, stop);
    } else {
      passed_over.insert(client::origin_of(name->uri));
    }
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
  for (int i = 0; i < kRenewers; ++i)
    impl->renewers.emplace_back(seconds(1),
                                [held = impl.get()](const std::stop_token& stop) { held->renew(stop); });
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
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->config = trust;
    impl_->entries = entries_under(ready, impl_->entries);
  }
  impl_->publish();
}

void StatusCache::refresh_due() {
  impl_->forget_idle();
  while (const auto name = impl_->next_due({})) impl_->fetch_if_due(*name);
}

}  // namespace chancery
