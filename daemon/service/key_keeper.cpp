#include "daemon/service/key_keeper.hpp"

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/audit_entry.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;
using store::KeyState;
using Kind = store::KeyIntent::Kind;

constexpr const char* kNotLookedUp = "keys that are too old could not be looked up";
constexpr std::chrono::seconds kPause = 30s;        // before what failed is tried again
constexpr std::chrono::seconds kBetweenLooks = 5s;  // at the devices

// Bulk changes that found nothing to change are none.
Status unless_none(const Result<std::uint64_t>& changed) {
  if (changed || changed.error().code == ErrorCode::kNotFound) return {};
  return changed.error();
}

json::Node device_details(const std::string& backend) {
  return json::Node::object({{"backend", backend}, {"reason", store::kOtherDevice}});
}

hsm::Deadline after(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

void KeyKeeper::tick(std::chrono::sys_seconds now, const std::stop_token& stop) {
  stop_ = stop;
  silent_.clear();
  settle_intents(now);
  look_at_devices(now);
  retire_overdue(now);
  rotate_aged(now);
  if (!must_publish_) return;
  const Status published = office_.issuer.publish(now);
  must_publish_ = !published;
  if (!published) complain_("the present keys could not be published", published.error());
}

bool KeyKeeper::may_try(const Step& step, std::chrono::sys_seconds now) const {
  const auto found = not_before_.find(step.name);
  const bool is_due = found == not_before_.end() || found->second <= now;
  return is_due && !silent_.contains(step.backend) && !stop_.stop_requested();
}

void KeyKeeper::note(const Step& step, const Status& done, std::chrono::sys_seconds now) {
  if (done) {
    not_before_.erase(step.name);
    return;
  }
  const ErrorCode code = done.error().code;
  if (code == ErrorCode::kDeviceBusy) return;  // somebody is at it, or many are: in the next round
  if (code == ErrorCode::kDeviceTimeout || code == ErrorCode::kDeviceUnavailable)
    silent_.insert(step.backend);
  not_before_[step.name] = now + kPause;
  complain_(step.complaint, done.error());
}

// --- what was interrupted

void KeyKeeper::settle_intents(std::chrono::sys_seconds now) {
  const auto intents = office_.store.intents();
  if (!intents) return complain_("interrupted changes of keys could not be looked up", intents.error());
  for (const store::KeyIntent& intent : *intents) {
    const Step step{"intent " + intent.key_id, intent.backend,
                    "an interrupted change of a key could not be carried on"};
    if (may_try(step, now)) note(step, carry_on(intent, now), now);
  }
}

Status KeyKeeper::carry_on(const store::KeyIntent& intent, std::chrono::sys_seconds now) {
  CHANCERY_TRY(office_.life.settle(intent, now, after(options_.patience)));
  if (intent.kind == Kind::kDestroy) return {};
  if (intent.kind == Kind::kMake) return office_.store.drop_intent(intent);
  if (intent.owner == store::kIssuer) {
    CHANCERY_TRY(office_.issuer.rotate(now, intent.overlap, after(options_.patience), intent.key_id));
    return {};
  }
  CHANCERY_ASSIGN(const store::Agent agent, office_.store.agent_by_id(intent.owner));
  if (agent.retired_at || agent.key.state != KeyState::kActive) return office_.store.drop_intent(intent);
  CHANCERY_TRY(follow_key(office_, agent, {intent, agent.key.stored.public_key.algorithm(), true},
                          {now, after(options_.patience), nullptr}));
  return {};
}

// --- devices that are others

void KeyKeeper::look_at_devices(std::chrono::sys_seconds now) {
  if (now < next_look_) return;
  next_look_ = now + kBetweenLooks;
  for (const std::string& name : office_.backends.names()) {
    if (silent_.contains(name) || stop_.stop_requested()) continue;
    const auto backend = office_.backends.find(name);
    const Status answer = (*backend)->check(after(options_.patience));
    const bool is_other = !answer && answer.error().code == ErrorCode::kWrongDevice;
    if (!answer && !is_other) continue;  // away: it comes back, or readiness goes on saying so
    const Status changed = unless_none(
        is_other ? office_.store.lose_keys(name, audit_entry("backend.lost", now, device_details(name)))
                 : office_.store.recover_keys(name, audit_entry("backend.found", now, device_details(name))));
    if (!changed) complain_("the keys of a device could not be marked", changed.error());
  }
}

// --- time

void KeyKeeper::retire_overdue(std::chrono::sys_seconds now) {
  const auto overdue = office_.store.overdue_keys(now);
  if (!overdue) return complain_("keys whose overlap is over could not be looked up", overdue.error());
  for (const store::Key& key : *overdue) {
    if (stop_.stop_requested()) return;
    const Thumbprint thumbprint = key.stored.public_key.thumbprint();
    const auto retired = office_.store.change_key(thumbprint, KeyState::kRetired, "",
                                                  audit_entry("key.retire", now, key_details(key)));
    if (!retired) {
      if (retired.error().code != ErrorCode::kConflict) {
        complain_("a key whose overlap is over could not be retired", retired.error());
      }
      continue;
    }
    must_publish_ = true;
    const Step step{"intent " + key.stored.binding.key_id, key.backend,
                    "a retired key could not be destroyed yet"};
    if (may_try(step, now)) note(step, office_.life.destroy(key, now, after(options_.patience)), now);
  }
}

void KeyKeeper::rotate_aged(std::chrono::sys_seconds now) {
  if (options_.max_issuer_key_age > 0s) {
    const auto key = office_.issuer.newest();
    if (!key) return complain_(kNotLookedUp, key.error());
    if (*key) rotate_if_aged(**key, options_.max_issuer_key_age, now);
  }
  if (options_.max_agent_key_age > 0s) rotate_aged_agents(now);
}

void KeyKeeper::rotate_aged_agents(std::chrono::sys_seconds now) {
  std::size_t left = 0;  // that stay as they are, and so come first in the next page too
  while (!stop_.stop_requested()) {
    const auto page = office_.store.aged_keys(now - options_.max_agent_key_age, left);
    if (!page) return complain_(kNotLookedUp, page.error());
    for (const store::Key& key : *page) {
      const bool is_agents = key.owner != store::kIssuer;
      if (!is_agents || !rotate_if_aged(key, options_.max_agent_key_age, now)) ++left;
    }
    if (page->size() < store::kMaxPage) return;
  }
}

bool KeyKeeper::rotate_if_aged(const store::Key& key, std::chrono::seconds limit,
                               std::chrono::sys_seconds now) {
  const Step step{"rotation " + key.stored.binding.key_id, key.backend,
                  "a key that is too old could not be followed by another"};
  if (key.state != KeyState::kActive || key.created_at > now - limit || !may_try(step, now)) return false;
  const Status done = rotate(key, now);
  note(step, done, now);
  return done.has_value();
}

Status KeyKeeper::rotate(const store::Key& key, std::chrono::sys_seconds now) {
  const hsm::Deadline deadline = after(options_.patience);
  if (key.owner == store::kIssuer) {
    CHANCERY_TRY(office_.issuer.rotate(now, office_.issuer.options().overlap, deadline));
    return {};
  }
  CHANCERY_ASSIGN(const store::Agent agent, office_.store.agent_by_id(key.owner));
  if (agent.key.stored.public_key != key.stored.public_key) return {};  // it was followed meanwhile
  KeyLife::NewKey wanted{{Kind::kRotate, key.backend, agent.id, {}, office_.policy.key_overlap},
                         key.stored.public_key.algorithm()};
  CHANCERY_TRY(follow_key(office_, agent, std::move(wanted), {now, deadline, nullptr}));
  return {};
}

}  // namespace chancery::service
