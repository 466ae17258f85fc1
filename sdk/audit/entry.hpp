#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::audit {

/// An entry of the log, read (docs/protocol/audit.md, section 1). Views into it live as long as it does, also when it is
/// moved.
class Entry {
 public:
  /// \param text  the entry's own octets
  /// \return kMalformed unless it is an object with an action and an instant
  [[nodiscard]] static Result<Entry> parse(std::uint64_t sequence, std::string text);

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  [[nodiscard]] const json::Value& value() const noexcept { return document_.root(); }

  [[nodiscard]] std::string_view action() const noexcept { return text("action"); }
  [[nodiscard]] std::chrono::sys_seconds at() const noexcept;
  /// "done", "permit", "deny", "refused" or "failed"; empty of entries that do not say it.
  [[nodiscard]] std::string_view outcome() const noexcept { return text("outcome"); }
  /// Whether something was asked for and did not come about.
  [[nodiscard]] bool is_denial() const noexcept;

  /// A member that is a text; empty when there is none.
  [[nodiscard]] std::string_view text(std::string_view member) const noexcept;
  /// What the entry is about, by its kind: "token", "key" …; in the order of their names.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> ids() const;
  /// One of them; empty when there is none.
  [[nodiscard]] std::string_view id(std::string_view kind) const noexcept;
  /// A member of `details` that is a text; empty when there is none.
  [[nodiscard]] std::string_view detail(std::string_view name) const noexcept;
  /// A member of `caller` that is a text; empty when there is none.
  [[nodiscard]] std::string_view caller(std::string_view name) const noexcept;
  /// A member of `caller` that is a number; negative when there is none.
  [[nodiscard]] std::int64_t caller_number(std::string_view name) const noexcept;

 private:
  Entry(std::uint64_t sequence, json::Document document) noexcept
      : sequence_(sequence), document_(std::move(document)) {}

  std::uint64_t sequence_;
  json::Document document_;
};

}  // namespace chancery::audit
