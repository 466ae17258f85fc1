#pragma once

#include <cstddef>
#include <string_view>

#include <chancery/result.hpp>

namespace chancery::rest {

/// Which part of a list is asked for.
struct Page {
  std::size_t limit = 100;
  std::string_view after;  ///< borrowed from the query
};

/// Reads a query of `limit` and `after`, nothing else. kInvalidArgument.
[[nodiscard]] Result<Page> read_page(std::string_view query);

}  // namespace chancery::rest
