#include "sdk/redaction/secret_finder.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "sdk/json/writer.hpp"
#include "sdk/redaction/entropy.hpp"

namespace chancery::redaction {
namespace {

constexpr std::size_t kLeastReach = 32 * 1024;  // tokens with certificates in them, and keys in PEM
constexpr std::size_t kWidestForm =
    12;  // octets that a form may take for one: a character of JSON twice escaped

constexpr std::size_t kLongestName = 64;

// Without what people divide words with: clientSecret, client_secret and Client-Secret are one name.
class PlainName {
 public:
  /// \param name  of at most kLongestName octets
  explicit PlainName(std::string_view name) {
    for (const char c : name) {
      if (c == '_' || c == '-' || c == ' ') continue;
      octets_[size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  [[nodiscard]] std::string_view text() const { return {octets_.data(), size_}; }

 private:
  std::array<char, kLongestName> octets_;
  std::size_t size_ = 0;
};

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 9> kWhole{"pwd",     "secret",      "authorization",
                                                   "cookie",  "setcookie",   "sessiontoken",
                                                   "idtoken", "bearertoken", "authtoken"};
  constexpr std::array<std::string_view, 9> kEndings{"password",     "passwd",    "passphrase",
                                                     "clientsecret", "apikey",    "accesstoken",
                                                     "refreshtoken", "secretkey", "privatekey"};
  if (name.size() > kLongestName) return false;
  const PlainName without_dividers(name);
  const std::string_view plain = without_dividers.text();
  return std::ranges::find(kWhole, plain) != kWhole.end() ||
         std::ranges::any_of(kEndings, [&](std::string_view ending) { return plain.ends_with(ending); });
}

// In a string a character stays whole.
void widen_to_characters(std::string_view text, std::vector<Hit>& hits) {
  const auto is_inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  for (Hit& hit : hits) {
    while (hit.extent.begin > 0 && is_inside(hit.extent.begin)) --hit.extent.begin;
    while (is_inside(hit.extent.end)) ++hit.extent.end;
  }
}

/// One look at a JSON document.
class DocumentWalk {
 public:
  DocumentWalk(const SecretFinder& finder, const FieldPaths& fields, bool named)
      : finder_(finder), fields_(fields), named_(named) {}

  /// Whether anything is to be taken out of it. Mostly nothing is, and nothing is to be written anew.
  [[nodiscard]] bool has_any(const json::Value& value);
  /// The document anew.
  [[nodiscard]] json::Node redacted(const json::Value& value);
  [[nodiscard]] std::vector<Hit>& hits() { return hits_; }

 private:
  [[nodiscard]] json::Node redacted_object(const json::Value& object);
  [[nodiscard]] json::Node redacted_array(const json::Value& array);
  [[nodiscard]] std::string redacted_text(std::string_view text);
  [[nodiscard]] std::vector<Hit> found_in(std::string_view text) const;
  [[nodiscard]] bool any_below(std::span<const json::Value> items);
  [[nodiscard]] bool any_below(std::span<const json::Member> members);
  [[nodiscard]] bool is_field() const;
  [[nodiscard]] bool is_named_secret(const json::Value& value) const;
  void note(HitKind kind, std::string name, std::size_t size);

  const SecretFinder& finder_;
  const FieldPaths& fields_;
  const bool named_;
  std::vector<std::string> path_;
  std::vector<Hit> hits_;
};

void DocumentWalk::note(HitKind kind, std::string name, std::size_t size) {
  hits_.push_back({kind, std::move(name), {0, size}, json_pointer(path_)});
}

std::vector<Hit> DocumentWalk::found_in(std::string_view text) const {
  std::vector<Hit> found = finder_.find(text);
  if (!found.empty() && !path_.empty() && names_hash(path_.back()))
    std::erase_if(found, [](const Hit& hit) { return hit.kind == HitKind::kEntropy; });
  return found;
}

std::string DocumentWalk::redacted_text(std::string_view text) {
  std::vector<Hit> found = found_in(text);
  if (found.empty()) return std::string(text);
  widen_to_characters(text, found);
  std::string out = without(text, found);
  for (Hit& hit : found) {
    hit.where = json_pointer(path_);
    hits_.push_back(std::move(hit));
  }
  return out;
}

bool DocumentWalk::is_named_secret(const json::Value& value) const {
  if (!named_ || path_.empty() || !is_secret_name(path_.back())) return false;
  if (value.is(json::Value::Kind::kNumber)) return true;
  return value.string() && !value.string()->empty() && *value.string() != kRedacted;
}

bool DocumentWalk::is_field() const { return !fields_.empty() && !path_.empty() && fields_.has(path_); }

bool DocumentWalk::has_any(const json::Value& value) {
  if (is_field() || is_named_secret(value)) return true;
  switch (value.kind()) {
    case json::Value::Kind::kString:
      return !found_in(*value.string()).empty();
    case json::Value::Kind::kNumber:
      return !found_in(value.source()).empty();
    case json::Value::Kind::kArray:
      return any_below(value.items());
    case json::Value::Kind::kObject:
      return any_below(value.members());
    case json::Value::Kind::kNull:
    case json::Value::Kind::kBool:
      return false;
  }
  return true;
}

bool DocumentWalk::any_below(std::span<const json::Value> items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    path_.push_back(std::to_string(i));
    if (has_any(items[i])) return true;
    path_.pop_back();
  }
  return false;
}

bool DocumentWalk::any_below(std::span<const json::Member> members) {
  for (const json::Member& member : members) {
    if (!found_in(member.name).empty()) return true;
    path_.emplace_back(member.name);
    if (has_any(member.value)) return true;
    path_.pop_back();
  }
  return false;
}

json::Node DocumentWalk::redacted(const json::Value& value) {
  if (is_field()) {
    note(HitKind::kField, "listed field", value.source().size());
    return kRedacted;
  }
  if (is_named_secret(value)) {
    note(HitKind::kNamed, "member named as a secret", value.source().size());
    return kRedacted;
  }
  switch (value.kind()) {
    case json::Value::Kind::kString:
      return redacted_text(*value.string());
    case json::Value::Kind::kArray:
      return redacted_array(value);
    case json::Value::Kind::kObject:
      return redacted_object(value);
    case json::Value::Kind::kNumber:
      if (redacted_text(value.source()) != value.source()) return kRedacted;
      return json::Node::canonical(
          std::string(value.source()));  // as it was written: it may be beyond binary64
    case json::Value::Kind::kNull:
    case json::Value::Kind::kBool:
      return json::Node::copy(value);
  }
  return nullptr;
}

json::Node DocumentWalk::redacted_array(const json::Value& array) {
  json::Node out = json::Node::array();
  std::size_t index = 0;
  for (const json::Value& item : array.items()) {
    path_.push_back(std::to_string(index++));
    out.push_back(redacted(item));
    path_.pop_back();
  }
  return out;
}

// A name that holds a secret is none that a hit may quote: the place of what is found in it, and below it, has the new one.
json::Node DocumentWalk::redacted_object(const json::Value& object) {
  json::Node out = json::Node::object();
  std::set<std::string, std::less<>> taken;  // all names, once one of them is changed
  std::map<std::string, std::size_t, std::less<>> numbers;
  for (const json::Member& member : object.members()) {
    const std::string wanted = redacted_text(member.name);
    std::string name = wanted;
    if (wanted != member.name) {
      if (taken.empty()) {
        for (const json::Member& other : object.members()) taken.emplace(other.name);
      }
      // Each number is tried once: whoever sends ten thousand such names waits no longer than for others.
      std::size_t& number = numbers.try_emplace(wanted, 1).first->second;
      while (!taken.insert(name).second) name = wanted + " " + std::to_string(++number);
    }
    path_.push_back(name);
    json::Node value = redacted(member.value);
    path_.pop_back();
    out.set(std::move(name), std::move(value));
  }
  return out;
}

Result<json::Document> read_json(std::string_view text) {
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  return json::Document::parse_borrowed(text, limits);
}

}  // namespace

SecretFinder::SecretFinder(std::shared_ptr<const KnownSecrets> known, FinderOptions options)
    : known_(std::move(known)), options_(std::move(options)), configured_(options_.configured) {}

std::vector<Hit> SecretFinder::find(std::string_view text) const {
  std::vector<Hit> hits;
  if (known_) known_->find(text, hits);
  if (options_.patterns) patterns_.find(text, hits);
  configured_.find(text, hits);
  if (options_.random_tokens) find_random_tokens(text, hits);
  find_personal_data(text, options_.personal, hits);
  if (hits.size() > 1) std::ranges::stable_sort(hits, {}, [](const Hit& hit) { return hit.extent.begin; });
  return hits;
}

std::vector<Hit> SecretFinder::find_json(std::string_view json, const FieldPaths& fields) const {
  return redact_json(json, fields).hits;
}

Redacted SecretFinder::redact(std::string_view text) const {
  Redacted out;
  out.hits = find(text);
  out.text = without(text, out.hits);
  return out;
}

Redacted SecretFinder::redact_json(std::string_view json, const FieldPaths& fields) const {
  const auto document = read_json(json);
  if (!document) return redact(json);
  if (!DocumentWalk(*this, fields, options_.named_members).has_any(document->root()))
    return {std::string(json), {}};
  DocumentWalk walk(*this, fields, options_.named_members);
  const json::Node node = walk.redacted(document->root());
  return {json::to_jcs(node), std::move(walk.hits())};
}

std::size_t SecretFinder::reach() const {
  return std::max(kLeastReach, known_ ? kWidestForm * known_->longest() : 0);
}

}  // namespace chancery::redaction
