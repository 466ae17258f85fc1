#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"

namespace chancery::schema {

struct Compiled;

struct Options {
  bool assert_formats = false;        ///< check what asserts_format() names; else `format` says nothing
  bool refuse_unknown = false;        ///< refuse keywords that 2020-12 does not have: they are typing errors
  std::size_t max_subschemas = 4096;  ///< in the whole document
  std::size_t max_patterns = 256;     ///< each may take a megabyte of memory
};

/// Why a schema cannot be used.
struct SchemaError {
  std::string location;  ///< JSON pointer to the keyword or subschema at fault
  std::string message;   ///< for whoever wrote the schema; may quote it, control characters escaped
};

/// One place where an instance does not do what the schema wants.
struct Finding {
  std::string instance;  ///< JSON pointer into the instance: it holds names of the instance's members
  std::string keyword;   ///< JSON pointer into the schema, `$ref` resolved
  std::string message;   ///< for a person: holds octets of the schema, never of the instance
};

/// What one check may cost.
struct Bounds {
  std::size_t max_findings = 8;      ///< the check ends with the last of them
  std::size_t max_steps = 1u << 20;  ///< subschemas applied, members looked at, octets matched
  std::size_t max_depth = 256;       ///< subschemas applied inside of one another
};

/// A JSON Schema of draft 2020-12, ready to check instances: the vocabularies core, applicator, unevaluated,
/// validation, meta-data, content (as annotation) and format (as annotation, or asserted for some).
///
/// Nothing is fetched: each `$ref` leads into the same document. Patterns are those of ECMA-262 that RE2 can match, in time
/// linear in the text. A value: copies share what was compiled. Immutable and thread-safe.
class Schema {
 public:
  /// \param schema  the document; copied
  /// \return the schema, or where and why it cannot be used: a keyword's value has another form than 2020-12 wants, a `$ref`
  ///         leads nowhere or back to itself without end, a pattern cannot be matched in linear time, another dialect
  ///         is asked for (`$schema`), or there is too much of it
  [[nodiscard]] static Result<Schema, SchemaError> compile(const json::Value& schema,
                                                           const Options& options = {});

  /// Checks one instance.
  /// \return what is wrong with it, nothing when it is valid; kTooLarge when it takes more than `bounds` allow, or
  ///         the schema leads back to itself without end
  [[nodiscard]] Result<std::vector<Finding>> check(const json::Value& instance,
                                                   const Bounds& bounds = {}) const;

  /// The document as it was compiled; lives as long as the schema.
  [[nodiscard]] const json::Value& document() const noexcept;

 private:
  explicit Schema(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

/// Whether `format` of this name is checked under Options::assert_formats: date-time, date, time, email, hostname, ipv4,
/// ipv6, uri, uuid.
[[nodiscard]] bool asserts_format(std::string_view format) noexcept;

}  // namespace chancery::schema
