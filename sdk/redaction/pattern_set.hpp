#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/redaction/hit.hpp"

namespace chancery::redaction {

/// secret_patterns(), compiled. One pass over the text finds the patterns' marks; an expression is tried only where one
/// of its marks stands, so that a text without secrets costs one look at each octet. Linear in the text. Immutable.
class PatternSet {
 public:
  PatternSet();
  ~PatternSet();
  PatternSet(const PatternSet&) = delete;
  PatternSet& operator=(const PatternSet&) = delete;

  /// Adds what it finds in `text`, in no order; extents of two patterns may overlap.
  void find(std::string_view text, std::vector<Hit>& out) const;

 private:
  struct Table;
  std::unique_ptr<const Table> table_;
};

/// The expressions of a configuration. Each is searched for by itself.
class ConfiguredPatterns {
 public:
  /// \param expressions  each of which check() has found good
  explicit ConfiguredPatterns(std::span<const std::string> expressions = {});
  ~ConfiguredPatterns();
  ConfiguredPatterns(const ConfiguredPatterns&) = delete;
  ConfiguredPatterns& operator=(const ConfiguredPatterns&) = delete;

  /// Whether an expression can be used.
  /// \return kConfigInvalid (no RE2 expression, or one that matches everywhere)
  [[nodiscard]] static Status check(std::string_view expression);

  [[nodiscard]] bool empty() const noexcept { return searches_.empty(); }
  /// Adds what it finds. A search may look at all that is left before it finds its end, so that behind a thousand finds of
  /// one expression the rest of the text goes as a whole.
  void find(std::string_view text, std::vector<Hit>& out) const;

 private:
  struct Search;
  std::vector<std::unique_ptr<const Search>> searches_;
};

}  // namespace chancery::redaction
