#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <chancery/verify.hpp>

#include "sdk/verify/chain_custody.hpp"
#include "sdk/verify/signed_by.hpp"
#include "sdk/verify/trust_snapshot.hpp"

namespace chancery {

/// One run of the algorithm over one chain. verify_chain and explain both read their answers from it, so that
/// they cannot disagree.
class Verifier {
 public:
  Verifier(const TrustSnapshot& trust, std::chrono::sys_seconds now, const VerifyOptions& options)
      : trust_(trust.impl()),
        status_lists_(trust.status_lists()),
        ended_tokens_(trust.ended_tokens()),
        now_(now),
        options_(options) {}

  [[nodiscard]] Verdict run(std::span<const std::string_view> chain);

  /// The tokens that could be read, from the root up to the first that could not.
  [[nodiscard]] std::span<const std::shared_ptr<const Token>> tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::span<const SignedBy> signers() const noexcept { return signers_; }
  /// The anchor that the chain is rooted in; nullptr when step 1 did not pass for DT_0.
  [[nodiscard]] const ReadyAnchor* anchor() const noexcept { return anchor_; }
  /// The anchor by whose prefixes and status keys the chain's lists are judged; nullptr as above.
  [[nodiscard]] const ReadyAnchor* status_anchor() const noexcept { return status_anchor_; }

 private:
  using Check = std::optional<Denial>;

  Check run_steps(std::span<const std::string_view> chain);
  Check parse(std::span<const std::string_view> chain);
  Check parse_token(std::string_view compact, std::size_t hop);
  Check check_signatures();
  Check check_signature(std::size_t hop);
  Check check_root_signature();
  Check check_issuer_signature(std::size_t hop);
  Check check_holder_signature(std::size_t hop);
  [[nodiscard]] const char* holder_signature_fault(std::size_t hop, const Thumbprint& holder) const;
  Check check_anchor(const Thumbprint& key);
  Check check_linkage() const;
  Check check_shape();
  Check check_narrowing() const;
  Check check_validity() const;
  Check check_custody();
  Check check_holder_binding() const;
  Check check_status() const;
  Check check_status_of(std::size_t hop) const;
  Check check_holder_key(std::size_t hop) const;
  Check check_token(std::size_t hop) const;
  [[nodiscard]] bool is_status_known(std::size_t hop) const;

  [[nodiscard]] bool accepts(Algorithm algorithm) const noexcept {
    return algorithm == Algorithm::kES256 ? options_.accept_es256 : options_.accept_ed25519;
  }
  [[nodiscard]] const Claims& claims(std::size_t hop) const { return tokens_[hop]->claims(); }
  [[nodiscard]] bool verifies(std::size_t hop, const VerifyKey& key) const;
  [[nodiscard]] const VerifyKey* find_signer(std::size_t hop,
                                             const std::vector<const VerifyKey*>& keys) const;
  [[nodiscard]] const HeldStatusList* find_status_list(const std::string& uri) const;
  void remember(std::size_t hop, const Thumbprint& key);

  const TrustSnapshot::Impl& trust_;
  const HeldStatusLists& status_lists_;
  const EndedTokens& ended_tokens_;
  const std::chrono::sys_seconds now_;
  const VerifyOptions& options_;
  std::vector<std::shared_ptr<const Token>> tokens_;
  std::vector<std::optional<Thumbprint>> seen_under_;  // from the cache: the key that a token verified under
  std::vector<SignedBy> signers_;
  const ReadyAnchor* anchor_ = nullptr;
  const ReadyAnchor* status_anchor_ = nullptr;
  std::int64_t max_depth_ = 0;
  ChainCustody custody_;
};

}  // namespace chancery
