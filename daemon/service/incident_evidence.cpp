#include "daemon/service/incident_evidence.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "sdk/audit/entry.hpp"

namespace chancery::service {
namespace {

// With what stands around them, bundles stay below what is read of one.
constexpr std::size_t kMostEntryOctets = 16u << 20;
constexpr std::size_t kMostTokenOctets = 16u << 20;

std::int64_t seconds_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

std::optional<std::int64_t> seconds_of(const std::optional<std::chrono::sys_seconds>& at) {
  if (!at) return std::nullopt;
  return seconds_of(*at);
}

const char* status_name(unsigned status) {
  if (status == 0) return "valid";
  return status == 1 ? "revoked" : "suspended";
}

const char* place_name(store::TrailToken::Place place) {
  switch (place) {
    case store::TrailToken::Place::kHeld:
      return incident::kHeld;
    case store::TrailToken::Place::kAbove:
      return incident::kAbove;
    case store::TrailToken::Place::kBelow:
      return incident::kBelow;
  }
  return "";
}

incident::AgentKey describe(const store::Key& key) {
  const PublicKey& public_key = key.stored.public_key;
  return {.jkt = public_key.thumbprint().text(),
          .jwk = public_key.jwk(),
          .state = std::string(store::key_state_name(key.state)),
          .backend = key.backend,
          .created_at = seconds_of(key.created_at),
          .ended_at = seconds_of(key.ended_at)};
}

incident::ChainToken describe(const store::TrailToken& held) {
  const store::IssuedToken& token = held.token;
  return {.id = token.id,
          .parent = token.parent_id.value_or(std::string()),
          .place = place_name(held.place),
          .status = status_name(held.status),
          .agent = held.agent,
          .is_session = held.is_session,
          .issued_at = seconds_of(token.issued_at),
          .expires_at = seconds_of(token.expires_at),
          .compact = token.compact};
}

incident::Decision describe(const store::TrailRequest::Decided& decided) {
  return {.approver = decided.vote.principal,
          .jkt = decided.vote.key.text(),
          .jwk = decided.key.jwk,
          .verdict = decided.vote.approves ? "approve" : "deny",
          .at = seconds_of(decided.vote.at),
          .voided_at = seconds_of(decided.vote.voided_at),
          .jws = decided.vote.jws};
}

incident::Request describe(const store::TrailRequest& request) {
  const store::ParkedCall& call = request.call;
  incident::Request out{.id = call.id,
                        .kind = std::string(store::approval_kind_name(call.kind)),
                        .state = std::string(store::approval_state_name(call.state)),
                        .sha256 = call.digest,
                        .document = call.document,
                        .tool = call.tool,
                        .principal = call.principal,
                        .enforcement = store::is_tpm_enforced(call) ? "tpm-enforced" : "software-enforced",
                        .gates = {},
                        .asked_at = seconds_of(call.asked_at),
                        .ended_at = seconds_of(call.ended_at),
                        .decisions = {}};
  for (const store::GateTerms& gate : call.gates) out.gates.push_back(gate.gate);
  for (const auto& decided : request.decided) out.decisions.push_back(describe(decided));
  return out;
}

incident::ToolCall describe(const store::Permit& permit) {
  return {.permit = permit.id,
          .decision = permit.decision,
          .runtime = permit.runtime,
          .token = permit.token,
          .jkt = permit.key.text(),
          .tool = permit.tool,
          .scope = permit.scope,
          .credential = permit.credential,
          .arguments_sha256 = permit.arguments,
          .given_at = seconds_of(permit.given_at),
          .released_at = seconds_of(permit.released_at),
          .ended_at = seconds_of(permit.ended_at),
          .receipt = permit.receipt};
}

incident::Attested describe(const store::HeldResult& result) {
  return {.jkt = result.key.text(),
          .issuer = result.issuer,
          .host = result.host,
          .custody = std::string(custody_name(result.custody)),
          .evidence_at = seconds_of(result.evidence_at),
          .expires_at = seconds_of(result.expires_at),
          .result = result.compact};
}

template <typename Record, typename Described>
void describe_all(const std::vector<Record>& records, std::vector<Described>& out) {
  for (const Record& record : records) out.push_back(describe(record));
}

// The newest are the ones that matter; one of which a token above is missing is still what its id names.
void bound_tokens(incident::Evidence& evidence) {
  std::size_t octets = 0;
  const auto is_beyond = [&](const incident::ChainToken& token) {
    octets += token.compact.size();
    return octets > kMostTokenOctets;
  };
  const auto first = std::find_if(evidence.tokens.rbegin(), evidence.tokens.rend(), is_beyond);
  if (first == evidence.tokens.rend()) return;
  evidence.tokens.erase(evidence.tokens.begin(), first.base());
  if (std::ranges::find(evidence.cut, "tokens") == evidence.cut.end()) evidence.cut.emplace_back("tokens");
}

/// Finds entries by references, and by those to which the found ones lead.
class EntryFinder {
 public:
  EntryFinder(Office& office, std::uint64_t size, std::size_t most) noexcept
      : office_(office), size_(size), most_(most) {}

  /// One more than is wanted of each says whether there are more.
  Status look_for(const std::string& ref) {
    if (ref.empty() || !refs_.insert(ref).second) return {};
    CHANCERY_ASSIGN(const std::vector<std::uint64_t> found,
                    office_.incidents->entries_with(ref, size_, most_ + 1));
    for (const std::uint64_t number : found) keep(number);
    return {};
  }

  // Names are given again once an agent is retired: what was before this one was is another's of that name. What is there by
  // then under this one's id is found by that.
  Status look_for_name(const std::string& name, std::chrono::sys_seconds since) {
    CHANCERY_ASSIGN(const std::vector<std::uint64_t> found,
                    office_.incidents->entries_with(name, size_, most_ + 1));
    for (const std::uint64_t number : found) {
      CHANCERY_ASSIGN(const store::AuditRecord record, office_.audit.book.entry(number));
      const auto entry = audit::Entry::parse(record.sequence, record.json);
      if (entry && entry->at() >= since) keep(number);
    }
    return {};
  }

  // Permits are forgotten after a day, and what was released for them is found by nothing else.
  Status follow_permits() {
    CHANCERY_ASSIGN(const FoundEntries found, take());
    for (const store::AuditRecord& record : found.records) {
      const auto entry = audit::Entry::parse(record.sequence, record.json);
      if (entry) CHANCERY_TRY(look_for(std::string(entry->id("permit"))));
    }
    return {};
  }

  [[nodiscard]] Result<FoundEntries> take() const {
    FoundEntries out;
    std::size_t octets = 0;
    for (auto number = numbers_.rbegin(); number != numbers_.rend(); ++number) {
      CHANCERY_ASSIGN(store::AuditRecord record, office_.audit.book.entry(*number));
      octets += record.json.size();
      out.are_cut = out.records.size() == most_ || octets > kMostEntryOctets;
      if (out.are_cut) break;
      out.records.push_back(std::move(record));
    }
    std::ranges::reverse(out.records);
    return out;
  }

 private:
  // The newest, and one more. An agent has thousands of references, each of which may stand in as many entries.
  void keep(std::uint64_t number) {
    numbers_.insert(number);
    if (numbers_.size() > most_ + 1) numbers_.erase(numbers_.begin());
  }

  Office& office_;
  const std::uint64_t size_;
  const std::size_t most_;
  std::set<std::string> refs_;
  std::set<std::uint64_t> numbers_;
};

}  // namespace

incident::Evidence evidence_of(const store::Trail& trail) {
  incident::Evidence out;
  out.agent = trail.agent.name;
  out.agent_id = trail.agent.id;
  out.selectors = trail.agent.selectors;
  out.created_at = seconds_of(trail.agent.created_at);
  out.size = trail.size;
  out.cut = trail.cut;
  out.damaged = trail.damaged;
  describe_all(trail.keys, out.keys);
  describe_all(trail.tokens, out.tokens);
  describe_all(trail.requests, out.requests);
  describe_all(trail.calls, out.calls);
  describe_all(trail.results, out.attestation);
  bound_tokens(out);
  return out;
}

Result<FoundEntries> entries_about(Office& office, const store::Trail& trail, std::size_t most) {
  EntryFinder finder(office, trail.size, most);
  CHANCERY_TRY(finder.look_for_name(trail.agent.name, trail.agent.created_at));
  CHANCERY_TRY(finder.look_for(trail.agent.id));
  for (const store::Key& key : trail.keys)
    CHANCERY_TRY(finder.look_for(key.stored.public_key.thumbprint().text()));
  for (const store::TrailToken& token : trail.tokens) {
    if (token.place == store::TrailToken::Place::kHeld) CHANCERY_TRY(finder.look_for(token.token.id));
  }
  for (const store::TrailRequest& request : trail.requests) CHANCERY_TRY(finder.look_for(request.call.id));
  for (const store::Permit& permit : trail.calls) CHANCERY_TRY(finder.look_for(permit.id));
  CHANCERY_TRY(finder.follow_permits());
  return finder.take();
}

}  // namespace chancery::service
