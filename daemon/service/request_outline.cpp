#include "daemon/service/request_outline.hpp"

#include <string_view>
#include <utility>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::service {
namespace {

using json::Value;

// A list has one line for each request.
constexpr std::size_t kMostAmounts = 4;
constexpr std::size_t kLongestName = 64;

std::string text_of(const Value& document, std::string_view name) {
  const Value* const value = document.find(name);
  return value == nullptr ? std::string() : std::string(value->string().value_or(""));
}

// Names are the agent's choice: one that is long or empty is no word for a list.
bool fits(const json::Member& member) { return !member.name.empty() && member.name.size() <= kLongestName; }

/// Texts as they are, numbers as JSON has them.
json::Node amounts_in(const Value& object, Value::Kind kind) {
  json::Node out = json::Node::object();
  std::size_t count = 0;
  for (const json::Member& member : object.members()) {
    if (count == kMostAmounts) break;
    if (!member.value.is(kind) || !fits(member)) continue;
    const auto text = member.value.string();
    out.set(std::string(member.name), text ? std::string(*text) : json::to_jcs(member.value));
    ++count;
  }
  return out;
}

std::string amounts_text(const Value& document) {
  constexpr std::string_view kNone = "{}";
  for (const auto& [name, kind] :
       {std::pair("arguments", Value::Kind::kNumber), std::pair("debits", Value::Kind::kString)}) {
    const Value* const object = document.find(name);
    if (object == nullptr) continue;
    std::string text = json::to_jcs(amounts_in(*object, kind));
    if (text != kNone) return text;
  }
  return {};
}

}  // namespace

Status outline(store::ParkedCall& call) {
  CHANCERY_ASSIGN(const json::Document document, json::Document::parse_borrowed(call.document));
  call.agent = text_of(document.root(), "agent");
  call.risk = text_of(document.root(), "risk");
  call.amounts = amounts_text(document.root());
  return {};
}

std::map<std::string, std::string> amounts_of(const store::ParkedCall& call) {
  std::map<std::string, std::string> out;
  const auto document = json::Document::parse_borrowed(call.amounts);
  if (!document || !document->root().is(Value::Kind::kObject)) return out;
  for (const json::Member& member : document->root().members()) {
    if (const auto text = member.value.string()) out.emplace(member.name, *text);
  }
  return out;
}

}  // namespace chancery::service
