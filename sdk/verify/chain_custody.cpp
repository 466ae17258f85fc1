#include "sdk/verify/chain_custody.hpp"

#include <algorithm>
#include <utility>

#include "sdk/verify/counting_results.hpp"

namespace chancery {
namespace {

using std::chrono::seconds;

// As the daemon opens them (docs/protocol/delegation-chain.md, section 2).
constexpr double kLongestSession = 600;
// A clock that is behind the daemon's by no more than what a proof of possession may be ahead.
constexpr double kSessionFuture = 60;

class Judgement {
 public:
  explicit Judgement(const CustodyCase& chain) : chain_(chain) {}

  ChainCustody run() {
    const std::vector<Thumbprint> keys = holders();
    const VerifyOptions& options = chain_.options;
    const CountingResults results(
        options.attestation_results,
        {chain_.verifiers, keys, chain_.now, options.cache, options.accept_es256, options.accept_ed25519});
    for (const Thumbprint& key : keys) found_.hops.push_back(custody_of(key, results));
    look_for_session();
    found_.ignored = results.ignored();
    if (options.custody) found_.denial = first_unmet();
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::vector<Thumbprint> holders() const {
    std::vector<Thumbprint> keys;
    for (const auto& token : chain_.tokens) keys.push_back(token->claims().holder);
    return keys;
  }

  // Who judged the evidence itself need not ask what others found.
  [[nodiscard]] HopCustody custody_of(const Thumbprint& key, const CountingResults& results) const {
    const auto proved = std::ranges::find(chain_.options.proved_keys, key, &ProvedCustody::key);
    if (proved != chain_.options.proved_keys.end())
      return {CustodyBasis::kProved, proved->custody, {}, std::nullopt};
    const AttestationResult* result = results.find(key);
    return result == nullptr ? HopCustody{} : vouched_custody(*result);
  }

  [[nodiscard]] bool is_recent(const KeyCustody& found) const {
    const auto& max_age = chain_.options.custody_max_age;
    const seconds age = chain_.now - found.evidence_at;
    return !max_age || (age.count() >= 0 && age <= *max_age);
  }

  [[nodiscard]] bool is_met(const HopCustody& hop) const {
    if (hop.how == CustodyBasis::kUnproven) return false;
    if (!chain_.options.custody) return true;
    return satisfies(hop.found.level, *chain_.options.custody) && is_recent(hop.found);
  }

  // Which rule of sessions the last token breaks; nullptr: none. Anybody can write `chancery_session`: what makes a
  // session count is that the key above proves its own custody and signed this, for minutes and for itself.
  [[nodiscard]] const char* session_fault() const {
    const std::size_t leaf = chain_.tokens.size() - 1;
    if (leaf == 0) return "a session stands below a token of its agent";
    const Claims& session = chain_.tokens[leaf]->claims();
    const auto now = static_cast<double>(chain_.now.time_since_epoch().count());
    if (session.exp - session.iat > kLongestSession) return "a session lasts ten minutes at most";
    if (session.iat > now + kSessionFuture) return "a session does not begin later";
    if (session.client_id != chain_.tokens[leaf - 1]->claims().client_id)
      return "a session is of the same agent as the token above it";
    if (session.del_max_depth != session.del_depth + 1)
      return "a session delegates to nobody: its `del_max_depth` is its `del_depth` and one";
    if (chain_.signers[leaf].role != SignedBy::Role::kHolder)
      return "a session is opened by the key of the token above it";
    return nullptr;
  }

  void look_for_session() {
    HopCustody& leaf = found_.hops.back();
    if (!chain_.tokens.back()->claims().is_session || is_met(leaf)) return;
    session_fault_ = session_fault();
    if (session_fault_ != nullptr || !is_met(found_.hops[found_.hops.size() - 2])) return;
    leaf = {CustodyBasis::kSession, {}, {}, std::nullopt};
  }

  [[nodiscard]] std::optional<Denial> first_unmet() const {
    for (std::size_t hop = 0; hop < found_.hops.size(); ++hop) {
      if (found_.hops[hop].how != CustodyBasis::kSession && !is_met(found_.hops[hop])) return unmet(hop);
    }
    return std::nullopt;
  }

  [[nodiscard]] Denial unmet(std::size_t hop) const {
    const HopCustody& custody = found_.hops[hop];
    const std::string key = chain_.tokens[hop]->claims().holder.text();
    Denial denial{Outcome::kCustodyUnproven, Step::kCustody, static_cast<int>(hop), "", {}, {}, {}};
    denial.expected = "custody: " + std::string(requirement_name(*chain_.options.custody));
    denial.remedy = "send a current attestation result for key " + key +
                    " by an attestation verifier that the trust anchor names";
    if (custody.how == CustodyBasis::kUnproven) {
      denial.reason = unproven_reason(hop);
      denial.found = "nothing that counts about key " + key;
    } else if (!satisfies(custody.found.level, *chain_.options.custody)) {
      denial.reason =
          custody.found.level == Custody::kTpmCertifiedEmulated
              ? "the key that holds the token is in a simulator: that proves nothing about hardware"
              : "less is proved of the key that holds the token than is required";
      denial.found = custody.text();
      denial.remedy = "have the token issued for a key whose custody can be proved";
    } else {
      denial.reason = "the evidence about the key that holds the token is too old";
      denial.expected =
          "evidence of the last " + std::to_string(chain_.options.custody_max_age->count()) + " s";
      denial.found = custody.text();
    }
    return denial;
  }

  [[nodiscard]] const char* unproven_reason(std::size_t hop) const {
    if (session_fault_ != nullptr && hop + 1 == found_.hops.size()) return session_fault_;
    if (chain_.verifiers.empty() && chain_.options.proved_keys.empty())
      return "the trust anchor names no attestation verifiers, so no result counts";
    return "nothing proves where the key that holds the token lives";
  }

  const CustodyCase& chain_;
  ChainCustody found_;
  const char* session_fault_ = nullptr;
};

}  // namespace

bool concerns_custody(const VerifyOptions& options) noexcept {
  return options.custody || !options.attestation_results.empty() || !options.proved_keys.empty();
}

ChainCustody judge_custody(const CustodyCase& chain) { return Judgement(chain).run(); }

HopCustody vouched_custody(const AttestationResult& result) {
  HopCustody out{CustodyBasis::kVouched, {}, result.issuer, result.expires_at};
  out.found.level = result.custody;
  out.found.evidence_at = result.evidence_at;
  out.found.ek = result.ek_fingerprint;
  out.found.manufacturer = result.manufacturer;
  out.found.endorsement = result.endorsement;
  out.found.firmware = result.firmware;
  out.found.reset_count = result.reset_count;
  out.found.restart_count = result.restart_count;
  out.found.is_clock_safe = result.is_clock_safe;
  return out;
}

}  // namespace chancery
