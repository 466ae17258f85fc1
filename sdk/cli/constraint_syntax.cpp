#include "sdk/cli/constraint_syntax.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "sdk/cli/json_text.hpp"
#include "sdk/json/reader.hpp"
#include "sdk/json/writer.hpp"
#include "sdk/token/authority_json.hpp"
#include "sdk/token/extension_rules.hpp"

namespace chancery::cli {
namespace {

using json::Node;

Error invalid(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> items;
  for (;;) {
    const std::size_t comma = text.find(',');
    items.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

Result<Node> number_node(std::string_view value) {
  const auto document = json::Document::parse_borrowed(value);
  if (!document || !document->root().number())
    return invalid(
        "`max`, `min`, `max_lifetime`, `max_subtree` and the N of `max_rate` are numbers that binary64 holds exactly");
  return Node::copy(document->root());
}

Result<Node> list_node(std::string_view value) {
  if (value.starts_with('[')) {
    const auto document = json::Document::parse_borrowed(value);
    if (!document) return invalid("a JSON array after `one_of=` or `not_one_of=` must be well-formed");
    return Node::copy(document->root());
  }
  if (value.empty()) return invalid("`one_of` and `not_one_of` take items between commas, or a JSON array");
  Node array = Node::array();
  for (const std::string_view text : split(value)) {
    CHANCERY_ASSIGN(Node item, json_or_text(text));
    array.push_back(std::move(item));
  }
  return array;
}

// A JSON string, or the text as it is.
Node text_node(std::string_view value) {
  const auto document = json::Document::parse_borrowed(value);
  return document && document->root().string() ? Node(*document->root().string()) : Node(value);
}

// `silver,order=bronze,silver,gold`
Status set_rank(Node& constraint, std::string_view value) {
  constexpr std::string_view kOrder = ",order=";
  const std::size_t at = value.find(kOrder);
  if (at == std::string_view::npos)
    return invalid("`rank` takes RANK,order=LOW,…,HIGH, least permissive first");
  Node order = Node::array();
  for (const std::string_view name : split(value.substr(at + kOrder.size()))) order.push_back(name);
  constraint.set("rank", value.substr(0, at));
  constraint.set("order", std::move(order));
  return {};
}

// `10/minute`
Result<Node> rate_node(std::string_view value) {
  const std::size_t slash = value.find('/');
  if (slash == std::string_view::npos) return invalid("`max_rate` takes N/second, N/minute or N/hour");
  CHANCERY_ASSIGN(Node count, number_node(value.substr(0, slash)));
  return Node::object({{"count", std::move(count)}, {"per", value.substr(slash + 1)}});
}

// Days of the week from `first` to `last`, both included; none when a name is wrong or the order is.
std::span<const std::string_view> days_between(std::string_view first, std::string_view last) {
  const auto begin = std::ranges::find(kDayNames, first);
  const auto end = std::ranges::find(kDayNames, last);
  if (begin > end || end == kDayNames.end()) return {};
  return {begin, end + 1};
}

// `mon-thu,sat,09:00-17:30,Europe/Berlin`
Result<Node> window_node(std::string_view value) {
  constexpr const char* kForm =
      "`time_window` takes DAYS,FROM-TO,ZONE, such as mon-fri,09:00-17:30,Europe/Berlin";
  const std::vector<std::string_view> items = split(value);
  if (items.size() < 3) return invalid(kForm);
  Node days = Node::array();
  for (const std::string_view item : std::span(items).first(items.size() - 2)) {
    const std::size_t dash = item.find('-');
    const auto named =
        days_between(item.substr(0, dash), dash == std::string_view::npos ? item : item.substr(dash + 1));
    if (named.empty()) return invalid(kForm);
    for (const std::string_view day : named) days.push_back(day);
  }
  const std::string_view interval = items[items.size() - 2];
  const std::size_t dash = interval.find('-');
  if (dash == std::string_view::npos) return invalid(kForm);
  return Node::object({{"days", std::move(days)},
                       {"from", interval.substr(0, dash)},
                       {"to", interval.substr(dash + 1)},
                       {"zone", items.back()}});
}

Result<Node> value_node(std::string_view type, std::string_view value) {
  constexpr std::array<std::string_view, 4> kNumbers{"max", "min", "max_lifetime", "max_subtree"};
  if (std::ranges::find(kNumbers, type) != kNumbers.end()) return number_node(value);
  if (type == "one_of" || type == "not_one_of") return list_node(value);
  if (type == "prefix") return text_node(value);
  if (type == "max_rate") return rate_node(value);
  if (type == "time_window") return window_node(value);
  return invalid(
      "the type is one of max, min, one_of, not_one_of, prefix, rank, max_lifetime, max_subtree, max_rate, "
      "time_window");
}

Status set_value(Node& constraint, std::string_view type, std::string_view value) {
  if (type == "rank") return set_rank(constraint, value);
  CHANCERY_ASSIGN(Node node, value_node(type, value));
  constraint.set(std::string(type), std::move(node));
  return {};
}

// The one reader of constraints decides, so that nothing is sent that the daemon or a verifier would read
// otherwise.
Result<Constraint> read_one(std::string_view constraint_json) {
  const auto document = json::Document::parse("[" + std::string(constraint_json) + "]");
  if (!document) return Error{ErrorCode::kInvalidArgument, document.error().what};
  if (document->root().items().size() != 1) return invalid("give one constraint at a time");
  auto constraints = read_constraints(document->root());
  if (!constraints) return Error{ErrorCode::kInvalidArgument, constraints.error().what};
  return std::move(constraints->front());
}

Status add(std::vector<Constraint>& all, Constraint constraint) {
  const bool repeated = std::ranges::any_of(all, [&](const Constraint& other) {
    return other.key == constraint.key && other.type() == constraint.type();
  });
  if (repeated) return invalid("this key has a constraint of this type already: give it once");
  all.push_back(std::move(constraint));
  return {};
}

template <typename Parse>
Checked<void> add_all(std::vector<Constraint>& all, const std::vector<std::string>& texts, Parse parse) {
  for (const std::string& text : texts) {
    auto constraint = parse(text);
    if (!constraint) return failure(constraint.error(), text);
    if (const Status added = add(all, *std::move(constraint)); !added) return failure(added.error(), text);
  }
  return {};
}

}  // namespace

Result<Constraint> parse_constraint(std::string_view text) {
  constexpr const char* kForm = "a constraint is KEY:TYPE=VALUE, such as payments.refund#amount:max=500";
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return invalid(kForm);
  const std::size_t colon = text.substr(0, equals).rfind(':');
  if (colon == std::string_view::npos || colon == 0) return invalid(kForm);
  Node constraint = Node::object({{"key", text.substr(0, colon)}});
  CHANCERY_TRY(set_value(constraint, text.substr(colon + 1, equals - colon - 1), text.substr(equals + 1)));
  return read_one(json::to_jcs(constraint));
}

Result<Constraint> parse_constraint_json(std::string_view text) { return read_one(text); }

Checked<Authority> parse_authority(const AuthorityArguments& arguments) {
  Authority authority;
  for (const std::string& scope : arguments.scopes) {
    if (!classify_scope(scope)) {
      return failure(invalid("a scope is a literal (crm.read), a wildcard (crm.*) or printable ASCII without "
                             "space, quote, * and backslash"),
                     scope);
    }
    authority.scopes.push_back(scope);
  }
  CHANCERY_TRY(add_all(authority.constraints, arguments.constraints, parse_constraint));
  CHANCERY_TRY(add_all(authority.constraints, arguments.json_constraints, parse_constraint_json));
  return authority;
}

}  // namespace chancery::cli
