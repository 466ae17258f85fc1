#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/rest/http.hpp"

namespace chancery::rest {

/// The parameters of a body in `application/x-www-form-urlencoded` (RFC 6749 appendix B): UTF-8, each given once,
/// but for `audience` and `resource`, of which there may be several (RFC 8693 section 2.1). One without a value
/// is as if it were absent (RFC 6749 section 3.2). A value.
class Form {
 public:
  /// \return the parameters; kUnsupportedMediaType, kMalformed
  [[nodiscard]] static Result<Form> read(const Request& request);
  /// The same of a query. \return kMalformed
  [[nodiscard]] static Result<Form> parse(std::string_view encoded);

  /// The value, borrowed; empty when there is none.
  [[nodiscard]] std::string_view text(std::string_view name) const noexcept;
  /// Whether there are no other parameters than these.
  [[nodiscard]] bool has_only(std::initializer_list<std::string_view> names) const noexcept;
  /// Every value of that name, in the order in which they came.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;

 private:
  [[nodiscard]] Status add(std::string_view item);

  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace chancery::rest
