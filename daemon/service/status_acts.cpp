#include "daemon/service/status_acts.hpp"

#include <charconv>

#include "daemon/service/agent_keys.hpp"
#include "daemon/service/authority.hpp"
#include "sdk/base/hex.hpp"

namespace chancery::service {
namespace {

using TargetKind = store::StatusTarget::Kind;

constexpr std::size_t kLongestReason = 200;

bool is_token_id(std::string_view text) {
  const auto octets = hex_decode(text);
  return octets && octets->size() == sizeof(Sha256Digest) && hex_encode(*octets) == text;
}

std::optional<std::int64_t> seconds_of(const std::optional<std::chrono::sys_seconds>& time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

std::string name_of(const Office& office, const store::StatusTarget& target) {
  if (target.kind != TargetKind::kAgent) return target.value;
  const auto agent = office.store.agent_by_id(target.value);
  return agent ? agent->name : target.value;
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

Status require_no_ancestor(Office& office, const CallContext& context, const store::StatusTarget& target) {
  std::vector<std::string> chain;
  if (context.caller.chain) {
    for (const auto& token : context.caller.chain->tokens()) chain.push_back(hex_encode(token->digest()));
  }
  return may_revoke(office, chain, target, context.now);
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
      if (!target.value.empty()) break;
      return Error{ErrorCode::kInvalidArgument, "a principal's name is not empty"};
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

json::Node act_details(const store::StatusAct& act) {
  json::Node details = json::Node::object(
      {{std::string(store::target_kind_name(act.target.kind)), act.target.value}, {"reason", act.reason}});
  if (act.id != 0) details.set("act", act.id);
  if (act.until) details.set("until", act.until->time_since_epoch().count());
  return details;
}

Status check_reason(std::string_view reason) {
  if (reason.size() <= kLongestReason) return {};
  return Error{ErrorCode::kInvalidArgument, "`reason` may have 200 octets at most"};
}

}  // namespace chancery::service
