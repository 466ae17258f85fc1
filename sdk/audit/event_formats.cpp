#include "sdk/audit/event_formats.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "sdk/base/printable.hpp"
#include "sdk/json/ascii.hpp"
#include "sdk/json/writer.hpp"

namespace chancery::audit {
namespace {

using json::Node;

enum class Severity : std::uint8_t { kInformation, kDenial, kFailure };

Severity severity_of(const Entry& entry) noexcept {
  if (entry.outcome() == "failed") return Severity::kFailure;
  return entry.is_denial() ? Severity::kDenial : Severity::kInformation;
}

// --- OCSF

constexpr int kApiActivity = 6003;
constexpr int kApplicationActivity = 6;

/// What an action does, as far as the schema has a word for it.
struct Activity {
  int id = 99;
  std::string_view name = "Other";
};

// By the last word of the action's name, in which what is done stands.
Activity activity_of(std::string_view action) noexcept {
  constexpr std::array kCreate{"create", "grant", "delegate", "session", "join", "enroll", "start", "put"};
  constexpr std::array kUpdate{"rotate", "reenroll", "adopt",  "approve", "suspend", "lift",
                               "settle", "accept",   "change", "advance", "activate"};
  constexpr std::array kDelete{"retire", "revoke", "remove", "destroyed", "release",
                               "forget", "end",    "stop",   "reset"};
  if (action == "credential.release") return {2, "Read"};  // and nothing ends by it
  const std::string_view word = action.substr(action.rfind('.') + 1);
  const auto is_one_of = [&](const auto& words) { return std::ranges::find(words, word) != words.end(); };
  if (is_one_of(kCreate)) return {1, "Create"};
  if (is_one_of(kUpdate)) return {3, "Update"};
  if (is_one_of(kDelete)) return {4, "Delete"};
  return {};
}

struct OcsfSeverity {
  int id;
  const char* name;
};

OcsfSeverity ocsf_severity(Severity severity) noexcept {
  switch (severity) {
    case Severity::kInformation:
      return {1, "Informational"};
    case Severity::kDenial:
      return {3, "Medium"};
    case Severity::kFailure:
      return {4, "High"};
  }
  return {0, "Unknown"};
}

Node actor_of(const Entry& entry) {
  Node actor = Node::object({});
  const std::int64_t uid = entry.caller_number("uid");
  if (!entry.text("principal").empty()) actor.set("user", Node::object({{"uid", entry.text("principal")}}));
  if (!entry.text("session").empty()) actor.set("session", Node::object({{"uid", entry.text("session")}}));
  if (uid >= 0) {
    const Node user = Node::object({{"uid", std::to_string(uid)}});
    actor.set("process", Node::object({{"pid", entry.caller_number("pid")}, {"user", user}}));
  }
  const std::string_view client = entry.caller("client_id");
  if (!client.empty()) {
    actor.set("app_uid", client);
  } else {
    actor.set("app_name", entry.text("agent").empty() ? "chanceryd" : entry.text("agent"));
  }
  return actor;
}

// Who asked over the network is known by the key that holds the chain, and a local process by the socket.
Node source_of(const Entry& entry) {
  if (!entry.caller("jkt").empty()) return Node::object({{"uid", entry.caller("jkt")}});
  return Node::object({{"svc_name", entry.caller_number("uid") >= 0 ? "unix socket" : "chanceryd"}});
}

Node metadata_of(const Entry& entry, std::string_view origin) {
  Node metadata =
      Node::object({{"version", "1.3.0"},
                    {"product", Node::object({{"name", "Chancery"}, {"vendor_name", "Chancery"}})},
                    {"log_name", origin},
                    {"sequence", entry.sequence()},
                    {"uid", std::string(origin) + "/" + std::to_string(entry.sequence())},
                    {"event_code", entry.action()}});
  if (!entry.text("trace_id").empty()) metadata.set("correlation_uid", entry.text("trace_id"));
  return metadata;
}

Node api_of(const Entry& entry) {
  Node api =
      Node::object({{"operation", entry.action()}, {"service", Node::object({{"name", "chanceryd"}})}});
  if (!entry.text("request_id").empty())
    api.set("request", Node::object({{"uid", entry.text("request_id")}}));
  return api;
}

// --- syslog

constexpr int kAuthpriv = 10;
// The enterprise number that RFC 5612 sets aside for examples: Chancery has none of its own.
constexpr std::string_view kStructuredDataId = "chancery@32473";
constexpr std::size_t kLongestHost = 255;
constexpr std::size_t kLongestMessageId = 32;
constexpr std::size_t kLongestParameterName = 32;

int syslog_severity(Severity severity) noexcept {
  switch (severity) {
    case Severity::kInformation:
      return 6;
    case Severity::kDenial:
      return 4;
    case Severity::kFailure:
      return 3;
  }
  return 5;
}

// A field of the header: printable ASCII without spaces, or "-" for none.
std::string header_field(std::string_view text, std::size_t longest) {
  std::string field(text.substr(0, longest));
  std::ranges::replace_if(
      field, [](unsigned char c) { return c < 0x21 || c > 0x7e; }, '_');
  return field.empty() ? "-" : field;
}

// RFC 5424 section 6.3.3: names of identifiers stand in the entry, and an entry may be anybody's.
std::string parameter_name(std::string_view name) {
  std::string out = header_field(name, kLongestParameterName);
  std::ranges::replace_if(
      out, [](char c) { return c == '=' || c == ']' || c == '"'; }, '_');
  return out;
}

// The same section escapes three characters; what would end the line, or be obeyed by a terminal, is written out
// before.
std::string parameter(std::string_view name, std::string_view value) {
  std::string out = " " + parameter_name(name) + "=\"";
  for (const char c : printable(value)) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string structured_data(const Entry& entry) {
  std::string data = "[" + std::string(kStructuredDataId);
  data += parameter("sequence", std::to_string(entry.sequence()));
  for (const char* const member :
       {"outcome", "principal", "agent", "session", "task", "request_id", "trace_id", "policy"}) {
    if (!entry.text(member).empty()) data += parameter(member, entry.text(member));
  }
  for (const auto& [kind, id] : entry.ids()) data += parameter("id." + std::string(kind), id);
  return data + "]";
}

}  // namespace

std::string ocsf_event(const Entry& entry, std::string_view origin) {
  const Activity activity = activity_of(entry.action());
  const OcsfSeverity severity = ocsf_severity(severity_of(entry));
  return json::to_jcs(Node::object({{"activity_id", activity.id},
                                    {"activity_name", activity.name},
                                    {"actor", actor_of(entry)},
                                    {"api", api_of(entry)},
                                    {"category_uid", kApplicationActivity},
                                    {"category_name", "Application Activity"},
                                    {"class_uid", kApiActivity},
                                    {"class_name", "API Activity"},
                                    {"type_uid", kApiActivity * 100 + activity.id},
                                    {"metadata", metadata_of(entry, origin)},
                                    {"severity_id", severity.id},
                                    {"severity", severity.name},
                                    {"src_endpoint", source_of(entry)},
                                    {"status_id", entry.is_denial() ? 2 : 1},
                                    {"status", entry.is_denial() ? "Failure" : "Success"},
                                    {"status_detail", entry.outcome()},
                                    {"time", entry.at().time_since_epoch().count() * 1000},
                                    {"unmapped", Node::copy(entry.value())}}));
}

std::string syslog_message(const Entry& entry, std::string_view origin) {
  const int priority = kAuthpriv * 8 + syslog_severity(severity_of(entry));
  const auto at = static_cast<double>(entry.at().time_since_epoch().count());
  return "<" + std::to_string(priority) + ">1 " + utc_text(at) + " " +
         header_field(origin.substr(0, origin.find('/')), kLongestHost) + " chanceryd - " +
         header_field(entry.action(), kLongestMessageId) + " " + structured_data(entry) + " " +
         json::ascii_json(entry.value().source());
}

}  // namespace chancery::audit
