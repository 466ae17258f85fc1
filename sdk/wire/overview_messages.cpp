#include "sdk/wire/overview_messages.hpp"

#include "sdk/wire/fields.hpp"

namespace chancery::wire {
namespace {

using json::Document;
using json::Node;
using json::Value;

constexpr const char* kWhat = "the daemon's overview is not in its form: use a client of its version";
constexpr const char* kWhatAnomaly = "an anomaly has `id`, `at`, `agent`, `kind`, `measured` and `usual`";

/// Reads members of one object; what is missing makes the whole malformed.
class Fields {
 public:
  Fields(const Value& object, const char* what) : object_(object), what_(what) {}

  [[nodiscard]] Result<std::string> text(std::string_view name) const {
    const Value* const value = object_.find(name);
    const auto found = value == nullptr ? std::nullopt : value->string();
    return found ? Result<std::string>(std::string(*found)) : malformed(what_);
  }
  [[nodiscard]] Result<double> number(std::string_view name) const {
    const Value* const value = object_.find(name);
    const auto found = value == nullptr ? std::nullopt : value->number();
    return found ? Result<double>(*found) : malformed(what_);
  }
  [[nodiscard]] Result<std::int64_t> whole(std::string_view name) const {
    CHANCERY_ASSIGN(const auto found, integer(object_, name, kAnyCount, what_));
    return found ? Result<std::int64_t>(*found) : malformed(what_);
  }
  [[nodiscard]] Result<std::uint64_t> count(std::string_view name) const {
    CHANCERY_ASSIGN(const std::int64_t found, whole(name));
    return static_cast<std::uint64_t>(found);
  }

 private:
  const Value& object_;
  const char* what_;
};

// --- overview

Node key_node(const api::OverviewKey& key) {
  Node node = Node::object({{"purpose", key.purpose},
                            {"jkt", key.jkt},
                            {"backend", key.backend},
                            {"state", key.state},
                            {"created_at", key.created_at}});
  set_unless_empty(node, "custody", key.custody);
  return node;
}

Node backend_node(const api::OverviewBackend& backend) {
  return Node::object({{"name", backend.name},
                       {"type", backend.type},
                       {"up", backend.is_up},
                       {"simulator", backend.is_simulator},
                       {"queued", backend.queued},
                       {"signatures", backend.signatures},
                       {"mean_ms", backend.mean_ms}});
}

Node counts_node(const api::OverviewCounts& counts) {
  return Node::object({{"active_agents", counts.active_agents},
                       {"lost_agents", counts.lost_agents},
                       {"retired_agents", counts.retired_agents},
                       {"tokens", counts.tokens},
                       {"revoked_tokens", counts.revoked_tokens},
                       {"suspended_tokens", counts.suspended_tokens},
                       {"status_lists", counts.status_lists}});
}

Node audit_node(const api::OverviewAudit& audit) {
  Node node =
      Node::object({{"entries", audit.entries}, {"failures", audit.failures}, {"behind", audit.is_behind}});
  if (audit.checkpoint) {
    node.set("checkpoint",
             Node::object({{"size", audit.checkpoint->size}, {"signed_at", audit.checkpoint->signed_at}}));
  }
  return node;
}

Result<api::OverviewAudit> audit_from(const Value& root) {
  const Value* const value = root.find("audit");
  if (value == nullptr) return malformed(kWhat);
  const Fields fields(*value, kWhat);
  api::OverviewAudit audit;
  CHANCERY_ASSIGN(audit.entries, fields.count("entries"));
  CHANCERY_ASSIGN(audit.failures, fields.count("failures"));
  CHANCERY_ASSIGN(audit.is_behind, flag(*value, "behind", kWhat));
  const Value* const checkpoint = value->find("checkpoint");
  if (checkpoint == nullptr) return audit;
  const Fields parts(*checkpoint, kWhat);
  audit.checkpoint.emplace();
  CHANCERY_ASSIGN(audit.checkpoint->size, parts.count("size"));
  CHANCERY_ASSIGN(audit.checkpoint->signed_at, parts.whole("signed_at"));
  return audit;
}

Result<api::OverviewKey> key_from(const Value& value) {
  const Fields fields(value, kWhat);
  api::OverviewKey key;
  CHANCERY_ASSIGN(key.purpose, fields.text("purpose"));
  CHANCERY_ASSIGN(key.jkt, fields.text("jkt"));
  CHANCERY_ASSIGN(key.backend, fields.text("backend"));
  CHANCERY_ASSIGN(key.state, fields.text("state"));
  CHANCERY_ASSIGN(key.custody, text_or_empty(value, "custody", kWhat));
  CHANCERY_ASSIGN(key.created_at, fields.whole("created_at"));
  return key;
}

Result<api::OverviewBackend> backend_from(const Value& value) {
  const Fields fields(value, kWhat);
  api::OverviewBackend backend;
  CHANCERY_ASSIGN(backend.name, fields.text("name"));
  CHANCERY_ASSIGN(backend.type, fields.text("type"));
  CHANCERY_ASSIGN(backend.is_up, flag(value, "up", kWhat));
  CHANCERY_ASSIGN(backend.is_simulator, flag(value, "simulator", kWhat));
  CHANCERY_ASSIGN(backend.queued, fields.count("queued"));
  CHANCERY_ASSIGN(backend.signatures, fields.count("signatures"));
  CHANCERY_ASSIGN(backend.mean_ms, fields.number("mean_ms"));
  return backend;
}

Result<std::optional<api::OverviewCounts>> counts_from(const Value* value) {
  if (value == nullptr) return std::optional<api::OverviewCounts>();
  const Fields fields(*value, kWhat);
  api::OverviewCounts counts;
  CHANCERY_ASSIGN(counts.active_agents, fields.count("active_agents"));
  CHANCERY_ASSIGN(counts.lost_agents, fields.count("lost_agents"));
  CHANCERY_ASSIGN(counts.retired_agents, fields.count("retired_agents"));
  CHANCERY_ASSIGN(counts.tokens, fields.count("tokens"));
  CHANCERY_ASSIGN(counts.revoked_tokens, fields.count("revoked_tokens"));
  CHANCERY_ASSIGN(counts.suspended_tokens, fields.count("suspended_tokens"));
  CHANCERY_ASSIGN(counts.status_lists, fields.count("status_lists"));
  return std::optional(counts);
}

template <typename Item>
Status read_items(const Value& object, std::string_view name, Result<Item> (*read)(const Value&),
                  std::vector<Item>& out) {
  const Value* const list = object.find(name);
  if (list == nullptr || !list->is(Value::Kind::kArray)) return malformed(kWhat);
  for (const Value& item : list->items()) {
    CHANCERY_ASSIGN(Item read_item, read(item));
    out.push_back(std::move(read_item));
  }
  return {};
}

// --- anomalies

Node anomaly_node(const api::Anomaly& anomaly) {
  Node node = Node::object({{"id", anomaly.id},
                            {"at", anomaly.at},
                            {"agent", anomaly.agent},
                            {"kind", anomaly.kind},
                            {"measured", anomaly.measured},
                            {"usual", anomaly.usual}});
  set_unless_empty(node, "what", anomaly.what);
  set_optional(node, "suspension", anomaly.suspension);
  return node;
}

Result<api::Anomaly> anomaly_from(const Value& value) {
  const Fields fields(value, kWhatAnomaly);
  api::Anomaly anomaly;
  CHANCERY_ASSIGN(anomaly.id, fields.whole("id"));
  CHANCERY_ASSIGN(anomaly.at, fields.whole("at"));
  CHANCERY_ASSIGN(anomaly.agent, fields.text("agent"));
  CHANCERY_ASSIGN(anomaly.kind, fields.text("kind"));
  CHANCERY_ASSIGN(anomaly.measured, fields.number("measured"));
  CHANCERY_ASSIGN(anomaly.usual, fields.number("usual"));
  CHANCERY_ASSIGN(anomaly.what, text_or_empty(value, "what", kWhatAnomaly));
  CHANCERY_ASSIGN(anomaly.suspension, integer(value, "suspension", kAnyCount, kWhatAnomaly));
  return anomaly;
}

}  // namespace

std::string write(const api::Overview& message) {
  Node keys = Node::array();
  for (const api::OverviewKey& key : message.keys) keys.push_back(key_node(key));
  Node backends = Node::array();
  for (const api::OverviewBackend& backend : message.backends) backends.push_back(backend_node(backend));
  Node node = Node::object({{"version", message.version},
                            {"started_at", message.started_at},
                            {"now", message.now},
                            {"ready", message.ready},
                            {"missing", text_array(message.missing)},
                            {"issuer", message.issuer},
                            {"keys", std::move(keys)},
                            {"backends", std::move(backends)},
                            {"budgets", message.budgets},
                            {"reservations", message.reservations},
                            {"audit", audit_node(message.audit)},
                            {"anomalies", message.anomalies}});
  if (message.counts) node.set("counts", counts_node(*message.counts));
  set_optional(node, "status_list_signed_at", message.status_list_signed_at);
  return json::to_jcs(node);
}

std::string write(const api::Anomaly& message) { return json::to_jcs(anomaly_node(message)); }

std::string write(const api::AnomalyList& message) {
  Node anomalies = Node::array();
  for (const api::Anomaly& anomaly : message.anomalies) anomalies.push_back(anomaly_node(anomaly));
  return json::to_jcs(Node::object({{"anomalies", std::move(anomalies)}}));
}

// What a later version adds is passed over: an overview is for people.
Result<api::Overview> read_overview(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  const Value& root = document.root();
  const Fields fields(root, kWhat);
  api::Overview out;
  CHANCERY_ASSIGN(out.version, fields.text("version"));
  CHANCERY_ASSIGN(out.started_at, fields.whole("started_at"));
  CHANCERY_ASSIGN(out.now, fields.whole("now"));
  CHANCERY_ASSIGN(out.ready, flag(root, "ready", kWhat));
  CHANCERY_ASSIGN(out.missing, string_array(root, "missing", kWhat));
  CHANCERY_ASSIGN(out.issuer, fields.text("issuer"));
  CHANCERY_TRY(read_items(root, "keys", key_from, out.keys));
  CHANCERY_TRY(read_items(root, "backends", backend_from, out.backends));
  CHANCERY_ASSIGN(out.counts, counts_from(root.find("counts")));
  CHANCERY_ASSIGN(out.budgets, fields.text("budgets"));
  CHANCERY_ASSIGN(out.reservations, fields.count("reservations"));
  CHANCERY_ASSIGN(out.audit, audit_from(root));
  CHANCERY_ASSIGN(out.status_list_signed_at, integer(root, "status_list_signed_at", kAnyTime, kWhat));
  CHANCERY_ASSIGN(out.anomalies, fields.count("anomalies"));
  out.json = json;
  return out;
}

Result<api::Anomaly> read_anomaly(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  return anomaly_from(document.root());
}

Result<api::AnomalyList> read_anomaly_list(std::string_view json) {
  CHANCERY_ASSIGN(const Document document, Document::parse_borrowed(json));
  api::AnomalyList out;
  CHANCERY_TRY(read_items(document.root(), "anomalies", anomaly_from, out.anomalies));
  return out;
}

}  // namespace chancery::wire
