#include "daemon/runtime/tools/response.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "sdk/json/number.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tools {
namespace {

using Kind = json::Value::Kind;

/// Pointers whose first `depth` tokens have led to where we are.
using Active = std::vector<const Pointer*>;

bool ends_here(const Active& active, std::size_t depth) {
  return std::ranges::any_of(active, [&](const Pointer* pointer) { return pointer->tokens.size() == depth; });
}

// A list has no names: `*` stands for every item of it, and nothing else does.
Active step(const Active& active, std::size_t depth, std::string_view token) {
  Active next;
  for (const Pointer* pointer : active) {
    if (pointer->tokens.size() > depth && pointer->tokens[depth] == token) next.push_back(pointer);
  }
  return next;
}

bool is_unsafe(const json::Value& value) {
  const auto number = value.number();
  if (number) return std::abs(*number) > json::kMaxSafeInteger;
  return std::ranges::any_of(value.items(), is_unsafe) ||
         std::ranges::any_of(value.members(),
                             [](const json::Member& member) { return is_unsafe(member.value); });
}

// A number beyond 2^53 is another one to the next reader that keeps numbers as binary64, and none to a strict one: it passes as
// a text, digit by digit as it was written.
json::Node copied(const json::Value& value) {
  if (!is_unsafe(value)) return json::Node::copy(value);
  if (value.is(Kind::kNumber)) return json::Node(value.source());
  if (value.is(Kind::kArray)) {
    json::Node list = json::Node::array();
    for (const json::Value& item : value.items()) list.push_back(copied(item));
    return list;
  }
  json::Node object = json::Node::object();
  for (const json::Member& member : value.members())
    object.set(std::string(member.name), copied(member.value));
  return object;
}

struct Place {
  Active allow;
  Active pii;
  std::size_t depth = 0;

  [[nodiscard]] Place below(std::string_view token) const {
    return {step(allow, depth, token), step(pii, depth, token), depth + 1};
  }
};

struct Verdict {
  bool allowed = false;
  bool redacted = false;
};

/// \param above  what the pointers that ended above this place say of it
std::optional<json::Node> shaped(const json::Value& value, const Place& place, Verdict above) {
  const bool allowed = above.allowed || ends_here(place.allow, place.depth);
  const bool redacted = above.redacted || ends_here(place.pii, place.depth);
  if (!allowed && place.allow.empty()) return std::nullopt;
  if (allowed && redacted) return json::Node(kRedactedField);
  if (allowed && place.pii.empty()) return copied(value);
  if (value.is(Kind::kArray)) {
    json::Node list = json::Node::array();
    const Place below = place.below("*");
    for (const json::Value& item : value.items()) {
      if (auto kept = shaped(item, below, {allowed, redacted})) list.push_back(*std::move(kept));
    }
    return list;
  }
  if (value.is(Kind::kObject)) {
    json::Node object = json::Node::object();
    for (const json::Member& member : value.members()) {
      if (auto kept = shaped(member.value, place.below(member.name), {allowed, redacted})) {
        object.set(std::string(member.name), *std::move(kept));
      }
    }
    return object;
  }
  return allowed ? std::optional(copied(value)) : std::nullopt;
}

}  // namespace

std::string shape_response(const Tool& tool, const json::Value& answer) {
  Place root;
  for (const Pointer& pointer : tool.response.allow) root.allow.push_back(&pointer);
  for (const Pointer& pointer : tool.response.pii) root.pii.push_back(&pointer);
  const auto kept = shaped(answer, root, {});
  return kept ? json::to_jcs(*kept) : "null";
}

}  // namespace chancery::tools
