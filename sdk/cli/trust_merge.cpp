#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/cli/trust_file.hpp"
#include "sdk/crypto/jwk.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::cli {
namespace {

using json::Node;
using json::Value;

// Merged as JSON, not as TrustConfig: what was written stays as it was written.

struct KeyText {
  Thumbprint thumbprint;
  std::string jcs;
};

// As verification reads patterns: a star at the end stands for any text.
bool can_meet(std::string_view one, std::string_view other) {
  const auto stem = [](std::string_view text) {
    return text.ends_with('*') ? text.substr(0, text.size() - 1) : text;
  };
  return (one.ends_with('*') && stem(other).starts_with(stem(one))) ||
         (other.ends_with('*') && stem(one).starts_with(stem(other))) || one == other;
}

/// Of an anchor that was read as a whole before: texts, or none, which are all.
std::vector<std::string> patterns_from(const std::string* jcs) {
  std::vector<std::string> out;
  const auto document = jcs == nullptr ? std::nullopt : std::optional(json::Document::parse_borrowed(*jcs));
  if (!document || !*document) return out;
  for (const Value& item : (*document)->root().items()) out.emplace_back(item.string().value_or("*"));
  return out;
}

bool are_disjoint(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  if (some.empty() || others.empty()) return false;
  return std::ranges::none_of(some, [&](const std::string& one) {
    return std::ranges::any_of(others, [&](const std::string& other) { return can_meet(one, other); });
  });
}

struct AnchorText {
  std::vector<KeyText> keys;
  std::vector<KeyText> status_keys;            ///< they change, as `keys` do: no other anchor comes of that
  std::vector<KeyText> attestation_verifiers;  ///< likewise
  std::map<std::string, std::string, std::less<>>
      restrictions;  ///< all members but those, JCS; `iss` among them, and `status` without its keys

  [[nodiscard]] bool only_names_issuer() const {
    return restrictions.size() == 1 && restrictions.contains("iss");
  }
  [[nodiscard]] bool has_issuer_of(const AnchorText& other) const {
    const auto mine = restrictions.find("iss");
    const auto theirs = other.restrictions.find("iss");
    return mine != restrictions.end() && theirs != other.restrictions.end() && mine->second == theirs->second;
  }
  /// nullptr when it has none of that name.
  [[nodiscard]] const std::string* restriction(std::string_view name) const {
    const auto found = restrictions.find(name);
    return found == restrictions.end() ? nullptr : &found->second;
  }
  /// Whether no chain is one of which both may speak: of another issuer, of other principals or of other agents.
  [[nodiscard]] bool is_apart_from(const AnchorText& other) const {
    const std::string* const mine = restriction("iss");
    const std::string* const theirs = other.restriction("iss");
    if (mine != nullptr && theirs != nullptr && *mine != *theirs) return true;
    return std::ranges::any_of(std::array{"sub", "client_id"}, [&](const char* name) {
      return are_disjoint(patterns_from(restriction(name)), patterns_from(other.restriction(name)));
    });
  }
  [[nodiscard]] bool has_key_of(const AnchorText& other) const {
    return std::ranges::any_of(keys, [&](const KeyText& key) {
      return std::ranges::find(other.keys, key.thumbprint, &KeyText::thumbprint) != other.keys.end();
    });
  }
};

struct TrustText {
  std::vector<AnchorText> anchors;
  std::vector<KeyText> issuers;
  std::vector<KeyText> status_keys;
};

Status add_keys(std::vector<KeyText>& keys, const Value* array) {
  if (array == nullptr) return {};
  for (const Value& item : array->items()) {
    CHANCERY_ASSIGN(const PublicKey key, public_key_from_jwk(item));
    const Thumbprint thumbprint = key.thumbprint();
    const bool held = std::ranges::find(keys, thumbprint, &KeyText::thumbprint) != keys.end();
    if (!held) keys.push_back({thumbprint, json::to_jcs(item)});
  }
  return {};
}

void add_keys(std::vector<KeyText>& keys, std::vector<KeyText> more) {
  for (KeyText& key : more) {
    const bool held = std::ranges::find(keys, key.thumbprint, &KeyText::thumbprint) != keys.end();
    if (!held) keys.push_back(std::move(key));
  }
}

Node without_keys(const Value& object) {
  Node node = Node::object({});
  for (const json::Member& member : object.members()) {
    if (member.name != "keys") node.set(std::string(member.name), Node::copy(member.value));
  }
  return node;
}

Result<AnchorText> read_anchor(const Value& object) {
  AnchorText anchor;
  CHANCERY_TRY(add_keys(anchor.keys, object.find("keys")));
  for (const json::Member& member : object.members()) {
    if (member.name == "status") {
      CHANCERY_TRY(add_keys(anchor.status_keys, member.value.find("keys")));
      anchor.restrictions.emplace(member.name, json::to_jcs(without_keys(member.value)));
    } else if (member.name == "attestation_verifiers") {
      CHANCERY_TRY(add_keys(anchor.attestation_verifiers, &member.value));
    } else if (member.name != "keys") {
      anchor.restrictions.emplace(member.name, json::to_jcs(member.value));
    }
  }
  return anchor;
}

// The first anchor with a key that may speak of a chain roots it: a ceiling that comes after one without, or after another, would bound
// nothing of what both may speak of.
Status require_effect(const std::vector<AnchorText>& anchors, const AnchorText& added) {
  const std::string* const ceiling = added.restriction("ceiling");
  if (ceiling == nullptr) return {};
  for (const AnchorText& held : anchors) {
    if (held.is_apart_from(added) || !held.has_key_of(added)) continue;
    const std::string* const before = held.restriction("ceiling");
    if (before == nullptr)
      return Error{
          ErrorCode::kConflict,
          "this issuer's key is trusted already, and without a ceiling: take that anchor out of the trust file, then add this"};
    if (*before != *ceiling)
      return Error{
          ErrorCode::kConflict,
          "this issuer's key is trusted already, with another ceiling: take that anchor out of the trust file, then add this"};
  }
  return {};
}

void add_anchor(std::vector<AnchorText>& anchors, AnchorText added) {
  const auto same = std::ranges::find_if(anchors, [&](const AnchorText& held) {
    return held.restrictions == added.restrictions ||
           (added.only_names_issuer() && held.has_issuer_of(added));
  });
  // Of several anchors with the key that signs a chain the first that may speak roots it, and its verifiers alone count.
  for (auto before = anchors.begin(); before != same; ++before) {
    if (before->has_issuer_of(added) && before->has_key_of(added))
      add_keys(before->attestation_verifiers, added.attestation_verifiers);
  }
  if (same == anchors.end()) {
    anchors.push_back(std::move(added));
  } else {
    add_keys(same->keys, std::move(added.keys));
    add_keys(same->status_keys, std::move(added.status_keys));
    add_keys(same->attestation_verifiers, std::move(added.attestation_verifiers));
  }
}

Status add_trust(TrustText& trust, std::string_view text) {
  // Judged whole by the reader that verification uses, before any of it is taken.
  CHANCERY_TRY(TrustConfig::parse(text));
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(text));
  for (const Value& item : document.root().find("anchors")->items()) {
    CHANCERY_ASSIGN(AnchorText anchor, read_anchor(item));
    add_anchor(trust.anchors, std::move(anchor));
  }
  CHANCERY_TRY(add_keys(trust.issuers, document.root().find("issuers")));
  return add_keys(trust.status_keys, document.root().find("status_keys"));
}

Node keys_node(const std::vector<KeyText>& keys) {
  Node array = Node::array();
  for (const KeyText& key : keys) array.push_back(Node::canonical(key.jcs));
  return array;
}

Result<Node> anchor_node(const AnchorText& anchor) {
  Node node = Node::object({{"keys", keys_node(anchor.keys)}});
  if (!anchor.attestation_verifiers.empty())
    node.set("attestation_verifiers", keys_node(anchor.attestation_verifiers));
  for (const auto& [name, jcs] : anchor.restrictions) {
    if (name != "status" || anchor.status_keys.empty()) {
      node.set(name, Node::canonical(jcs));
      continue;
    }
    CHANCERY_ASSIGN(const json::Document status, json::Document::parse_borrowed(jcs));
    Node whole = without_keys(status.root());
    whole.set("keys", keys_node(anchor.status_keys));
    node.set(name, std::move(whole));
  }
  return node;
}

}  // namespace

Result<std::string> merge_trust(std::string_view held, std::string_view added) {
  TrustText trust;
  CHANCERY_TRY(add_trust(trust, held));
  TrustText fresh;
  CHANCERY_TRY(add_trust(fresh, added));
  for (const AnchorText& anchor : fresh.anchors) CHANCERY_TRY(require_effect(trust.anchors, anchor));
  CHANCERY_TRY(add_trust(trust, added));
  Node anchors = Node::array();
  for (const AnchorText& anchor : trust.anchors) {
    CHANCERY_ASSIGN(Node written, anchor_node(anchor));
    anchors.push_back(std::move(written));
  }
  Node node = Node::object({{"anchors", std::move(anchors)}});
  if (!trust.issuers.empty()) node.set("issuers", keys_node(trust.issuers));
  if (!trust.status_keys.empty()) node.set("status_keys", keys_node(trust.status_keys));
  return json::to_jcs(node);
}

}  // namespace chancery::cli
