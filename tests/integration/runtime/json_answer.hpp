#pragma once

#include <string>
#include <string_view>

#include "sdk/json/reader.hpp"

namespace chancery::tests {

[[nodiscard]] inline bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

/// A member of a JSON object: a text as it is, anything else in JSON; empty when it is not there.
[[nodiscard]] inline std::string member(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse(json);
  const json::Value* const value = document ? document->root().find(name) : nullptr;
  return value == nullptr ? "" : std::string(value->string().value_or(value->source()));
}

}  // namespace chancery::tests
