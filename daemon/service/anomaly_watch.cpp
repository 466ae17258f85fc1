#include "daemon/service/anomaly_watch.hpp"

#include <algorithm>
#include <iterator>
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
void AnomalyWatch::remember(const Thumbprint& key, const Owner& owner) {
  if (owners_.size() >= kMostKeys && !owners_.contains(key)) owners_.clear();
  owners_.try_emplace(key, owner);
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
      const auto owner = response.owner(key);
      if (!owner) {
        response.complain("whose key was used could not be found out", owner.error());
        return;
      }
      const std::lock_guard lock(mutex_);
      remember(key, *owner);
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
    const bool suspends = options_.suspends.contains(finding.kind);
    if (!has_room(owner.id, suspends)) {
      ++dropped_;
      continue;
    }
    if (suspends) suspending_.insert(owner.id);
    api::Anomaly anomaly;
    anomaly.at = now.time_since_epoch().count();
    anomaly.agent = owner.name;
    anomaly.kind = anomaly::kind_name(finding.kind);
    anomaly.measured = finding.measured;
    anomaly.usual = finding.usual;
    anomaly.what = finding.what;
    waiting_.push_back({owner.id, std::move(anomaly), suspends});
  }
}

// Nobody escapes his suspension by having more found than is listed.
bool AnomalyWatch::has_room(const std::string& agent, bool suspends) const {
  return waiting_.size() < kMostWaiting || (suspends && !suspending_.contains(agent));
}

void AnomalyWatch::tick(std::chrono::sys_seconds now, const Response& response) {
  find_owners(response);
  std::vector<Waiting> found;
  std::vector<Waiting> failed;
  std::uint64_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    found.swap(waiting_);
    dropped = std::exchange(dropped_, 0);
  }
  if (dropped > 0) {
    response.complain("anomalies are counted and not listed",
                      {ErrorCode::kOverloaded, "more were found at once than are kept", dropped});
  }
  for (Waiting& one : found) {
    if (!respond(one, response)) failed.push_back(std::move(one));
  }
  wait_again(std::move(failed));
  if (kept_at_ == std::chrono::sys_seconds{}) kept_at_ = now;
  if (now >= kept_at_ && now - kept_at_ < kBetweenKeeping) return;
  kept_at_ = now;
  if (const Status kept = keep(); !kept)
    response.complain("what is usual for agents could not be kept", kept.error());
}

// The suspension first: what is told says whether there is one. And who is told finds it in the list.
/// \return false: the suspension is to be tried again. An agent that is retired meanwhile needs none.
bool AnomalyWatch::respond(Waiting& one, const Response& response) {
  if (one.suspends) {
    const auto act = response.suspend(one.anomaly);
    if (act) one.anomaly.suspension = *act;
    if (!act && act.error().code != ErrorCode::kNotFound) {
      if (std::exchange(one.is_told, true)) return false;
      response.complain("an agent could not be suspended: it is tried again each second", act.error());
      response.tell(one.anomaly);
      return false;
    }
  }
  const Status added = book_.add(redactor_->json(wire::write(one.anomaly)));
  if (!added) response.complain("an anomaly could not be kept", added.error());
  response.tell(one.anomaly);
  return true;
}

void AnomalyWatch::wait_again(std::vector<Waiting> failed) {
  const std::lock_guard lock(mutex_);
  for (Waiting& one : failed) one.suspends = watched_.contains(one.agent);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(failed.begin()),
                  std::make_move_iterator(failed.end()));
  suspending_.clear();
  for (const Waiting& one : waiting_) {
    if (one.suspends) suspending_.insert(one.agent);
  }
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

// What an agent is to be suspended for is not kept as known before it is: after a crash it is new again.
std::optional<anomaly::Baseline> AnomalyWatch::take_changed(const std::string& agent) {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(agent);
  if (found == watched_.end() || suspending_.contains(agent)) return std::nullopt;
  found->second.is_kept = true;
  return found->second.baseline;
}

void AnomalyWatch::forget(const std::string& agent) {
  const std::lock_guard lock(mutex_);
  watched_.erase(agent);
  std::erase_if(owners_, [&](const auto& item) { return item.second.id == agent; });
  for (Waiting& one : waiting_) one.suspends = one.suspends && one.agent != agent;
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
