#include "daemon/rest/page.hpp"

#include <algorithm>
#include <charconv>

#include "daemon/service/office.hpp"

namespace chancery::rest {

Result<Page> read_page(std::string_view query) {
  Page page;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (item.starts_with("after=")) {
      page.after = item.substr(6);
      continue;
    }
    const std::string_view number = item.starts_with("limit=") ? item.substr(6) : std::string_view();
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), page.limit);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == number.data() + number.size();
    if (!whole || page.limit < 1 || page.limit > service::kMaxPage) {
      return Error{ErrorCode::kInvalidArgument,
                   "the query takes `limit` (1 to 1000) and `after` (the `next` of the page before)"};
    }
  }
  return page;
}

}  // namespace chancery::rest
