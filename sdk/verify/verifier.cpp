#include "sdk/verify/verifier.hpp"

#include <algorithm>
#include <cstdlib>

#include "sdk/base/base64url.hpp"
#include "sdk/base/printable.hpp"
#include "sdk/crypto/hash.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/verify/action.hpp"
#include "sdk/verify/dpop.hpp"

namespace chancery {
namespace {

constexpr const char* kReissue = "have the token issued again, and pass it on octet for octet";
constexpr const char* kAllInOrder = "present every token of the chain, the root first, none left out";

Denial deny(Outcome outcome, Step step, std::size_t hop, const char* reason) {
  return Denial{outcome, step, static_cast<int>(hop), reason, {}, {}, {}};
}

Outcome parse_outcome(ErrorCode code) {
  if (code == ErrorCode::kNonCanonical) return Outcome::kNonCanonical;
  if (code == ErrorCode::kDuplicateMember) return Outcome::kDuplicateMember;
  if (code == ErrorCode::kNonFinite) return Outcome::kNonFinite;
  return Outcome::kMalformed;
}

// What a token must have, or must not, because of its place in the chain.
const char* misplaced(const Claims& claims, std::size_t hop) {
  if (hop == 0 && claims.par_hash) return "the root token must not have `par_hash`";
  if (hop == 0 && !claims.del_max_depth) return "the root token must have `del_max_depth`";
  if (hop > 0 && !claims.par_hash) return "a child token must have `par_hash`";
  return nullptr;
}

bool matches(std::string_view pattern, std::string_view text) {
  return pattern.ends_with('*') ? text.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == text;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() ||
         std::ranges::any_of(patterns, [&](const std::string& p) { return matches(p, text); });
}

bool may_say(const TrustAnchor& anchor, const Claims& claims) {
  return (!anchor.iss || *anchor.iss == claims.iss) && matches_any(anchor.sub, claims.sub) &&
         matches_any(anchor.client_id, claims.client_id);
}

bool may_sign_child(const TrustAnchor& anchor, const Claims& root, const Claims& child) {
  return may_say(anchor, root) && !(anchor.ceiling && first_excess(*anchor.ceiling, child.authority));
}

void append(std::vector<const VerifyKey*>& all, const std::vector<VerifyKey>& keys) {
  for (const VerifyKey& key : keys) all.push_back(&key);
}

// Seconds as the token has them, and as people read them.
std::string time_text(double seconds) {
  return json::to_jcs(json::Node(seconds)) + " (" + utc_text(seconds) + ")";
}

Denial narrowing_denial(const Excess& excess, std::size_t hop) {
  Denial denial = deny(Outcome::kNotNarrower, Step::kNarrowing, hop, "");
  switch (excess.kind) {
    case Excess::Kind::kScope:
      denial.reason = "a scope is not covered by the parent's";
      denial.expected = "a scope within " + excess.allowed;
      denial.found = excess.subject;
      denial.remedy = "drop the scope " + excess.subject;
      break;
    case Excess::Kind::kConstraintMissing:
      denial.reason = "a constraint of the parent is missing";
      denial.expected = excess.subject + " " + excess.allowed;
      denial.found = "nothing";
      denial.remedy = "keep " + denial.expected;
      break;
    case Excess::Kind::kConstraintWider:
      denial.reason = "a constraint is wider than the parent's";
      denial.expected = excess.subject + " " + excess.allowed;
      denial.found = excess.subject + " " + excess.asked;
      denial.remedy = "ask for no more than " + denial.expected;
      break;
  }
  return denial;
}

// A list and what the verifier knows of itself say it in the same words.
Denial ended_denial(std::size_t hop, TokenEnd end) {
  Denial denial = deny(Outcome::kRevoked, Step::kStatus, hop, "");
  denial.expected = "status 0, valid";
  switch (end) {
    case TokenEnd::kRevoked:
      denial.reason = "the token was revoked";
      denial.found = "status 1";
      denial.remedy = "obtain new authority: a revocation cannot be undone";
      break;
    case TokenEnd::kSuspended:
      denial.reason = "the token is suspended";
      denial.found = "status 2";
      denial.remedy = "wait until the suspension is lifted, or obtain new authority";
      break;
  }
  return denial;
}

}  // namespace

Verdict Verifier::run(std::span<const std::string_view> chain) {
  Verdict verdict;
  if (options_.request == nullptr) verdict.not_performed_ = {"holder_binding", "action"};
  if (options_.request != nullptr && !options_.request->seen) verdict.not_performed_ = {"replay"};
  if (!options_.custody) verdict.not_performed_.push_back("custody");
  Check denial = run_steps(chain);
  verdict.custody_ = std::move(custody_.hops);
  verdict.ignored_results_ = std::move(custody_.ignored);
  if (denial) {
    verdict.denial_ = *std::move(denial);
    return verdict;
  }
  if (options_.request != nullptr && lacks_ancestor_totals(*options_.request, tokens_)) {
    verdict.not_performed_.push_back("ancestor_totals");
  }
  VerifiedChain verified;
  verified.tokens_ = tokens_;
  verified.max_depth_ = max_depth_;
  verdict.chain_ = std::move(verified);
  return verdict;
}

Verifier::Check Verifier::run_steps(std::span<const std::string_view> chain) {
  if (Check denial = parse(chain)) return denial;
  if (Check denial = check_signatures()) return denial;
  if (Check denial = check_linkage()) return denial;
  if (Check denial = check_shape()) return denial;
  if (Check denial = check_narrowing()) return denial;
  if (Check denial = check_validity()) return denial;
  if (Check denial = check_custody()) return denial;
  if (options_.request != nullptr) {
    if (Check denial = check_holder_binding()) return denial;
  }
  if (Check denial = check_status()) return denial;
  return options_.request == nullptr ? std::nullopt
                                     : check_action(*options_.request, tokens_, now_, options_.zones);
}

// --- parse

Verifier::Check Verifier::parse(std::span<const std::string_view> chain) {
  std::size_t size = 0;
  for (const std::string_view token : chain) size += token.size();
  const auto refuse = [](const char* reason, std::string expected, std::string found, const char* remedy) {
    return Denial{Outcome::kMalformed, Step::kParse,     -1,    reason,
                  std::move(expected), std::move(found), remedy};
  };
  if (chain.empty()) return refuse("the chain is empty", "at least one token", "none", kAllInOrder);
  if (chain.size() > options_.max_tokens) {
    return refuse("the chain has more tokens than this verifier accepts", std::to_string(options_.max_tokens),
                  std::to_string(chain.size()), "have authority granted nearer to the agent that uses it");
  }
  if (size > options_.max_chain_bytes) {
    return refuse("the chain is longer than this verifier accepts",
                  std::to_string(options_.max_chain_bytes) + " octets", std::to_string(size) + " octets",
                  "have fewer or shorter tokens issued");
  }
  tokens_.reserve(chain.size());
  for (std::size_t hop = 0; hop < chain.size(); ++hop) {
    if (Check denial = parse_token(chain[hop], hop)) return denial;
  }
  return std::nullopt;
}

Verifier::Check Verifier::parse_token(std::string_view compact, std::size_t hop) {
  std::shared_ptr<const Token> token;
  std::optional<Thumbprint> seen_under;
  if (options_.cache != nullptr) {
    if (auto entry = options_.cache->find(compact)) {
      token = std::move(entry->token);
      seen_under = entry->verified_under;
    }
  }
  if (token == nullptr) {
    auto parsed = Token::parse(compact);
    if (!parsed) {
      Denial denial = deny(parse_outcome(parsed.error().code), Step::kParse, hop, parsed.error().what);
      denial.remedy = kReissue;
      return denial;
    }
    token = std::make_shared<const Token>(*std::move(parsed));
  }
  if (const char* wrong = misplaced(token->claims(), hop)) {
    Denial denial = deny(Outcome::kMalformed, Step::kParse, hop, wrong);
    denial.remedy = kAllInOrder;
    return denial;
  }
  tokens_.push_back(std::move(token));
  seen_under_.push_back(seen_under);
  return std::nullopt;
}

// --- step 1

bool Verifier::verifies(std::size_t hop, const VerifyKey& key) const {
  const Token& token = *tokens_[hop];
  return token.algorithm() == key.public_key().algorithm() &&
         key.verify(token.digest(), as_bytes(token.signing_input()), token.signature());
}

// A token that was seen names its key: a key that is not it is tried only after all were compared.
const VerifyKey* Verifier::find_signer(std::size_t hop, const std::vector<const VerifyKey*>& keys) const {
  const auto first = [&](auto&& holds) {
    const auto key = std::ranges::find_if(keys, holds);
    return key == keys.end() ? nullptr : *key;
  };
  if (seen_under_[hop]) {
    if (const auto* key = first([&](const VerifyKey* k) { return k->thumbprint() == *seen_under_[hop]; }))
      return key;
  }
  return first([&](const VerifyKey* k) { return verifies(hop, *k); });
}

void Verifier::remember(std::size_t hop, const Thumbprint& key) {
  if (options_.cache != nullptr && seen_under_[hop] != key) options_.cache->remember(tokens_[hop], key);
}

Verifier::Check Verifier::check_signatures() {
  signers_.resize(tokens_.size());
  for (std::size_t hop = 0; hop < tokens_.size(); ++hop) {
    const auto algorithm = tokens_[hop]->algorithm();
    if (!algorithm || !accepts(*algorithm)) {
      Denial denial =
          deny(Outcome::kSignatureInvalid, Step::kSignature, hop, "the token's algorithm is not accepted");
      denial.expected = "ES256 or Ed25519, as this verifier is configured";
      denial.found = tokens_[hop]->algorithm_text();
      denial.remedy = "have the token signed by a key of an accepted algorithm";
      return denial;
    }
    if (Check denial = check_signature(hop)) return denial;
    remember(hop, signers_[hop].key);
  }
  return std::nullopt;
}

Verifier::Check Verifier::check_signature(std::size_t hop) {
  if (hop == 0) return check_root_signature();
  return tokens_[hop]->has_jwk() ? check_holder_signature(hop) : check_issuer_signature(hop);
}

Verifier::Check Verifier::check_root_signature() {
  std::vector<const VerifyKey*> keys;
  for (const ReadyAnchor& anchor : trust_.anchors) append(keys, anchor.keys);
  const VerifyKey* key = find_signer(0, keys);
  if (key == nullptr) {
    Denial denial = deny(Outcome::kSignatureInvalid, Step::kSignature, 0,
                         "the root token verifies under no trust anchor");
    denial.expected = "a signature by a key of a trust anchor";
    denial.remedy = "obtain the grant from a trusted issuer, or trust its key if it deserves that";
    return denial;
  }
  signers_[0] = {SignedBy::Role::kAnchor, key->thumbprint()};
  return check_anchor(key->thumbprint());
}

// An anchor signs children only where it may speak for the principal: what restricts it as a root restricts
// it here.
Verifier::Check Verifier::check_issuer_signature(std::size_t hop) {
  std::vector<const VerifyKey*> keys;
  if (options_.issuer_signed) {
    for (const ReadyAnchor& anchor : trust_.anchors) {
      if (may_sign_child(anchor.config, claims(0), claims(hop))) append(keys, anchor.keys);
    }
    append(keys, trust_.issuers);
  }
  const VerifyKey* key = find_signer(hop, keys);
  if (key == nullptr) {
    Denial denial = deny(Outcome::kSignatureInvalid, Step::kSignature, hop,
                         options_.issuer_signed
                             ? "the token carries no `jwk` and verifies under no configured issuer"
                             : "the token carries no `jwk`, and only holder-signed children are accepted");
    denial.expected =
        "a signature by holder key " + claims(hop - 1).holder.text() +
        (options_.issuer_signed ? ", or by an issuer key that may speak for the principal" : "");
    denial.remedy = "have the token signed by the agent that delegates";
    return denial;
  }
  signers_[hop] = {SignedBy::Role::kIssuer, key->thumbprint()};
  return std::nullopt;
}

const char* Verifier::holder_signature_fault(std::size_t hop, const Thumbprint& holder) const {
  const Token& token = *tokens_[hop];
  if (!options_.holder_signed) return "holder-signed children are not accepted here";
  if (!token.signer()) return "the header's `jwk` is not a usable public key";
  if (token.signer_thumbprint() != holder)
    return "the token is not signed by the key that its parent was given to";
  if (token.signer()->algorithm() != token.algorithm())
    return "the header's `alg` is not the algorithm of its `jwk`";
  const bool good =
      seen_under_[hop] == holder ||
      verify_signature(*token.signer(), token.digest(), as_bytes(token.signing_input()), token.signature());
  return good ? nullptr : "the signature does not verify: the token or its signature was changed";
}

Verifier::Check Verifier::check_holder_signature(std::size_t hop) {
  const Thumbprint& holder = claims(hop - 1).holder;
  if (const char* fault = holder_signature_fault(hop, holder)) {
    Denial denial = deny(Outcome::kSignatureInvalid, Step::kSignature, hop, fault);
    denial.expected = "a signature by holder key " + holder.text();
    const auto& signer = tokens_[hop]->signer_thumbprint();
    if (signer && *signer != holder) denial.found = "signing key " + signer->text();
    denial.remedy = "have the token issued again by the agent that delegates";
    return denial;
  }
  signers_[hop] = {SignedBy::Role::kHolder, holder};
  return std::nullopt;
}

// Several anchors may share a key, with different limits: the first that may say what DT_0 says is taken.
// Of several anchors with this key that may speak, the first roots the chain: its ceiling counts. What belongs to the
// key besides, where its lists are and who signs them, may stand in a later one of them: silence hides nothing.
Verifier::Check Verifier::check_anchor(const Thumbprint& key) {
  for (const ReadyAnchor& anchor : trust_.anchors) {
    const bool owns =
        std::ranges::any_of(anchor.keys, [&](const VerifyKey& k) { return k.thumbprint() == key; });
    if (!owns || !may_say(anchor.config, claims(0))) continue;
    if (anchor_ == nullptr) anchor_ = status_anchor_ = &anchor;
    if (!anchor.names_status()) continue;
    status_anchor_ = &anchor;
    break;
  }
  if (anchor_ != nullptr) return std::nullopt;
  Denial denial = deny(Outcome::kSignatureInvalid, Step::kSignature, 0,
                       "the trust anchor may not speak for this issuer, principal or agent");
  denial.expected = "an issuer, principal and agent within the anchor's limits";
  denial.found = "iss " + claims(0).iss + ", sub " + claims(0).sub + ", client_id " + claims(0).client_id;
  denial.remedy = "have the grant made by the anchor that is responsible for the principal";
  return denial;
}

// --- steps 2 to 5

Verifier::Check Verifier::check_linkage() const {
  for (std::size_t hop = 1; hop < tokens_.size(); ++hop) {
    const std::string parent = base64url_encode(tokens_[hop - 1]->digest());
    if (equal_constant_time(as_bytes(*claims(hop).par_hash), as_bytes(parent))) continue;
    Denial denial =
        deny(Outcome::kParHashMismatch, Step::kLinkage, hop, "the token was issued under another parent");
    denial.expected = parent;
    denial.found = *claims(hop).par_hash;
    denial.remedy = "present the token with the parent that it was issued under";
    return denial;
  }
  return std::nullopt;
}

Verifier::Check Verifier::check_shape() {
  max_depth_ = *claims(0).del_max_depth;
  for (std::size_t hop = 0; hop < tokens_.size(); ++hop) {
    max_depth_ = std::min(max_depth_, claims(hop).del_max_depth.value_or(max_depth_));
    if (claims(hop).del_depth == static_cast<std::int64_t>(hop)) continue;
    Denial denial =
        deny(Outcome::kDepthInvalid, Step::kShape, hop, "`del_depth` is not the token's place in the chain");
    denial.expected = std::to_string(hop);
    denial.found = std::to_string(claims(hop).del_depth);
    denial.remedy = kAllInOrder;
    return denial;
  }
  const std::size_t leaf = tokens_.size() - 1;
  if (static_cast<std::int64_t>(leaf) >= max_depth_) {
    Denial denial =
        deny(Outcome::kDepthInvalid, Step::kShape, leaf, "the chain is longer than one of its tokens allows");
    denial.expected = "at most " + std::to_string(max_depth_) + " tokens";
    denial.found = std::to_string(tokens_.size()) + " tokens";
    denial.remedy = "leave out the last delegations, or have authority granted with a greater depth";
    return denial;
  }
  for (std::size_t hop = 1; hop < tokens_.size(); ++hop) {
    if (claims(hop).sub == claims(0).sub) continue;
    Denial denial = deny(Outcome::kPrincipalAltered, Step::kShape, hop,
                         "the token names another principal than the root");
    denial.expected = claims(0).sub;
    denial.found = claims(hop).sub;
    denial.remedy = "have the token issued for the root's principal, or obtain a grant of the other one";
    return denial;
  }
  return std::nullopt;
}

Verifier::Check Verifier::check_narrowing() const {
  if (anchor_->config.ceiling) {
    if (const auto excess = first_excess(*anchor_->config.ceiling, claims(0).authority))
      return narrowing_denial(*excess, 0);
  }
  std::int64_t inherited = *claims(0).del_max_depth;
  for (std::size_t hop = 1; hop < tokens_.size(); ++hop) {
    if (const auto excess = first_excess(claims(hop - 1).authority, claims(hop).authority)) {
      return narrowing_denial(*excess, hop);
    }
    const std::int64_t own = claims(hop).del_max_depth.value_or(inherited);
    if (own > inherited) {
      Denial denial =
          deny(Outcome::kNotNarrower, Step::kNarrowing, hop, "`del_max_depth` is greater than the parent's");
      denial.expected = "at most " + std::to_string(inherited);
      denial.found = std::to_string(own);
      denial.remedy = "leave `del_max_depth` out, or lower it";
      return denial;
    }
    inherited = own;
  }
  return std::nullopt;
}

Verifier::Check Verifier::check_validity() const {
  const auto now = static_cast<double>(now_.time_since_epoch().count());
  for (std::size_t hop = 0; hop < tokens_.size(); ++hop) {
    const bool early = claims(hop).nbf && *claims(hop).nbf > now;
    if (!early && now <= claims(hop).exp) continue;
    Denial denial = deny(Outcome::kExpired, Step::kValidity, hop,
                         early ? "the token is not valid yet" : "the token has expired");
    denial.expected =
        early ? "at or after " + time_text(*claims(hop).nbf) : "at or before " + time_text(claims(hop).exp);
    denial.found = time_text(now);
    denial.remedy = early ? "wait until it is valid" : "obtain a new token from the agent that delegated";
    return denial;
  }
  for (std::size_t hop = 1; hop < tokens_.size(); ++hop) {
    if (claims(hop).exp <= claims(hop - 1).exp) continue;
    Denial denial = deny(Outcome::kExpired, Step::kValidity, hop, "the token would outlive its parent");
    denial.expected = "`exp` at most " + time_text(claims(hop - 1).exp);
    denial.found = time_text(claims(hop).exp);
    denial.remedy = "have it issued with a lifetime within its parent's";
    return denial;
  }
  return std::nullopt;
}

// --- custody, and steps 6 and 7

Verifier::Check Verifier::check_custody() {
  if (!concerns_custody(options_)) return std::nullopt;
  custody_ = judge_custody({tokens_, signers_, anchor_->attestation_verifiers, now_, options_});
  return std::move(custody_.denial);
}

Verifier::Check Verifier::check_holder_binding() const {
  const std::size_t leaf = tokens_.size() - 1;
  const auto failure = check_proof(*options_.request, *tokens_[leaf], now_, options_);
  if (!failure) return std::nullopt;
  Denial denial = deny(Outcome::kHolderBindingFailed, Step::kHolderBinding, leaf, failure->reason);
  denial.expected = failure->expected;
  denial.found = failure->found;
  denial.remedy = "send a fresh DPoP proof by the holder of the last token, for this method and URI";
  return denial;
}

Verifier::Check Verifier::check_status() const {
  for (std::size_t hop = 0; hop < tokens_.size(); ++hop) {
    if (Check denial = check_holder_key(hop)) return denial;
    if (Check denial = check_token(hop)) return denial;
    if (!claims(hop).has_status || is_status_known(hop)) continue;
    if (Check denial = check_status_of(hop)) return denial;
  }
  return std::nullopt;
}

// Not the specification's: what a verifier knows of keys besides, as the daemon does of its agents'.
Verifier::Check Verifier::check_holder_key(std::size_t hop) const {
  const Thumbprint& holder = claims(hop).holder;
  if (!std::ranges::binary_search(trust_.ended_keys, holder)) return std::nullopt;
  Denial denial = deny(Outcome::kRevoked, Step::kStatus, hop, "the key that holds the token has ended");
  denial.expected = "a key that serves";
  denial.found = "key " + holder.text();
  denial.remedy = "obtain a new token for the agent's present key";
  return denial;
}

Verifier::Check Verifier::check_token(std::size_t hop) const {
  const auto end = ended_tokens_.find(tokens_[hop]->digest());
  if (!end) return std::nullopt;
  return ended_denial(hop, *end);
}

// Only an anchor of the chain's own can vouch for that: another's chain may refer to the same list.
bool Verifier::is_status_known(std::size_t hop) const {
  const std::string& prefix = status_anchor_->config.known_status_prefix;
  const auto& reference = claims(hop).status;
  return !prefix.empty() && reference && reference->uri.starts_with(prefix);
}

// Of the lists for that URI that a status key of the chain's anchor signed, the one that was fetched last.
const HeldStatusList* Verifier::find_status_list(const std::string& uri) const {
  const HeldStatusList* newest = nullptr;
  const auto& lists = status_lists_.by_uri_and_key;
  for (const VerifyKey& key : status_anchor_->status_keys) {
    const auto held = lists.find({uri, key.thumbprint()});
    if (held == lists.end() || !accepts(held->second.algorithm)) continue;
    if (newest == nullptr || held->second.fetched_at > newest->fetched_at) newest = &held->second;
  }
  return newest;
}

Verifier::Check Verifier::check_status_of(std::size_t hop) const {
  const auto unknown = [&](const char* reason) {
    Denial denial = deny(Outcome::kStatusUnknown, Step::kStatus, hop, reason);
    denial.expected =
        claims(hop).status ? "a current status list " + claims(hop).status->uri : "a `status_list`";
    denial.remedy = "fetch the status list again and give it to the verifier";
    return denial;
  };
  const auto& reference = claims(hop).status;
  if (!reference) return unknown("the token names a status mechanism that this verifier does not know");
  if (!status_anchor_->allows_status_list(reference->uri))
    return unknown("the trust anchor's chains may not refer to this status list");
  const HeldStatusList* held = find_status_list(reference->uri);
  if (held == nullptr) return unknown("no status list is held that a status key of the trust anchor signed");
  if (held->list.subject != reference->uri) return unknown("the status list is another list's");
  if (!held->list.fresh(held->fetched_at, now_)) return unknown("the status list is stale");
  const auto status = held->list.at(reference->index);
  if (!status) return unknown("the status list has no such index");
  if (*status == 0) return std::nullopt;
  if (*status > 2) return unknown("the status list gives a value that this verifier does not know");
  return ended_denial(hop, *status == 1 ? TokenEnd::kRevoked : TokenEnd::kSuspended);
}

// --- the public functions

const VerifiedChain& Verdict::chain() const {
  if (!chain_) std::abort();
  return *chain_;
}

const Denial& Verdict::denial() const {
  if (chain_) std::abort();
  return denial_;
}

Verdict verify_chain(std::span<const std::string_view> chain, const TrustSnapshot& trust,
                     std::chrono::sys_seconds now, const VerifyOptions& options) {
  return Verifier(trust, now, options).run(chain);
}

std::string join_chain(std::span<const std::string> tokens) {
  std::string text;
  for (const std::string& token : tokens) text.append(text.empty() ? "" : "~").append(token);
  return text;
}

std::vector<std::string_view> split_chain(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  std::vector<std::string_view> tokens;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('~', at), text.size());
    tokens.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return tokens;
}

}  // namespace chancery
