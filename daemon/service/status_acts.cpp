#include "daemon/service/status_acts.hpp"

#include <algorithm>
#include <charconv>

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/authority.hpp"
#include "daemon/service/issuing.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/crypto/verify_key.hpp"

namespace chancery::service {
namespace {

using TargetKind = store::StatusTarget::Kind;

constexpr std::size_t kLongestReason = 200;
constexpr Error kNoOwnChain{
    ErrorCode::kInvalidArgument,
    "`chain` is none that verifies now under this daemon's own key: `chancery explain` says why"};

bool is_token_id(std::string_view text) {
  const auto octets = hex_decode(text);
  return octets && octets->size() == sizeof(Sha256Digest) && hex_encode(*octets) == text;
}

std::string name_of(const Office& office, const store::StatusTarget& target) {
  if (target.kind != TargetKind::kAgent) return target.value;
  const auto agent = office.store.agent_by_id(target.value);
  return agent ? agent->name : target.value;
}

// Whether a target names this token, its holder or its principal. Of a subtree it may be below the token that is
// named, which then is another of the same chain.
Result<bool> comprises(const Office& office, const store::StatusTarget& target, const Token& token) {
  const Claims& claims = token.claims();
  switch (target.kind) {
    case TargetKind::kToken:
    case TargetKind::kSubtree:
      return hex_encode(token.digest()) == target.value;
    case TargetKind::kKey:
      return claims.holder.text() == target.value;
    case TargetKind::kPrincipal:
      return claims.sub == target.value;
    case TargetKind::kAgent:
      break;
  }
  const auto holder = office.store.agent_by_key(claims.holder);
  if (!holder && holder.error().code != ErrorCode::kNotFound) return holder.error();
  return holder && holder->id == target.value;
}

// Whether a target is the key that has signed a root.
Result<bool> signs(const Office& office, const store::StatusTarget& target, const Token& root) {
  if (target.kind != TargetKind::kKey) return false;
  CHANCERY_ASSIGN(const Thumbprint thumbprint, read_thumbprint(target.value));
  const auto key = office.store.key(thumbprint);
  if (!key && key.error().code != ErrorCode::kNotFound) return key.error();
  if (!key || key->owner != store::kIssuer) return false;
  Signature signature{};
  if (root.signature().size() != signature.size()) return false;
  std::ranges::copy(root.signature(), signature.begin());
  CHANCERY_ASSIGN(const VerifyKey issuer, VerifyKey::from(key->stored.public_key));
  return issuer.verify(as_bytes(root.signing_input()), signature);
}

Result<std::int64_t> read_act_id(std::string_view text) {
  std::int64_t id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return id;
  return Error{ErrorCode::kNotFound, "no such suspension: `chancery impact` shows those that stand"};
}

}  // namespace

Status require_authority_on(const Office& office, const CallContext& context, std::string_view scope,
                            const api::StatusTarget& target) {
  const std::string_view name = target.kind == "subtree" ? "token" : std::string_view(target.kind);
  return require_authority(office, context, scope, {{name, target.value}});
}

Result<store::StatusAct> require_act(const Office& office, const CallContext& context, std::string_view scope,
                                     std::string_view id) {
  const auto number = read_act_id(id);
  auto act = number ? office.statuses.book.act(*number) : Result<store::StatusAct>(number.error());
  if (!act) {
    CHANCERY_TRY(require_authority(office, context, scope));
    return act.error();
  }
  CHANCERY_TRY(require_authority_on(office, context, scope, describe_act(office, *act).target));
  return act;
}

namespace {

// Of a chain its last token, when that is known.
void note_target(const CallContext& context, const api::StatusTarget& target) {
  AuditFacts facts{.details = json::Node::object({{"target", target.kind}})};
  if (target.kind == "agent") facts.agent = target.value;
  if (target.kind == "principal") facts.principal = target.value;
  if (target.kind == "key") facts.ids.emplace_back("key", target.value);
  if (target.kind == "token" || target.kind == "subtree") facts.ids.emplace_back("token", target.value);
  note_attempt(context, std::move(facts));
}

}  // namespace

Result<api::StatusTarget> admit_target(Office& office, const CallContext& context, std::string_view scope,
                                       const api::StatusTarget& target) {
  note_target(context, target);
  if (target.kind != api::kChainTarget) {
    CHANCERY_TRY(require_authority_on(office, context, scope, target));
    return target;
  }
  const std::vector<std::string_view> chain = split_chain(target.value);
  const auto leaf = chain.empty() ? Result<Token>(kNoOwnChain) : Token::parse(chain.back());
  if (!leaf) {
    CHANCERY_TRY(require_authority(office, context, scope));
    return kNoOwnChain;
  }
  api::StatusTarget subtree{"subtree", hex_encode(leaf->digest())};
  CHANCERY_TRY(require_authority_on(office, context, scope, subtree));
  CHANCERY_ASSIGN(const VerifiedChain verified, verify_shown(office, chain, context.now));
  CHANCERY_TRY(adopt_shown(office, verified));
  return subtree;
}

Result<VerifiedChain> verify_shown(const Office& office, std::span<const std::string_view> chain,
                                   std::chrono::sys_seconds now) {
  // What is suspended can be revoked too.
  const TrustSnapshot trust = office.trust.issued().with(EndedTokens());
  const Verdict verdict = verify_chain(chain, trust, now, office.policy->verify);
  return verdict.valid() ? verdict.chain() : Result<VerifiedChain>(kNoOwnChain);
}

Status adopt_shown(Office& office, const VerifiedChain& chain) {
  const Status adopted = adopt(office, chain);
  return adopted || adopted.error().code == ErrorCode::kParentDenied ? Status{} : adopted;
}

Status require_no_ancestor(const Office& office, const CallContext& context,
                           const store::StatusTarget& target) {
  if (!context.caller.chain) return {};
  auto tokens = context.caller.chain->tokens();
  if (tokens.size() < 2) return {};
  CHANCERY_ASSIGN(bool is_ours, signs(office, target, *tokens.front()));
  for (const auto& ancestor : tokens.first(tokens.size() - 1)) {
    if (is_ours) break;
    CHANCERY_ASSIGN(is_ours, comprises(office, target, *ancestor));
  }
  if (!is_ours) return {};
  return Error{ErrorCode::kForbidden,
               "a delegate may not end what it was delegated from: revoke your own token or those below it"};
}

Result<store::StatusTarget> resolve(const Office& office, const api::StatusTarget& target) {
  const auto kind = store::target_kind_named(target.kind);
  if (!kind) {
    return Error{ErrorCode::kInvalidArgument,
                 "name what is meant: one of `token`, `subtree`, `agent`, `key` and `principal`"};
  }
  switch (*kind) {
    case TargetKind::kToken:
    case TargetKind::kSubtree:
      if (is_token_id(target.value)) break;
      return Error{ErrorCode::kInvalidArgument,
                   "a token is named by the SHA-256 of its signing input, 64 hexadecimal digits: "
                   "`chancery inspect` shows it"};
    case TargetKind::kAgent: {
      CHANCERY_ASSIGN(const store::Agent agent, office.store.agent_by_name(target.value));
      return store::StatusTarget{*kind, agent.id};
    }
    case TargetKind::kKey:
      CHANCERY_TRY(read_thumbprint(target.value));
      break;
    case TargetKind::kPrincipal:
      if (!target.value.empty() && target.value != store::kEverybody) break;
      return Error{ErrorCode::kInvalidArgument, "a principal's name is not empty, and not `*`"};
  }
  return store::StatusTarget{*kind, target.value};
}

api::StatusAct describe_act(const Office& office, const store::StatusAct& act) {
  return {.id = act.id,
          .kind = std::string(store::act_kind_name(act.kind)),
          .target = {std::string(store::target_kind_name(act.target.kind)), name_of(office, act.target)},
          .reason = act.reason,
          .at = act.at.time_since_epoch().count(),
          .until = seconds_of(act.until),
          .lifted_at = seconds_of(act.lifted_at),
          .tokens = act.tokens};
}

AuditFacts act_facts(const store::StatusAct& act) {
  AuditFacts facts{.details = json::Node::object(
                       {{"target", store::target_kind_name(act.target.kind)}, {"reason", act.reason}})};
  if (act.id != 0) facts.ids.emplace_back("act", "act:" + std::to_string(act.id));
  if (act.until) facts.details.set("until", act.until->time_since_epoch().count());
  switch (act.target.kind) {
    case TargetKind::kToken:
    case TargetKind::kSubtree:
      facts.ids.emplace_back("token", act.target.value);
      break;
    case TargetKind::kAgent:
      facts.ids.emplace_back("agent_id", act.target.value);
      break;
    case TargetKind::kKey:
      facts.ids.emplace_back("key", act.target.value);
      break;
    case TargetKind::kPrincipal:
      facts.principal = act.target.value;
      break;
  }
  return facts;
}

Status check_reason(std::string_view reason) {
  if (reason.size() <= kLongestReason) return {};
  return Error{ErrorCode::kInvalidArgument, "`reason` may have 200 octets at most"};
}

}  // namespace chancery::service
