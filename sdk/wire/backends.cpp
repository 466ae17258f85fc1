#include "sdk/wire/fields.hpp"
#include "sdk/wire/messages.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr Range kCount{0, (std::int64_t{1} << 53) - 1};

Node facts_node(const std::vector<api::Fact>& facts) {
  Node array = Node::array();
  for (const api::Fact& fact : facts) {
    Node node = Node::object({{"name", fact.name}, {"value", fact.value}, {"severity", fact.severity}});
    if (!fact.advice.empty()) node.set("advice", fact.advice);
    array.push_back(std::move(node));
  }
  return array;
}

Result<api::Fact> fact_from(const Value& object) {
  api::Fact out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", "a fact has `name`"));
  CHANCERY_ASSIGN(out.value, text_or_empty(object, "value", "a fact's `value` is a string"));
  CHANCERY_ASSIGN(out.severity, need_text(object, "severity", "a fact has `severity`"));
  CHANCERY_ASSIGN(out.advice, text_or_empty(object, "advice", "a fact's `advice` is a string"));
  return out;
}

Result<std::vector<api::Fact>> facts_from(const Value& object) {
  std::vector<api::Fact> facts;
  const Value* array = object.find("facts");
  if (array == nullptr) return facts;
  if (!array->is(Value::Kind::kArray)) return malformed("`facts` is an array");
  for (const Value& item : array->items()) {
    CHANCERY_ASSIGN(api::Fact fact, fact_from(item));
    facts.push_back(std::move(fact));
  }
  return facts;
}

Node load_node(const api::BackendLoad& load) {
  return Node::object({{"queued", load.queued},
                       {"live_objects", load.live_objects},
                       {"live_sessions", load.live_sessions},
                       {"cached_keys", load.cached_keys},
                       {"recoveries", load.recoveries}});
}

Result<std::int64_t> count_from(const Value& object, std::string_view name) {
  CHANCERY_ASSIGN(const auto count, integer(object, name, kCount, "a backend's counts are integers"));
  return count.value_or(0);
}

Result<api::BackendLoad> load_from(const Value& object) {
  const Value* load = object.find("load");
  if (load == nullptr) return malformed("a backend has `load`");
  api::BackendLoad out;
  CHANCERY_ASSIGN(out.queued, count_from(*load, "queued"));
  CHANCERY_ASSIGN(out.live_objects, count_from(*load, "live_objects"));
  CHANCERY_ASSIGN(out.live_sessions, count_from(*load, "live_sessions"));
  CHANCERY_ASSIGN(out.cached_keys, count_from(*load, "cached_keys"));
  CHANCERY_ASSIGN(out.recoveries, count_from(*load, "recoveries"));
  return out;
}

Node backend_node(const api::Backend& backend) {
  Node node = Node::object({{"name", backend.name},
                            {"type", backend.type},
                            {"manufacturer", backend.manufacturer},
                            {"firmware", backend.firmware},
                            {"emulated", backend.emulated},
                            {"algorithms", text_array(backend.algorithms)},
                            {"state", backend.state},
                            {"load", load_node(backend.load)},
                            {"default", backend.is_default},
                            {"issuer", backend.is_issuer},
                            {"agent_keys", backend.agent_keys}});
  if (!backend.advice.empty()) node.set("advice", backend.advice);
  if (!backend.native.empty()) node.set("native", backend.native);
  if (!backend.facts.empty()) node.set("facts", facts_node(backend.facts));
  return node;
}

Result<api::Backend> backend_from(const Value& object) {
  api::Backend out;
  CHANCERY_ASSIGN(out.name, need_text(object, "name", "a backend has `name`"));
  CHANCERY_ASSIGN(out.type, need_text(object, "type", "a backend has `type`"));
  CHANCERY_ASSIGN(out.manufacturer, text_or_empty(object, "manufacturer", "`manufacturer` is a string"));
  CHANCERY_ASSIGN(out.firmware, text_or_empty(object, "firmware", "`firmware` is a string"));
  CHANCERY_ASSIGN(out.emulated, flag(object, "emulated", "`emulated` is true or false"));
  CHANCERY_ASSIGN(out.algorithms, string_array(object, "algorithms", "`algorithms` is an array of strings"));
  CHANCERY_ASSIGN(out.state, need_text(object, "state", "a backend has `state`"));
  CHANCERY_ASSIGN(out.advice, text_or_empty(object, "advice", "`advice` is a string"));
  CHANCERY_ASSIGN(out.native, text_or_empty(object, "native", "`native` is a string"));
  CHANCERY_ASSIGN(out.load, load_from(object));
  CHANCERY_ASSIGN(out.is_default, flag(object, "default", "`default` is true or false"));
  CHANCERY_ASSIGN(out.is_issuer, flag(object, "issuer", "`issuer` is true or false"));
  CHANCERY_ASSIGN(out.agent_keys, count_from(object, "agent_keys"));
  CHANCERY_ASSIGN(out.facts, facts_from(object));
  return out;
}

}  // namespace

std::string write(const api::Backend& message) { return json::to_jcs(backend_node(message)); }

Result<api::Backend> read_backend(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return backend_from(document.root());
}

std::string write(const api::BackendList& message) {
  Node array = Node::array();
  for (const api::Backend& backend : message.backends) array.push_back(backend_node(backend));
  return json::to_jcs(Node::object({{"backends", std::move(array)}}));
}

Result<api::BackendList> read_backend_list(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value* array = document.root().find("backends");
  if (array == nullptr || !array->is(Value::Kind::kArray)) return malformed("a list has `backends`");
  api::BackendList out;
  for (const Value& item : array->items()) {
    CHANCERY_ASSIGN(api::Backend backend, backend_from(item));
    out.backends.push_back(std::move(backend));
  }
  return out;
}

std::string write(const api::Process& message) {
  return json::to_jcs(Node::object({{"facts", facts_node(message.facts)}}));
}

Result<api::Process> read_process(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::Process out;
  CHANCERY_ASSIGN(out.facts, facts_from(document.root()));
  return out;
}

}  // namespace chancery::wire
