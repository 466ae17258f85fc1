#include "daemon/rest/form.hpp"

#include <algorithm>
#include <optional>

#include "daemon/rest/exchange.hpp"
#include "sdk/base/percent.hpp"
#include "sdk/base/utf8.hpp"

namespace chancery::rest {
namespace {

// More than anybody needs, and few enough to look for each of them in turn.
constexpr std::size_t kMaxParameters = 64;

Error malformed(const char* what) { return {ErrorCode::kMalformed, what}; }

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    if (point.size == 0) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const bool is_escape = text.front() == '%';
    const auto octet = is_escape ? decode_escape(text) : std::optional(text.front());
    if (!octet) return std::nullopt;
    out += !is_escape && *octet == '+' ? ' ' : *octet;
    text.remove_prefix(is_escape ? 3 : 1);
  }
  return is_utf8(out) ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

Result<Form> Form::read(const Request& request) {
  if (!has_media_type(request, "application/x-www-form-urlencoded")) {
    return Error{ErrorCode::kUnsupportedMediaType,
                 "send parameters in the body, with `Content-Type: application/x-www-form-urlencoded`"};
  }
  return parse(request.body);
}

Result<Form> Form::parse(std::string_view rest) {
  Form form;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    CHANCERY_TRY(form.add(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return form;
}

Status Form::add(std::string_view item) {
  const std::size_t equals = std::min(item.find('='), item.size());
  const auto name = decode(item.substr(0, equals));
  const auto value = decode(item.substr(std::min(equals + 1, item.size())));
  if (!name || !value) return malformed("parameters must be UTF-8, with `%XX` for what is not plain");
  if (value->empty()) return {};
  if (parameters_.size() == kMaxParameters) return malformed("there may be 64 parameters at most");
  if (*name != "audience" && *name != "resource" && !text(*name).empty())
    return malformed("a parameter is given twice: leave one of them out");
  parameters_.emplace_back(*name, *value);
  return {};
}

std::string_view Form::text(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return {};
}

bool Form::has_only(std::initializer_list<std::string_view> names) const noexcept {
  return std::ranges::all_of(
      parameters_, [&](const auto& each) { return std::ranges::find(names, each.first) != names.end(); });
}

std::vector<std::string> Form::texts(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : parameters_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

}  // namespace chancery::rest
