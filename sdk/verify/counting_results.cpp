#include "sdk/verify/counting_results.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <utility>

namespace chancery {
namespace {

using Held = std::shared_ptr<const SignedAttestationResult>;

constexpr std::size_t kMostForKey = 4;  // several verifiers, and a newer result beside one that still counts
constexpr const char* kOlder = "a newer one about the same key counts";

/// A result that may count, or why it does not.
struct Looked {
  Held result;
  const char* fault = nullptr;
};

Looked ignore(const char* fault) { return {nullptr, fault}; }

bool accepts(const ResultTerms& terms, Algorithm algorithm) {
  return algorithm == Algorithm::kES256 ? terms.accept_es256 : terms.accept_ed25519;
}

const char* fault_of(const SignedAttestationResult& result, const ResultTerms& terms) {
  if (!accepts(terms, *result.algorithm())) return "its signature's algorithm is not accepted";
  switch (judge_times(result.claims(), terms.now)) {
    case ResultTimes::kCurrent:
      return nullptr;
    case ResultTimes::kIssuedLater:
      return "it counts later only: its `iat` is to come";
    case ResultTimes::kEvidenceLater:
      return "its evidence is of a time to come";
    case ResultTimes::kExpired:
      return "it has expired";
  }
  std::abort();
}

/// Reads results one after the other. Whoever presents them must not choose how many signatures are verified: one for a
/// result, under the verifier that it names, and kMostForKey for each key that is asked about.
class Reader {
 public:
  explicit Reader(const ResultTerms& terms) : terms_(terms), read_(terms.keys.size()) {}

  Looked look(std::string_view compact) {
    Looked looked = read(compact);
    if (looked.fault == nullptr) looked.fault = fault_of(*looked.result, terms_);
    return looked;
  }

 private:
  // A result that was remembered takes its place among those for its key too: a verdict does not depend on the cache.
  Looked read(std::string_view compact) {
    const auto known = terms_.cache == nullptr ? std::nullopt : terms_.cache->find_result(compact);
    Held result = known ? known->result : nullptr;
    if (!result) {
      auto parsed = SignedAttestationResult::parse(compact);
      if (!parsed) return ignore(parsed.error().what);
      result = std::make_shared<const SignedAttestationResult>(*std::move(parsed));
    }
    const auto about = std::ranges::find(terms_.keys, result->claims().key);
    if (about == terms_.keys.end()) return ignore("it is about none of these keys");
    const VerifyKey* signer = result->named_signer(terms_.verifiers);
    if (signer == nullptr) return ignore("it is signed by no attestation verifier that counts here");
    if (read_[static_cast<std::size_t>(about - terms_.keys.begin())]++ >= kMostForKey)
      return ignore("from here on there are more about its key than are read");
    if (known && known->verified_under == signer->thumbprint()) return {std::move(result), nullptr};
    if (!result->verifies_under(*signer)) return ignore("its signature does not verify: it was changed");
    if (terms_.cache != nullptr) terms_.cache->remember(result, signer->thumbprint());
    return {std::move(result), nullptr};
  }

  const ResultTerms& terms_;
  std::vector<std::size_t> read_;  // by key
};

auto age_of(const AttestationResult& claims) { return std::tuple(claims.issued_at, claims.evidence_at); }

}  // namespace

CountingResults::CountingResults(std::span<const std::string_view> results, const ResultTerms& terms) {
  Reader reader(terms);
  for (std::size_t index = 0; index < results.size(); ++index) {
    if (index == kMaxAttestationResults) {
      ignored_.push_back({index, "from here on there are more results than are read"});
      break;
    }
    Looked looked = reader.look(results[index]);
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
