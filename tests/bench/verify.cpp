#include <array>
#include <chrono>
#include <cstdlib>
#include <vector>

#include <openssl/evp.h>
#include <sched.h>

#include <chancery/verify.hpp>

#include "sdk/crypto/hash.hpp"
#include "sdk/crypto/openssl_handles.hpp"
#include "sdk/verify/vectors.hpp"
#include "tests/bench/report.hpp"
#include "tests/unit/sdk/issued_chain.hpp"
#include "tests/unit/sdk/vouched_chain.hpp"
#include "tests/vectors/source_files.hpp"

namespace chancery::bench {
namespace {

using tests::IssuedChain;
using tests::kIssuedNow;

// Many short rounds: most of them pass between two turns of the scheduler, so the medians stand on a busy
// machine too.
constexpr std::size_t kRounds = 801;
constexpr std::size_t kTokens = 3;
constexpr std::size_t kChainsARound = 4;

[[noreturn]] void fail() { std::abort(); }  // a figure of something that did not work would be a lie

/// Keeps this thread on the core that it runs on, and lets it go again at the end.
class PinnedToCore {
 public:
  PinnedToCore() {
    if (sched_getaffinity(0, sizeof before_, &before_) != 0) fail();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) fail();
  }
  ~PinnedToCore() { sched_setaffinity(0, sizeof before_, &before_); }
  PinnedToCore(const PinnedToCore&) = delete;
  PinnedToCore& operator=(const PinnedToCore&) = delete;

 private:
  cpu_set_t before_;
};

/// What we compare with: OpenSSL's own P-256 verification, nothing else. The key is parsed, the context
/// reused, the digest and the DER signature at hand.
class BareVerification {
 public:
  BareVerification() : key_(EVP_EC_gen("P-256")), digest_(sha256(as_bytes("bench"))) {
    const openssl::PkeyContext signer(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    std::size_t size = signature_.size();
    if (EVP_PKEY_sign_init(signer.get()) != 1 ||
        EVP_PKEY_sign(signer.get(), signature_.data(), &size, digest_.data(), digest_.size()) != 1) {
      fail();
    }
    signature_.resize(size);
    context_.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    if (EVP_PKEY_verify_init(context_.get()) != 1) fail();
  }

  void run() const {
    if (EVP_PKEY_verify(context_.get(), signature_.data(), signature_.size(), digest_.data(),
                        digest_.size()) != 1) {
      fail();
    }
  }

 private:
  openssl::Pkey key_;
  openssl::PkeyContext context_;
  Sha256Digest digest_;
  Bytes signature_ = Bytes(80);
};

template <typename Work>
double microseconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

void require_valid(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                   VerificationCache* cache) {
  VerifyOptions options;
  options.cache = cache;
  if (!verify_chain(chain, trust, kIssuedNow, options).valid()) fail();
}

// Chains that share the first two tokens; each has a leaf of its own.
std::vector<std::string> sign_leaves(const IssuedChain& parents) {
  std::vector<std::string> leaves;
  Claims claims = tests::child_claims(parents.leaf(), parents.leaf_key().public_key());
  for (std::size_t i = 0; i < kChainsARound; ++i) {
    claims.jti = "leaf-" + std::to_string(i);
    leaves.push_back(tests::sign_token(claims, parents.leaf_key(), true));
  }
  return leaves;
}

struct Medians {
  double bare = 0;  ///< one verification
  double cold = 0;  ///< one chain
  double warm = 0;
  double hit = 0;
};

// Every round measures each kind once, so that a change of the machine's speed meets all of them alike.
Medians measure() {
  const BareVerification bare;
  const IssuedChain parents = tests::issue_chain(kTokens - 1);
  const TrustSnapshot trust = parents.trust();
  const std::vector<std::string> leaves = sign_leaves(parents);
  std::vector<std::vector<std::string_view>> chains;
  for (const std::string& leaf : leaves) chains.push_back({parents.tokens[0], parents.tokens[1], leaf});
  std::vector<double> bare_times, cold_times, warm_times, hit_times;
  for (std::size_t round = 0; round < kRounds; ++round) {
    VerificationCache cache(4 * kChainsARound);
    require_valid(parents.views(), trust, &cache);
    const auto all = [&](VerificationCache* with) {
      return microseconds([&] {
               for (const auto& chain : chains) require_valid(chain, trust, with);
             }) /
             kChainsARound;
    };
    bare_times.push_back(microseconds([&] {
                           for (std::size_t i = 0; i < kTokens * kChainsARound; ++i) bare.run();
                         }) /
                         (kTokens * kChainsARound));
    cold_times.push_back(all(nullptr));
    warm_times.push_back(all(&cache));
    hit_times.push_back(all(&cache));
  }
  return {median(bare_times), median(cold_times), median(warm_times), median(hit_times)};
}

/// A chain of three whose last token was never seen, and the same with an attestation result about each key that was;
/// then the second with everything seen before.
struct CustodyMedians {
  double without = 0;
  double with = 0;
  double hit = 0;
};

CustodyMedians measure_custody() {
  const tests::VouchedChain vouched = tests::vouched_chain(kTokens);
  const TrustSnapshot trust = vouched.trust();
  const std::vector<std::string> results = vouched.signed_results();
  const std::vector<std::string_view> given = tests::views(results);
  std::vector<std::string> leaves;
  Claims claims = vouched.chain.leaf().claims();
  for (std::size_t i = 0; i < kChainsARound; ++i) {
    claims.jti = "leaf-" + std::to_string(i);
    leaves.push_back(tests::sign_token(claims, vouched.chain.keys[kTokens - 1], true));
  }
  const auto judge = [&](std::string_view leaf, VerificationCache& cache, bool is_required) {
    const std::array<std::string_view, kTokens> chain{vouched.chain.tokens[0], vouched.chain.tokens[1], leaf};
    VerifyOptions options;
    options.cache = &cache;
    if (is_required) options.custody = CustodyRequirement::kHardware;
    if (is_required) options.attestation_results = given;
    if (!verify_chain(chain, trust, kIssuedNow, options).valid()) fail();
  };
  const auto all = [&](VerificationCache& cache, bool is_required) {
    return microseconds([&] {
             for (const std::string& leaf : leaves) judge(leaf, cache, is_required);
           }) /
           kChainsARound;
  };
  std::vector<double> without, with, hit;
  for (std::size_t round = 0; round < kRounds; ++round) {
    VerificationCache bare(4 * kChainsARound);
    VerificationCache cache(4 * kChainsARound);
    judge(vouched.chain.tokens[2], bare, false);
    judge(vouched.chain.tokens[2], cache, true);
    without.push_back(all(bare, false));
    with.push_back(all(cache, true));
    hit.push_back(all(cache, true));
  }
  return {median(without), median(with), median(hit)};
}

double vectors_per_second() {
  const std::string sample = tests::read_source_file("tests/vectors/data/vectors/delegation-chain.json");
  std::vector<double> times;
  std::size_t vectors = 0;
  for (int round = 0; round < 11; ++round) {
    vectors = 0;
    times.push_back(microseconds([&] {
      if (!run_vectors(sample, [&](const VectorResult& result) { vectors += result.met; })) fail();
    }));
  }
  return static_cast<double>(vectors) * 1e6 / median(times);
}

}  // namespace

/// Verification beside what it must contain, bare P-256: all on one core.
void bench_verify(Report& report) {
  const PinnedToCore pinned;
  const Medians medians = measure();
  const auto tokens = static_cast<double>(kTokens);
  report.add("bare_verify_us", medians.bare);
  report.add("verify_cold_us", medians.cold);
  report.add("verify_cold_ratio", medians.cold / (tokens * medians.bare));
  report.add("verify_warm_us", medians.warm);
  report.add("verify_warm_ratio", medians.warm / medians.bare);
  report.add("verify_hit_us", medians.hit);
  report.add("other_us_per_token", (medians.cold - tokens * medians.bare) / tokens);
  const CustodyMedians custody = measure_custody();
  report.add("verify_custody_ratio", custody.with / custody.without);
  report.add("verify_custody_hit_us", custody.hit);
  report.add("vectors_per_second", vectors_per_second());
}

}  // namespace chancery::bench
