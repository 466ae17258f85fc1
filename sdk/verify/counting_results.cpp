#include "sdk/verify/counting_results.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace chancery {
namespace {

using Held = std::shared_ptr<const SignedAttestationResult>;

constexpr const char* kOlder = "a newer one about the same key counts";

/// A result that may count, or why it does not.
struct Looked {
  Held result;
  const char* fault = nullptr;
};

Looked ignore(const char* fault) { return {nullptr, fault}; }

bool has_key(std::span<const VerifyKey> keys, const Thumbprint& thumbprint) {
  return std::ranges::find(keys, thumbprint, &VerifyKey::thumbprint) != keys.end();
}

bool accepts(const ResultTerms& terms, Algorithm algorithm) {
  return algorithm == Algorithm::kES256 ? terms.accept_es256 : terms.accept_ed25519;
}

// Verified once, while its octets and its key stay the same. Only a result about a key of the chain costs a
// verification: whoever presents results must not choose how many.
Looked read(std::string_view compact, const ResultTerms& terms) {
  if (compact.size() > kMaxAttestationResult) return ignore("it is longer than a result is");
  const auto known = terms.cache == nullptr ? std::nullopt : terms.cache->find_result(compact);
  if (known && has_key(terms.verifiers, known->verified_under)) return {known->result, nullptr};
  auto parsed = SignedAttestationResult::parse(compact);
  if (!parsed) return ignore(parsed.error().what);
  if (std::ranges::find(terms.keys, parsed->claims().key) == terms.keys.end())
    return ignore("it is about none of these keys");
  const VerifyKey* signer = parsed->signer(terms.verifiers);
  if (signer == nullptr) return ignore("it is signed by no attestation verifier that counts here");
  auto result = std::make_shared<const SignedAttestationResult>(*std::move(parsed));
  if (terms.cache != nullptr) terms.cache->remember(result, signer->thumbprint());
  return {std::move(result), nullptr};
}

const char* fault_of(const SignedAttestationResult& result, const ResultTerms& terms) {
  const AttestationResult& claims = result.claims();
  if (std::ranges::find(terms.keys, claims.key) == terms.keys.end()) return "it is about none of these keys";
  if (!accepts(terms, *result.algorithm())) return "its signature's algorithm is not accepted";
  if (claims.issued_at > terms.now) return "it counts later only: its `iat` is to come";
  if (claims.evidence_at > terms.now) return "its evidence is of a time to come";
  if (claims.expires_at <= terms.now) return "it has expired";
  return nullptr;
}

Looked look(std::string_view compact, const ResultTerms& terms) {
  Looked looked = read(compact, terms);
  if (looked.fault == nullptr) looked.fault = fault_of(*looked.result, terms);
  return looked;
}

auto age_of(const AttestationResult& claims) { return std::tuple(claims.issued_at, claims.evidence_at); }

}  // namespace

CountingResults::CountingResults(std::span<const std::string_view> results, const ResultTerms& terms) {
  for (std::size_t index = 0; index < results.size(); ++index) {
    if (index == kMaxAttestationResults) {
      ignored_.push_back({index, "from here on there are more results than are read"});
      break;
    }
    Looked looked = look(results[index], terms);
    if (looked.fault == nullptr) {
      keep_newest({index, std::move(looked.result)});
    } else {
      ignored_.push_back({index, looked.fault});
    }
  }
  std::ranges::sort(ignored_, {}, &IgnoredResult::index);
}

void CountingResults::keep_newest(Counting candidate) {
  const AttestationResult& claims = candidate.result->claims();
  const auto rival = std::ranges::find(counting_, claims.key,
                                       [](const Counting& held) { return held.result->claims().key; });
  if (rival == counting_.end()) {
    counting_.push_back(std::move(candidate));
    return;
  }
  if (age_of(claims) > age_of(rival->result->claims())) std::swap(*rival, candidate);
  ignored_.push_back({candidate.index, kOlder});
}

const AttestationResult* CountingResults::find(const Thumbprint& key) const noexcept {
  const auto held =
      std::ranges::find_if(counting_, [&](const Counting& each) { return each.result->claims().key == key; });
  return held == counting_.end() ? nullptr : &held->result->claims();
}

}  // namespace chancery
