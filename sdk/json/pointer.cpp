#include "sdk/json/pointer.hpp"

#include <charconv>

namespace chancery::json {
namespace {

std::optional<std::string> unescape_token(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') {
      out += text[i];
      continue;
    }
    if (++i == text.size() || (text[i] != '0' && text[i] != '1')) return std::nullopt;
    out += text[i] == '0' ? '~' : '/';
  }
  return out;
}

// "0", "17"; never "01" or "-".
std::optional<std::size_t> index_of(std::string_view token) noexcept {
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [stop, failure] = std::from_chars(token.data(), end, index);
  if (failure != std::errc{} || stop != end || (token.size() > 1 && token.front() == '0'))
    return std::nullopt;
  return index;
}

}  // namespace

std::string escape_token(std::string_view token) {
  std::string out;
  for (const char c : token) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

std::optional<std::vector<std::string>> split_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return std::nullopt;
    const std::string_view token = pointer.substr(1, pointer.find('/', 1) - 1);
    pointer.remove_prefix(1 + token.size());
    auto plain = unescape_token(token);
    if (!plain) return std::nullopt;
    tokens.push_back(*std::move(plain));
  }
  return tokens;
}

const Value* child_of(const Value& value, std::string_view token) noexcept {
  if (value.is(Value::Kind::kObject)) return value.find(token);
  const auto index = index_of(token);
  return index && *index < value.items().size() ? &value.items()[*index] : nullptr;
}

const Value* value_at(const Value& root, const std::vector<std::string>& tokens) noexcept {
  const Value* value = &root;
  for (const std::string& token : tokens) {
    value = child_of(*value, token);
    if (value == nullptr) return nullptr;
  }
  return value;
}

}  // namespace chancery::json
