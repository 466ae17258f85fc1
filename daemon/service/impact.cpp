#include <algorithm>
#include <map>
#include <set>

#include "daemon/service/authority.hpp"
#include "daemon/service/status_acts.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

using LastUses = std::map<std::string_view, std::chrono::sys_seconds>;

void note_use(LastUses& uses, std::string_view token, std::chrono::sys_seconds at) {
  const auto [found, is_new] = uses.emplace(token, at);
  if (!is_new) found->second = std::max(found->second, at);
}

void raise(std::optional<std::int64_t>& time, std::chrono::sys_seconds at) {
  time = std::max(time.value_or(0), std::int64_t{at.time_since_epoch().count()});
}

// A delegation is a use of the parent, which survives a restart.
Result<LastUses> last_uses(const Office& office, const std::vector<store::ConcernedToken>& tokens) {
  LastUses uses;
  for (const store::ConcernedToken& token : tokens) {
    if (token.parent_id) note_use(uses, *token.parent_id, token.issued_at);
    CHANCERY_ASSIGN(const Bytes octets, hex_decode(token.id));
    Sha256Digest digest{};
    std::ranges::copy(ByteView(octets).first(std::min(octets.size(), digest.size())), digest.begin());
    if (const auto seen = office.statuses.activity.last_used(digest)) note_use(uses, token.id, *seen);
  }
  return uses;
}

Result<std::uint64_t> open_reservations(const Office& office,
                                        const std::vector<store::ConcernedToken>& tokens,
                                        std::chrono::sys_seconds now) {
  std::set<std::string_view> ids;
  for (const store::ConcernedToken& token : tokens) ids.insert(token.id);
  return office.spending.ledger().open_reservations(ids, now);
}

void add(api::Impact& out, std::map<std::string, api::ImpactAgent>& agents,
         const store::ConcernedToken& token, const LastUses& uses) {
  ++(token.is_named ? out.tokens : out.descendants);
  raise(out.until, token.expires_at);
  const auto used = uses.find(token.id);
  if (used != uses.end()) raise(out.last_used_at, used->second);
  if (token.agent.empty()) return;
  api::ImpactAgent& agent = agents[token.agent];
  agent.name = token.agent;
  ++agent.tokens;
  if (used != uses.end()) raise(agent.last_used_at, used->second);
}

}  // namespace

Result<api::Impact> impact(Office& office, const CallContext& context, const api::AskImpact& message) {
  CHANCERY_ASSIGN(const api::StatusTarget named,
                  admit_target(office, context, scope::kRevocationsImpact, message.target));
  CHANCERY_ASSIGN(const store::StatusTarget target, resolve(office, named));
  CHANCERY_ASSIGN(const std::vector<store::ConcernedToken> tokens,
                  office.statuses.book.concerned(target, context.now));
  CHANCERY_ASSIGN(const LastUses uses, last_uses(office, tokens));
  CHANCERY_ASSIGN(const std::vector<store::StatusAct> standing, office.statuses.book.standing(target));
  api::Impact out;
  out.target = named;
  CHANCERY_ASSIGN(out.open_reservations, open_reservations(office, tokens, context.now));
  std::map<std::string, api::ImpactAgent> agents;
  for (const store::ConcernedToken& token : tokens) add(out, agents, token, uses);
  for (auto& [name, agent] : agents) out.agents.push_back(std::move(agent));
  for (const store::StatusAct& act : standing) out.standing.push_back(describe_act(office, act));
  return out;
}

}  // namespace chancery::service
