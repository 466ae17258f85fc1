#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

#include "daemon/runtime/tools/tool_file.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/toml/toml.hpp"

namespace chancery::tools {

[[nodiscard]] int line_of(const toml::node& node);

/// A TOML value as the JSON that it stands for, or why it stands for none: dates, numbers beyond 2^53.
[[nodiscard]] Result<json::Node, LoadError> to_json(const toml::node& node);

/// One table of a declaration, read field by field. Each reader gives nothing for a field that is not there, and an error, with its
/// line, for one of another form. What nobody asked for when finish() is called is a typing error.
class Fields {
 public:
  /// \param place  what stands before names in errors: "tool.http"
  Fields(const toml::table& table, std::string place, std::string file)
      : table_(&table), place_(std::move(place)), file_(std::move(file)) {}

  [[nodiscard]] Result<std::optional<std::string>, LoadError> text(std::string_view name);
  [[nodiscard]] Result<std::string, LoadError> required_text(std::string_view name);
  [[nodiscard]] Result<std::optional<bool>, LoadError> flag(std::string_view name);
  [[nodiscard]] Result<std::optional<std::vector<std::string>>, LoadError> texts(std::string_view name);
  /// "1MiB", "64KiB", or a number of octets.
  [[nodiscard]] Result<std::optional<std::uint64_t>, LoadError> octets(std::string_view name);
  /// "500ms", "10s", "2m".
  [[nodiscard]] Result<std::optional<std::chrono::milliseconds>, LoadError> duration(std::string_view name);
  /// The place of a text in `names`.
  [[nodiscard]] Result<std::optional<std::size_t>, LoadError> choice(std::string_view name,
                                                                     std::span<const std::string_view> names);
  [[nodiscard]] Result<std::optional<Pointer>, LoadError> pointer(std::string_view name);
  [[nodiscard]] Result<std::optional<std::vector<Pointer>>, LoadError> pointers(std::string_view name);
  /// A table of names and pointers, by name.
  [[nodiscard]] Result<std::vector<NamedPointer>, LoadError> named_pointers(std::string_view name);
  [[nodiscard]] Result<std::optional<Fields>, LoadError> table(std::string_view name);
  [[nodiscard]] Result<std::vector<Fields>, LoadError> tables(std::string_view name);

  /// The value itself, which counts as asked for.
  [[nodiscard]] const toml::node* raw(std::string_view name);
  [[nodiscard]] bool has(std::string_view name) const { return table_->contains(name); }
  [[nodiscard]] const toml::table& whole() const noexcept { return *table_; }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }

  /// Refuses what was not asked for.
  [[nodiscard]] Result<void, LoadError> finish() const;

  /// An error at a field, or at the table when the field is not there.
  [[nodiscard]] LoadError wrong(std::string_view name, std::string message) const;
  [[nodiscard]] LoadError wrong_here(std::string message) const;

 private:
  [[nodiscard]] Result<Pointer, LoadError> pointer_of(std::string_view name, const toml::node& node) const;

  const toml::table* table_;
  std::string place_;
  std::string file_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace chancery::tools
