// Agents, and what each may still spend, as the console's pages show them.

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/service/action_budget.hpp"
#include "daemon/service/agent_keys.hpp"
#include "daemon/service/amounts.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/console_sight.hpp"
#include "daemon/service/proved_custody.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kTokensForLastUse = 16;  // of an agent: those that live longest
constexpr std::size_t kTokensWithBudgets = 200;

constexpr Error kBadSearch{
    ErrorCode::kInvalidArgument,
    "`search` is the beginning of an agent's name, its SPIFFE ID or a key's thumbprint"};

std::int64_t epoch_of(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

std::string type_of(const Office& office, const std::string& backend) {
  const auto found = office.backends.find(backend);
  return found ? (*found)->describe().type : std::string();
}

// By what was issued to it, and where its tokens were seen since the start.
Result<std::optional<std::int64_t>> last_use_of(Office& office, const store::Agent& agent,
                                                std::chrono::sys_seconds now) {
  CHANCERY_ASSIGN(const auto tokens, office.store.tokens_of_agent(agent.id, now, kTokensForLastUse));
  std::optional<std::int64_t> last;
  const auto raise = [&last](std::chrono::sys_seconds at) {
    last = std::max(last.value_or(0), epoch_of(at));
  };
  for (const store::IssuedToken& token : tokens) {
    raise(token.issued_at);
    const auto digest = hex_decode_exactly<32>(token.id);
    const auto seen = digest ? office.statuses.activity.last_used(*digest) : std::nullopt;
    if (seen) raise(*seen);
  }
  return last;
}

Result<api::ConsoleAgent> describe(Office& office, const store::Agent& agent, std::chrono::sys_seconds now) {
  const Thumbprint key = agent.key.stored.public_key.thumbprint();
  api::ConsoleAgent out;
  out.name = agent.name;
  out.id = spiffe_id(*office.policy.current(), agent.name);
  out.state = agent_state(agent);
  out.reason = agent.key.reason;
  out.backend = agent.key.backend;
  out.type = type_of(office, agent.key.backend);
  out.custody = proved_custody(office, key, now);
  out.jkt = key.text();
  out.created_at = epoch_of(agent.created_at);
  out.key_created_at = epoch_of(agent.key.created_at);
  CHANCERY_ASSIGN(out.last_used_at, last_use_of(office, agent, now));
  return out;
}

bool may_begin_name(std::string_view text) {
  return text.size() <= kLongestName && std::ranges::all_of(text, [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

// A key that belongs to nobody here, or to an agent that is retired, is found as a name that nobody has.
Result<std::vector<store::Agent>> found_by_key(Office& office, std::string_view thumbprint) {
  const auto octets = base64url_decode_exactly<32>(thumbprint);
  if (!octets) return kBadSearch;
  const auto agent = office.store.agent_by_key(Thumbprint{*octets});
  if (!agent && agent.error().code != ErrorCode::kNotFound) return agent.error();
  if (!agent || agent->retired_at) return std::vector<store::Agent>{};
  CHANCERY_ASSIGN(store::Agent newest, office.store.agent_by_id(agent->id));  // with its present key
  return std::vector{std::move(newest)};
}

struct FoundAgents {
  std::vector<store::Agent> agents;
  bool may_be_more = false;
};

// A key is one agent's: there is nothing after it.
Result<FoundAgents> find_agents(Office& office, const api::ConsoleAgentQuery& query) {
  FoundAgents out;
  const std::string_view name = agent_name(*office.policy.current(), query.search);
  if (may_begin_name(name)) {
    CHANCERY_ASSIGN(out.agents, office.store.agents_by_name({query.limit, std::string(name), query.after}));
    out.may_be_more = out.agents.size() == query.limit;
  } else {
    CHANCERY_ASSIGN(out.agents, found_by_key(office, query.search));
    if (!query.after.empty()) out.agents.clear();
  }
  return out;
}

// --- budgets

std::string_view kind_name(store::TotalKind kind) {
  switch (kind) {
    case store::TotalKind::kLifetime:
      return "lifetime";
    case store::TotalKind::kSubtree:
      return "subtree";
    case store::TotalKind::kRate:
      return "rate";
  }
  return "";
}

Status add_budgets(Office& office, const store::IssuedToken& issued, std::chrono::sys_seconds now,
                   std::vector<api::ConsoleBudget>& out) {
  CHANCERY_ASSIGN(const Token token, Token::parse(issued.compact));
  if (token.claims().is_session) return {};  // what it does counts as its parent's
  for (const Constraint& constraint : token.claims().authority.constraints) {
    const auto bound = bound_of_total(constraint, now);
    if (!bound) continue;
    CHANCERY_ASSIGN(
        const store::Millionths spent,
        office.spending.ledger().total({token.digest(), bound->kind, constraint.key, bound->window}));
    out.push_back({issued.id, constraint.key, std::string(kind_name(bound->kind)), amount_text(bound->bound),
                   amount_text(spent), epoch_of(bound->ends_at.value_or(issued.expires_at))});
  }
  return {};
}

}  // namespace

Result<api::ConsoleAgentPage> list_console_agents(Office& office, const CallContext& context,
                                                  const api::ConsoleAgentQuery& query) {
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsRead));
  if (query.limit < 1 || query.limit > kMostOfConsolePage)
    return Error{ErrorCode::kInvalidArgument, "`limit` is 1 to 200"};
  CHANCERY_ASSIGN(const FoundAgents found, find_agents(office, query));
  CHANCERY_ASSIGN(const store::StoreCounts counts, office.store.counts());
  api::ConsoleAgentPage page;
  page.active = counts.active_agents;
  page.retired = counts.retired_agents;
  page.lost = counts.lost_agents;
  for (const store::Agent& agent : found.agents) {
    CHANCERY_ASSIGN(api::ConsoleAgent described, describe(office, agent, context.now));
    page.agents.push_back(std::move(described));
  }
  if (found.may_be_more) page.next = found.agents.back().name;
  return page;
}

Result<api::ConsoleAgentSight> show_console_agent(Office& office, const CallContext& context,
                                                  std::string_view name) {
  CHANCERY_TRY(require_authority(office, context, scope::kAgentsRead, {{"agent", name}}));
  CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(name));
  api::ConsoleAgentSight out;
  CHANCERY_ASSIGN(out.agent, describe(office, agent, context.now));
  CHANCERY_ASSIGN(out.tokens, office.store.count_tokens_of_agent(agent.id, context.now));
  CHANCERY_ASSIGN(const auto tokens, office.store.tokens_of_agent(agent.id, context.now, kTokensWithBudgets));
  for (const store::IssuedToken& token : tokens)
    CHANCERY_TRY(add_budgets(office, token, context.now, out.budgets));
  return out;
}

}  // namespace chancery::service
