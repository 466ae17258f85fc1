#pragma once

#include <map>
#include <string>
#include <string_view>

#include <chancery/result.hpp>

#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tools {

/// Why an operation cannot be taken over.
struct NotImported {
  std::string reason;
};

/// The value that a `$ref` into the same document leads to, over references to references; the value itself when it is none; nullptr
/// when it leads nowhere.
[[nodiscard]] const json::Value* followed(const json::Value& document, const json::Value& value);

/// Turns schemas of an OpenAPI document into such of draft 2020-12, and gathers those of its components that they refer to. For one
/// operation.
class SchemaConversion {
 public:
  explicit SchemaConversion(const json::Value& document);

  /// \return the schema, without what OpenAPI adds to it and without null; or why there is none
  [[nodiscard]] Result<json::Node, NotImported> convert(const json::Value& schema);

  /// What was referred to, and what that refers to: `$defs` of the whole. Empty when there was nothing.
  [[nodiscard]] Result<std::map<std::string, json::Node>, NotImported> definitions();

 private:
  [[nodiscard]] Result<json::Node, NotImported> convert_keyword(std::string_view name,
                                                                const json::Value& value);
  [[nodiscard]] Result<json::Node, NotImported> convert_reference(std::string_view reference);
  static void convert_30(const json::Value& schema, json::Node& out);

  const json::Value& document_;
  bool is_30_;
  std::map<std::string, const json::Value*> wanted_;
};

}  // namespace chancery::tools
