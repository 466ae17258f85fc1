#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/runtime/schema/compiled.hpp"
#include "daemon/runtime/schema/schema.hpp"

namespace chancery::schema {

/// One check of one instance: applies subschemas, collects findings, counts what it costs. One use.
class Evaluation {
 public:
  Evaluation(const Compiled& compiled, const Bounds& bounds) : compiled_(compiled), bounds_(bounds) {}

  [[nodiscard]] Result<std::vector<Finding>> run(const json::Value& instance);

 private:
  /// Which members or items of one value were evaluated; empty stands for none.
  using Marks = std::vector<bool>;

  /// One subschema at one value.
  struct Frame {
    const Node& node;
    const json::Value& value;
    const Rule* rule = nullptr;  ///< the one whose turn it is
    Marks marks{};
  };

  /// A step into the instance.
  struct Segment {
    std::string_view name;
    std::size_t index = 0;
    bool is_index = false;
  };

  [[nodiscard]] bool apply(NodeId id, const json::Value& value, Marks* marks);
  [[nodiscard]] bool apply_rules(Frame& frame);
  /// The same with findings kept back: for what may fail.
  [[nodiscard]] bool fits(NodeId id, const json::Value& value, Marks* marks);
  [[nodiscard]] bool apply_to_item(NodeId id, Frame& frame, std::size_t index);
  [[nodiscard]] bool apply_to_member(NodeId id, Frame& frame, std::size_t index);
  /// Enters a reference, unless it is open at this very value already.
  [[nodiscard]] bool follow(NodeId target, Frame& frame);

  [[nodiscard]] bool judge(const TypeRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const EqualRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const BoundRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const MultipleRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const SizeRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const PatternRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const FormatRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const UniqueRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const RequiredRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const DependentRequiredRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const RefRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const DynamicRefRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const AllRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const AnyRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const OneRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const NotRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const IfRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const DependentSchemasRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const PrefixRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const ItemsRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const ContainsRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const PropertiesRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const PatternPropertiesRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const AdditionalRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const NamesRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const UnevaluatedItemsRule& rule, Frame& frame);
  [[nodiscard]] bool judge(const UnevaluatedPropertiesRule& rule, Frame& frame);
  [[nodiscard]] bool lacks_none(const std::vector<std::string_view>& names, Frame& frame);

  /// Counts work; false, with `failure_` set, when it is too much.
  bool spend(std::size_t steps);
  bool fail(const char* what);
  /// Nothing further is looked at: too much work, or findings enough.
  [[nodiscard]] bool is_over() const noexcept {
    return failure_.has_value() || findings_.size() >= std::max<std::size_t>(bounds_.max_findings, 1);
  }
  /// Records a finding at the value at hand. \return false
  bool report(const Frame& frame, std::string message);
  [[nodiscard]] bool is_false(NodeId id) const { return compiled_.nodes[id].boolean == false; }
  [[nodiscard]] std::string instance_pointer() const;
  [[nodiscard]] Marks* marks_of(Frame& frame) const {
    return compiled_.tracks_evaluated ? &frame.marks : nullptr;
  }
  void mark(Frame& frame, std::size_t index) const;
  [[nodiscard]] static bool is_marked(const Frame& frame, std::size_t index);

  const Compiled& compiled_;
  const Bounds& bounds_;
  std::size_t steps_ = 0;
  std::size_t depth_ = 0;
  std::size_t quiet_ = 0;  ///< how many times findings are kept back
  std::vector<Segment> path_;
  std::vector<ResourceId> scope_;  ///< resources that were entered, outermost first
  std::vector<std::pair<NodeId, const json::Value*>> open_references_;
  std::vector<Finding> findings_;
  std::optional<Error> failure_;
};

}  // namespace chancery::schema
