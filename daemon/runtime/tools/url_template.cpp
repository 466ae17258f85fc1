#include "daemon/runtime/tools/url_template.hpp"

#include <algorithm>

#include "sdk/base/percent.hpp"

namespace chancery::tools {
namespace {

constexpr Error refusal(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

// Stands for a value while the rest of a template is looked at.
constexpr std::string_view kStandIn = "x";

Status check_segment_value(std::string_view value) {
  if (has_control(value)) return refusal("a value in a URL holds a control character: take it out");
  if (value.empty() || value == "." || value == "..") {
    return refusal("a value in a URL's path is empty, \".\" or \"..\": give a name");
  }
  if (value.find_first_of("/\\") != std::string_view::npos) {
    return refusal("a value in a URL's path holds a slash or backslash: give one name");
  }
  return {};
}

}  // namespace

Result<UrlTemplate> UrlTemplate::parse(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t start =
      scheme == std::string_view::npos ? text.size() : text.find_first_of("/?", scheme + 3);
  if (start >= text.size() || text[start] != '/')
    return refusal("write scheme, host and path, as in https://host/path");
  const std::size_t mark = std::min(text.find('?', start), text.size());
  std::string_view path = text.substr(start, mark - start);

  UrlTemplate made;
  std::string without;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    Segment segment{std::string(part), false, {}};
    if (const std::size_t open = part.find('{'); open != std::string_view::npos) {
      const std::size_t close = part.find('}', open);
      const std::string_view after = close == std::string_view::npos ? part : part.substr(close + 1);
      const bool one = close > open + 1 && after.find_first_of("{}") == std::string_view::npos &&
                       part.find('{', open + 1) == std::string_view::npos;
      if (!one) {
        return refusal("a segment of the path has one place at most, a name in braces");
      }
      made.places_.emplace_back(part.substr(open + 1, close - open - 1));
      segment = {std::string(part.substr(0, open)), true, std::string(after)};
    }
    without += "/" + segment.before + std::string(segment.has_place ? kStandIn : "") + segment.after;
    made.segments_.push_back(std::move(segment));
  }
  without = std::string(text.substr(0, start)) + without + std::string(text.substr(mark));
  if (without.find_first_of("{}") != std::string::npos) {
    return refusal("places for arguments are in the path alone: use query for parameters");
  }
  CHANCERY_ASSIGN(made.base_, parse_url(without));
  if (made.base_.text() != without || made.base_.query == "") {
    return refusal(
        "write the URL in its one spelling: lower case, no default port, no dot segments, few escapes");
  }
  return made;
}

Result<Url> UrlTemplate::fill(const std::vector<std::string>& values,
                              const std::vector<std::pair<std::string, std::string>>& query) const {
  std::string text = base_.origin();
  auto value = values.begin();
  for (const Segment& segment : segments_) {
    text += "/" + segment.before;
    if (!segment.has_place) continue;
    if (value == values.end())
      return refusal("a place of the URL has no value: give every argument of the path");
    CHANCERY_TRY(check_segment_value(*value));
    text += percent_encode(*value++) + segment.after;
  }
  std::size_t parameters = count_parameters(base_.query);
  if (base_.query) text += "?" + *base_.query;
  for (const auto& [name, content] : query) {
    if (has_control(content)) return refusal("a value in a URL holds a control character: take it out");
    text += (parameters++ == 0 ? "?" : "&") + percent_encode(name) + "=" + percent_encode(content);
  }

  CHANCERY_ASSIGN(Url url, parse_url(text));
  const bool as_declared = url.text() == text && url.scheme == base_.scheme && url.host == base_.host &&
                           url.port == base_.port && count_segments(url.path) == segments_.size() &&
                           count_parameters(url.query) == parameters;
  if (!as_declared)
    return refusal("the values would change the URL's host, path or parameters: give other values");
  return url;
}

}  // namespace chancery::tools
