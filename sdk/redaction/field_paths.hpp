#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

namespace chancery::redaction {

/// Fields of JSON documents: JSON pointers (RFC 6901) in which `*` stands for any member or element, such as
/// `/customers/*/email`. A pointer names all that is below it, too.
class FieldPaths {
 public:
  FieldPaths() = default;

  /// \return kInvalidArgument (a pointer that does not begin with `/`, or with `~` before anything but 0 and 1)
  [[nodiscard]] static Result<FieldPaths> parse(std::span<const std::string> pointers);

  [[nodiscard]] bool empty() const noexcept { return paths_.empty(); }
  /// Whether the value at the end of these members' names and elements' numbers is one of the fields.
  [[nodiscard]] bool has(std::span<const std::string> path) const;

 private:
  using Path = std::vector<std::string>;
  std::vector<Path> paths_;
};

/// The JSON pointer of a place.
[[nodiscard]] std::string json_pointer(std::span<const std::string> path);

}  // namespace chancery::redaction
