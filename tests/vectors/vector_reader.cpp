#include "tests/vectors/vector_reader.hpp"

#include <algorithm>
#include <set>

#include <boost/test/unit_test.hpp>

#include "sdk/verify/vectors.hpp"

namespace chancery::tests {
namespace {

using json::Value;

const Value kAbsent{};  // reads as null: no items, no members, no text

const Value& at(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  return member == nullptr ? kAbsent : *member;
}

std::string text(const Value& value) { return std::string(value.string().value_or("")); }

std::vector<std::string> texts(const Value& array) {
  std::vector<std::string> out;
  for (const Value& item : array.items()) out.push_back(text(item));
  return out;
}

std::vector<PublicKey> keys(const Value& array) {
  std::vector<PublicKey> out;
  for (const Value& item : array.items()) {
    if (const auto key = parse_jwk(item.source())) out.push_back(*key);
  }
  return out;
}

std::chrono::sys_seconds instant(const Value& value) {
  return std::chrono::sys_seconds(std::chrono::seconds(value.integer().value()));
}

std::chrono::seconds duration(const Value& value) { return std::chrono::seconds(value.integer().value()); }

TrustConfig read_trust(const Value& vector) {
  TrustConfig trust;
  trust.anchors.emplace_back().keys = keys(at(vector, "trusted_roots"));
  trust.issuers = keys(at(vector, "trusted_issuers"));
  trust.status_keys = keys(at(vector, "status_keys"));
  for (const Value& list : at(vector, "status_lists").items()) {
    if (!at(list, "token").string()) continue;
    trust.status_lists.push_back(
        {text(at(list, "uri")), text(at(list, "token")), instant(at(list, "fetched_at"))});
  }
  return trust;
}

DpopPresentation read_dpop(const Value& dpop) {
  DpopPresentation out{text(at(dpop, "proof")),        text(at(dpop, "htm")),
                       text(at(dpop, "htu")),          std::nullopt,
                       duration(at(dpop, "iat_past")), duration(at(dpop, "iat_future"))};
  if (at(dpop, "nonce").string()) out.nonce = text(at(dpop, "nonce"));
  return out;
}

ActionRequest read_request(const Value& vector) {
  const Value& action = at(vector, "action");
  ActionRequest request;
  request.audience = text(at(vector, "audience"));
  request.scope = text(at(action, "scope"));
  request.parameters = parse_parameters(at(action, "params").source()).value();
  HeldTotals held;
  for (const json::Member& total : at(at(action, "totals"), "max_lifetime").members()) {
    if (total.value.number()) held.max_lifetime[std::string(total.name)] = *total.value.number();
  }
  for (const json::Member& total : at(at(action, "totals"), "max_subtree").members()) {
    if (total.value.number()) held.max_subtree[std::string(total.name)] = *total.value.number();
  }
  request.totals = {held};
  const Value& dpop = at(vector, "dpop");
  if (!dpop.is(Value::Kind::kObject)) return request;
  request.dpop = read_dpop(dpop);
  const auto seen = texts(at(dpop, "seen_jti"));
  request.seen = [seen = std::set<std::string, std::less<>>(seen.begin(), seen.end())](
                     const Thumbprint&, std::string_view jti) { return seen.contains(jti); };
  return request;
}

// What a verdict says, in one line, so that two of them compare as a whole.
std::string told(const Verdict& verdict) {
  std::string out(outcome_name(verdict.outcome()));
  if (!verdict.valid()) {
    const Denial& denial = verdict.denial();
    out.append(" step ").append(step_name(denial.step)).append(" hop ").append(std::to_string(denial.hop));
    out.append(": ").append(denial.reason).append(" expected ").append(denial.expected);
    out.append(" found ").append(denial.found).append(" remedy ").append(denial.remedy);
  }
  for (const std::string_view check : verdict.not_performed()) out.append(" without ").append(check);
  return out;
}

// A person is told what to do about every denial, and, of all that was read, what would have passed.
void check_told(const Denial& denial) {
  BOOST_TEST(std::string_view(denial.reason) != "");
  BOOST_TEST(denial.remedy != "");
  if (denial.step != Step::kParse) BOOST_TEST(denial.expected != "");
}

void check_agreement(const ReadVector& vector, const VectorResult& result, VerificationCache& cache) {
  const auto chain = vector.chain();
  const TrustSnapshot trust(vector.trust);
  const VerifyOptions options = vector.options_with(nullptr);
  const Verdict verdict = verify_chain(chain, trust, vector.now, options);
  BOOST_TEST(outcome_name(verdict.outcome()) == result.outcome);
  if (!verdict.valid()) {
    BOOST_TEST(step_name(verdict.denial().step) == result.step);
    check_told(verdict.denial());
  }
  BOOST_TEST(told(explain(chain, trust, vector.now, options).verdict) == told(verdict));
  for (const std::string_view pass : {"cold", "warm"}) {
    BOOST_TEST_CONTEXT(pass << " cache") {
      BOOST_TEST(told(verify_chain(chain, trust, vector.now, vector.options_with(&cache))) == told(verdict));
    }
  }
}

}  // namespace

VerifyOptions ReadVector::options_with(VerificationCache* cache) const {
  VerifyOptions out = options;
  out.request = request ? &*request : nullptr;
  out.cache = cache;
  return out;
}

bool ReadVector::met_by(std::string_view got_outcome, std::string_view got_step) const {
  if (got_outcome == outcome && got_step == step) return true;
  return got_outcome != "valid" && std::ranges::find(tolerated, got_outcome) != tolerated.end();
}

ReadVector read_vector(const json::Value& vector) {
  ReadVector out;
  out.id = text(at(vector, "id"));
  out.tokens = texts(at(vector, "chain"));
  out.trust = read_trust(vector);
  out.now = instant(at(vector, "now"));
  const auto algorithms = texts(at(vector, "accepted_algs"));
  const auto signing = texts(at(vector, "child_signing"));
  const auto names = [](const std::vector<std::string>& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
  };
  out.options.accept_es256 = names(algorithms, "ES256");
  out.options.accept_ed25519 = names(algorithms, "Ed25519");
  out.options.holder_signed = names(signing, "holder");
  out.options.issuer_signed = names(signing, "issuer");
  out.options.max_tokens = out.options.max_chain_bytes = SIZE_MAX;
  if (text(at(vector, "mode")) == "request") out.request = read_request(vector);
  const Value& expected = at(vector, "expected");
  out.outcome = text(at(expected, "outcome"));
  const Value& step = at(expected, "step");
  if (step.integer()) out.step = std::to_string(*step.integer());
  if (step.string()) out.step = *step.string();
  out.tolerated = texts(at(expected, "tolerated"));
  return out;
}

std::size_t check_vector_file(const std::string& text) {
  std::vector<VectorResult> results;
  const Status ran = run_vectors(text, [&](const VectorResult& result) { results.push_back(result); });
  BOOST_REQUIRE(ran.has_value());
  constexpr json::Limits kFile{.max_depth = 64, .max_values = 1u << 24, .allow_unsafe_integers = true};
  const auto document = json::Document::parse_borrowed(text, kFile);
  BOOST_REQUIRE(document.has_value());
  const auto vectors = document->root().find("vectors")->items();
  BOOST_REQUIRE(results.size() == vectors.size());
  VerificationCache cache(256);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const ReadVector vector = read_vector(vectors[i]);
    BOOST_TEST_CONTEXT("vector " << vector.id << ", judged " << results[i].outcome << " at step "
                                 << results[i].step) {
      BOOST_TEST(results[i].id == vector.id);
      BOOST_TEST(vector.met_by(results[i].outcome, results[i].step));
      BOOST_TEST(results[i].met);
      check_agreement(vector, results[i], cache);
    }
  }
  return results.size();
}

}  // namespace chancery::tests
