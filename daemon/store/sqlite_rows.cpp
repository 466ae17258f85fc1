#include "daemon/store/sqlite_rows.hpp"

#include "sdk/base/base64url.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::store {
namespace {

using Kind = KeyIntent::Kind;

// Keys are found by their thumbprints, so one that is not its key's would hide it or show another.
Result<PublicKey> stored_public_key(const std::string& jwk, std::string_view thumbprint) {
  auto key = parse_jwk(jwk);
  if (!key || key->thumbprint().text() != thumbprint) return kDamagedRow;
  return key;
}

constexpr int kKeySeal = 13;    // column of a key's seal, after its first
constexpr int kKeyOfAgent = 8;  // first column of an agent's key

Result<Key> parse_key_at(const Query& row, int at) {
  CHANCERY_ASSIGN(PublicKey public_key, stored_public_key(row.text(at + 4), row.text(at + 5)));
  CHANCERY_ASSIGN(const KeyState state, read_key_state(row.text(at + 7)));
  return Key{
      .owner = row.text(at),
      .backend = row.text(at + 1),
      .stored = {.binding = {row.text(at + 2), row.text(at + 3)},
                 .public_key = public_key,
                 .blob = row.octets(at + 6)},
      .state = state,
      .reason = row.text(at + 8),
      .created_at = row.time(at + 9),
      .overlap_until = optional_time(row, at + 10),
      .ended_at = optional_time(row, at + 11),
      .destroyed_at = optional_time(row, at + 12),
  };
}

}  // namespace

Result<Key> read_key(const Query& row, const RecordSeal& seal) {
  CHANCERY_ASSIGN(Key key, parse_key(row));
  if (!equal_constant_time(seal.of(key), row.octets(kKeySeal))) return kDamagedRow;
  return key;
}

Result<KeyState> read_key_state(std::string_view name) {
  using enum KeyState;
  for (const KeyState state : {kActive, kRotating, kRetired, kLost, kRevoked}) {
    if (key_state_name(state) == name) return state;
  }
  return kDamagedRow;
}

std::string_view intent_name(Kind kind) noexcept {
  switch (kind) {
    case Kind::kMake:
      return "make";
    case Kind::kRotate:
      return "rotate";
    case Kind::kDestroy:
      return "destroy";
  }
  return "";
}

Result<Key> parse_key(const Query& row) { return parse_key_at(row, 0); }

Result<PlacedAgent> parse_agent(const Query& row) {
  CHANCERY_ASSIGN(Key key, parse_key_at(row, kKeyOfAgent));
  return PlacedAgent{.agent = {.id = row.text(0),
                               .name = row.text(1),
                               .selectors = row.text(2),
                               .created_at = row.time(3),
                               .retired_at = optional_time(row, 4),
                               .is_rotating = row.number(5) != 0,
                               .key = std::move(key)},
                     .key_place = row.number(6)};
}

Result<Agent> read_agent(const Query& row, const RecordSeal& seal) {
  CHANCERY_ASSIGN(PlacedAgent placed, parse_agent(row));
  const Agent& agent = placed.agent;
  const bool is_sealed = equal_constant_time(seal.of(agent.key), row.octets(kKeyOfAgent + kKeySeal)) &&
                         equal_constant_time(seal.of(agent, placed.key_place), row.octets(7));
  if (!is_sealed || agent.key.owner != agent.id) return kDamagedRow;
  return std::move(placed.agent);
}

Status check_page(std::size_t limit) {
  if (limit >= 1 && limit <= kMaxPage) return {};
  return Error{ErrorCode::kInvalidArgument, "ask for 1 to 1000 records at a time"};
}

Result<AuditRecord> read_audit(const Query& row) {
  return AuditRecord{
      .sequence = static_cast<std::uint64_t>(row.number(0)), .at = row.time(1), .json = row.text(2)};
}

Result<Thumbprint> read_thumbprint(std::string_view text) {
  const auto octets = base64url_decode_exactly<32>(text);
  if (!octets) return kDamagedRow;
  return Thumbprint{*octets};
}

Result<IssuedToken> read_token(const Query& row) {
  CHANCERY_ASSIGN(const Thumbprint holder, read_thumbprint(row.text(3)));
  IssuedToken token{
      .id = row.text(0),
      .jti = row.text(1),
      .parent_id = std::nullopt,
      .holder = holder,
      .agent_id = std::nullopt,
      .principal = row.text(5),
      .issued_at = row.time(6),
      .expires_at = row.time(7),
      .compact = row.text(8),
  };
  if (!row.is_null(2)) token.parent_id = row.text(2);
  if (!row.is_null(4)) token.agent_id = row.text(4);
  if (!row.is_null(9)) {
    token.status =
        StatusPlace{static_cast<std::uint64_t>(row.number(9)), static_cast<std::uint64_t>(row.number(10))};
  }
  return token;
}

Result<KeyIntent> read_intent(const Query& row) {
  const std::string name = row.text(0);
  for (const Kind kind : {Kind::kMake, Kind::kRotate, Kind::kDestroy}) {
    if (intent_name(kind) != name) continue;
    const Algorithm algorithm =
        row.text(5) == algorithm_name(Algorithm::kEd25519) ? Algorithm::kEd25519 : Algorithm::kES256;
    return KeyIntent{kind,     row.text(1), row.text(2), row.text(3), std::chrono::seconds(row.number(4)),
                     algorithm};
  }
  return kDamagedRow;
}

std::optional<sys_seconds> optional_time(const Query& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.time(column));
}

}  // namespace chancery::store
