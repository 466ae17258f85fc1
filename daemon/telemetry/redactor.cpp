#include "daemon/telemetry/redactor.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <re2/re2.h>

#include "daemon/telemetry/secret_patterns.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::telemetry {
namespace {

// A search may look at all that is left before it finds its end: what has more secrets than this goes as a whole.
constexpr int kMostSecrets = 1000;

using Encoding = re2::RE2::Options::Encoding;

re2::RE2::Options quiet(Encoding encoding) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_encoding(encoding);
  return options;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

// A secret in another form, in digits of 4 or 6 bits and without padding. In memory that is as good as the secret's own.
SecretBytes in_digits(ByteView secret, std::string_view digits) {
  const std::size_t bits = digits.size() == 16 ? 4 : 6;
  SecretBytes out((secret.size() * 8 + bits - 1) / bits);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t at = i * bits / 8;
    const std::uint32_t next = at + 1 < secret.size() ? secret[at + 1] : 0;
    const std::uint32_t two = std::uint32_t{secret[at]} << 8 | next;
    out.writable()[i] =
        static_cast<std::uint8_t>(digits[two >> (16 - i * bits % 8 - bits) & (digits.size() - 1)]);
  }
  return out;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct Redactor::Pattern {
  enum class Origin : std::uint8_t { kOurs, kConfigured };

  // Of ours, each octet is a character, so that a secret does not end at one that is no UTF-8.
  Pattern(std::string_view expression, Origin origin)
      : search(piece(expression),
               quiet(origin == Origin::kOurs ? Encoding::EncodingLatin1 : Encoding::EncodingUTF8)),
        keeps_groups(origin == Origin::kOurs) {
    if (!search.ok()) std::abort();  // ours are tested, and others checked
  }

  [[nodiscard]] bool is_in(std::string_view text) const {
    return re2::RE2::PartialMatch(piece(text), search);
  }
  [[nodiscard]] std::string replace(std::string_view text) const;

  const re2::RE2 search;
  const bool keeps_groups;
};

std::string Redactor::Pattern::replace(std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  std::array<re2::StringPiece, 3> found;
  const int groups = keeps_groups ? 1 + std::min(search.NumberOfCapturingGroups(), 2) : 1;
  for (int secrets = 0; at <= text.size(); ++secrets) {
    if (!search.Match(piece(text), at, text.size(), re2::RE2::UNANCHORED, found.data(), groups)) break;
    if (secrets == kMostSecrets) return out.append(kRedacted);
    const auto begin = static_cast<std::size_t>(found[0].data() - text.data());
    out += text.substr(at, begin - at);
    if (groups > 1) out.append(found[1].data(), found[1].size());
    if (!found[0].empty()) out += kRedacted;
    if (groups > 2) out.append(found[2].data(), found[2].size());
    at = begin + found[0].size();
    if (!found[0].empty()) continue;
    if (at < text.size()) out += text[at];
    ++at;
  }
  if (at < text.size()) out += text.substr(at);
  return out;
}

Redactor::Redactor(std::span<const std::string> patterns) {
  std::string any;
  for (const SecretPattern& pattern : secret_patterns()) {
    ours_.push_back(std::make_unique<const Pattern>(pattern.expression, Pattern::Origin::kOurs));
    any.append(any.empty() ? "(?:" : "|(?:").append(pattern.expression).append(")");
  }
  any_of_ours_ = std::make_unique<const Pattern>(any, Pattern::Origin::kOurs);
  for (const std::string& pattern : patterns) {
    configured_.push_back(std::make_unique<const Pattern>(pattern, Pattern::Origin::kConfigured));
  }
}

Redactor::~Redactor() = default;

Status Redactor::check(std::string_view pattern) {
  const re2::RE2 search(piece(pattern), quiet(Encoding::EncodingUTF8));
  if (!search.ok()) {
    return Error{
        ErrorCode::kConfigInvalid,
        "[log] redact: each must be a regular expression that RE2 takes (no look-around, no back references)"};
  }
  if (re2::RE2::PartialMatch("", search)) {
    return Error{ErrorCode::kConfigInvalid, "[log] redact: a pattern must not match the empty text"};
  }
  return {};
}

void Redactor::hide(ByteView secret) {
  const std::unique_lock lock(mutex_);
  known_.add(as_text(secret));
  if (secret.size() < SecretPrints::kShortest) return;
  for (const std::string_view digits : {kHex, kUpperHex, kBase64, kBase64Url}) {
    known_.add(as_text(in_digits(secret, digits).view()));
  }
}

std::string Redactor::text(std::string_view text) const {
  std::string out = without_known(text);
  if (any_of_ours_->is_in(out)) {
    for (const auto& pattern : ours_) out = pattern->replace(out);
  }
  for (const auto& pattern : configured_) out = pattern->replace(out);
  return out;
}

std::string Redactor::without_known(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  std::string out;
  std::size_t at = 0;
  for (const Extent& secret : known_.find(text)) {
    out.append(text.substr(at, secret.begin - at)).append(kRedacted);
    at = secret.end;
  }
  return out.append(text.substr(at));
}

// Of configured patterns the whole says nothing: `^` and `$` are a string's ends. No pattern of ours has an end.
bool Redactor::may_have_secrets(std::string_view json) const {
  if (!configured_.empty() || any_of_ours_->is_in(json)) return true;
  if (json.find('\\') != std::string_view::npos) return true;  // an escape may hide one
  const std::shared_lock lock(mutex_);
  return !known_.find(json).empty();
}

namespace {

json::Node redacted(const Redactor& redactor, const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kString:
      return redactor.text(*value.string());
    case json::Value::Kind::kArray: {
      json::Node array = json::Node::array();
      for (const json::Value& item : value.items()) array.push_back(redacted(redactor, item));
      return array;
    }
    case json::Value::Kind::kObject: {
      json::Node object = json::Node::object();
      for (const json::Member& member : value.members()) {
        object.set(std::string(member.name), redacted(redactor, member.value));
      }
      return object;
    }
    case json::Value::Kind::kNull:
    case json::Value::Kind::kBool:
    case json::Value::Kind::kNumber:
      return json::Node::copy(value);
  }
  return nullptr;
}

}  // namespace

std::string Redactor::json(std::string json) const {
  if (!may_have_secrets(json)) return json;
  const auto document = json::Document::parse_borrowed(json);
  if (!document) return text(json);
  return json::to_jcs(redacted(*this, document->root()));
}

}  // namespace chancery::telemetry
