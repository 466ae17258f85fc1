#include "sdk/cli/planted_secrets.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sdk/base/hex.hpp"
#include "sdk/cli/files.hpp"
#include "sdk/crypto/hash.hpp"

namespace chancery::cli {
namespace {

using redaction::Extent;
using redaction::FinderOptions;
using redaction::Hit;
using redaction::HitKind;

FinderOptions options(bool random_tokens) {
  FinderOptions out;
  out.random_tokens = random_tokens;
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(
      parts, [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

// Found by its name alone, so that in code there may be an expression in its place.
bool is_found_by_name(const Hit& hit) {
  constexpr std::array<std::string_view, 4> kByName{"`Authorization` values", "cookies",
                                                    "values named as passwords, keys or tokens",
                                                    "environment variables named as secrets"};
  return std::ranges::find(kByName, hit.name) != kByName.end();
}

// What people write where a secret would stand.
bool is_placeholder(std::string_view value) {
  if (value.empty() || std::string_view("$<{%(*[").find(value.front()) != std::string_view::npos) return true;
  if (value.find_first_not_of(value.front()) == std::string_view::npos) return true;
  return has_any(lower(value), {"changeme", "change-me", "change_me", "example", "placeholder", "redacted",
                                "your-", "your_", "xxxx", "dummy", "insert"});
}

// In code a name is followed by types, calls and members as often as by a value.
bool is_value(std::string_view text) {
  constexpr std::size_t kLeast = 8;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() >= kLeast && !is_placeholder(text) &&
         !has_any(text, {"(", ")", "::", "->", "[", "{", "`"}) && std::ranges::any_of(text, is_digit);
}

bool is_settings_file(const std::filesystem::path& path) {
  const std::string name = lower(path.filename().string());
  return name == ".env" || name.starts_with(".env.") || name.ends_with(".env") || name == ".envrc" ||
         name == "credentials" || name == ".netrc" || name == ".pgpass" || name == ".npmrc" ||
         name == ".pypirc";
}

bool is_secret_setting(std::string_view name) {
  return has_any(lower(name), {"secret", "token", "passw", "pass", "pwd", "apikey", "api_key", "private_key",
                               "credential", "access_key", "auth"});
}

// NAME=value, also exported, commented out or quoted.
void find_in_setting(std::string_view text, const Extent& line, std::vector<Hit>& out) {
  constexpr std::size_t kLeast = 6;
  const std::string_view whole = text.substr(line.begin, line.size());
  const std::size_t equals = whole.find('=');
  if (equals == std::string_view::npos || !is_secret_setting(whole.substr(0, equals))) return;
  std::string_view value = trimmed(whole.substr(equals + 1));
  const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'');
  if (is_quoted) value = value.substr(1, value.find(value.front(), 1) - 1);
  if (!is_quoted) value = value.substr(0, value.find_first_of(" \t#"));
  if (value.size() < kLeast || is_placeholder(value)) return;
  const auto begin = static_cast<std::size_t>(value.data() - text.data());
  out.push_back({HitKind::kNamed, "values in a file of settings", {begin, begin + value.size()}, {}});
}

template <typename Work>
void for_each_line(std::string_view text, Work work) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    work(Extent{at, end});
    at = end + 1;
  }
}

// Of those that overlap the one that says most: what has a form of its own before what is found by its name or by chance.
std::vector<Hit> told_apart(std::vector<Hit> hits) {
  const auto rank = [](const Hit& hit) {
    if (hit.kind == HitKind::kEntropy) return 3;
    if (hit.kind == HitKind::kNamed) return 2;
    return is_found_by_name(hit) ? 1 : 0;
  };
  std::ranges::stable_sort(hits, {}, rank);
  std::vector<Hit> out;
  for (Hit& hit : hits) {
    const bool overlaps = std::ranges::any_of(out, [&](const Hit& other) {
      return hit.extent.begin < other.extent.end && other.extent.begin < hit.extent.end;
    });
    if (!overlaps) out.push_back(std::move(hit));
  }
  std::ranges::sort(out, {}, [](const Hit& hit) { return hit.extent.begin; });
  return out;
}

bool is_binary(std::string_view text) {
  constexpr std::size_t kLooked = 8192;
  return text.substr(0, kLooked).find('\0') != std::string_view::npos;
}

}  // namespace

std::string fingerprint_of(std::string_view secret) {
  constexpr std::size_t kOctets = 8;
  constexpr int kRounds = 2000;
  Sha256Digest digest = sha256(as_bytes(std::string("chancery scan\n").append(secret)));
  for (int round = 1; round < kRounds; ++round) digest = sha256(digest);
  return hex_encode(ByteView(digest).first(kOctets));
}

PlantedSecrets::PlantedSecrets(bool random_tokens)
    : text_finder_(nullptr, options(random_tokens)), binary_finder_(nullptr, options(false)) {}

std::vector<PlantedSecret> PlantedSecrets::find(const std::filesystem::path& path,
                                                std::string_view text) const {
  const bool binary = is_binary(text);
  std::vector<Hit> hits = binary ? binary_finder_.find(text) : text_finder_.find(text);
  std::erase_if(hits, [&](const Hit& hit) {
    const std::string_view found = text.substr(hit.extent.begin, hit.extent.size());
    return is_found_by_name(hit) && (binary || !is_value(found));
  });
  if (!binary && is_settings_file(path))
    for_each_line(text, [&](const Extent& line) { find_in_setting(text, line, hits); });
  std::vector<PlantedSecret> out;
  std::size_t line = 1, line_begin = 0, at = 0;
  for (const Hit& hit : told_apart(std::move(hits))) {
    for (; at < hit.extent.begin; ++at) {
      if (text[at] != '\n') continue;
      ++line;
      line_begin = at + 1;
    }
    PlantedSecret secret{hit.name, 0, 0, hit.extent.begin, {}};
    if (!binary) secret.line = line;
    if (!binary) secret.column = hit.extent.begin - line_begin + 1;
    secret.fingerprint = fingerprint_of(text.substr(hit.extent.begin, hit.extent.size()));
    out.push_back(std::move(secret));
  }
  return out;
}

}  // namespace chancery::cli
