#include "sdk/redaction/field_paths.hpp"

#include <algorithm>
#include <utility>

namespace chancery::redaction {
namespace {

Result<std::string> unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out.push_back(token[i]);
      continue;
    }
    const char next = i + 1 < token.size() ? token[i + 1] : 'x';
    if (next != '0' && next != '1')
      return Error{ErrorCode::kInvalidArgument, "a JSON pointer has ~0 for ~ and ~1 for /: no other ~"};
    out.push_back(next == '0' ? '~' : '/');
    ++i;
  }
  return out;
}

bool is_named(std::span<const std::string> wanted, std::span<const std::string> path) {
  return std::ranges::equal(wanted, path, [](const std::string& want, const std::string& name) {
    return want == "*" || want == name;
  });
}

}  // namespace

Result<FieldPaths> FieldPaths::parse(std::span<const std::string> pointers) {
  FieldPaths out;
  for (const std::string& pointer : pointers) {
    if (!pointer.starts_with('/'))
      return Error{ErrorCode::kInvalidArgument,
                   "a field to redact is a JSON pointer that begins with /: /customer/email"};
    Path path;
    for (std::size_t at = 1; at <= pointer.size();) {
      const std::size_t end = std::min(pointer.find('/', at), pointer.size());
      CHANCERY_ASSIGN(std::string token, unescaped(std::string_view(pointer).substr(at, end - at)));
      path.push_back(std::move(token));
      at = end + 1;
    }
    out.paths_.push_back(std::move(path));
  }
  return out;
}

bool FieldPaths::has(std::span<const std::string> path) const {
  return std::ranges::any_of(paths_, [&](const Path& wanted) { return is_named(wanted, path); });
}

std::string json_pointer(std::span<const std::string> path) {
  std::string out;
  for (const std::string& token : path) {
    out.push_back('/');
    for (const char c : token) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out.push_back(c);
      }
    }
  }
  return out;
}

}  // namespace chancery::redaction
