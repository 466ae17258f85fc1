#include "sdk/cli/root_custody.hpp"

#include <algorithm>
#include <string_view>

#include "sdk/verify/chain_custody.hpp"
#include "sdk/verify/counting_results.hpp"

namespace chancery::cli {
namespace {

std::vector<VerifyKey> usable(const std::vector<PublicKey>& keys) {
  std::vector<VerifyKey> out;
  for (const PublicKey& key : keys) {
    if (auto parsed = VerifyKey::from(key)) out.push_back(*std::move(parsed));
  }
  return out;
}

std::optional<AttestationResult> unverified_word(const std::vector<std::string>& results,
                                                 const Thumbprint& key) {
  for (const std::string& result : results) {
    const auto parsed = SignedAttestationResult::parse(result);
    if (parsed && parsed->claims().key == key) return parsed->claims();
  }
  return std::nullopt;
}

}  // namespace

std::string RootCustody::text() const {
  if (!said) return "nothing is said of where it lives";
  if (is_vouched) return vouched_custody(*said).text() + ". You gave that verifier's key";
  return std::string(custody_name(said->custody)) + ", as " + said->issuer +
         " says; by no current result of a verifier that you gave: the daemon's own word, which proves nothing";
}

std::vector<RootCustody> root_custody(std::span<const PublicKey> keys,
                                      const std::vector<std::string>& results,
                                      const std::vector<PublicKey>& verifiers, std::chrono::sys_seconds now) {
  std::vector<RootCustody> out;
  std::vector<Thumbprint> thumbprints;
  for (const PublicKey& key : keys) thumbprints.push_back(key.thumbprint());
  const std::vector<std::string_view> given(results.begin(), results.end());
  const std::vector<VerifyKey> believed = usable(verifiers);
  const CountingResults counting(given, {.verifiers = believed, .keys = thumbprints, .now = now});
  for (const Thumbprint& key : thumbprints) {
    const AttestationResult* vouched = counting.find(key);
    out.push_back({key, vouched == nullptr ? unverified_word(results, key) : *vouched, vouched != nullptr});
  }
  return out;
}

Checked<void> require_root_custody(const std::vector<RootCustody>& roots, CustodyRequirement requirement) {
  const auto unproven = std::ranges::find_if(roots, [&](const RootCustody& root) {
    return !root.is_vouched || !satisfies(root.said->custody, requirement);
  });
  if (unproven == roots.end()) return {};
  return failure({ErrorCode::kNoTrust,
                  "nobody that you gave (--attestation-verifier) proves of this issuer key what --require "
                  "demands: nothing was trusted"},
                 unproven->key.text());
}

}  // namespace chancery::cli
