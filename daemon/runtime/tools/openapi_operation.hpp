#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/tools/openapi.hpp"
#include "daemon/runtime/tools/openapi_schema.hpp"

namespace chancery::tools {

/// One operation of an OpenAPI document on its way to a declaration. One use.
class OperationImport {
 public:
  struct Source {
    const json::Value& document;
    const ImportOptions& options;
    std::string server;  ///< URL before the path, without a slash at its end
    std::string_view path;
    std::string_view method;    ///< lower case
    const json::Value& shared;  ///< the path item: parameters for all of its operations
    const json::Value& operation;
  };
  using Outcome = Result<void, NotImported>;

  explicit OperationImport(const Source& source) : source_(source), schemas_(source.document) {}

  [[nodiscard]] Result<ImportedTool, NotImported> run();

 private:
  /// Where a parameter stands in the request.
  struct Parameter {
    std::string name;
    std::string in;
    bool required = false;
    const json::Value* described = nullptr;
  };

  [[nodiscard]] Outcome take_parameters();
  [[nodiscard]] Outcome take_parameter(const Parameter& parameter);
  [[nodiscard]] Outcome take_body();
  [[nodiscard]] Outcome take_form(const json::Value& schema, bool required);
  [[nodiscard]] Outcome take_security();
  void take_answer();
  void take_answer_fields(const json::Value& schema, const std::string& before);

  [[nodiscard]] Outcome add_argument(const std::string& name, const json::Value& schema,
                                     std::string_view described, bool required);
  [[nodiscard]] bool is_word(const json::Value& schema) const;
  [[nodiscard]] std::optional<std::string> credential_place(const std::string& scheme, std::string& problem);
  [[nodiscard]] std::string operation_name() const;
  [[nodiscard]] std::string description() const;
  [[nodiscard]] Result<std::string, NotImported> arguments_text();
  [[nodiscard]] Result<std::string, NotImported> toml(const std::string& name);

  const Source& source_;
  SchemaConversion schemas_;
  std::map<std::string, json::Node> properties_;
  std::vector<std::string> required_;
  std::map<std::string, std::string> query_;    ///< name → pointer
  std::map<std::string, std::string> headers_;  ///< name → pointer
  std::string body_ = "none";
  std::map<std::string, std::string> body_members_;
  std::string body_value_;
  std::string credential_;
  std::string credential_in_;
  std::vector<std::string> allow_;
  std::vector<std::string> notes_;
};

}  // namespace chancery::tools
