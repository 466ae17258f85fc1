#include "daemon/service/readiness.hpp"

#include <string>
#include <vector>

#include "sdk/json/writer.hpp"

namespace chancery::service {
namespace {

// While a look goes on, for how long the answer before it serves.
constexpr std::chrono::seconds kLongestUse{5};

constexpr Error kOlderLog{ErrorCode::kSpendingHalted,
                          "it may be an older copy of what was recorded: what came after it is missing"};

api::Readiness readiness_of(std::vector<std::string> missing) {
  json::Node array = json::Node::array();
  for (const std::string& what : missing) array.push_back(what);
  api::Readiness out{missing.empty(), std::move(missing), {}};
  out.json = json::to_jcs(json::Node::object({{"ready", out.ready}, {"missing", std::move(array)}}));
  return out;
}

std::string problem(const std::string& what, const Error& error) {
  return what + ": " + error.what + " (" + std::string(error_name(error.code)) + ")";
}

/// A key of the daemon's own, for people, and what makes another.
struct KeyName {
  std::string name;
  std::string command;
};

void note_key(std::vector<std::string>& missing, const KeyName& key,
              const Result<std::optional<store::Key>>& newest) {
  if (!newest) return missing.push_back(problem(key.name, newest.error()));
  if (!*newest) return missing.push_back(key.name + ": none made yet: it is made when its backend answers");
  const store::KeyState state = (*newest)->state;
  if (state != store::KeyState::kLost && state != store::KeyState::kRevoked) return;
  missing.push_back(key.name + ": " + std::string(store::key_state_name(state)) +
                    ": put its device back, or `" + key.command + "` makes a new one (key_lost)");
}

}  // namespace

api::Readiness ReadinessCheck::ask(std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::unique_lock looks(looking_, std::try_to_lock);
  {
    const std::lock_guard lock(mutex_);
    if (last_ && last_->found_at == now) return last_->readiness;
    if (!looks) {
      const bool serves = last_ && last_->found_at <= now && now - last_->found_at <= kLongestUse;
      return serves ? last_->readiness : readiness_of({"devices: the check of them has not ended yet"});
    }
  }
  api::Readiness found = look(deadline);
  const std::lock_guard lock(mutex_);
  last_ = Answer{now, found};
  return found;
}

api::Readiness ReadinessCheck::look(hsm::Deadline deadline) const {
  std::vector<std::string> missing;
  const auto note = [&](const std::string& what, const Error& error) {
    missing.push_back(problem(what, error));
  };
  // Reading first: the store then says what that has found out.
  const auto counts = store_.counts();
  const Status store = store_.check();
  if (!store) note("store", store.error());
  for (const std::string& name : backends_.names()) {
    const auto backend = backends_.find(name);
    if (const Status status = (*backend)->check(deadline); !status) note("backend " + name, status.error());
  }
  // How many only: anybody may ask this. `chancery agent list` names them.
  if (!counts) {
    if (store) note("agents", counts.error());
  } else if (counts->lost_agents > 0) {
    missing.push_back("agents: " + std::to_string(counts->lost_agents) +
                      " with a lost or revoked key: put their device back, or `chancery agent reenroll` "
                      "gives them new ones (key_lost)");
  }
  note_key(missing, {"issuer key", "chancery issuer rotate"}, keys_.issuer.newest());
  note_key(missing, {"status key", "chancery status-key rotate"}, keys_.status.newest());
  note_key(missing, {"audit key", "chancery audit-key rotate"}, keys_.audit.newest());
  if (!keys_.webhook.options().backend.empty()) {
    note_key(missing, {"webhook key", "chancery webhook-key rotate"}, keys_.webhook.newest());
  }
  // A device that is away stands above; one that has no counter to give is a fact, and no fault.
  if (const auto halted = spending_.halted()) {
    note("budgets", *halted);
    note("audit log", kOlderLog);
  }
  return readiness_of(std::move(missing));
}

}  // namespace chancery::service
