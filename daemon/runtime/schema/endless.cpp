#include "daemon/runtime/schema/compiler.hpp"

namespace chancery::schema {
namespace {

// The schemas that a rule applies to the same place of the instance. Where a `$dynamicRef` leads is known only while
// checking, which looks out for circles itself.
template <typename Visit>
void visit_in_place(const Rule& rule, const Visit& visit) {
  const auto visit_all = [&](const std::vector<NodeId>& nodes) {
    for (const NodeId node : nodes) visit(node);
  };
  if (const auto* ref = std::get_if<RefRule>(&rule.kind)) visit(ref->target);
  if (const auto* all = std::get_if<AllRule>(&rule.kind)) visit_all(all->of);
  if (const auto* any = std::get_if<AnyRule>(&rule.kind)) visit_all(any->of);
  if (const auto* one = std::get_if<OneRule>(&rule.kind)) visit_all(one->of);
  if (const auto* negated = std::get_if<NotRule>(&rule.kind)) visit(negated->of);
  if (const auto* branch = std::get_if<IfRule>(&rule.kind)) {
    visit(branch->condition);
    if (branch->then) visit(*branch->then);
    if (branch->otherwise) visit(*branch->otherwise);
  }
  if (const auto* dependent = std::get_if<DependentSchemasRule>(&rule.kind)) {
    for (const auto& [name, node] : dependent->of) visit(node);
  }
}

enum class Mark : std::uint8_t { kNew, kOpen, kDone };

/// A walk in depth over what is applied in place, with a stack of its own: chains of references may be long.
class Search {
 public:
  explicit Search(const Compiled& compiled)
      : compiled_(compiled), marks_(compiled.nodes.size(), Mark::kNew) {}

  /// The first node found that leads back to itself.
  std::optional<NodeId> run() {
    for (NodeId id = 0; id < compiled_.nodes.size(); ++id) {
      if (marks_[id] == Mark::kNew && !leaves(id)) return back_;
    }
    return std::nullopt;
  }

 private:
  struct Open {
    NodeId id;
    std::vector<NodeId> next;
  };

  void enter(NodeId id) {
    marks_[id] = Mark::kOpen;
    Open open{id, {}};
    for (const Rule& rule : compiled_.nodes[id].rules) {
      visit_in_place(rule, [&](NodeId target) { open.next.push_back(target); });
    }
    stack_.push_back(std::move(open));
  }

  bool leaves(NodeId start) {
    enter(start);
    while (!stack_.empty()) {
      Open& top = stack_.back();
      if (top.next.empty()) {
        marks_[top.id] = Mark::kDone;
        stack_.pop_back();
        continue;
      }
      const NodeId next = top.next.back();
      top.next.pop_back();
      if (marks_[next] == Mark::kOpen) {
        back_ = next;
        return false;
      }
      if (marks_[next] == Mark::kNew) enter(next);
    }
    return true;
  }

  const Compiled& compiled_;
  std::vector<Mark> marks_;
  std::vector<Open> stack_;
  NodeId back_ = 0;
};

}  // namespace

Result<void, SchemaError> refuse_endless(const Compiled& compiled) {
  const auto found = Search(compiled).run();
  if (!found) return {};
  return SchemaError{compiled.nodes[*found].pointer,
                     "leads back to itself without end: let a property or an item be between"};
}

}  // namespace chancery::schema
