#include "daemon/service/approval_grounds.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <chancery/approval_decision.hpp>

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
bool is_about(const Value& document, const ParkedCall& approved, const ParkedCall& asked) {
  const Value* const id = document.find("id");
  const Value* const expires_at = document.find("expires_at");
  if (id == nullptr || id->string() != approved.id || expires_at == nullptr || !expires_at->integer())
    return false;
  const auto age = asked.asked_at.time_since_epoch().count() - *expires_at->integer();
  return age < asked.lifetime.count();
}

/// The vote as it counts for what is asked for now; none: it does not.
std::optional<store::Vote> verified(const Office& office, const ParkedCall& approved, const ParkedCall& asked,
                                    const store::Vote& vote) {
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
  const auto policy = office.policy.current();
  if (!public_key || !verify_approval_decision(vote.jws, *public_key, policy->passkeys)) return std::nullopt;
  const auto person = office.approvers.find(signer->principal);
  if (!person) return std::nullopt;
  auto gates = store::gates_for(asked, *person);
  if (!gates) return std::nullopt;
  store::Vote out = vote;
  out.principal = person->principal;
  out.approves = true;
  out.gates = *std::move(gates);
  return out;
}

}  // namespace

Status require_grounds(const Office& office, const ParkedCall& approved, const ParkedCall& asked) {
  CHANCERY_ASSIGN(const json::Document was, json::Document::parse_borrowed(approved.document));
  CHANCERY_ASSIGN(const json::Document is, json::Document::parse_borrowed(asked.document));
  const bool is_same = says_no_more(was.root(), is.root()) && says_no_more(is.root(), was.root());
  CHANCERY_ASSIGN(const std::vector<store::Vote> votes, office.approvals.votes(approved.id));
  std::vector<store::Vote> counting;
  for (const store::Vote& vote : votes) {
    if (vote.voided_at) continue;
    if (auto counts = verified(office, approved, asked, vote)) counting.push_back(*std::move(counts));
  }
  if (is_same && is_about(was.root(), approved, asked) && store::are_all_open(asked.gates, counting))
    return {};
  constexpr Error kNoGrounds{
      ErrorCode::kStoreCorrupt,
      "the approval does not rest on decisions that verify by their approvers' keys, for this very thing: look at "
      "`chancery approval show`, and at who writes to the database"};
  if (office.log != nullptr) office.log->error("an approval was not used", kNoGrounds);
  return kNoGrounds;
}

}  // namespace chancery::service
