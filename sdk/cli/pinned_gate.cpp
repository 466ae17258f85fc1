#include "sdk/cli/pinned_gate.hpp"

#include <algorithm>
#include <utility>

#include "attest/evidence/tpm_codec.hpp"
#include "sdk/base/base64url.hpp"
#include "sdk/base/hex.hpp"
#include "sdk/base/name.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/jws.hpp"
#include "sdk/wire/fields.hpp"

namespace chancery::cli {
namespace {

using json::Node;
using json::Value;
using std::filesystem::path;

constexpr std::size_t kMostPin = 16 * 1024;
constexpr unsigned kPrivate = 0600;
constexpr std::string_view kGroup = "group:";
constexpr const char* kWhat = "a pinned gate has `issuer`, `gate`, `quorum`, `approvers` and `key`";

// Daemons are told apart by a part of their issuer's hash: their names have characters that no file's has.
Checked<path> pin_file(const std::string& issuer, const std::string& gate) {
  if (!is_name(gate)) return misuse("a gate that a TPM enforces has a name of [a-z0-9][a-z0-9._-]{0,31}");
  constexpr std::size_t kDigits = 16;
  CHANCERY_ASSIGN(const path folder, config_folder(environment));
  return folder / "gates" / (hex_encode(sha256(as_bytes(issuer))).substr(0, kDigits) + "-" + gate + ".json");
}

Node pin_node(const PinnedGate& gate) {
  Node approvers = Node::array();
  for (const PublicKey& key : gate.policy.approvers) approvers.push_back(Node::canonical(key.jwk()));
  return Node::object({{"issuer", gate.issuer},
                       {"gate", gate.policy.gate},
                       {"quorum", gate.policy.quorum},
                       {"approvers", std::move(approvers)},
                       {"key", Node::canonical(gate.key.key.jwk())},
                       {"evidence", evidence_node(gate.evidence)}});
}

// One from before evidence was asked for has none.
Result<std::optional<GateEvidence>> read_evidence(const Value& root) {
  constexpr const char* kNoEvidence =
      "`evidence` of a pinned gate has `custody`, `endorsement`, `ek` and `at`, or is null";
  constexpr Error kMalformed{ErrorCode::kMalformed, kNoEvidence};
  const Value* const found = root.find("evidence");
  if (found == nullptr || found->is(Value::Kind::kNull)) return std::optional<GateEvidence>();
  GateEvidence out;
  CHANCERY_ASSIGN(const std::string custody, wire::need_text(*found, "custody", kNoEvidence));
  CHANCERY_ASSIGN(out.endorsement, wire::need_text(*found, "endorsement", kNoEvidence));
  CHANCERY_ASSIGN(out.ek, wire::need_text(*found, "ek", kNoEvidence));
  const auto level = parse_custody(custody);
  const Value* const at = found->find("at");
  const auto seconds = at == nullptr ? std::nullopt : at->integer();
  if (!level || !seconds) return kMalformed;
  out.custody = *level;
  out.at = std::chrono::sys_seconds(std::chrono::seconds(*seconds));
  return std::optional(std::move(out));
}

Result<PinnedGate> read_pin(std::string_view text) {
  constexpr Error kNoPin{ErrorCode::kMalformed, kWhat};
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  const Value& root = document.root();
  CHANCERY_ASSIGN(std::string issuer, wire::need_text(root, "issuer", kWhat));
  attest::GatePolicy policy;
  CHANCERY_ASSIGN(policy.gate, wire::need_text(root, "gate", kWhat));
  const Value* const quorum = root.find("quorum");
  const Value* const approvers = root.find("approvers");
  const Value* const key = root.find("key");
  if (quorum == nullptr || approvers == nullptr || key == nullptr) return kNoPin;
  const std::int64_t count = quorum->integer().value_or(0);
  if (count < 1 || count > std::int64_t{attest::kMostGateApprovers}) return kNoPin;
  policy.quorum = static_cast<std::uint32_t>(count);
  CHANCERY_ASSIGN(policy.approvers, read_key_set(*approvers));
  CHANCERY_ASSIGN(const PublicKey gated, public_key_from_jwk(*key));
  CHANCERY_ASSIGN(PinnedGate pin, gate_behind(std::move(issuer), std::move(policy), gated));
  CHANCERY_ASSIGN(pin.evidence, read_evidence(root));
  return pin;
}

bool opens(const api::Gate& gate, const api::Approver& approver) {
  return std::ranges::any_of(gate.approvers, [&](const std::string& named) {
    if (!named.starts_with(kGroup)) return named == approver.principal;
    return std::ranges::find(approver.groups, named.substr(kGroup.size())) != approver.groups.end();
  });
}

bool may_open(const api::ApproverKey& key, const PublicKey& read) {
  return key.state == "active" && key.kind != "passkey" && read.algorithm() == Algorithm::kES256;
}

Checked<std::optional<PublicKey>> opening_key_of(const api::Approver& approver) {
  std::optional<PublicKey> out;
  for (const api::ApproverKey& key : approver.keys) {
    const auto read = parse_jwk(key.jwk);
    if (!read) return failure(read.error(), approver.principal);
    if (may_open(key, *read)) out = *read;
  }
  return out;
}

std::string header_kid(const Token& token) {
  const auto header = decode_json_object(token.signing_input().substr(0, token.signing_input().find('.')));
  const Value* const kid = header ? header->root().find("kid") : nullptr;
  return kid == nullptr ? std::string() : std::string(kid->string().value_or(""));
}

}  // namespace

Result<PinnedGate> gate_behind(std::string issuer, attest::GatePolicy policy, const PublicKey& key) {
  CHANCERY_ASSIGN(const Sha256Digest digest, attest::gate_policy_digest(policy));
  const auto octets = attest::write_public(attest::with_point(attest::gated_key_area(digest), key));
  if (!octets) return Error{ErrorCode::kInvalidKey, octets.error().what};
  auto judged = attest::judge_gated_key(*octets, policy);
  if (!judged) return Error{ErrorCode::kInvalidKey, judged.error().what};
  return PinnedGate{std::move(issuer), std::move(policy), *std::move(judged), std::nullopt};
}

Checked<attest::GatePolicy> policy_of(const api::Gate& gate, const std::vector<api::Approver>& approvers) {
  if (gate.enforcement != api::kTpmEnforced)
    return misuse(gate.name + ": no TPM enforces this gate, so there is nothing to pin of it");
  attest::GatePolicy policy;
  policy.gate = gate.name;
  policy.quorum = static_cast<std::uint32_t>(std::clamp<std::int64_t>(gate.quorum, 0, UINT32_MAX));
  for (const api::Approver& approver : approvers) {
    if (!opens(gate, approver)) continue;
    CHANCERY_ASSIGN(const std::optional<PublicKey> key, opening_key_of(approver));
    if (key) policy.approvers.push_back(*key);
  }
  return policy;
}

Checked<std::optional<PinnedGate>> pinned_gate(const std::string& issuer, const std::string& gate) {
  if (!is_name(gate)) return std::optional<PinnedGate>();  // of a tool, say: no TPM has such
  CHANCERY_ASSIGN(const path file, pin_file(issuer, gate));
  if (!is_input(file.string())) return std::optional<PinnedGate>();
  CHANCERY_ASSIGN(const std::string text, read_input(file.string(), kMostPin));
  auto pin = read_pin(text);
  if (!pin) return failure({ErrorCode::kMalformed, pin.error().what}, file.string());
  if (pin->issuer == issuer && pin->policy.gate == gate) return std::optional(*std::move(pin));
  return failure({ErrorCode::kMalformed, "is the pin of another gate, or of another daemon's"},
                 file.string());
}

Checked<void> pin_gate(const PinnedGate& gate) {
  CHANCERY_ASSIGN(const path file, pin_file(gate.issuer, gate.policy.gate));
  CHANCERY_TRY(make_private_folder(file.parent_path().parent_path()));
  CHANCERY_TRY(make_private_folder(file.parent_path()));
  return replace_file(file, json::to_jcs(pin_node(gate)) + "\n", kPrivate);
}

std::string evidence_text(const std::optional<GateEvidence>& evidence) {
  if (!evidence) return "none: that the key is in a TPM is the daemon's word";
  const bool is_emulated = evidence->custody == Custody::kTpmCertifiedEmulated;
  return std::string(custody_name(evidence->custody)) +
         (is_emulated ? ": by a simulator, whose keys are in software" : "") + ", " +
         (evidence->endorsement == "pinned" ? "by the EK that you named, "
                                            : "by the root that you named, EK ") +
         evidence->ek;
}

Node evidence_node(const std::optional<GateEvidence>& evidence) {
  if (!evidence) return Node(nullptr);
  return Node::object({{"custody", custody_name(evidence->custody)},
                       {"endorsement", evidence->endorsement},
                       {"ek", evidence->ek},
                       {"at", evidence->at.time_since_epoch().count()}});
}

Checked<std::string> sign_for_gate(const ApproverIdentity& approver, const PinnedGate& gate,
                                   const Token& token) {
  const PublicKey& own = approver.key.holder().public_key();
  if (std::ranges::find(gate.policy.approvers, own) == gate.policy.approvers.end())
    return misuse(gate.policy.gate +
                  ": your key opens this gate no more, or never did: `chancery gate pin` shows whose do");
  if (token.algorithm() != Algorithm::kES256 || header_kid(token) != gate.key.key.thumbprint().text())
    return failure(
        Error{
            ErrorCode::kBadResponse,
            "the token is to be signed by another key than the gate's that you pinned: if its approvers have "
            "changed, look who they are by `chancery gate pin --replace` first; if not, do not approve it, and "
            "tell whoever runs the daemon"},
        gate.policy.gate);
  const Bytes message =
      attest::policy_signature_input(gate.key.name, as_bytes(token.signing_input()), gate.policy.gate);
  const auto signature = approver.key.holder().sign(message);
  if (!signature) return failure(signature.error(), "the approver's key");
  return base64url_encode(*signature);
}

}  // namespace chancery::cli
