#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tests/vectors/drafts.hpp"

namespace chancery::tests {

inline constexpr std::int64_t kNow = 1800000000;
inline constexpr std::string_view kAudience = "https://ledger.example.net/api";
inline constexpr std::string_view kStatusUri = "https://status.example.net/1";

/// A status list to be made: `statuses` are the octets before compression.
struct ListDraft {
  Draft token;
  std::string uri{kStatusUri};
  std::int64_t fetched_at = kNow - 10;
  bool fetched = true;  ///< false: the fetch failed
};

/// One vector in the making: a valid chain of three (issuer, and holders of Ed25519 and ES256 keys), which a
/// test changes in one place before it is signed.
struct Scene {
  Scene();

  std::vector<Draft> tokens;
  Members vector;  ///< the vector's own members that are not made from drafts
  Draft proof;
  Members dpop;  ///< the request's side of the proof
  bool has_proof = true;
  std::vector<ListDraft> lists;

  [[nodiscard]] Draft& root() { return tokens.front(); }
  [[nodiscard]] Draft& middle() { return tokens[1]; }
  [[nodiscard]] Draft& leaf() { return tokens.back(); }

  /// Makes the chain that many tokens long, with keys of the given kind.
  void grow(std::size_t tokens, bool ed25519_only = false);
  /// Gives one token, or all of them, this authority; both are JSON arrays.
  void allow(std::size_t hop, std::string_view scopes, std::string_view constraints);
  void allow(std::string_view scopes, std::string_view constraints);
  /// Bounds all tokens alike: the constraints of each, a JSON array.
  void bound(std::string_view constraints);
  /// Signs one token with a configured key, without `jwk`.
  void sign_as_issuer(std::size_t hop, const SigningKey& key);
  /// Presents the leaf for an action; all JSON texts. The proof is good unless changed.
  void act(std::string_view scope, std::string_view params, std::string_view totals = "{}");
  /// Lets a token refer to kStatusUri, and gives the verifier a good list of `statuses` for it.
  ListDraft& publish(std::size_t hop, std::uint64_t index, unsigned bits, const Bytes& statuses);

  /// The vector as JSON.
  [[nodiscard]] std::string json(std::string_view id, std::string_view outcome, std::string_view step) const;

 private:
  [[nodiscard]] std::vector<std::string> chain() const;
  [[nodiscard]] std::string dpop_json(const std::string& leaf) const;
};

/// `lst` of a status list: zlib, then base64url.
[[nodiscard]] std::string compressed(const Bytes& statuses);

/// A row of a table of crafted vectors: one change, and the verdict that the specification wants for it.
struct Crafted {
  const char* id;
  void (*change)(Scene&);
  const char* outcome = "valid";
  const char* step = "";  ///< "parse", "1" … "8"
};
std::ostream& operator<<(std::ostream& out, const Crafted& row);

/// Makes the row's vector and checks that every way to verify meets it.
void check_crafted(const Crafted& row);

}  // namespace chancery::tests
