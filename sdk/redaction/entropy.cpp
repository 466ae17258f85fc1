#include "sdk/redaction/entropy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "sdk/redaction/character_set.hpp"

namespace chancery::redaction {
namespace {

constexpr std::size_t kShortestToken = 20;
constexpr std::size_t kLongestToken = 400;
constexpr std::size_t kShortestHex = 32;
constexpr double kLeastHexBits = 3.0;

constexpr CharacterSet kTokenCharacters{"A-Za-z0-9+/_=-"};
constexpr CharacterSet kCapitals{"A-Z"};
constexpr CharacterSet kSmallLetters{"a-z"};
constexpr CharacterSet kLetters{"A-Za-z"};

constexpr char lower(char c) { return kCapitals.has(c) ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_all(std::string_view text, const CharacterSet& set) { return set.end_of_run(text, 0) == text.size(); }

bool is_uuid(std::string_view token) {
  constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};
  if (token.size() != 36) return false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool is_hyphen = std::ranges::find(kHyphens, i) != kHyphens.end();
    if (is_hyphen ? token[i] != '-' : !kHexDigits.has(token[i])) return false;
  }
  return true;
}

// How often a token goes over to another kind of character: at random in two of three places, in names rarely.
std::size_t changes(std::string_view token) {
  const auto kind = [](char c) {
    if (kCapitals.has(c)) return 1;
    if (kSmallLetters.has(c)) return 2;
    return kDigits.has(c) ? 3 : 0;
  };
  std::size_t count = 0;
  for (std::size_t i = 1; i < token.size(); ++i) count += kind(token[i]) != kind(token[i - 1]) ? 1 : 0;
  return count;
}

// A word as people and programs write it: small letters, all capitals, or a capital in front; or a number.
bool is_word(std::string_view text) {
  if (text.empty() || is_all(text, kDigits) || is_all(text, kCapitals)) return true;
  const std::size_t digits_behind = text.find_last_not_of("0123456789") + 1;
  const std::string_view letters = text.substr(0, digits_behind);
  return is_all(letters.substr(1), kSmallLetters) && kLetters.has(letters[0]);
}

bool is_made_of_words(std::string_view token) {
  while (!token.empty()) {
    const std::size_t end = std::min(token.find_first_of("/_=+-"), token.size());
    if (!is_word(token.substr(0, end))) return false;
    token.remove_prefix(std::min(end + 1, token.size()));
  }
  return true;
}

bool looks_random(std::string_view token) {
  if (is_all(token, kHexDigits)) {
    const bool is_of_one_case = std::ranges::none_of(token, [](char c) { return kCapitals.has(c); }) ||
                                std::ranges::none_of(token, [](char c) { return kSmallLetters.has(c); });
    if (is_of_one_case)
      return token.size() >= kShortestHex && !is_all(token, kDigits) &&
             bits_per_octet(token) >= kLeastHexBits;
  }
  const auto has = [&](const CharacterSet& set) {
    return std::ranges::any_of(token, [&](char c) { return set.has(c); });
  };
  if (!has(kCapitals) || !has(kSmallLetters) || !has(kDigits)) return false;
  if (changes(token) * 3 < token.size() || is_made_of_words(token)) return false;
  // Of so few characters a random one has nearly as many different ones as it has characters.
  const double most = std::log2(std::min<double>(static_cast<double>(token.size()), 64));
  return bits_per_octet(token) >= 0.82 * most;
}

constexpr std::array<std::string_view, 33> kHashWords{
    "sha1",    "sha-1",       "sha256", "sha-256",    "sha384",     "sha-384", "sha512",
    "sha-512", "md5",         "hash",   "digest",     "checksum",   "commit",  "etag",
    "jkt",     "kid",         "x5t",    "thumbprint", "tree",       "parent",  "integrity",
    "object",  "fingerprint", "blob",   "revision",   "rev",        "trace",   "span",
    "request", "image",       "build",  "uuid",       "correlation"};

// Between the word and the token there is no other word, but perhaps `id:` or `-for-`.
bool is_close_to_end(std::string_view words, std::size_t end) {
  constexpr std::ptrdiff_t kMostLetters = 4;
  return std::ranges::count_if(words.substr(end), [](char c) { return kSmallLetters.has(c); }) <=
         kMostLetters;
}

// The words right in front of a token, until the line's beginning: a name for the token is among them.
bool is_called_hash(std::string_view text, std::size_t begin) {
  constexpr std::size_t kNear = 24;
  const std::size_t first = begin - std::min(begin, kNear);
  std::string_view near = text.substr(first, begin - first);
  if (const std::size_t line = near.rfind('\n'); line != std::string_view::npos) near.remove_prefix(line + 1);
  std::array<char, kNear> small{};
  std::ranges::transform(near, small.begin(), [](char c) { return lower(c); });
  const std::string_view words(small.data(), near.size());
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (at > 0 && kSmallLetters.has(words[at - 1])) continue;
    for (const std::string_view word : kHashWords) {
      // Of a word that stands there twice the last one counts.
      if (words[at] == word.front() && words.substr(at).starts_with(word) && words.rfind(word) == at &&
          is_close_to_end(words, at + word.size()))
        return true;
    }
  }
  return false;
}

// As `sha256sum` writes it: behind the hash a file's name.
bool is_in_front_of_file(std::string_view text, std::size_t end) {
  const std::string_view rest = text.substr(end, 3);
  return rest.size() == 3 && rest[0] == ' ' && (rest[1] == ' ' || rest[1] == '*') && rest[2] > ' ';
}

bool is_hash_length(std::size_t size) {
  return size == 32 || size == 40 || size == 64 || size == 96 || size == 128;
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) { return text.ends_with(ending); });
}

// Armour of certificates and public keys: a line that has nothing else, or the key behind its algorithm.
bool is_public_text(std::string_view text, const Extent& token) {
  const std::string_view before = text.substr(0, token.begin);
  const std::string_view behind = text.substr(token.end);
  if (ends_with_any(before, {"ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-nistp256 ", ";base64,", "sha256-",
                             "sha384-", "sha512-", "SHA256:", "sha256:"}))
    return true;
  const bool begins_line = before.empty() || before.ends_with('\n') || before.ends_with("\\n");
  const bool ends_line =
      behind.empty() || behind.starts_with('\n') || behind.starts_with("\r\n") || behind.starts_with("\\n");
  if (!begins_line || !ends_line) return false;
  const std::string_view next =
      behind.substr(std::min<std::size_t>(behind.size(), behind.starts_with('\n') ? 1 : 2));
  return token.size() >= 60 || next.starts_with("-----");
}

// Numbers of a program, its linker's names, and ids that a well-known service shows to everybody.
bool is_public_id(std::string_view token) {
  constexpr std::size_t kLongestNumber = 24;
  if (token.starts_with("0x") && token.size() <= kLongestNumber) return true;
  constexpr std::array<std::string_view, 13> kBeginnings{"_Z",    "pk_live_", "pk_test_", "cus_", "price_",
                                                         "prod_", "sub_",     "acct_",    "evt_", "pi_",
                                                         "ch_",   "req_",     "in_"};
  return std::ranges::any_of(kBeginnings, [&](std::string_view begin) { return token.starts_with(begin); });
}

bool is_excluded(std::string_view text, const Extent& extent) {
  const std::string_view token = text.substr(extent.begin, extent.size());
  if (is_uuid(token) || is_public_id(token) || is_public_text(text, extent)) return true;
  if (is_called_hash(text, extent.begin)) return true;
  return is_all(token, kHexDigits) && is_hash_length(token.size()) && is_in_front_of_file(text, extent.end);
}

// What a token is is behind the last `=` in it, but for padding: `name=value`.
Extent without_name(std::string_view text, Extent extent) {
  while (extent.end > extent.begin && text[extent.end - 1] == '=') --extent.end;
  const std::size_t equals = text.substr(extent.begin, extent.size()).rfind('=');
  if (equals != std::string_view::npos) extent.begin += equals + 1;
  return extent;
}

// Hyphens of an option and a path's solidus are none of it.
Extent without_front(std::string_view text, Extent extent) {
  while (extent.begin < extent.end && (text[extent.begin] == '-' || text[extent.begin] == '/'))
    ++extent.begin;
  return extent;
}

}  // namespace

bool names_hash(std::string_view name) { return is_called_hash(name, name.size()); }

double bits_per_octet(std::string_view text) {
  std::array<std::size_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  const auto size = static_cast<double>(text.size());
  for (const std::size_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / size;
    bits -= share * std::log2(share);
  }
  return bits;
}

void find_random_tokens(std::string_view text, std::vector<Hit>& out) {
  for (std::size_t at = 0; at < text.size();) {
    // Of a token as long as this each twentieth character is one of its own.
    const std::size_t probe = at + kShortestToken - 1;
    if (probe >= text.size()) return;
    std::size_t begin = probe + 1;
    while (begin > at && kTokenCharacters.has(text[begin - 1])) --begin;
    if (begin > at) {
      at = begin;
      continue;
    }
    const std::size_t end = kTokenCharacters.end_of_run(text, at);
    const Extent whole = without_name(text, {at, end});
    const Extent extent = without_front(text, whole);
    at = end + 1;
    if (extent.size() < kShortestToken || extent.size() > kLongestToken) continue;
    if (!looks_random(text.substr(extent.begin, extent.size()))) continue;
    if (is_excluded(text, whole) || is_excluded(text, extent)) continue;
    out.push_back({HitKind::kEntropy, "as good as random", {extent.begin, end}, {}});
  }
}

}  // namespace chancery::redaction
