#include "daemon/service/issuing.hpp"

#include <algorithm>

#include "daemon/service/attestation.hpp"
#include "daemon/service/audit_entry.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/freeze_desk.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::service {
namespace {

bool bounds(const Constraint& constraint, NumberBound::Type type) {
  const auto* bound = std::get_if<NumberBound>(&constraint.rule);
  return bound != nullptr && bound->type == type;
}

// What was delegated offline may name any number.
std::chrono::sys_seconds whole_seconds(double time) {
  constexpr double kLatest = 1e12;
  return std::chrono::sys_seconds(
      std::chrono::seconds(static_cast<std::int64_t>(std::clamp(time, 0.0, kLatest))));
}

}  // namespace

Status require_serving(const store::Agent& agent, std::chrono::sys_seconds now) {
  constexpr Error kEnded{ErrorCode::kRetired,
                         "the key has ended: obtain a chain for the agent's present key"};
  if (agent.retired_at) {
    return Error{ErrorCode::kRetired, "the agent is retired: obtain a grant for a registered one"};
  }
  switch (agent.key.state) {
    case store::KeyState::kActive:
      return {};
    case store::KeyState::kRotating:
      return agent.key.overlap_until > now ? Status{} : Status{kEnded};
    case store::KeyState::kLost:
      if (agent.key.reason == store::kOtherDevice) {
        return Error{
            ErrorCode::kWrongDevice,
            "another device than the one that holds the agent's key answers: put the right one back, "
            "or see `chancery backend adopt`"};
      }
      return Error{ErrorCode::kKeyLost,
                   "the agent's key is lost with its device: `chancery agent reenroll` gives it a new one"};
    case store::KeyState::kRetired:
    case store::KeyState::kRevoked:
      return kEnded;
  }
  return Error{};
}

namespace {

Status require_free(const Office& office, const store::Agent& agent) {
  return office.freezes == nullptr ? Status{} : office.freezes->require_free(agent.id);
}

}  // namespace

Result<Signature> sign_as(Office& office, const CallContext& context, const store::Agent& agent,
                          std::string_view input) {
  CHANCERY_TRY(office.spending.require_newest());
  CHANCERY_TRY(require_free(office, agent));
  CHANCERY_ASSIGN(hsm::KeyBackend* const backend, office.backends.find(agent.key.backend));
  auto signature = backend->sign(agent.key.stored, as_bytes(input), context.deadline);
  CHANCERY_TRY(require_free(office, agent));  // it may have been frozen while the device signed
  if (signature || signature.error().code != ErrorCode::kKeyLost) return signature;
  const Thumbprint thumbprint = agent.key.stored.public_key.thumbprint();
  const auto marked = office.store.change_key(thumbprint, store::KeyState::kLost, "key_lost",
                                              audit_entry("key.lost", context, agent_facts(agent)));
  if (marked) return signature;
  if (marked.error().code != ErrorCode::kConflict) return marked.error();
  // Two calls may find it out at once, and the second has nothing to add; or it ended meanwhile.
  CHANCERY_ASSIGN(store::Agent present, office.store.agent_by_key(thumbprint));
  CHANCERY_TRY(require_serving(present, context.now));
  return signature;
}

namespace {

// What a caller is told whose own key has ended is that, rather than that its chain is denied.
Status require_serving_leaf(const Office& office, const CallContext& context, std::string_view scope,
                            const Denial& denial, const std::vector<std::string>& chain) {
  const bool is_leaf = denial.outcome == Outcome::kRevoked && denial.hop + 1 == std::ssize(chain);
  const auto leaf = is_leaf ? Token::parse(chain.back()) : Result<Token>(Error{});
  if (!leaf) return {};
  const auto holder = office.store.agent_by_key(leaf->claims().holder);
  if (!holder) return {};
  if (!require_agent(office, context, scope, *holder)) return {};
  return require_serving(*holder, context.now);
}

}  // namespace

Result<AgentChain> require_holder(const Office& office, const CallContext& context, std::string_view scope,
                                  const std::vector<std::string>& chain) {
  CHANCERY_TRY(office.spending.require_newest());
  const std::vector<std::string_view> tokens(chain.begin(), chain.end());
  const Verdict verdict = judge_use(office, tokens, context.now, office.policy->verify);
  if (!verdict.valid()) {
    note_denial(context, verdict.denial());
    CHANCERY_TRY(require_serving_leaf(office, context, scope, verdict.denial(), chain));
    return Error{ErrorCode::kParentDenied,
                 "the presented chain does not verify: POST /v1/chains/explain says why", 0,
                 static_cast<std::int16_t>(verdict.denial().hop)};
  }
  auto holder = office.store.agent_by_key(verdict.chain().leaf().claims().holder);
  if (!holder && holder.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kNotHolder,
                 "the chain's last token is held by a key that is not in this daemon's care"};
  }
  if (!holder) return holder.error();
  CHANCERY_TRY(require_agent(office, context, scope, *holder));
  CHANCERY_TRY(require_serving(*holder, context.now));
  CHANCERY_TRY(measure_agent(office, context, *holder));
  return AgentChain{verdict.chain(), *std::move(holder)};
}

std::string leaf_id(const std::vector<std::string>& chain) {
  const auto leaf = chain.empty() ? Result<Token>(Error{}) : Token::parse(chain.back());
  return leaf ? hex_encode(leaf->digest()) : std::string();
}

Status require_bounded_budgets(const Authority& authority) {
  using enum NumberBound::Type;
  for (const Constraint& constraint : authority.constraints) {
    if (!bounds(constraint, kMaxLifetime)) continue;
    const bool bounded = std::ranges::any_of(authority.constraints, [&](const Constraint& other) {
      return other.key == constraint.key && bounds(other, kMaxSubtree);
    });
    if (!bounded) {
      return Error{ErrorCode::kUnboundedBudget,
                   "`max_lifetime` bounds nothing once the token is delegated: set `max_subtree` on the same "
                   "key, or depth 1"};
    }
  }
  return {};
}

Result<std::optional<store::StatusPlace>> refer_to_status(Office& office, Claims& claims) {
  if (claims.exp - claims.iat < static_cast<double>(office.policy->min_status_lifetime.count())) {
    return std::optional<store::StatusPlace>();
  }
  CHANCERY_ASSIGN(const store::StatusPlace place, office.statuses.book.allocate(whole_seconds(claims.exp)));
  claims.has_status = true;
  claims.status = StatusReference{status_list_prefix(office.policy->issuer_url) + std::to_string(place.list),
                                  place.index};
  return std::optional(place);
}

Result<Token> accept_signed(const std::string& compact) {
  auto token = Token::parse(compact);
  if (token) return token;
  return Error{ErrorCode::kTooLarge,
               "the token would be longer than verifiers accept: ask for fewer scopes and constraints"};
}

store::IssuedToken record_of(const Token& token, const Token* parent, const store::Agent* receiver) {
  const Claims& claims = token.claims();
  store::IssuedToken record;
  record.id = hex_encode(token.digest());
  record.jti = claims.jti;
  if (parent != nullptr) record.parent_id = hex_encode(parent->digest());
  record.holder = claims.holder;
  if (receiver != nullptr) record.agent_id = receiver->id;
  record.principal = claims.sub;
  record.issued_at = whole_seconds(claims.iat);
  record.expires_at = whole_seconds(claims.exp);
  record.compact = token.compact();
  return record;
}

Status record_root(Office& office, const CallContext& context, store::IssuedToken record,
                   const Claims& claims, const Thumbprint& signer, const RootRecord& as) {
  record.gate = as.gate;
  record.approved = as.approved;
  AuditFacts facts = issued_facts(*office.policy.current(), record, claims);
  if (!as.gate.empty()) facts.details.set("gate", as.gate);
  if (as.approved != nullptr) facts.ids.emplace_back("approval", as.approved->id);
  CHANCERY_TRY(office.store.record_token(record, signer, audit_entry(as.action, context, std::move(facts))));
  if (!as.gate.empty()) office.gates.note_gated();
  return {};
}

Result<std::string> issue_root(Office& office, const CallContext& context, Claims claims,
                               const store::Agent* receiver, const RootRecord& as) {
  CHANCERY_TRY(office.spending.require_newest());
  if (receiver != nullptr) CHANCERY_TRY(require_custody(office, *receiver, on_behalf_of(context)));
  CHANCERY_ASSIGN(claims.jti, random_id());
  CHANCERY_ASSIGN(const std::optional<store::StatusPlace> place, refer_to_status(office, claims));
  CHANCERY_ASSIGN(const store::Key issuer, office.issuer.current(context.now, context.deadline));
  const UnsignedToken unsigned_token = UnsignedToken::encode(claims, issuer.stored.public_key, false);
  CHANCERY_ASSIGN(
      const Signature signature,
      office.issuer.sign(issuer, as_bytes(unsigned_token.signing_input()), context.now, context.deadline));
  CHANCERY_ASSIGN(const Token token, accept_signed(unsigned_token.with(signature)));

  store::IssuedToken record = record_of(token, nullptr, receiver);
  record.status = place;
  const std::string compact = record.compact;
  CHANCERY_TRY(
      record_root(office, context, std::move(record), claims, issuer.stored.public_key.thumbprint(), as));
  return compact;
}

Status adopt(Office& office, const VerifiedChain& chain) {
  std::vector<store::IssuedToken> records;
  const Token* parent = nullptr;
  for (const auto& token : chain.tokens()) {
    records.push_back(record_of(*token, parent, nullptr));
    parent = token.get();
  }
  return office.statuses.tokens.adopt(records);
}

Result<std::string> issue_child(Office& office, const CallContext& context, const AgentChain& parent,
                                Claims claims, const store::Agent* receiver, std::string_view action) {
  // Of who hands authority on, too: a host out of policy gives none away, not even to itself.
  CHANCERY_TRY(require_custody(office, parent.holder, on_behalf_of(context)));
  if (receiver != nullptr) CHANCERY_TRY(require_custody(office, *receiver, on_behalf_of(context)));
  CHANCERY_TRY(adopt(office, parent.chain));
  CHANCERY_ASSIGN(const std::optional<store::StatusPlace> place, refer_to_status(office, claims));
  const PublicKey& signer = parent.holder.key.stored.public_key;
  const UnsignedToken unsigned_token = UnsignedToken::encode(claims, signer, true);
  CHANCERY_ASSIGN(const Signature signature,
                  sign_as(office, context, parent.holder, unsigned_token.signing_input()));
  CHANCERY_ASSIGN(const Token token, accept_signed(unsigned_token.with(signature)));
  const store::Agent* const user = receiver == nullptr ? &parent.holder : receiver;
  store::IssuedToken record = record_of(token, &parent.chain.leaf(), user);
  record.status = place;
  CHANCERY_TRY(office.store.record_token(
      record, signer.thumbprint(),
      audit_entry(action, context, issued_facts(*office.policy.current(), record, claims))));
  return record.compact;
}

AuditFacts issued_facts(const Policy& policy, const store::IssuedToken& token, const Claims& claims) {
  return {.principal = token.principal,
          .agent = std::string(agent_name(policy, claims.client_id)),
          .session = claims.is_session ? token.id : std::string(),
          .ids = {{"token", token.id},
                  {"parent", token.parent_id.value_or(std::string())},
                  {"key", claims.holder.text()}},
          .details = json::Node::object({{"jti", token.jti},
                                         {"authority", to_json(claims.authority)},
                                         {"del_depth", claims.del_depth},
                                         {"exp", claims.exp}})};
}

}  // namespace chancery::service
