#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/runtime/schema/compiled.hpp"
#include "daemon/runtime/schema/schema.hpp"

namespace chancery::schema {

/// Where the subschemas of one document are, and what they are called: built in a walk from the root through the keywords
/// that hold schemas, so that nothing else is taken for one. Fills `nodes` and `resources` of what is compiled, without rules.
class Index {
 public:
  Index(Compiled& compiled, const Options& options) : compiled_(compiled), options_(options) {}

  /// Indexes the whole document.
  [[nodiscard]] Result<void, SchemaError> run();

  /// The node of a subschema that was indexed.
  [[nodiscard]] NodeId node_of(const json::Value& subschema) const { return known_.at(&subschema); }

  /// The subschema that a `$ref` of `from` leads to. One in a place that is no keyword's, as `definitions` is, is indexed now.
  /// \param where  the reference's own place, for the error
  [[nodiscard]] Result<NodeId, SchemaError> resolve(const Node& from, std::string_view reference,
                                                    const std::string& where);

  /// Whether a reference's fragment is a `$dynamicAnchor` of the resource that it leads to.
  [[nodiscard]] bool is_dynamic(NodeId target, std::string_view anchor) const;

 private:
  struct Place {
    std::string pointer;
    ResourceId resource = 0;
  };

  [[nodiscard]] Result<void, SchemaError> visit(const json::Value& value, Place place);
  [[nodiscard]] Result<void, SchemaError> visit_children(const json::Value& value, const Place& place);
  [[nodiscard]] Result<ResourceId, SchemaError> open_resource(const json::Value& value, const Place& place,
                                                              NodeId node);
  [[nodiscard]] Result<void, SchemaError> take_anchor(const json::Value& value, std::string_view keyword,
                                                      const Place& place, NodeId node);
  [[nodiscard]] Result<NodeId, SchemaError> follow(ResourceId resource, std::string_view pointer,
                                                   const std::string& where);

  Compiled& compiled_;
  const Options& options_;
  std::unordered_map<const json::Value*, NodeId> known_;
};

}  // namespace chancery::schema
