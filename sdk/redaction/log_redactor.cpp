#include "sdk/redaction/log_redactor.hpp"

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::redaction {
namespace {

constexpr std::size_t kMostSecrets = 1000;

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

json::Node redacted(const LogRedactor& redactor, const json::Value& value) {
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

Status LogRedactor::check(std::string_view pattern) {
  if (ConfiguredPatterns::check(pattern)) return {};
  return Error{
      ErrorCode::kConfigInvalid,
      "[log] redact: each must be a regular expression that RE2 takes (no look-around, no back references), "
      "and must not match the empty text"};
}

void LogRedactor::hide(ByteView secret) {
  const std::unique_lock lock(mutex_);
  known_.add(as_text(secret));
  if (secret.size() < SecretPrints::kShortest) return;
  for (const std::string_view digits : {kHex, kUpperHex, kBase64, kBase64Url}) {
    known_.add(as_text(in_digits(secret, digits).view()));
  }
}

void LogRedactor::forget(ByteView secret) {
  const std::unique_lock lock(mutex_);
  if (!known_.remove(as_text(secret))) return;  // its other forms are then somebody else's
  for (const std::string_view digits : {kHex, kUpperHex, kBase64, kBase64Url}) {
    known_.remove(as_text(in_digits(secret, digits).view()));
  }
}

std::vector<Hit> LogRedactor::find(std::string_view text) const {
  std::vector<Hit> hits;
  patterns_.find(text, hits);
  configured_.find(text, hits);
  const std::shared_lock lock(mutex_);
  for (const Extent& extent : known_.find(text)) hits.push_back({HitKind::kKnown, {}, extent, {}});
  return hits;
}

std::string LogRedactor::text(std::string_view text) const {
  std::vector<Hit> hits = find(text);
  if (hits.size() > kMostSecrets) {
    std::ranges::sort(hits, {}, [](const Hit& hit) { return hit.extent.begin; });
    hits.resize(kMostSecrets + 1);
    hits.back().extent.end = text.size();
  }
  return without(text, hits);
}

// Of configured patterns the whole says nothing: `^` and `$` are a string's ends. No pattern of ours has an end.
bool LogRedactor::may_have_secrets(std::string_view json) const {
  if (!configured_.empty()) return true;
  if (json.find('\\') != std::string_view::npos) return true;  // an escape may hide one
  return !find(json).empty();
}

std::string LogRedactor::json(std::string json) const {
  if (!may_have_secrets(json)) return json;
  const auto document = json::Document::parse_borrowed(json);
  if (!document) return text(json);
  return json::to_jcs(redacted(*this, document->root()));
}

}  // namespace chancery::redaction
