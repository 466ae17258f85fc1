#include "daemon/service/attestation_keeper.hpp"

#include <set>
#include <string>

#include "daemon/service/attestation.hpp"

namespace chancery::service {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kBetweenRounds = 30s;
constexpr std::chrono::seconds kPatience = 10s;  // with a device

// The issuer's own and those behind its gates: whoever makes trust anchors of them wants to know of each where it is.
std::vector<PublicKey> issuing_keys(const TrustPublisher& trust) {
  std::vector<PublicKey> keys = trust.keys(store::kIssuer);
  const GateCeilings ceilings = trust.gate_ceilings();
  for (const auto& [name, gated] : ceilings.gated)
    keys.insert(keys.end(), gated.keys.begin(), gated.keys.end());
  return keys;
}

}  // namespace

void AttestationKeeper::tick(std::chrono::sys_seconds now, const std::stop_token& stop) {
  attest_made(now, stop);
  if (stop.stop_requested() || (now < next_round_ && next_round_ <= now + kBetweenRounds)) return;
  next_round_ = now + kBetweenRounds;
  publish_issuer(now);
  const Status pruned = office_.attestation.hosts.prune(now);
  if (!pruned) complain_("expired attestation results could not be forgotten", pruned.error());
}

// What cannot be attested now is when somebody asks for it.
void AttestationKeeper::attest_made(std::chrono::sys_seconds now, const std::stop_token& stop) {
  std::set<std::string> failed;  // devices whose next key would fare no better
  for (const Thumbprint& thumbprint : office_.attestation.take_made()) {
    if (stop.stop_requested()) return;
    const auto key = office_.store.key(thumbprint);
    if (!key || key->state != store::KeyState::kActive || failed.contains(key->backend)) continue;
    const Occasion occasion{now, std::chrono::steady_clock::now() + kPatience, nullptr};
    const auto result = own_result(office_, *key, office_.attestation.options->result_lifetime, occasion);
    if (result) continue;
    if (result.error().code != ErrorCode::kEvidenceRefused) failed.insert(key->backend);
    note(result.error());
  }
}

void AttestationKeeper::publish_issuer(std::chrono::sys_seconds now) {
  const Occasion occasion{now, std::chrono::steady_clock::now() + kPatience, nullptr};
  std::vector<std::string> results;
  std::optional<Error> failed;
  for (const PublicKey& key : issuing_keys(office_.trust)) {
    const auto stored = office_.store.key(key.thumbprint());
    if (!stored || stored->state == store::KeyState::kLost) continue;
    const auto result =
        own_result(office_, *stored, office_.attestation.options->result_lifetime / 2, occasion);
    if (!result) failed = result.error();
    // One that is older still counts, if no other could be made.
    const auto held = office_.attestation.hosts.results(key.thumbprint(), now);
    if (!held) continue;
    for (const store::HeldResult& each : *held) results.push_back(each.compact);
  }
  office_.attestation.publish(std::move(results));
  if (!failed) complained_.reset();
  if (failed) note(*failed);
}

// A device that can prove nothing is no fault, and what stands in the way is said once.
void AttestationKeeper::note(const Error& error) {
  if (error.code == ErrorCode::kNoAttester || complained_ == error.code) return;
  complained_ = error.code;
  complain_("where keys are could not be proved", error);
}

}  // namespace chancery::service
