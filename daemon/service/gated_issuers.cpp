#include "daemon/service/gated_issuers.hpp"

#include <algorithm>
#include <iterator>

#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"

namespace chancery::service {
namespace {

constexpr std::string_view kGroup = "group:";

std::string owner_of(const Gate& gate) { return std::string(store::kGateOwner) + gate.name; }

bool is_named(const Gate& gate, const store::Approver& person) {
  return std::ranges::any_of(gate.approvers, [&](std::string_view approver) {
    if (!approver.starts_with(kGroup)) return approver == person.principal;
    return std::ranges::find(person.groups, approver.substr(kGroup.size())) != person.groups.end();
  });
}

// What a TPM can hold a key to.
std::optional<PublicKey> opening_key(const store::ApproverKey& key) {
  if (key.kind == "passkey") return std::nullopt;
  auto read = parse_jwk(key.jwk);
  if (!read || read->algorithm() != Algorithm::kES256) return std::nullopt;
  return *std::move(read);
}

// One of each person's, or somebody would count twice; the last one, as a rotation has it.
std::optional<PublicKey> key_of(const store::Approver& person) {
  std::optional<PublicKey> out;
  for (const store::ApproverKey& key : person.keys) {
    if (key.state != store::ApproverKeyState::kActive) continue;
    if (auto read = opening_key(key)) out = std::move(read);
  }
  return out;
}

std::vector<Thumbprint> thumbprints_of(const std::vector<PublicKey>& keys) {
  std::vector<Thumbprint> out;
  for (const PublicKey& key : keys) out.push_back(key.thumbprint());
  return out;
}

Result<GatedIssuer> judged(const store::Key& key, const attest::GatePolicy& policy, hsm::GatedKeys& device) {
  CHANCERY_ASSIGN(const Bytes area, device.public_area(key.stored));
  const auto gated = attest::judge_gated_key(area, policy);
  if (!gated) return Error{ErrorCode::kKeyMismatch, "the key is behind another policy"};
  return GatedIssuer{key, policy, gated->name};
}

}  // namespace

// The keeper asks each second, for each gate. The count is read first: what changes meanwhile is read again the next time.
Result<GatedIssuers::Openers> GatedIssuers::openers() const {
  const std::lock_guard lock(reading_);
  const std::uint64_t changes = approvers_.changes();
  if (openers_ && openers_of_ == changes) return openers_;
  CHANCERY_ASSIGN(std::vector<store::Approver> approvers, approvers_.list());
  std::vector<Opener> out;
  for (store::Approver& person : approvers) {
    auto key = key_of(person);
    if (!key) continue;
    person.keys.clear();
    out.push_back({std::move(person), *std::move(key)});
  }
  openers_ = std::make_shared<const std::vector<Opener>>(std::move(out));
  openers_of_ = changes;
  return openers_;
}

Result<attest::GatePolicy> GatedIssuers::policy_of(const Gate& gate) const {
  CHANCERY_ASSIGN(const Openers known, openers());
  attest::GatePolicy policy{{}, gate.quorum, gate.name};
  for (const Opener& opener : *known) {
    if (is_named(gate, opener.person)) policy.approvers.push_back(opener.key);
  }
  if (policy.approvers.size() > attest::kMostGateApprovers)
    return Error{
        ErrorCode::kConfigInvalid,
        "the gate has more than 4 approvers, and a TPM's policy has no room for more: name fewer in [[gate]] approvers"};
  if (policy.approvers.size() >= gate.quorum) return policy;
  return Error{
      ErrorCode::kConfigInvalid,
      "the gate has fewer approvers with a P-256 key than its quorum: `chancery approver enroll` enrols them, and no "
      "passkey counts for a TPM"};
}

Result<hsm::GatedKeys*> GatedIssuers::device() const {
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, backends_.find(options_.backend));
  if (backend->gated_keys() != nullptr) return backend->gated_keys();
  return Error{ErrorCode::kConfigInvalid,
               "[issuer] backend is no TPM, which `enforcement = \"tpm\"` of a [[gate]] takes"};
}

Result<std::optional<GatedIssuer>> GatedIssuers::find(const Gate& gate,
                                                      const attest::GatePolicy& policy) const {
  CHANCERY_ASSIGN(hsm::GatedKeys* const gated, device());
  const auto key = store_.newest_key(owner_of(gate), options_.backend);
  if (!key && key.error().code == ErrorCode::kNotFound) return std::optional<GatedIssuer>();
  if (!key) return key.error();
  if (key->state != store::KeyState::kActive) return std::optional<GatedIssuer>();
  auto issuer = judged(*key, policy, *gated);
  if (issuer) return std::optional(*std::move(issuer));
  if (issuer.error().code == ErrorCode::kKeyMismatch) return std::optional<GatedIssuer>();
  return issuer.error();
}

Result<std::optional<GatedIssuer>> GatedIssuers::find(const Gate& gate) const {
  CHANCERY_ASSIGN(const attest::GatePolicy policy, policy_of(gate));
  return find(gate, policy);
}

Result<GatedIssuer> GatedIssuers::current(const Gate& gate, std::chrono::seconds longest_grant,
                                          std::chrono::sys_seconds now, hsm::Deadline deadline) {
  const std::lock_guard lock(making_);
  CHANCERY_ASSIGN(const attest::GatePolicy policy, policy_of(gate));
  CHANCERY_ASSIGN(std::optional<GatedIssuer> found, find(gate, policy));
  if (found) return *std::move(found);
  return make(gate, policy, std::max(options_.overlap, longest_grant), {now, deadline, nullptr});
}

// The oldest is not ended in its place: what it signed was granted by persons of whom none has changed a key, perhaps.
Status GatedIssuers::require_room(const Gate& gate) const {
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, store_.keys_in_use(owner_of(gate)));
  if (keys.size() < kMostKeysOfGate) return {};
  return Error{
      ErrorCode::kConflict,
      "the gate has 16 keys whose tokens count still, as its approvers have changed so often: the next is made when one "
      "of these has ended, or after `chancery key revoke` of one, with what it granted"};
}

Result<bool> GatedIssuers::follow(const LookUpGate& look_up, std::chrono::sys_seconds now,
                                  hsm::Deadline deadline) {
  const std::lock_guard lock(making_);
  const std::optional<PresentGate> present = look_up();
  if (!present || !present->gate.tpm_enforced) return false;
  CHANCERY_ASSIGN(const bool is_behind, is_left_behind(present->gate, now));
  if (!is_behind) return false;
  CHANCERY_ASSIGN(const attest::GatePolicy policy, policy_of(present->gate));
  CHANCERY_TRY(make(present->gate, policy, std::max(options_.overlap, present->longest_grant),
                    {now, deadline, nullptr}));
  return true;
}

// The former key signs for nobody any more; what it signed counts as long as its overlap.
Result<GatedIssuer> GatedIssuers::make(const Gate& gate, const attest::GatePolicy& policy,
                                       std::chrono::seconds overlap, const Occasion& occasion) {
  CHANCERY_ASSIGN(hsm::GatedKeys* const gated, device());
  CHANCERY_TRY(require_room(gate));
  KeyLife::NewKey wanted;
  wanted.intent = {store::KeyIntent::Kind::kMake, options_.backend, owner_of(gate), {}, overlap};
  wanted.create = [&](hsm::KeyBackend&, const hsm::KeyBinding& binding) {
    return gated->create(binding, policy, occasion.deadline);
  };
  const auto record = [&](const store::Key& key) -> Status {
    AuditFacts facts = key_facts(key);
    facts.details.set("gate", gate.name);
    facts.details.set("quorum", gate.quorum);
    facts.details.set("approvers", policy.approvers.size());
    CHANCERY_TRY(store_.add_gate_key(key, thumbprints_of(policy.approvers), occasion.now + overlap,
                                     audit_entry("gate_key.create", occasion, std::move(facts))));
    return {};
  };
  CHANCERY_ASSIGN(const store::Key key,
                  life_.make(std::move(wanted), occasion.now, occasion.deadline, record));
  return judged(key, policy, *gated);
}

Result<Signature> GatedIssuers::sign(const GatedIssuer& issuer, std::string_view input,
                                     const std::vector<hsm::PolicySignature>& signatures,
                                     hsm::Deadline deadline) const {
  CHANCERY_TRY(options_.may_sign());
  CHANCERY_ASSIGN(hsm::GatedKeys* const gated, device());
  return gated->sign(issuer.key.stored, issuer.policy, as_bytes(input), signatures, deadline);
}

Result<bool> GatedIssuers::is_present(const store::Key& key, const std::vector<Gate>& gates) const {
  const auto gate = std::ranges::find_if(
      gates, [&](const Gate& each) { return each.tpm_enforced && owner_of(each) == key.owner; });
  if (gate == gates.end()) return false;
  const auto policy = policy_of(*gate);
  if (!policy && policy.error().code != ErrorCode::kConfigInvalid) return policy.error();
  const auto gated = device();
  return policy && gated && judged(key, *policy, **gated).has_value();
}

Result<std::vector<store::Key>> GatedIssuers::opened_by(const store::ApproverKey& approver,
                                                        const std::vector<Gate>& gates) {
  std::vector<store::Key> out;
  if (!opening_key(approver)) return out;
  const std::lock_guard lock(making_);  // one that is being made for the former approvers is among them
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, store_.gate_keys_in_use());
  for (const store::Key& key : keys) {
    CHANCERY_ASSIGN(const std::vector<Thumbprint> openers,
                    store_.openers_of(key.stored.public_key.thumbprint()));
    bool is_opened = std::ranges::find(openers, approver.jkt) != openers.end();
    if (openers.empty()) {
      CHANCERY_ASSIGN(const bool is_of_others, is_present(key, gates));
      is_opened = !is_of_others;
    }
    if (is_opened) out.push_back(key);
  }
  return out;
}

Result<bool> GatedIssuers::is_left_behind(const Gate& gate, std::chrono::sys_seconds now) const {
  const auto policy = policy_of(gate);
  if (!policy && policy.error().code == ErrorCode::kConfigInvalid) return false;
  if (!policy) return policy.error();
  const auto key = store_.newest_key(owner_of(gate), options_.backend);
  if (!key && key.error().code == ErrorCode::kNotFound) return false;
  if (!key) return key.error();
  if (key->state != store::KeyState::kActive) return false;
  // One that was made later than now was made before the clock was set back.
  if (key->created_at <= now && now < key->created_at + kGateKeySettles) return false;
  CHANCERY_ASSIGN(hsm::GatedKeys* const gated, device());
  const auto fits = judged(*key, *policy, *gated);
  if (!fits && fits.error().code != ErrorCode::kKeyMismatch) return fits.error();
  return !fits.has_value();
}

// A gate that is gone, or is enforced by software now, leaves its keys as they are: what they signed has not ended with it, and should
// the gate come back with the same approvers, so does its key.
Result<GateCeilings> GatedIssuers::ceilings(const std::vector<Gate>& gates,
                                            const std::vector<std::string>& granted) const {
  GateCeilings ceilings;
  std::map<std::string, std::string> gate_of;  // by the owner of its keys
  std::vector<std::string> gated;
  for (const Gate& gate : gates) {
    if (!gate.tpm_enforced) continue;
    ceilings.gated[gate.name].scopes = gate.scopes;
    gate_of.emplace(owner_of(gate), gate.name);
    gated.insert(gated.end(), gate.scopes.begin(), gate.scopes.end());
  }
  CHANCERY_ASSIGN(const std::vector<store::Key> keys, store_.gate_keys_in_use());
  for (const store::Key& key : keys) {
    const auto gate = gate_of.find(key.owner);
    std::vector<PublicKey>& of =
        gate == gate_of.end() ? ceilings.former : ceilings.gated.at(gate->second).keys;
    of.push_back(key.stored.public_key);
  }
  if (!gate_of.empty()) {
    ceilings.ungated = {std::string(kControlPlane) + "*"};
    std::ranges::copy_if(granted, std::back_inserter(*ceilings.ungated), [&](const std::string& scope) {
      return std::ranges::none_of(gated,
                                  [&](const std::string& outer) { return scope_covers(outer, scope); });
    });
  }
  return ceilings;
}

Status GatedIssuers::publish(const std::vector<Gate>& gates, const std::vector<std::string>& granted) {
  is_stale_ = true;
  CHANCERY_ASSIGN(GateCeilings known, ceilings(gates, granted));
  trust_.publish_gates(std::move(known));
  is_stale_ = false;
  return {};
}

}  // namespace chancery::service
