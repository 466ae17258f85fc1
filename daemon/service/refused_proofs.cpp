#include "daemon/service/refused_proofs.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kMost = 8192;
// Longer than a proof can be presented.
constexpr auto kGeneration = std::chrono::minutes(10);

}  // namespace

bool RefusedProofs::note(const store::ProofUse& use) {
  const std::lock_guard lock(mutex_);
  ++count_;
  if (recent_.size() >= kMost || use.at < since_ || use.at >= since_ + kGeneration) {
    former_ = std::exchange(recent_, {});
    since_ = use.at;
  }
  const std::pair name{use.holder, use.jti};
  return recent_.insert(name).second && !former_.contains(name);
}

std::uint64_t RefusedProofs::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace chancery::service
