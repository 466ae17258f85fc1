#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/custody.hpp>
#include <chancery/hop_custody.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>
#include <chancery/time_zones.hpp>
#include <chancery/token.hpp>
#include <chancery/trust.hpp>

namespace chancery {

/// The vocabulary of verdicts, in the API, the CLI, the metrics and the vectors.
enum class Outcome : std::uint8_t {
  kValid,
  kMalformed,
  kNonCanonical,
  kDuplicateMember,
  kNonFinite,
  kSignatureInvalid,
  kParHashMismatch,
  kDepthInvalid,
  kPrincipalAltered,
  kNotNarrower,
  kExpired,
  kHolderBindingFailed,
  kRevoked,
  kStatusUnknown,
  kAudienceMismatch,
  kScopeNotGranted,
  kCeilingExceeded,
  kUnknownConstraint,
  kCustodyUnproven,
};

/// "valid", "malformed", … in snake case.
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;

/// The steps of docs/protocol/verification.md, in the order in which they run.
enum class Step : std::uint8_t {
  kParse,
  kSignature,      ///< 1
  kLinkage,        ///< 2
  kShape,          ///< 3: depth, then principal
  kNarrowing,      ///< 4
  kValidity,       ///< 5
  kCustody,        ///< beside the specification's steps; where it is required only
  kHolderBinding,  ///< 6, request only
  kStatus,         ///< 7
  kAction,         ///< 8, request only
};

/// "parse", "1" … "5", "custody", "6" … "8".
[[nodiscard]] std::string_view step_name(Step step) noexcept;
/// What the step does, for people: "signatures", "narrowing", …
[[nodiscard]] std::string_view step_title(Step step) noexcept;

/// A parameter of an action: any JSON value.
struct ParameterValue {
  std::string jcs;                  ///< its canonical form: what membership compares; empty: within no bound
  std::optional<double> number;     ///< set when it is a number
  std::optional<std::string> text;  ///< set when it is a string

  /// A number that is not finite has no canonical form: every constraint on it denies.
  [[nodiscard]] static ParameterValue of(double number);
  [[nodiscard]] static ParameterValue of(std::string_view text);
};
using Parameters = std::map<std::string, ParameterValue, std::less<>>;

/// Reads a JSON object's members as parameters. \return kMalformed, kNonFinite, kDuplicateMember
[[nodiscard]] Result<Parameters> parse_parameters(std::string_view json);

/// Running totals of one token, this action included, by constraint key; from whoever holds the ledger.
struct HeldTotals {
  std::map<std::string, double, std::less<>> max_lifetime;
  std::map<std::string, double, std::less<>> max_subtree;
  std::map<std::string, double, std::less<>>
      max_rate;  ///< of the token and its descendants, within the window of now
};

/// A DPoP proof (RFC 9449) and what the server knows of the request that it came with.
struct DpopPresentation {
  std::string proof;                 ///< the compact `dpop+jwt`
  std::string htm;                   ///< the request's method
  std::string htu;                   ///< the request's URI
  std::optional<std::string> nonce;  ///< the one that the server demanded
  std::chrono::seconds iat_past{300};
  std::chrono::seconds iat_future{60};
};

/// An action that a holder wants to perform, as an enforcement point sees it.
struct ActionRequest {
  std::string audience;  ///< the enforcement point's own identifier
  std::string scope;
  Parameters parameters;
  /// Totals by hop, leaf first: whoever holds the ledger gives all. Those of hops beyond the end are not
  /// checked, and `ancestor_totals` is reported as not performed when one of them bounds a total.
  std::vector<HeldTotals> totals;
  std::optional<DpopPresentation> dpop;  ///< absent: denied
  bool ada_required =
      false;  ///< the proof must name this action (`ada`); one that is there must match always
  /// Whether this proof of this key was seen before. Absent: the replay check is reported as not performed.
  std::function<bool(const Thumbprint& key, std::string_view jti)> seen;
};

class VerificationCache;

struct VerifyOptions {
  bool accept_es256 = true;
  bool accept_ed25519 = true;
  bool holder_signed = true;   ///< children signed by their parent's holder key
  bool issuer_signed = false;  ///< children signed by an issuer key, or an anchor that may speak for the root
  std::size_t max_tokens = 16;
  std::size_t max_chain_bytes = 262144;
  const ActionRequest* request = nullptr;  ///< present: steps 6 and 8 too; borrowed for the call
  VerificationCache* cache = nullptr;      ///< remembers tokens whose signatures it has seen; borrowed
  const TimeZones* zones = nullptr;        ///< for `time_window`, which without them denies; borrowed

  /// What must be proved of every holder's key; absent: custody is reported as not performed.
  std::optional<CustodyRequirement> custody;
  /// With a requirement: how long ago the evidence may have been judged; absent: as long as its result counts.
  std::optional<std::chrono::seconds> custody_max_age;
  /// Compact `eat+jwt`, of which the first kMaxAttestationResults are read; borrowed.
  std::span<const std::string_view> attestation_results;
  /// What the caller knows of keys from evidence that it judged itself: counts before any result; borrowed.
  std::span<const ProvedCustody> proved_keys;
};

/// Why a chain is denied.
struct Denial {
  Outcome outcome = Outcome::kMalformed;
  Step step = Step::kParse;
  int hop = -1;             ///< 0-based token; -1 when it concerns the chain as a whole
  const char* reason = "";  ///< one sentence, a literal
  std::string expected;     ///< what would have passed; may quote the chain, so treat as untrusted text
  std::string found;
  std::string remedy;  ///< the narrowest change that would pass this check
};

/// A chain that passed. Only verify_chain makes one.
class VerifiedChain {
 public:
  [[nodiscard]] std::span<const std::shared_ptr<const Token>> tokens() const noexcept { return tokens_; }
  [[nodiscard]] const Token& root() const noexcept { return *tokens_.front(); }
  [[nodiscard]] const Token& leaf() const noexcept { return *tokens_.back(); }
  [[nodiscard]] const std::string& principal() const noexcept { return root().claims().sub; }
  /// The smallest `del_max_depth` along the chain.
  [[nodiscard]] std::int64_t max_depth() const noexcept { return max_depth_; }

 private:
  friend class Verifier;
  VerifiedChain() = default;
  std::vector<std::shared_ptr<const Token>> tokens_;
  std::int64_t max_depth_ = 0;
};

/// What verification found. `not_performed` names checks that this call did not make: without them nobody may
/// say that anything is authorized (holder_binding) or that an action is permitted (action).
class Verdict {
 public:
  [[nodiscard]] bool valid() const noexcept { return chain_.has_value(); }
  [[nodiscard]] Outcome outcome() const noexcept { return valid() ? Outcome::kValid : denial_.outcome; }
  /// Aborts unless valid.
  [[nodiscard]] const VerifiedChain& chain() const;
  /// Aborts when valid.
  [[nodiscard]] const Denial& denial() const;
  /// "holder_binding", "replay", "action", "custody", "ancestor_totals"; literals.
  [[nodiscard]] const std::vector<std::string_view>& not_performed() const noexcept { return not_performed_; }
  /// What is and what is not proved of each token's key, root first. Empty unless steps 1 to 5 passed and a
  /// requirement, results or proved keys were given.
  [[nodiscard]] const std::vector<HopCustody>& custody() const noexcept { return custody_; }
  /// Of the results that were given those that did not count, in their order; as custody().
  [[nodiscard]] const std::vector<IgnoredResult>& ignored_results() const noexcept {
    return ignored_results_;
  }

 private:
  friend class Verifier;
  std::optional<VerifiedChain> chain_;
  Denial denial_;
  std::vector<std::string_view> not_performed_;
  std::vector<HopCustody> custody_;
  std::vector<IgnoredResult> ignored_results_;
};

/// Verifies a delegation chain and returns what it proves.
///
/// Runs the steps of docs/protocol/verification.md in order and stops at the first that fails.
/// Pure: reads no clock, file, socket or global. Thread-safe. Cost: one signature check a token, fewer when
/// `options.cache` has seen a token before; for each attestation result about a key of the chain as much.
/// \param chain  compact tokens, root first; borrowed for the call only
/// \param now    the instant to judge validity against, whole seconds UTC
[[nodiscard]] Verdict verify_chain(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                                   std::chrono::sys_seconds now, const VerifyOptions& options = {});

class SignedAttestationResult;

/// Remembers parsed tokens and attestation results whose signature verified, each with the key that it verified
/// under. A hit proves the same octets, compared in full, under the same key. Bounded, in octets too: what is longer
/// than 8 KiB is not kept. Thread-safe.
class VerificationCache {
 public:
  /// \param capacity  tokens, and besides results, kept at most; rounded up to a multiple of four
  explicit VerificationCache(std::size_t capacity);
  ~VerificationCache();
  VerificationCache(const VerificationCache&) = delete;
  VerificationCache& operator=(const VerificationCache&) = delete;

  struct Entry {
    std::shared_ptr<const Token> token;
    Thumbprint verified_under;
  };
  [[nodiscard]] std::optional<Entry> find(std::string_view compact) const;
  void remember(std::shared_ptr<const Token> token, const Thumbprint& verified_under);

  struct ResultEntry {
    std::shared_ptr<const SignedAttestationResult> result;
    Thumbprint verified_under;
  };
  [[nodiscard]] std::optional<ResultEntry> find_result(std::string_view compact) const;
  void remember(std::shared_ptr<const SignedAttestationResult> result, const Thumbprint& verified_under);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ---------------------------------------------------------------------------------------------------------
// Explanation

/// One token of a chain, told for a person. All texts come from the chain and are untrusted.
struct HopExplanation {
  enum class State : std::uint8_t {
    kPassed,  ///< every step; in a denied chain every step up to the one that failed further down
    kFailed,
    kNotReached,  ///< by the step that failed
    kRead,        ///< well-formed, and nothing more is known: another token is not
    kUnreadable,
  };
  State state = State::kNotReached;
  std::string giver;     ///< the issuer of DT_0; else the parent's agent
  std::string receiver;  ///< `client_id`: claimed by the giver
  std::string principal;
  std::string signed_with;  ///< how and by which key: "trust anchor ‹thumbprint›", "holder key ‹thumbprint›"
  std::string holder;   ///< thumbprint of the receiver's key
  std::string custody;  ///< what is proved of where that key is; empty when nobody asked
  std::string audience;
  std::string scopes;
  std::vector<std::string> constraints;
  std::string valid_from;  ///< RFC 3339, UTC
  std::string valid_until;
};

/// The verdict of verify_chain, hop by hop.
struct Explanation {
  Verdict verdict;
  std::size_t tokens = 0;            ///< how many the chain has
  std::vector<HopExplanation> hops;  ///< of those up to the first that cannot be read

  /// Several lines for a terminal; control characters of the chain are escaped.
  [[nodiscard]] std::string text() const;
};

/// Runs verify_chain and tells who gave what to whom, with which key, until when, which check failed, what
/// was expected and found, which checks were not performed, and what would make it pass.
[[nodiscard]] Explanation explain(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                                  std::chrono::sys_seconds now, const VerifyOptions& options = {});

/// Divides the text form `DT_0~…~DT_n`; white space at both ends is dropped. Borrowed.
[[nodiscard]] std::vector<std::string_view> split_chain(std::string_view text);

/// That text form.
[[nodiscard]] std::string join_chain(std::span<const std::string> tokens);

}  // namespace chancery
