#include "daemon/runtime/tools/canonical_arguments.hpp"

#include <map>

#include "daemon/runtime/schema/pointer.hpp"
#include "daemon/runtime/tools/url.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::tools {
namespace {

using Kind = json::Value::Kind;

constexpr Error refusal(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

Result<json::Node> canonical(ValueForm form, const json::Value& value) {
  const auto text = value.string();
  switch (form) {
    case ValueForm::kNumber:
      if (!value.is(Kind::kNumber)) return refusal("an argument that is bounded must be a number");
      return json::Node::copy(value);
    case ValueForm::kString:
      if (!text) return refusal("an argument that is bounded must be a string");
      return json::Node::copy(value);
    case ValueForm::kPath: {
      if (!text) return refusal("an argument that is bounded must be a path in a string");
      CHANCERY_ASSIGN(std::string path, canonical_path(*text));
      return json::Node(std::move(path));
    }
    case ValueForm::kUrl: {
      if (!text) return refusal("an argument that is bounded must be a URL in a string");
      CHANCERY_ASSIGN(const Url url, parse_url(*text));
      return json::Node(url.text());
    }
    case ValueForm::kHost: {
      if (!text) return refusal("an argument that is bounded must be a host in a string");
      CHANCERY_ASSIGN(std::string host, canonical_host(*text));
      return json::Node(std::move(host));
    }
  }
  std::abort();
}

using Replacements = std::map<const json::Value*, json::Node>;

json::Node rebuilt(const json::Value& value, const Replacements& replacements) {
  if (const auto found = replacements.find(&value); found != replacements.end()) return found->second;
  if (value.is(Kind::kArray)) {
    json::Node array = json::Node::array();
    for (const json::Value& item : value.items()) array.push_back(rebuilt(item, replacements));
    return array;
  }
  if (!value.is(Kind::kObject)) return json::Node::copy(value);
  json::Node object = json::Node::object();
  for (const json::Member& member : value.members()) {
    object.set(std::string(member.name), rebuilt(member.value, replacements));
  }
  return object;
}

}  // namespace

Result<CanonicalArguments, CallRefusal> canonical_arguments(const std::vector<ConstraintSource>& constraints,
                                                            const json::Value& arguments) {
  Replacements replacements;
  json::Node params = json::Node::object();
  for (const ConstraintSource& constraint : constraints) {
    const json::Value* value = schema::value_at(arguments, constraint.argument.tokens);
    // Nothing is said of what is not there: a chain that bounds the parameter denies then.
    if (value == nullptr) continue;
    auto spelled = canonical(constraint.form, *value);
    if (!spelled) return CallRefusal{spelled.error(), constraint.argument.text, {}};
    params.set(constraint.parameter, *spelled);
    replacements.emplace(value, *std::move(spelled));
  }
  return CanonicalArguments{json::to_jcs(rebuilt(arguments, replacements)), json::to_jcs(params)};
}

}  // namespace chancery::tools
