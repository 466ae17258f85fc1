#include "daemon/service/anomaly_watch.hpp"

#include <algorithm>
#include <utility>

#include "sdk/wire/overview_messages.hpp"

namespace chancery::service {
namespace {

constexpr std::chrono::seconds kBetweenKeeping = std::chrono::minutes(5);
constexpr std::size_t kMostKeptAtOnce = 100;  // a megabyte: decisions wait for the same database

}  // namespace

// What cannot be read is learned anew: a baseline is worth no start.
Status AnomalyWatch::open() {
  CHANCERY_ASSIGN(const auto kept, book_.baselines());
  const std::lock_guard lock(mutex_);
  for (const auto& [agent, learned] : kept) {
    const auto document = json::Document::parse(learned);
    if (!document) continue;
    if (auto baseline = anomaly::Baseline::from(document->root()))
      watched_.emplace(agent, Watched{*std::move(baseline), true});
  }
  return {};
}

void AnomalyWatch::saw(const anomaly::Use& use, std::chrono::sys_seconds now) {
  if (!use.key) return;
  const std::lock_guard lock(mutex_);
  if (!use.agent.empty()) remember(*use.key, {use.agent, use.name});
  const auto known = owners_.find(*use.key);
  if (known != owners_.end()) {
    note(known->second, use, now);
  } else if (unknown_.size() < kMostUnknown) {
    unknown_.push_back({use, now});
  }
}

// What is forgotten is looked up again.
void AnomalyWatch::remember(const Thumbprint& key, Owner owner) {
  if (owners_.size() >= kMostKeys && !owners_.contains(key)) owners_.clear();
  owners_.try_emplace(key, std::move(owner));
}

bool AnomalyWatch::knows(const Thumbprint& key) {
  const std::lock_guard lock(mutex_);
  return owners_.contains(key);
}

// On tick()'s thread: no decision waits for the database once more.
void AnomalyWatch::find_owners(const Response& response) {
  std::vector<UseOfUnknown> unknown;
  {
    const std::lock_guard lock(mutex_);
    unknown.swap(unknown_);
  }
  for (const UseOfUnknown& one : unknown) {
    const Thumbprint& key = *one.use.key;
    if (!knows(key)) {
      auto owner = response.owner(key);
      if (!owner) {
        response.complain("whose key was used could not be found out", owner.error());
        return;
      }
      const std::lock_guard lock(mutex_);
      remember(key, *std::move(owner));
    }
    saw(one.use, one.at);
  }
}

/// Under the lock.
void AnomalyWatch::note(const Owner& owner, const anomaly::Use& use, std::chrono::sys_seconds now) {
  if (owner.id.empty()) return;
  auto found = watched_.find(owner.id);
  if (found == watched_.end()) {
    if (watched_.size() >= kMostAgents) return;
    found = watched_.emplace(owner.id, Watched()).first;
  }
  found->second.is_kept = false;
  for (const anomaly::Finding& finding : found->second.baseline.note(use, now, options_.rules)) {
    counts_[static_cast<std::size_t>(finding.kind)].fetch_add(1, std::memory_order_relaxed);
    if (waiting_.size() >= kMostWaiting) continue;
    api::Anomaly anomaly;
    anomaly.at = now.time_since_epoch().count();
    anomaly.agent = owner.name;
    anomaly.kind = anomaly::kind_name(finding.kind);
    anomaly.measured = finding.measured;
    anomaly.usual = finding.usual;
    anomaly.what = finding.what;
    waiting_.push_back(std::move(anomaly));
  }
}

void AnomalyWatch::tick(std::chrono::sys_seconds now, const Response& response) {
  find_owners(response);
  std::vector<api::Anomaly> found;
  {
    const std::lock_guard lock(mutex_);
    found.swap(waiting_);
  }
  for (api::Anomaly& anomaly : found) respond(std::move(anomaly), response);
  if (kept_at_ == std::chrono::sys_seconds{}) kept_at_ = now;
  if (now >= kept_at_ && now - kept_at_ < kBetweenKeeping) return;
  kept_at_ = now;
  if (const Status kept = keep(); !kept)
    response.complain("what is usual for agents could not be kept", kept.error());
}

// The suspension first: what is told says whether there is one. And who is told finds it in the list.
void AnomalyWatch::respond(api::Anomaly anomaly, const Response& response) {
  const auto kind = anomaly::kind_of(anomaly.kind);
  if (kind && options_.suspends.contains(*kind)) {
    const auto act = response.suspend(anomaly);
    if (act) anomaly.suspension = *act;
    if (!act) response.complain("an agent could not be suspended", act.error());
  }
  const Status added = book_.add(wire::write(anomaly));
  if (!added) response.complain("an anomaly could not be kept", added.error());
  response.tell(anomaly);
}

Status AnomalyWatch::keep() {
  const std::vector<std::string> agents = changed();
  for (std::span<const std::string> rest = agents; !rest.empty();) {
    const std::size_t count = std::min(rest.size(), kMostKeptAtOnce);
    CHANCERY_TRY(keep(rest.first(count)));
    rest = rest.subspan(count);
  }
  return book_.forget_retired();
}

std::vector<std::string> AnomalyWatch::changed() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [agent, watched] : watched_) {
    if (!watched.is_kept) out.push_back(agent);
  }
  return out;
}

// One copy at a time is made under the lock, and written out behind it: every request that is watched takes it.
Status AnomalyWatch::keep(std::span<const std::string> agents) {
  std::vector<store::AnomalyBook::Learned> learned;
  for (const std::string& agent : agents) {
    if (const auto baseline = take_changed(agent))
      learned.emplace_back(agent, json::to_jcs(baseline->to_node()));
  }
  const Status kept = book_.keep_baselines(learned);
  if (kept) return kept;
  const std::lock_guard lock(mutex_);
  for (const auto& [agent, json] : learned) {
    const auto found = watched_.find(agent);
    if (found != watched_.end()) found->second.is_kept = false;
  }
  return kept;
}

std::optional<anomaly::Baseline> AnomalyWatch::take_changed(const std::string& agent) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(agent);
  if (found == watched_.end()) return std::nullopt;
  found->second.is_kept = true;
  return found->second.baseline;
}

void AnomalyWatch::forget(const std::string& agent) {
  const std::lock_guard lock(mutex_);
  watched_.erase(agent);
  std::erase_if(owners_, [&](const auto& item) { return item.second.id == agent; });
}

Result<api::AnomalyList> AnomalyWatch::recent(std::size_t limit) {
  CHANCERY_ASSIGN(const auto kept, book_.recent(limit));
  api::AnomalyList out;
  for (const auto& [id, json] : kept) {
    CHANCERY_ASSIGN(api::Anomaly anomaly, wire::read_anomaly(json));
    anomaly.id = id;
    out.anomalies.push_back(std::move(anomaly));
  }
  return out;
}

}  // namespace chancery::service
