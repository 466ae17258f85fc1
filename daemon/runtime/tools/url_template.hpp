#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/runtime/tools/url.hpp"

namespace chancery::tools {

/// A URL whose path has places for arguments: `https://api.example.org/v1/charges/{charge}/refunds?expand=all`. A segment has one
/// place at most, in braces; host, port and query have none.
class UrlTemplate {
 public:
  /// \return the template, or kInvalidArgument: no URL that parse_url() takes, not in its one spelling, or a place where none may be
  [[nodiscard]] static Result<UrlTemplate> parse(std::string_view text);

  /// The names in braces, in the order of the path.
  [[nodiscard]] const std::vector<std::string>& places() const noexcept { return places_; }
  /// The URL with every place left out.
  [[nodiscard]] const Url& base() const noexcept { return base_; }

  /// The URL with a value in each place, escaped, and with parameters behind its own.
  ///
  /// The result is read again as a server would: scheme, host and port, the segments of the path and the number of parameters are
  /// as declared, whatever the values are.
  /// \param values  one for each place
  /// \param query  names and values, unescaped
  /// \return the URL, or kInvalidArgument: a value holds a control character, or one of the path is empty, "." or "..", or
  ///         holds a slash or backslash, which servers take for another path when they decode it
  [[nodiscard]] Result<Url> fill(const std::vector<std::string>& values,
                                 const std::vector<std::pair<std::string, std::string>>& query) const;

 private:
  struct Segment {
    std::string before;  ///< the place, or all of it when there is none
    bool has_place = false;
    std::string after;
  };
  Url base_;
  std::vector<Segment> segments_;
  std::vector<std::string> places_;
};

}  // namespace chancery::tools
