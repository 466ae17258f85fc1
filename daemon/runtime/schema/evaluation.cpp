#include "daemon/runtime/schema/evaluation.hpp"

#include <algorithm>
#include <cmath>

#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/schema/wording.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::schema {

using Kind = json::Value::Kind;

Result<std::vector<Finding>> Schema::check(const json::Value& instance, const Bounds& bounds) const {
  return Evaluation(*compiled_, bounds).run(instance);
}

Result<std::vector<Finding>> Evaluation::run(const json::Value& instance) {
  static_cast<void>(apply(0, instance, nullptr));
  if (failure_) return *failure_;
  return std::move(findings_);
}

bool Evaluation::fail(const char* what) {
  if (!failure_) failure_ = Error{ErrorCode::kTooLarge, what};
  return false;
}

bool Evaluation::spend(std::size_t steps) {
  steps_ += steps;
  if (steps_ <= bounds_.max_steps) return true;
  return fail("checking against the schema takes too much work: send a smaller value");
}

bool Evaluation::report(const Frame& frame, std::string message) {
  if (quiet_ > 0 || is_over()) return false;
  const std::string keyword = frame.rule == nullptr ? "" : "/" + escape_token(frame.rule->keyword);
  findings_.push_back({instance_pointer(), frame.node.pointer + keyword, std::move(message)});
  return false;
}

std::string Evaluation::instance_pointer() const {
  std::string pointer;
  for (const Segment& segment : path_) {
    pointer += "/" + (segment.is_index ? std::to_string(segment.index) : escape_token(segment.name));
  }
  return pointer;
}

void Evaluation::mark(Frame& frame, std::size_t index) const {
  if (!compiled_.tracks_evaluated) return;
  if (frame.marks.empty())
    frame.marks.resize(std::max(frame.value.items().size(), frame.value.members().size()));
  frame.marks[index] = true;
}

bool Evaluation::is_marked(const Frame& frame, std::size_t index) {
  return !frame.marks.empty() && frame.marks[index];
}

// --- subschemas -------------------------------------------------------------------------------------------

bool Evaluation::apply(NodeId id, const json::Value& value, Marks* marks) {
  if (depth_ >= bounds_.max_depth)
    return fail("checking against the schema goes too deep: send a value that is nested less");
  if (!spend(1)) return false;
  const Node& node = compiled_.nodes[id];
  Frame frame{node, value};
  if (node.boolean) return *node.boolean || report(frame, "is not allowed here");
  const bool enters = scope_.empty() || scope_.back() != node.resource;
  if (enters) scope_.push_back(node.resource);
  ++depth_;
  const bool valid = apply_rules(frame);
  --depth_;
  if (enters) scope_.pop_back();
  // What a subschema that failed has evaluated counts for nothing.
  if (!valid || marks == nullptr || frame.marks.empty()) return valid;
  marks->resize(frame.marks.size());
  for (std::size_t i = 0; i < frame.marks.size(); ++i) {
    if (frame.marks[i]) (*marks)[i] = true;
  }
  return spend(frame.marks.size() / 64);
}

bool Evaluation::apply_rules(Frame& frame) {
  bool valid = true;
  for (const Rule& rule : frame.node.rules) {
    // Whoever already fails need not be told that nobody evaluated the rest.
    const bool asks_others = std::holds_alternative<UnevaluatedItemsRule>(rule.kind) ||
                             std::holds_alternative<UnevaluatedPropertiesRule>(rule.kind);
    if (asks_others && !valid) break;
    frame.rule = &rule;
    if (!std::visit([&](const auto& kind) { return judge(kind, frame); }, rule.kind)) valid = false;
    if (is_over() || (quiet_ > 0 && !valid)) return false;
  }
  return valid;
}

bool Evaluation::fits(NodeId id, const json::Value& value, Marks* marks) {
  ++quiet_;
  const bool valid = apply(id, value, marks);
  --quiet_;
  return valid;
}

bool Evaluation::apply_to_item(NodeId id, Frame& frame, std::size_t index) {
  path_.push_back({{}, index, true});
  const bool valid = apply(id, frame.value.items()[index], nullptr);
  path_.pop_back();
  mark(frame, index);
  return valid;
}

bool Evaluation::apply_to_member(NodeId id, Frame& frame, std::size_t index) {
  const json::Member& member = frame.value.members()[index];
  path_.push_back({member.name, 0, false});
  const bool valid = apply(id, member.value, nullptr);
  path_.pop_back();
  mark(frame, index);
  return valid;
}

bool Evaluation::follow(NodeId target, Frame& frame) {
  const std::pair<NodeId, const json::Value*> here{target, &frame.value};
  for (auto open = open_references_.rbegin(); open != open_references_.rend() && open->second == here.second;
       ++open) {
    if (open->first == target)
      return fail("the schema leads back to itself without end: have its author correct it");
  }
  open_references_.push_back(here);
  const bool valid = apply(target, frame.value, marks_of(frame));
  open_references_.pop_back();
  return valid;
}

// --- assertions -------------------------------------------------------------------------------------------

bool Evaluation::judge(const TypeRule& rule, Frame& frame) {
  if ((rule.kinds >> static_cast<unsigned>(frame.value.kind()) & 1) != 0) return true;
  const auto number = frame.value.number();
  if (rule.integer && number && *number == std::trunc(*number)) return true;
  return report(frame, wording(rule, frame.value.kind()));
}

bool Evaluation::judge(const EqualRule& rule, Frame& frame) {
  if (!spend(frame.value.source().size() + rule.values.size())) return false;
  const std::string jcs = json::to_jcs(frame.value);
  return std::ranges::find(rule.values, jcs) != rule.values.end() || report(frame, wording(rule));
}

bool Evaluation::judge(const BoundRule& rule, Frame& frame) {
  const auto number = frame.value.number();
  if (!number) return true;
  const bool within = [&] {
    switch (rule.type) {
      case BoundRule::Type::kLeast:
        return *number >= rule.bound;
      case BoundRule::Type::kMoreThan:
        return *number > rule.bound;
      case BoundRule::Type::kMost:
        return *number <= rule.bound;
      case BoundRule::Type::kLessThan:
        return *number < rule.bound;
    }
    std::abort();
  }();
  return within || report(frame, wording(rule));
}

bool Evaluation::judge(const MultipleRule& rule, Frame& frame) {
  const auto number = frame.value.number();
  return !number || is_multiple(decimal_of(*number), rule.divisor) || report(frame, wording(rule));
}

bool Evaluation::judge(const SizeRule& rule, Frame& frame) {
  std::size_t size = 0;
  switch (rule.of) {
    case SizeRule::Of::kText: {
      const auto text = frame.value.string();
      if (!text) return true;
      if (!spend(text->size() / 8)) return false;
      // Code points: every octet but those that continue one.
      size = static_cast<std::size_t>(std::ranges::count_if(
          *text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
      break;
    }
    case SizeRule::Of::kItems:
      if (!frame.value.is(Kind::kArray)) return true;
      size = frame.value.items().size();
      break;
    case SizeRule::Of::kMembers:
      if (!frame.value.is(Kind::kObject)) return true;
      size = frame.value.members().size();
      break;
  }
  return (rule.least ? size >= rule.bound : size <= rule.bound) || report(frame, wording(rule));
}

bool Evaluation::judge(const PatternRule& rule, Frame& frame) {
  const auto text = frame.value.string();
  if (!text) return true;
  if (!spend(1 + text->size())) return false;
  return rule.pattern.found_in(*text) ||
         report(frame, "must match the pattern " + quoted(rule.pattern.source()));
}

bool Evaluation::judge(const FormatRule& rule, Frame& frame) {
  const auto text = frame.value.string();
  if (!text) return true;
  if (!spend(1 + text->size())) return false;
  return rule.format->matches(*text) || report(frame, "must be " + std::string(rule.format->wanted));
}

bool Evaluation::judge(const UniqueRule&, Frame& frame) {
  if (frame.value.items().size() < 2) return true;
  if (!spend(frame.value.source().size())) return false;
  std::vector<std::string> items;
  for (const json::Value& item : frame.value.items()) items.push_back(json::to_jcs(item));
  std::ranges::sort(items);
  return std::ranges::adjacent_find(items) == items.end() ||
         report(frame, "must not hold the same item twice");
}

bool Evaluation::lacks_none(const std::vector<std::string_view>& names, Frame& frame) {
  std::vector<std::string_view> lacking;
  for (const std::string_view name : names) {
    if (!spend(1 + frame.value.members().size())) return false;
    if (frame.value.find(name) == nullptr) lacking.push_back(name);
  }
  if (lacking.empty()) return true;
  return report(frame,
                (lacking.size() == 1 ? "lacks the property " : "lacks the properties ") + listed(lacking));
}

bool Evaluation::judge(const RequiredRule& rule, Frame& frame) {
  return !frame.value.is(Kind::kObject) || lacks_none(rule.names, frame);
}

bool Evaluation::judge(const DependentRequiredRule& rule, Frame& frame) {
  bool valid = true;
  for (const auto& [name, names] : rule.of) {
    if (!spend(1 + frame.value.members().size())) return false;
    if (frame.value.find(name) != nullptr && !lacks_none(names, frame)) valid = false;
  }
  return valid;
}

// --- schemas at the same place ----------------------------------------------------------------------------

bool Evaluation::judge(const RefRule& rule, Frame& frame) { return follow(rule.target, frame); }

bool Evaluation::judge(const DynamicRefRule& rule, Frame& frame) {
  if (!rule.anchor.empty()) {
    for (const ResourceId resource : scope_) {
      const auto& anchors = compiled_.resources[resource].dynamic_anchors;
      const auto found = anchors.find(rule.anchor);
      if (found != anchors.end()) return follow(found->second, frame);
    }
  }
  return follow(rule.target, frame);
}

bool Evaluation::judge(const AllRule& rule, Frame& frame) {
  bool valid = true;
  for (const NodeId id : rule.of) {
    if (!apply(id, frame.value, marks_of(frame))) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

bool Evaluation::judge(const AnyRule& rule, Frame& frame) {
  bool valid = false;
  for (const NodeId id : rule.of) {
    if (fits(id, frame.value, marks_of(frame))) valid = true;
    if (is_over()) return false;
    // What the others evaluate matters only to who asks for it.
    if (valid && !compiled_.tracks_evaluated) return true;
  }
  return valid || report(frame, "must fit one of the " + std::to_string(rule.of.size()) +
                                    " alternatives at least, and fits none");
}

bool Evaluation::judge(const OneRule& rule, Frame& frame) {
  std::size_t fitting = 0;
  for (const NodeId id : rule.of) {
    if (fits(id, frame.value, marks_of(frame))) ++fitting;
    if (is_over()) return false;
  }
  return fitting == 1 || report(frame, "must fit exactly one of the " + std::to_string(rule.of.size()) +
                                           " alternatives, and fits " + std::to_string(fitting));
}

bool Evaluation::judge(const NotRule& rule, Frame& frame) {
  const bool fitting = fits(rule.of, frame.value, nullptr);
  return !is_over() && (!fitting || report(frame, "must not fit what is excluded here"));
}

bool Evaluation::judge(const IfRule& rule, Frame& frame) {
  const bool fitting = fits(rule.condition, frame.value, marks_of(frame));
  if (is_over()) return false;
  const auto& branch = fitting ? rule.then : rule.otherwise;
  return !branch || apply(*branch, frame.value, marks_of(frame));
}

bool Evaluation::judge(const DependentSchemasRule& rule, Frame& frame) {
  bool valid = true;
  for (const auto& [name, id] : rule.of) {
    if (!spend(1 + frame.value.members().size())) return false;
    if (frame.value.find(name) != nullptr && !apply(id, frame.value, marks_of(frame))) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

// --- items ------------------------------------------------------------------------------------------------

bool Evaluation::judge(const PrefixRule& rule, Frame& frame) {
  bool valid = true;
  const std::size_t count = std::min(rule.of.size(), frame.value.items().size());
  for (std::size_t i = 0; i < count; ++i) {
    if (!apply_to_item(rule.of[i], frame, i)) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

bool Evaluation::judge(const ItemsRule& rule, Frame& frame) {
  const std::size_t count = frame.value.items().size();
  if (count > rule.from && is_false(rule.of)) {
    return report(frame, "must have " + counted_items(rule.from) + " at most");
  }
  bool valid = true;
  for (std::size_t i = rule.from; i < count; ++i) {
    if (!apply_to_item(rule.of, frame, i)) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

bool Evaluation::judge(const ContainsRule& rule, Frame& frame) {
  if (!frame.value.is(Kind::kArray)) return true;
  std::size_t count = 0;
  for (std::size_t i = 0; i < frame.value.items().size(); ++i) {
    if (fits(rule.of, frame.value.items()[i], nullptr)) {
      ++count;
      mark(frame, i);
    }
    if (is_over()) return false;
  }
  if (count < rule.least) {
    return report(frame, "must have " + counted_items(rule.least) + " of a kind at least, and has " +
                             std::to_string(count));
  }
  return !rule.most || count <= *rule.most ||
         report(frame, "must have " + counted_items(*rule.most) + " of a kind at most, and has " +
                           std::to_string(count));
}

bool Evaluation::judge(const UnevaluatedItemsRule& rule, Frame& frame) {
  bool valid = true;
  for (std::size_t i = 0; i < frame.value.items().size(); ++i) {
    if (is_marked(frame, i)) continue;
    if (is_false(rule.of)) return report(frame, "has an item that no part of the schema describes");
    if (!apply_to_item(rule.of, frame, i)) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

// --- members ----------------------------------------------------------------------------------------------

bool Evaluation::judge(const PropertiesRule& rule, Frame& frame) {
  bool valid = true;
  const auto members = frame.value.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!spend(1)) return false;
    const auto found = rule.of.find(members[i].name);
    if (found != rule.of.end() && !apply_to_member(found->second, frame, i)) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

bool Evaluation::judge(const PatternPropertiesRule& rule, Frame& frame) {
  bool valid = true;
  const auto members = frame.value.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const auto& [pattern, id] : rule.of) {
      if (!spend(1 + members[i].name.size())) return false;
      if (pattern.found_in(members[i].name) && !apply_to_member(id, frame, i)) valid = false;
      if (is_over()) return false;
    }
  }
  return valid;
}

bool Evaluation::judge(const AdditionalRule& rule, Frame& frame) {
  bool valid = true;
  const auto members = frame.value.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string_view name = members[i].name;
    if (!spend(1 + name.size() * rule.patterns.size())) return false;
    if (rule.declared.contains(name)) continue;
    if (std::ranges::any_of(rule.patterns, [&](const Pattern& pattern) { return pattern.found_in(name); }))
      continue;
    if (is_false(rule.of)) {
      // The name is the instance's, so what is said is which ones there could be.
      std::vector<std::string_view> names;
      for (const auto& [declared, id] : rule.declared) names.push_back(declared);
      return report(frame, "has a property that is not declared" +
                               (names.empty() ? std::string() : "; these are: " + listed(names)));
    }
    if (!apply_to_member(rule.of, frame, i)) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

bool Evaluation::judge(const NamesRule& rule, Frame& frame) {
  for (const json::Member& member : frame.value.members()) {
    if (!spend(1 + member.name.size())) return false;
    // A name is no value of the instance: it is read as the document that it would be.
    std::string text;
    json::append_string(text, member.name);
    const auto name = json::Document::parse(std::move(text));
    if (!name) return fail("the name of a member cannot be read: leave it out");
    // References to look out for are told by their values, and this one ends before the next may take its place.
    auto outer = std::exchange(open_references_, {});
    const bool valid = fits(rule.of, name->root(), nullptr);
    open_references_ = std::move(outer);
    if (failure_) return false;
    if (!valid) return report(frame, "has a property whose name is not allowed");
  }
  return true;
}

bool Evaluation::judge(const UnevaluatedPropertiesRule& rule, Frame& frame) {
  bool valid = true;
  const auto members = frame.value.members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!spend(1)) return false;
    if (is_marked(frame, i)) continue;
    if (is_false(rule.of)) return report(frame, "has a property that no part of the schema describes");
    if (!apply_to_member(rule.of, frame, i)) valid = false;
    if (is_over()) return false;
  }
  return valid;
}

}  // namespace chancery::schema
