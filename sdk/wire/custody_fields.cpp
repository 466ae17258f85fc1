#include "sdk/wire/custody_fields.hpp"

#include <utility>

#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Node;
using json::Value;

constexpr Range kMaxAge{1, 366LL * 86400};

std::int64_t count(std::chrono::sys_seconds at) { return at.time_since_epoch().count(); }

Result<std::optional<CustodyRequirement>> requirement_of(const Value& object) {
  const Value* level = object.find("require_custody");
  if (level == nullptr || level->is(Value::Kind::kNull)) return std::optional<CustodyRequirement>();
  const auto known = level->string() ? parse_requirement(*level->string()) : std::nullopt;
  if (known) return known;
  return malformed(
      "`require_custody` must be hardware, pkcs11-claimed, tpm-certified-emulated, tpm-certified or "
      "tpm-quoted");
}

Node hop_node(const HopCustody& hop) {
  Node node = Node::object(
      {{"how", basis_name(hop.how)}, {"level", custody_name(hop.found.level)}, {"says", hop.text()}});
  if (hop.how != CustodyBasis::kVouched && hop.how != CustodyBasis::kProved) return node;
  node.set("evidence_at", count(hop.found.evidence_at));
  if (hop.expires_at) node.set("expires_at", count(*hop.expires_at));
  set_unless_empty(node, "verifier", hop.verifier);
  if (hop.found.ek.empty()) return node;
  node.set("ek", hop.found.ek);
  set_unless_empty(node, "manufacturer", hop.found.manufacturer);
  set_unless_empty(node, "endorsement", hop.found.endorsement);
  node.set("firmware", std::to_string(hop.found.firmware));  // more bits than a JSON number holds
  node.set("reset_count", std::int64_t{hop.found.reset_count});
  node.set("restart_count", std::int64_t{hop.found.restart_count});
  node.set("clock_safe", hop.found.is_clock_safe);
  return node;
}

}  // namespace

Result<api::CustodyTerms> custody_terms(const Value& object) {
  api::CustodyTerms out;
  CHANCERY_ASSIGN(out.require, requirement_of(object));
  CHANCERY_ASSIGN(const auto max_age,
                  integer(object, "custody_max_age_s", kMaxAge,
                          "`custody_max_age_s` must be a whole number of seconds, at most a year"));
  if (max_age && !out.require) return malformed("`custody_max_age_s` goes with `require_custody` only");
  if (max_age) out.max_age = std::chrono::seconds(*max_age);
  if (object.find("attestation_results") == nullptr) return out;
  constexpr const char* kResults = "`attestation_results` must be an array of at most 64 compact eat+jwt";
  CHANCERY_ASSIGN(out.attestation_results, string_array(object, "attestation_results", kResults));
  if (out.attestation_results.size() > kMaxAttestationResults) return malformed(kResults);
  return out;
}

void set_custody_terms(Node& object, const api::CustodyTerms& terms) {
  if (terms.require) object.set("require_custody", requirement_name(*terms.require));
  if (terms.max_age) object.set("custody_max_age_s", terms.max_age->count());
  if (!terms.attestation_results.empty())
    object.set("attestation_results", text_array(terms.attestation_results));
}

TermsToJudge::TermsToJudge(const api::CustodyTerms& terms)
    : terms_(terms), results_(terms.attestation_results.begin(), terms.attestation_results.end()) {}

void TermsToJudge::put_into(VerifyOptions& options) const {
  options.custody = terms_.require;
  options.custody_max_age = terms_.max_age;
  options.attestation_results = results_;
}

std::optional<Node> custody_node(const Verdict& verdict) {
  if (verdict.custody().empty()) return std::nullopt;
  Node hops = Node::array();
  for (const HopCustody& hop : verdict.custody()) hops.push_back(hop_node(hop));
  return hops;
}

void set_custody(Node& object, const Verdict& verdict) {
  auto hops = custody_node(verdict);
  if (!hops) return;
  object.set("custody", *std::move(hops));
  if (verdict.ignored_results().empty()) return;
  Node ignored = Node::array();
  for (const IgnoredResult& result : verdict.ignored_results()) {
    ignored.push_back(Node::object({{"index", result.index}, {"reason", result.reason}}));
  }
  object.set("ignored_results", std::move(ignored));
}

}  // namespace chancery::wire
