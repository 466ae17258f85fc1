#include "sdk/verify/vectors.hpp"

#include <algorithm>
#include <set>

#include <chancery/verify.hpp>

#include "sdk/crypto/jwk.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery {
namespace {

using json::Value;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// Vectors carry actions with numbers beyond 2^53, and a file has as many values as it likes.
constexpr json::Limits kFileLimits{.max_depth = 64, .max_values = 1u << 26, .allow_unsafe_integers = true};

Error malformed(const char* what) { return Error{ErrorCode::kMalformed, what}; }

std::string_view text_of(const Value* value) { return value == nullptr ? "" : value->string().value_or(""); }

bool lists(const Value* array, std::string_view name) {
  return array != nullptr &&
         std::ranges::any_of(array->items(), [&](const Value& item) { return item.string() == name; });
}

// A key whose configured `alg` does not fit its type, or that is otherwise unusable, is skipped.
std::vector<PublicKey> usable_keys(const Value* array) {
  std::vector<PublicKey> keys;
  if (array == nullptr) return keys;
  for (const Value& item : array->items()) {
    if (const auto key = public_key_from_jwk(item)) keys.push_back(*key);
  }
  return keys;
}

TrustSnapshot trust_of(const Value& vector) {
  TrustConfig trust;
  TrustAnchor anchor;
  anchor.keys = usable_keys(vector.find("trusted_roots"));
  trust.anchors.push_back(std::move(anchor));
  trust.issuers = usable_keys(vector.find("trusted_issuers"));
  trust.status_keys = usable_keys(vector.find("status_keys"));
  if (const Value* lists = vector.find("status_lists")) {
    for (const Value& item : lists->items()) {
      const Value* fetched = item.find("fetched_at");
      if (text_of(item.find("token")).empty() || fetched == nullptr) continue;
      trust.status_lists.push_back({std::string(text_of(item.find("uri"))),
                                    std::string(text_of(item.find("token"))),
                                    sys_seconds(seconds(fetched->integer().value_or(0)))});
    }
  }
  return TrustSnapshot(std::move(trust));
}

// A total that is not a number is as good as none.
void read_totals(const Value* totals, std::string_view type,
                 std::map<std::string, double, std::less<>>& out) {
  const Value* by_key = totals == nullptr ? nullptr : totals->find(type);
  if (by_key == nullptr) return;
  for (const json::Member& member : by_key->members()) {
    if (member.value.number()) out.emplace(member.name, *member.value.number());
  }
}

DpopPresentation presentation_of(const Value& dpop) {
  DpopPresentation out;
  out.proof = text_of(dpop.find("proof"));
  out.htm = text_of(dpop.find("htm"));
  out.htu = text_of(dpop.find("htu"));
  if (const Value* nonce = dpop.find("nonce"); nonce != nullptr && nonce->string())
    out.nonce = *nonce->string();
  if (const Value* past = dpop.find("iat_past")) out.iat_past = seconds(past->integer().value_or(0));
  if (const Value* future = dpop.find("iat_future")) out.iat_future = seconds(future->integer().value_or(0));
  return out;
}

Result<ActionRequest> request_of(const Value& vector) {
  const Value* action = vector.find("action");
  if (action == nullptr) return malformed("a vector of mode `request` has an `action`");
  ActionRequest request;
  request.audience = text_of(vector.find("audience"));
  request.scope = text_of(action->find("scope"));
  if (const Value* params = action->find("params")) {
    CHANCERY_ASSIGN(request.parameters, parse_parameters(params->source()));
  }
  HeldTotals leaf;
  read_totals(action->find("totals"), "max_lifetime", leaf.max_lifetime);
  read_totals(action->find("totals"), "max_subtree", leaf.max_subtree);
  request.totals.push_back(std::move(leaf));
  const Value* dpop = vector.find("dpop");
  if (dpop == nullptr || dpop->is(Value::Kind::kNull)) return request;
  request.dpop = presentation_of(*dpop);
  std::set<std::string, std::less<>> seen;
  if (const Value* jtis = dpop->find("seen_jti")) {
    for (const Value& jti : jtis->items()) seen.emplace(jti.string().value_or(""));
  }
  request.seen = [seen = std::move(seen)](const Thumbprint&, std::string_view jti) {
    return seen.contains(jti);
  };
  return request;
}

VectorResult judge(const Value& vector, const Verdict& verdict) {
  VectorResult result;
  result.id = text_of(vector.find("id"));
  result.outcome = outcome_name(verdict.outcome());
  if (!verdict.valid()) result.step = step_name(verdict.denial().step);
  const Value* expected = vector.find("expected");
  if (expected == nullptr) return result;
  const Value* step = expected->find("step");
  const std::string want_step(
      step == nullptr || step->is(Value::Kind::kNull) ? "" : step->string().value_or(step->source()));
  const bool same = text_of(expected->find("outcome")) == result.outcome && want_step == result.step;
  result.met = same || (!verdict.valid() && lists(expected->find("tolerated"), result.outcome));
  return result;
}

Result<VectorResult> run_vector(const Value& vector) {
  const Value* chain = vector.find("chain");
  const Value* now = vector.find("now");
  if (chain == nullptr || now == nullptr || !now->integer())
    return malformed("a vector has `chain` and an integer `now`");
  std::vector<std::string_view> tokens;
  for (const Value& token : chain->items()) tokens.push_back(token.string().value_or(""));
  VerifyOptions options;
  options.accept_es256 = lists(vector.find("accepted_algs"), "ES256");
  options.accept_ed25519 = lists(vector.find("accepted_algs"), "Ed25519");
  options.holder_signed = lists(vector.find("child_signing"), "holder");
  options.issuer_signed = lists(vector.find("child_signing"), "issuer");
  options.max_tokens = options.max_chain_bytes = static_cast<std::size_t>(-1);
  ActionRequest request;
  if (text_of(vector.find("mode")) == "request") {
    CHANCERY_ASSIGN(request, request_of(vector));
    options.request = &request;
  }
  return judge(vector,
               verify_chain(tokens, trust_of(vector), sys_seconds(seconds(*now->integer())), options));
}

Status run_one(const Value& vector, const std::function<void(const VectorResult&)>& each) {
  if (!vector.is(Value::Kind::kObject)) return malformed("a vector is a JSON object");
  CHANCERY_ASSIGN(const VectorResult result, run_vector(vector));
  each(result);
  return {};
}

Status run_lines(std::string_view text, const std::function<void(const VectorResult&)>& each) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(line, kFileLimits));
    CHANCERY_TRY(run_one(document.root(), each));
  }
  return {};
}

}  // namespace

std::string VectorResult::json() const {
  json::Node step_node = step.empty() ? json::Node(nullptr) : json::Node(step);
  if (step.size() == 1) step_node = json::Node(step.front() - '0');
  return json::to_jcs(json::Node::object({{"id", id}, {"outcome", outcome}, {"step", std::move(step_node)}}));
}

Status run_vectors(std::string_view text, const std::function<void(const VectorResult&)>& each) {
  auto document = json::Document::parse_borrowed(text, kFileLimits);
  // One vector a line is no JSON text as a whole, unless there is just one line.
  if (!document) return run_lines(text, each);
  const Value& root = document->root();
  const Value* vectors = root.find("vectors");
  if (vectors == nullptr && root.is(Value::Kind::kObject)) return run_one(root, each);
  for (const Value& vector : (vectors == nullptr ? root : *vectors).items())
    CHANCERY_TRY(run_one(vector, each));
  return {};
}

}  // namespace chancery
