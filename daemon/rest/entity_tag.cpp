#include "daemon/rest/entity_tag.hpp"

#include <algorithm>

namespace chancery::rest {

bool names_tag(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view tag = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    while (tag.ends_with(' ')) tag.remove_suffix(1);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

}  // namespace chancery::rest
