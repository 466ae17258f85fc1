#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <chancery/error.hpp>

#include "daemon/telemetry/redactor.hpp"

namespace chancery::telemetry {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarning, kError };
enum class Format : std::uint8_t {
  kText,  ///< for people: time, level, message, name=value …
  kJson,  ///< one object a line: "time", "level", "message" and the fields
};

/// A named value beside a message; borrowed for the call only.
struct Field {
  std::string_view name;  ///< lower case with underscores; a literal
  std::variant<bool, std::int64_t, std::string_view> value;

  Field(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  Field(std::string_view field_name, std::same_as<bool> auto flag) : name(field_name), value(flag) {}
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Field(std::string_view field_name, Number number)
      : name(field_name), value(static_cast<std::int64_t>(number)) {}
};

struct LogOptions {
  Level level = Level::kInfo;  ///< the least severe that is written
  Format format = Format::kText;
  int descriptor = 2;  ///< where lines go; borrowed; the standard error output
  /// What takes secrets out; null: one that knows no configured patterns and no values.
  std::shared_ptr<const Redactor> redactor{};
};

/// Where everything goes that the daemon says to its operators. All text passes one place, in which secrets
/// become `[redacted]`, what a terminal would obey is escaped, and long values and lines are cut; so a
/// value may hold what a client sent. What is logged within a RequestScope has the fields "request_id", "trace_id" and
/// "task", as far as they are known. Thread-safe; each message is one line in one write. Never fails: what cannot be
/// written is lost.
class Log {
 public:
  explicit Log(const LogOptions& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Level and format of messages from now on; they go where they went.
  void use(const LogOptions& options);

  /// Whether messages of that level are written: to spare the making of their fields.
  [[nodiscard]] bool writes(Level level) const;

  void trace(std::string_view message, std::initializer_list<Field> fields = {}) const;
  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const;
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const;
  void warning(std::string_view message, std::initializer_list<Field> fields = {}) const;
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const;

  /// A message about a failure: with the fields "error" (the code's name), "what" and, if there is one,
  /// "native", in front of `fields`.
  void warning(std::string_view message, const Error& failure,
               std::initializer_list<Field> fields = {}) const;
  void error(std::string_view message, const Error& failure, std::initializer_list<Field> fields = {}) const;

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace chancery::telemetry
