#include "daemon/service/readiness.hpp"

#include <string>
#include <vector>

#include "sdk/json/writer.hpp"

namespace chancery::service {
namespace {

// While a look goes on, for how long the answer before it serves.
constexpr std::chrono::seconds kLongestUse{5};

api::Readiness readiness_of(std::vector<std::string> missing) {
  json::Node array = json::Node::array();
  for (const std::string& what : missing) array.push_back(what);
  api::Readiness out{missing.empty(), std::move(missing), {}};
  out.json = json::to_jcs(json::Node::object({{"ready", out.ready}, {"missing", std::move(array)}}));
  return out;
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
  const auto note = [&](std::string what, const Error& error) {
    missing.push_back(std::move(what) + ": " + error.what + " (" + std::string(error_name(error.code)) + ")");
  };
  if (const Status store = store_.check(); !store) note("store", store.error());
  for (const std::string& name : backends_.names()) {
    const auto backend = backends_.find(name);
    if (const Status status = (*backend)->check(deadline); !status) note("backend " + name, status.error());
  }
  // How many only: anybody may ask this. `chancery agent list` names them.
  if (const auto counts = store_.counts(); !counts) {
    note("agents", counts.error());
  } else if (counts->lost_agents > 0) {
    missing.push_back("agents: " + std::to_string(counts->lost_agents) +
                      " with a lost or revoked key: put their device back, or `chancery agent reenroll` "
                      "gives them new ones (key_lost)");
  }
  if (const auto key = issuer_.newest(); !key) {
    note("issuer key", key.error());
  } else if (!*key) {
    missing.push_back("issuer key: none made yet: it is made when its backend answers");
  } else if ((*key)->state == store::KeyState::kLost || (*key)->state == store::KeyState::kRevoked) {
    missing.push_back("issuer key: " + std::string(store::key_state_name((*key)->state)) +
                      ": put its device back, or `chancery issuer rotate` makes a new one (key_lost)");
  }
  // A device that is away stands above; one that has no counter to give is a fact, and no fault.
  if (spending_.state() == Spending::State::kHalted) note("budgets", *spending_.reason());
  return readiness_of(std::move(missing));
}

}  // namespace chancery::service
