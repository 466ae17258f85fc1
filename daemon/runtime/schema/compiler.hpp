#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/schema/compiled.hpp"
#include "daemon/runtime/schema/index.hpp"
#include "daemon/runtime/schema/schema.hpp"

namespace chancery::schema {

/// Makes rules of the keywords of every subschema. One use.
class Compiler {
 public:
  using Outcome = Result<void, SchemaError>;

  Compiler(Compiled& compiled, const Options& options)
      : compiled_(compiled), options_(options), index_(compiled, options) {}

  [[nodiscard]] Outcome run();

 private:
  /// Takes the value of one keyword of the subschema that is compiled now.
  using Take = Outcome (Compiler::*)(const json::Value& value);
  struct Row {
    std::string_view keyword;
    Take take;
  };
  [[nodiscard]] static std::span<const Row> rows();

  [[nodiscard]] Outcome compile_node(NodeId id);

  [[nodiscard]] Outcome take_text(const json::Value& value);
  [[nodiscard]] Outcome take_flag(const json::Value& value);
  [[nodiscard]] Outcome take_list(const json::Value& value);
  [[nodiscard]] Outcome take_vocabulary(const json::Value& value);
  [[nodiscard]] Outcome take_type(const json::Value& value);
  [[nodiscard]] Outcome take_enum(const json::Value& value);
  [[nodiscard]] Outcome take_const(const json::Value& value);
  template <BoundRule::Type type>
  [[nodiscard]] Outcome take_bound(const json::Value& value);
  [[nodiscard]] Outcome take_multiple_of(const json::Value& value);
  template <SizeRule::Of of, bool least>
  [[nodiscard]] Outcome take_size(const json::Value& value);
  [[nodiscard]] Outcome take_pattern(const json::Value& value);
  [[nodiscard]] Outcome take_format(const json::Value& value);
  [[nodiscard]] Outcome take_unique(const json::Value& value);
  [[nodiscard]] Outcome take_required(const json::Value& value);
  [[nodiscard]] Outcome take_dependent_required(const json::Value& value);

  [[nodiscard]] Outcome take_ref(const json::Value& value);
  [[nodiscard]] Outcome take_dynamic_ref(const json::Value& value);
  template <typename Kind>
  [[nodiscard]] Outcome take_one(const json::Value& value);
  template <typename Kind>
  [[nodiscard]] Outcome take_several(const json::Value& value);
  [[nodiscard]] Outcome take_if(const json::Value& value);
  [[nodiscard]] Outcome take_dependent_schemas(const json::Value& value);
  [[nodiscard]] Outcome take_items(const json::Value& value);
  [[nodiscard]] Outcome take_contains(const json::Value& value);
  [[nodiscard]] Outcome take_properties(const json::Value& value);
  [[nodiscard]] Outcome take_pattern_properties(const json::Value& value);
  [[nodiscard]] Outcome take_additional(const json::Value& value);
  template <typename Kind>
  [[nodiscard]] Outcome take_unevaluated(const json::Value& value);

  [[nodiscard]] Result<std::size_t, SchemaError> count_of(const json::Value& value);
  [[nodiscard]] Result<std::vector<std::string_view>, SchemaError> names_of(const json::Value& value);
  [[nodiscard]] Result<Pattern, SchemaError> pattern_of(std::string_view text);
  [[nodiscard]] const json::Value* sibling(std::string_view keyword) const { return schema_->find(keyword); }
  [[nodiscard]] SchemaError refusal(std::string message) const { return {where_, std::move(message)}; }
  void add(decltype(Rule::kind) kind) { rules_.push_back({keyword_, std::move(kind)}); }

  Compiled& compiled_;
  const Options& options_;
  Index index_;
  std::size_t patterns_ = 0;

  // Of the subschema, and the keyword, at hand.
  NodeId id_ = 0;
  const json::Value* schema_ = nullptr;
  std::string_view keyword_;
  std::string where_;
  std::vector<Rule> rules_;
};

/// Refuses a schema that leads back to itself at the same place of an instance, over references and the keywords that
/// apply schemas in place: checking would not end.
[[nodiscard]] Result<void, SchemaError> refuse_endless(const Compiled& compiled);

}  // namespace chancery::schema
