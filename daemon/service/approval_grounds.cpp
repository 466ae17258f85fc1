#include "daemon/service/approval_grounds.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <chancery/approval_decision.hpp>

#include "daemon/service/approvals.hpp"
#include "daemon/service/approvers.hpp"
#include "daemon/store/gate_terms.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {
namespace {

using json::Value;
using store::ParkedCall;

// What tells two requests for one thing apart. Gates are compared as terms, and of a grant the token is the one that was put before the
// approvers: that is the one which is signed.
constexpr std::array<std::string_view, 5> kOfOneRequest{"id", "gates", "asked_at", "expires_at",
                                                        "unsigned_token"};

bool is_of_one_request(std::string_view name) {
  return std::ranges::find(kOfOneRequest, name) != kOfOneRequest.end();
}

// Whether all that `one` says of the matter `other` says too.
bool says_no_more(const Value& one, const Value& other) {
  return std::ranges::all_of(one.members(), [&](const json::Member& member) {
    if (is_of_one_request(member.name)) return true;
    const Value* const same = other.find(member.name);
    return same != nullptr && json::to_jcs(*same) == json::to_jcs(member.value);
  });
}

// By the document's own words: the row's could be another's.
bool is_of(const Value& document, const ParkedCall& approved) {
  const Value* const id = document.find("id");
  return id != nullptr && id->string() == approved.id;
}

// How long ago nobody could decide about it any more; none: it does not say when.
std::optional<std::int64_t> age_of(const Value& document, const ParkedCall& asked) {
  const Value* const expires_at = document.find("expires_at");
  if (expires_at == nullptr || !expires_at->integer()) return std::nullopt;
  return asked.asked_at.time_since_epoch().count() - *expires_at->integer();
}

/// A vote to approve this very document, by a key of somebody's that was not revoked.
struct SoundVote {
  store::Vote vote;
  store::Approver person;
  bool is_for_party =
      true;  ///< else it is a passkey's, for another RP or page than those that are configured now
};

/// None: it does not verify.
std::optional<SoundVote> verified(const Office& office, const ParkedCall& approved, const store::Vote& vote) {
  const auto decision = read_approval_decision(vote.jws);
  const bool is_for_it = decision && decision->request == approved.id &&
                         decision->request_sha256 == approved.digest &&
                         decision->verdict == ApprovalVerdict::kApprove;
  if (!is_for_it) return std::nullopt;
  const auto signer = office.approvers.by_key(decision->key);
  if (!signer || signer->principal != decision->approver) return std::nullopt;
  const store::ApproverKey& key = signer->keys.front();
  // What was decided by a key that another has followed since stands.
  if (key.state == store::ApproverKeyState::kRevoked) return std::nullopt;
  if ((key.kind == "passkey") != decision->by_passkey) return std::nullopt;
  const auto public_key = parse_jwk(key.jwk);
  if (!public_key) return std::nullopt;
  const auto policy = office.policy.current();
  const Status held = verify_approval_decision(vote.jws, *public_key, policy->passkeys);
  const bool is_of_other_party =
      !held && decision->by_passkey && verify_approval_decision_of_any_party(vote.jws, *public_key);
  if (!held && !is_of_other_party) return std::nullopt;
  auto person = office.approvers.find(signer->principal);
  if (!person) return std::nullopt;
  return SoundVote{vote, *std::move(person), !is_of_other_party};
}

/// Whether these are enough by the gates of a request, and by whom it says that it is asked for.
bool are_enough(const ParkedCall& terms, const std::vector<SoundVote>& votes) {
  std::vector<store::Vote> counting;
  for (const SoundVote& sound : votes) {
    auto gates = store::gates_for(terms, sound.person);
    if (!gates) continue;
    counting.push_back(sound.vote);
    counting.back().principal = sound.person.principal;
    counting.back().approves = true;
    counting.back().gates = *std::move(gates);
  }
  return store::are_all_open(terms.gates, counting);
}

Result<std::vector<SoundVote>> sound_votes(const Office& office, const ParkedCall& approved) {
  CHANCERY_ASSIGN(const std::vector<store::Vote> votes, office.approvals.votes(approved.id));
  std::vector<SoundVote> out;
  for (const store::Vote& vote : votes) {
    if (vote.voided_at) continue;
    if (auto sound = verified(office, approved, vote)) out.push_back(*std::move(sound));
  }
  return out;
}

Error without_grounds(const Office& office) {
  constexpr Error kNoGrounds{
      ErrorCode::kStoreCorrupt,
      "the approval does not rest on decisions that verify by their approvers' keys, for this very thing: look at "
      "`chancery approval show`, and at who writes to the database"};
  if (office.log != nullptr) office.log->error("an approval was not used", kNoGrounds);
  return kNoGrounds;
}

// Another may have used it or ended it meanwhile.
Status lapse(const Office& office, const ParkedCall& approved, std::chrono::sys_seconds now) {
  AuditFacts facts = approval_facts(approved);
  facts.details.set("reason", "its decisions are not enough by the configuration as it is now");
  const auto ended =
      office.approvals.withdraw(approved.id, now, audit_entry("approval.lapse", now, std::move(facts)));
  return ended || ended.error().code == ErrorCode::kConflict ? Status() : ended.error();
}

}  // namespace

Result<bool> has_grounds(const Office& office, const ParkedCall& approved, const ParkedCall& asked) {
  CHANCERY_ASSIGN(const json::Document was, json::Document::parse_borrowed(approved.document));
  CHANCERY_ASSIGN(const json::Document is, json::Document::parse_borrowed(asked.document));
  const bool is_same = says_no_more(was.root(), is.root()) && says_no_more(is.root(), was.root());
  const std::optional<std::int64_t> age = age_of(was.root(), asked);
  CHANCERY_ASSIGN(std::vector<SoundVote> votes, sound_votes(office, approved));
  const bool is_genuine = is_same && is_of(was.root(), approved) && age && *age < approved.lifetime.count();
  if (!is_genuine || !are_enough(approved, votes)) return without_grounds(office);
  std::erase_if(votes, [](const SoundVote& sound) { return !sound.is_for_party; });
  if (*age < asked.lifetime.count() && are_enough(asked, votes)) return true;
  CHANCERY_TRY(lapse(office, approved, asked.asked_at));
  return false;
}

}  // namespace chancery::service
