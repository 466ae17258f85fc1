#include "daemon/service/key_keeper.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "daemon/service/gated_grant.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;
using store::KeyState;
using Kind = store::KeyIntent::Kind;

constexpr const char* kNotLookedUp = "keys that are too old could not be looked up";
constexpr std::chrono::seconds kPause = 30s;        // before what failed is tried again
constexpr std::chrono::seconds kBetweenLooks = 5s;  // at the devices
constexpr std::chrono::milliseconds kLook = 2s;     // for the answer to one

// Bulk changes that found nothing to change are none.
Status unless_none(const Result<std::uint64_t>& changed) {
  if (changed || changed.error().code == ErrorCode::kNotFound) return {};
  return changed.error();
}

Status made(const Result<store::Key>& key) { return key ? Status() : key.error(); }

AuditFacts device_facts(const std::string& backend) {
  AuditFacts facts = backend_facts(backend);
  facts.details.set("reason", store::kOtherDevice);
  return facts;
}

hsm::Deadline after(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

void KeyKeeper::tick(std::chrono::sys_seconds now, const std::stop_token& stop) {
  stop_ = stop;
  // What verifiers must know first, and what waits for devices afterwards.
  retire_overdue(now);
  publish_if_stale(now);
  settle_intents(now);
  look_at_devices(now);
  make_first_keys(now);
  settle_freezes(now);
  follow_gate_keys(now);
  rotate_aged(now);
  publish_if_stale(now);
}

void KeyKeeper::publish_if_stale(std::chrono::sys_seconds now) {
  for (const std::string_view owner : store::kDaemonOwners) {
    DaemonKeys& keys = daemon_keys(office_, owner);
    if (!must_publish_.contains(owner) && !keys.is_stale()) continue;
    const Status published = keys.publish(now);
    if (published) must_publish_.erase(owner);
    if (!published) complain_("the present keys could not be published", published.error());
  }
  if (office_.gated.is_stale()) publish_gates();
}

bool KeyKeeper::is_due(const std::string& thing, std::chrono::sys_seconds now) const {
  const auto found = not_before_.find(thing);
  // Also when the clock was set back since.
  return found == not_before_.end() || found->second <= now || found->second > now + kPause;
}

bool KeyKeeper::may_try(const Step& step, std::chrono::sys_seconds now) const {
  return !stop_.stop_requested() && is_due(step.name, now) && is_due(step.backend, now);
}

void KeyKeeper::note(const Step& step, const Status& done, std::chrono::sys_seconds now) {
  if (done) {
    not_before_.erase(step.name);
    not_before_.erase(step.backend);
    return;
  }
  const ErrorCode code = done.error().code;
  if (code == ErrorCode::kDeviceBusy) return;  // somebody is at it, or many are: in the next round
  const bool is_silent = code == ErrorCode::kDeviceTimeout || code == ErrorCode::kDeviceUnavailable;
  not_before_[is_silent ? step.backend : step.name] = now + kPause;
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
  switch (intent.kind) {
    case Kind::kDestroy:
      return {};
    case Kind::kMake:
      return office_.store.drop_intent(intent);
    case Kind::kRotate:
      return resume(intent, now);
  }
  return {};
}

Status KeyKeeper::resume(const store::KeyIntent& intent, std::chrono::sys_seconds now) {
  // It was done after all, if the key is there.
  if (office_.store.key_by_id(intent.backend, intent.key_id)) return {};
  const hsm::Deadline deadline = after(options_.patience);
  if (store::is_daemons(intent.owner)) {
    return daemon_keys(office_, intent.owner).resume(intent, now, deadline);
  }
  CHANCERY_ASSIGN(const store::Agent agent, office_.store.agent_by_id(intent.owner));
  if (agent.retired_at || agent.key.state != KeyState::kActive) return office_.store.drop_intent(intent);
  CHANCERY_TRY(follow_key(office_, agent, {intent, true}, {now, deadline, nullptr}));
  return {};
}

// --- devices that are others

void KeyKeeper::look_at_devices(std::chrono::sys_seconds now) {
  if (now < next_look_ && next_look_ <= now + kBetweenLooks) return;
  next_look_ = now + kBetweenLooks;
  for (const std::string& name : office_.backends.names()) {
    if (stop_.stop_requested()) return;
    const auto backend = office_.backends.find(name);
    const Status answer = (*backend)->check(after(kLook));
    if (answer) answering_.insert(name);
    if (!answer) answering_.erase(name);
    const bool is_other = !answer && answer.error().code == ErrorCode::kWrongDevice;
    if (!answer && !is_other) continue;  // away: it comes back, or readiness goes on saying so
    const Status changed = unless_none(
        is_other ? office_.store.lose_keys(name, audit_entry("backend.lost", now, device_facts(name)))
                 : office_.store.recover_keys(name, audit_entry("backend.found", now, device_facts(name))));
    if (!changed) complain_("the keys of a device could not be marked", changed.error());
  }
}

// --- keys that were not made yet

// At the start their device may have been away. While it is, nothing is tried: readiness says so already, and a try
// that fails would put the next one off beyond its return.
void KeyKeeper::make_first_keys(std::chrono::sys_seconds now) {
  for (const std::string_view owner : store::kDaemonOwners) {
    DaemonKeys& keys = daemon_keys(office_, owner);
    if (!answering_.contains(keys.options().backend)) continue;
    const auto newest = keys.newest();
    if (!newest) return complain_("the daemon's own keys could not be looked up", newest.error());
    const Step step{"first key of " + std::string(owner), keys.options().backend,
                    "a key of the daemon's own could not be made"};
    if (!*newest && may_try(step, now)) note(step, made(keys.current(now, after(options_.patience))), now);
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
                                                  audit_entry("key.retire", now, key_facts(key)));
    if (!retired) {
      if (retired.error().code != ErrorCode::kConflict) {
        complain_("a key whose overlap is over could not be retired", retired.error());
      }
      continue;
    }
    if (key.owner.starts_with(store::kGateOwner)) publish_gates();
    must_publish_.insert(daemon_keys(office_, key.owner)
                             .options()
                             .owner);  // and to be destroyed, which is intended from now on
  }
}

void KeyKeeper::publish_gates() const {
  const Status published = service::publish_gates(office_);
  if (!published) complain_("the keys behind gates could not be published", published.error());
}

void KeyKeeper::rotate_aged(std::chrono::sys_seconds now) {
  if (options_.max_issuer_key_age > 0s) {
    for (const std::string_view owner : store::kDaemonOwners) {
      const auto key = daemon_keys(office_, owner).newest();
      if (!key) return complain_(kNotLookedUp, key.error());
      if (*key) rotate_if_aged(**key, options_.max_issuer_key_age, now);
    }
  }
  if (options_.max_agent_key_age > 0s) rotate_aged_agents(now);
}

void KeyKeeper::rotate_aged_agents(std::chrono::sys_seconds now) {
  std::size_t left = 0;  // that stay as they are, and so come first in the next page too
  while (!stop_.stop_requested()) {
    const auto page = office_.store.aged_keys(now - options_.max_agent_key_age, left);
    if (!page) return complain_(kNotLookedUp, page.error());
    for (const store::Key& key : *page) {
      const bool is_agents = !store::is_daemons(key.owner);
      if (!is_agents || !rotate_if_aged(key, options_.max_agent_key_age, now)) ++left;
    }
    if (page->size() < store::kMaxPage) return;
  }
}

// Also when nobody asks for a grant: what former approvers could open ends in time.
void KeyKeeper::follow_gate_keys(std::chrono::sys_seconds now) {
  const auto policy = office_.policy.current();
  for (const Gate& gate : policy->gates) {
    const Step step{"key of gate " + gate.name, office_.issuer.options().backend,
                    "a gate's key could not be followed by one of its present approvers"};
    if (gate.tpm_enforced && may_try(step, now)) note(step, follow_gate_key(gate, now), now);
  }
}

// The gates before this one may have waited for the TPM, and another may make a key just now: the policy is another by then, perhaps.
Status KeyKeeper::follow_gate_key(const Gate& gate, std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(const bool is_left_behind, office_.gated.is_left_behind(gate, now));
  if (!is_left_behind) return {};
  const auto look_up = [&]() -> std::optional<PresentGate> {
    const auto policy = office_.policy.current();
    const auto found = std::ranges::find(policy->gates, gate.name, &Gate::name);
    if (found == policy->gates.end()) return std::nullopt;
    return PresentGate{*found, policy->max_grant_lifetime};
  };
  CHANCERY_ASSIGN(const bool is_followed, office_.gated.follow(look_up, now, after(options_.patience)));
  return is_followed ? service::publish_gates(office_) : Status();
}

// --- the kill switch

void KeyKeeper::settle_freezes(std::chrono::sys_seconds now) {
  const Step step{"freezes", "every kill switch", "a kill switch could not be told who is frozen"};
  if (office_.freezes == nullptr || !may_try(step, now) || !office_.freezes->take_news()) return;
  const Status told = office_.freezes->tell_devices(after(options_.patience));
  note(step, told, now);
  if (told && office_.freezes->take_owed()) {
    AuditFacts facts;
    facts.details.set("told", true);
    const auto noted = office_.store.append_audit(audit_entry("freeze.told", now, std::move(facts)));
    if (!noted) complain_("that devices know of a freeze could not be recorded", noted.error());
  }
  const bool are_switched = rotate_unswitched(now);
  if (!told || !are_switched) office_.freezes->note_news();
}

bool KeyKeeper::rotate_unswitched(std::chrono::sys_seconds now) {
  const auto armed = office_.freezes->armed_backends(after(options_.patience));
  if (armed.empty()) return true;
  bool are_all_switched = true;
  std::size_t left = 0;  // that stay as they are, and so come first in the next page too
  while (!stop_.stop_requested()) {
    const auto page = office_.store.aged_keys(now, left);
    if (!page) {
      complain_("keys that hang on no kill switch could not be looked up", page.error());
      return false;
    }
    for (const store::Key& key : *page) {
      const bool is_wanted = !store::is_daemons(key.owner) && office_.freezes->could_be_switched(key, armed);
      const Step step{"rotation " + key.stored.binding.key_id, key.backend,
                      "a key could not be followed by one that hangs on the kill switch"};
      if (is_wanted && may_try(step, now)) {
        const Status done = rotate(key, now);
        note(step, done, now);
        if (done) continue;
      }
      if (is_wanted) are_all_switched = false;
      ++left;
    }
    if (page->size() < store::kMaxPage) return are_all_switched;
  }
  return false;
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
  if (store::is_daemons(key.owner)) {
    DaemonKeys& keys = daemon_keys(office_, key.owner);
    CHANCERY_TRY(keys.rotate({now, deadline, nullptr}, keys.options().overlap));
    return {};
  }
  CHANCERY_ASSIGN(const store::Agent agent, office_.store.agent_by_id(key.owner));
  if (agent.key.stored.public_key != key.stored.public_key) return {};  // it was followed meanwhile
  store::KeyIntent intent{Kind::kRotate,
                          key.backend,
                          agent.id,
                          {},
                          office_.policy->key_overlap,
                          key.stored.public_key.algorithm()};
  CHANCERY_TRY(follow_key(office_, agent, {std::move(intent)}, {now, deadline, nullptr}));
  return {};
}

}  // namespace chancery::service
