#include "sdk/audit/entry.hpp"

#include <optional>

namespace chancery::audit {
namespace {

std::string_view text_of(const json::Value* object, std::string_view member) noexcept {
  const json::Value* value = object == nullptr ? nullptr : object->find(member);
  return value == nullptr ? std::string_view() : value->string().value_or(std::string_view());
}

}  // namespace

Result<Entry> Entry::parse(std::uint64_t sequence, std::string text) {
  constexpr Error kNoEntry{ErrorCode::kMalformed,
                           "not an entry of an audit log: it has no action and instant"};
  CHANCERY_ASSIGN(json::Document document, json::Document::parse(std::move(text)));
  const json::Value* at = document.root().find("at");
  if (at == nullptr || !at->integer() || text_of(&document.root(), "action").empty()) return kNoEntry;
  return Entry(sequence, std::move(document));
}

std::chrono::sys_seconds Entry::at() const noexcept {
  return std::chrono::sys_seconds{std::chrono::seconds{value().find("at")->integer().value_or(0)}};
}

bool Entry::is_denial() const noexcept {
  return outcome() == "deny" || outcome() == "refused" || outcome() == "failed";
}

std::string_view Entry::text(std::string_view member) const noexcept { return text_of(&value(), member); }

std::vector<std::pair<std::string_view, std::string_view>> Entry::ids() const {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  const json::Value* ids = value().find("ids");
  if (ids == nullptr) return out;
  for (const json::Member& member : ids->members()) {
    if (const auto id = member.value.string()) out.emplace_back(member.name, *id);
  }
  return out;
}

std::string_view Entry::id(std::string_view kind) const noexcept {
  return text_of(value().find("ids"), kind);
}

std::string_view Entry::detail(std::string_view name) const noexcept {
  return text_of(value().find("details"), name);
}

std::string_view Entry::caller(std::string_view name) const noexcept {
  return text_of(value().find("caller"), name);
}

std::int64_t Entry::caller_number(std::string_view name) const noexcept {
  const json::Value* caller = value().find("caller");
  const json::Value* number = caller == nullptr ? nullptr : caller->find(name);
  return number == nullptr ? -1 : number->integer().value_or(-1);
}

}  // namespace chancery::audit
