#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <chancery/bytes.hpp>
#include <chancery/keys.hpp>
#include <chancery/result.hpp>

namespace chancery {

// ---------------------------------------------------------------------------------------------------------
// Scopes (docs/protocol/delegation-chain.md, section 3)

enum class ScopeForm : std::uint8_t {
  kLiteral,   ///< `crm.read`
  kWildcard,  ///< `crm.*`
  kOpaque,    ///< `User.Read`, `openid`
};

/// The form of a scope, by its octets; nullopt when it is none.
[[nodiscard]] std::optional<ScopeForm> classify_scope(std::string_view scope) noexcept;

/// Whether everything that `inner` allows, `outer` allows. A scope of no form covers nothing.
[[nodiscard]] bool scope_covers(std::string_view outer, std::string_view inner) noexcept;

// ---------------------------------------------------------------------------------------------------------
// Constraints

/// `max`, `min`, `max_lifetime`, `max_subtree`: a bound on one number.
struct NumberBound {
  enum class Type : std::uint8_t { kMax, kMin, kMaxLifetime, kMaxSubtree };
  Type type = Type::kMax;
  double value = 0;
  bool operator==(const NumberBound&) const = default;
};

/// `one_of`, `not_one_of`: membership by equality of JCS octets.
struct Membership {
  bool negated = false;
  std::vector<std::string> values;  ///< each the JCS form of one JSON value
  bool operator==(const Membership&) const = default;
};

struct Prefix {
  std::string value;
  bool operator==(const Prefix&) const = default;
};

struct Rank {
  std::string value;               ///< one of `order`
  std::vector<std::string> order;  ///< distinct, least permissive first
  bool operator==(const Rank&) const = default;
};

/// `max_rate`: a bound on the running total of a token and its descendants within the current second, minute or
/// hour (whole ones since 1970, UTC).
struct RateBound {
  enum class Per : std::uint8_t { kSecond, kMinute, kHour };
  double count = 0;  ///< not negative
  Per per = Per::kMinute;
  bool operator==(const RateBound&) const = default;
};

/// `time_window`: when an action may be performed, by the local time of a zone. It never crosses midnight.
struct TimeWindow {
  std::uint8_t days = 0;         ///< bit 0 is Monday, bit 6 Sunday; at least one
  std::chrono::minutes from{0};  ///< since local midnight by the clock on the wall; inclusive
  std::chrono::minutes to{0};    ///< exclusive; after `from`, at most 24 hours
  std::string zone;              ///< of the IANA database, "Europe/Berlin"
  bool operator==(const TimeWindow&) const = default;
};

/// A type that this version does not know: denies every action, narrows only to its own octets.
struct UnknownRule {
  std::string type;
  std::string jcs;  ///< the typed member's value
  bool operator==(const UnknownRule&) const = default;
};

using ConstraintRule =
    std::variant<NumberBound, Membership, Prefix, Rank, RateBound, TimeWindow, UnknownRule>;

/// One bound on one parameter. (key, type) is unique within an authority.
struct Constraint {
  std::string key;  ///< a parameter's name, or `SCOPE#NAME`: that parameter of actions in reach of SCOPE
  ConstraintRule rule;

  /// The name of the typed member: "max", "one_of", …
  [[nodiscard]] std::string_view type() const noexcept;
  bool operator==(const Constraint&) const = default;
};

/// What a qualified key speaks of: `payments.refund#amount` is {payments.refund, amount}.
struct QualifiedKey {
  std::string_view scope;
  std::string_view name;
};

/// Divides a key at its first `#`; nullopt when the key is the name of a parameter of every action.
[[nodiscard]] std::optional<QualifiedKey> qualified_key(std::string_view key) noexcept;

/// Whether a constraint of that key speaks of an action under `scope`.
[[nodiscard]] bool key_reaches(std::string_view key, std::string_view scope) noexcept;

// ---------------------------------------------------------------------------------------------------------
// Authority

/// What a token allows: scopes, each action being covered by one, within all constraints.
struct Authority {
  std::vector<std::string> scopes;
  std::vector<Constraint> constraints;

  /// Reads `{"scopes": […], "constraints": […]}` as a request body or a configuration has it; both optional.
  /// \return the authority, or kMalformed, kNonFinite, kDuplicateMember
  [[nodiscard]] static Result<Authority> parse(std::string_view json);

  /// `{"constraints":[…],"scopes":[…],"type":"agent_delegation"}` in JCS.
  [[nodiscard]] std::string jcs() const;
};

/// One way in which a child exceeds its parent.
struct Excess {
  enum class Kind : std::uint8_t { kScope, kConstraintMissing, kConstraintWider };
  Kind kind = Kind::kScope;
  std::string subject;  ///< the scope, or `KEY TYPE` of the constraint
  std::string allowed;  ///< the parent's side: JCS, or its scopes with commas between
  std::string asked;    ///< the child's side, JCS; empty when it is missing
};

/// The first way in which `child` exceeds `parent`; nullopt when it is within it. Linear in practice.
[[nodiscard]] std::optional<Excess> first_excess(const Authority& parent, const Authority& child);

/// Whether `child` is within `parent`: every scope covered, every constraint kept or tightened.
[[nodiscard]] bool subsumes(const Authority& parent, const Authority& child);

/// The greatest authority that is within both. Scopes come out sorted and without redundancy.
/// \return kNoMeet when constraints conflict (prefixes, orders, windows, unknown types); an empty scope list is a
///         meet
[[nodiscard]] Result<Authority> meet(const Authority& parent, const Authority& request);

// ---------------------------------------------------------------------------------------------------------
// Tokens

/// A reference into a Token Status List.
struct StatusReference {
  std::string uri;
  std::uint64_t index = 0;
};

/// The claims of one Delegation Token. Times are seconds since 1970 and may have fractions (RFC 7519).
struct Claims {
  std::string iss;
  std::string sub;        ///< the principal
  std::string client_id;  ///< the acting agent, as its delegator claims it
  std::string jti;
  std::vector<std::string> aud;
  double iat = 0;
  double exp = 0;
  std::optional<double> nbf;
  Thumbprint holder;  ///< `cnf.jkt`
  std::int64_t del_depth = 0;
  std::optional<std::int64_t> del_max_depth;
  std::optional<std::string> par_hash;
  bool has_status = false;                ///< the `status` claim is there
  std::optional<StatusReference> status;  ///< its `status_list`, when that mechanism is named
  /// `chancery_session` is true: the parent's holder says that it opened a session. Only verify_chain can tell.
  bool is_session = false;
  Authority authority;
};

/// One token, parsed and well formed, nothing verified. A value; immutable.
class Token {
 public:
  /// Reads the compact serialization: limits, base64url, JSON, canonical form, header, claims, authority, in
  /// the order that docs/protocol/delegation-chain.md gives. What depends on the token's place in a chain
  /// (`par_hash`, `del_max_depth`) is left to verify_chain.
  /// \return the token, or kMalformed, kNonCanonical, kDuplicateMember, kNonFinite
  [[nodiscard]] static Result<Token> parse(std::string_view compact);

  [[nodiscard]] const Claims& claims() const noexcept { return claims_; }
  [[nodiscard]] std::string_view compact() const noexcept { return compact_; }
  [[nodiscard]] std::string_view signing_input() const noexcept {
    return std::string_view(compact_).substr(0, signing_input_size_);
  }
  /// SHA-256 of the signing input: what `par_hash` commits to, and the token's name in a ledger.
  [[nodiscard]] const Sha256Digest& digest() const noexcept { return digest_; }
  [[nodiscard]] const Bytes& signature() const noexcept { return signature_; }
  /// The header's `alg` as it stands; nullopt when it is not one that we know.
  [[nodiscard]] std::optional<Algorithm> algorithm() const noexcept { return algorithm_; }
  [[nodiscard]] const std::string& algorithm_text() const noexcept { return algorithm_text_; }
  /// Whether the header carries `jwk`, usable or not.
  [[nodiscard]] bool has_jwk() const noexcept { return has_jwk_; }
  /// The header's `jwk`, when it is a usable public key.
  [[nodiscard]] const std::optional<PublicKey>& signer() const noexcept { return signer_; }
  [[nodiscard]] const std::optional<Thumbprint>& signer_thumbprint() const noexcept {
    return signer_thumbprint_;
  }

 private:
  friend class TokenReader;
  Token() = default;

  std::string compact_;
  std::size_t signing_input_size_ = 0;
  Sha256Digest digest_{};
  Bytes signature_;
  std::string algorithm_text_;
  std::optional<Algorithm> algorithm_;
  bool has_jwk_ = false;
  std::optional<PublicKey> signer_;
  std::optional<Thumbprint> signer_thumbprint_;
  Claims claims_;
};

/// A token that waits for its signature.
class UnsignedToken {
 public:
  /// \param signer  the key that will sign; its algorithm goes into the header
  /// \param show_signer  put `jwk` into the header: a child signed by its parent's holder
  [[nodiscard]] static UnsignedToken encode(const Claims& claims, const PublicKey& signer, bool show_signer);

  /// The octets to sign: header and payload, base64url, with a dot between.
  [[nodiscard]] const std::string& signing_input() const noexcept { return signing_input_; }
  /// The compact serialization with that signature.
  [[nodiscard]] std::string with(const Signature& signature) const;

 private:
  std::string signing_input_;
};

/// What a delegator asks for its subagent.
struct DelegationRequest {
  std::string client_id;              ///< who receives
  Thumbprint holder;                  ///< the receiver's key
  std::vector<std::string> audience;  ///< empty: the parent's
  Authority authority;
  std::chrono::seconds lifetime{0};  ///< from now; more than zero
  std::string jti;                   ///< fresh, random
};

/// One thing that was asked for and given smaller. `asked` and `given` are JSON.
struct Narrowing {
  std::string what;
  std::string asked;
  std::string given;
};

/// A child's claims, and how they fall short of the request.
struct Attenuation {
  Claims claims;
  std::vector<Narrowing> narrowed;
};

/// The greatest child that `request` and `parent` both allow. Pure.
///
/// Scopes and constraints are their meet, `aud` the common audiences, `exp` the earlier; `iss` is the
/// parent's `client_id`, `sub` the parent's, `del_depth` one more, `par_hash` the parent's digest.
/// \param parent  a token whose chain has been verified
/// \param max_depth  the smallest `del_max_depth` along that chain
/// \param now  the instant of issue, whole seconds UTC
/// \return the child, or kDepthExhausted, kNoMeet, kNothingGranted (no scope, no audience, no time left),
///         kTooLarge (more scopes or constraints than a token can hold)
[[nodiscard]] Result<Attenuation> attenuate(const Token& parent, std::int64_t max_depth,
                                            const DelegationRequest& request, std::chrono::sys_seconds now);

}  // namespace chancery
