#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/audit/event_formats.hpp"
#include "sdk/json/reader.hpp"

using namespace chancery;
using namespace chancery::audit;

namespace bdata = boost::unit_test::data;

namespace {

constexpr const char* kOrigin = "chancery.example.org/audit/0123456789abcdef";

Entry entry_of(const std::string& json, std::uint64_t sequence = 7) {
  auto entry = Entry::parse(sequence, json);
  BOOST_REQUIRE(entry);
  return *std::move(entry);
}

const std::string kAuthorize =
    R"({"action":"action.authorize","agent":"support","at":1790000000,"caller":{"gid":5,"pid":77,"uid":1000},)"
    R"("details":{"scope":"crm.read"},"ids":{"decision":"d1","token":"t1"},"outcome":"deny",)"
    R"("principal":"user:alice@example.org","request_id":"r1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})";

std::string_view text_at(const json::Value& value, std::string_view a, std::string_view b) {
  const json::Value* inner = value.find(a);
  BOOST_REQUIRE(inner != nullptr && inner->find(b) != nullptr);
  return inner->find(b)->string().value_or("");
}

// What a reader of RFC 5424 gets from a quoted value.
std::string unescaped(std::string_view message, std::string_view name) {
  const std::string begin = " " + std::string(name) + "=\"";
  std::size_t at = message.find(begin);
  BOOST_REQUIRE(at != std::string_view::npos);
  std::string out;
  for (at += begin.size(); message[at] != '"'; ++at) {
    const bool escapes =
        message[at] == '\\' && (message[at + 1] == '"' || message[at + 1] == '\\' || message[at + 1] == ']');
    if (escapes) ++at;
    out += message[at];
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_formats)

BOOST_AUTO_TEST_CASE(what_is_no_entry_is_refused) {
  for (const char* text : {"", "[]", "{}", R"({"action":"x"})", R"({"at":1})", R"({"action":1,"at":1})",
                           R"({"action":"x","at":1.5})"}) {
    BOOST_TEST(!Entry::parse(1, text), text);
  }
}

BOOST_AUTO_TEST_CASE(an_ocsf_event_has_what_its_class_requires) {
  const auto document = json::Document::parse(ocsf_event(entry_of(kAuthorize), kOrigin));
  BOOST_REQUIRE(document);
  const json::Value& event = document->root();
  for (const char* required : {"activity_id", "actor", "api", "category_uid", "class_uid", "metadata",
                               "severity_id", "src_endpoint", "time", "type_uid"}) {
    BOOST_TEST(event.find(required) != nullptr, required);
  }
  BOOST_TEST(event.find("type_uid")->integer().value() ==
             event.find("class_uid")->integer().value() * 100 + event.find("activity_id")->integer().value());
  BOOST_TEST(event.find("time")->integer().value() == 1790000000000);
  BOOST_TEST(event.find("status_id")->integer().value() == 2);
  BOOST_TEST(event.find("severity_id")->integer().value() == 3);
  BOOST_TEST(text_at(event, "api", "operation") == "action.authorize");
  BOOST_TEST(text_at(event, "metadata", "uid") == std::string(kOrigin) + "/7");
  BOOST_TEST(text_at(event, "metadata", "correlation_uid") == "4bf92f3577b34da6a3ce929d0e0e4736");
  BOOST_TEST(text_at(*event.find("actor"), "user", "uid") == "user:alice@example.org");
  BOOST_TEST(text_at(event, "unmapped", "request_id") == "r1");
}

BOOST_AUTO_TEST_CASE(an_ocsf_event_of_the_daemons_own_has_an_actor_and_a_source) {
  const auto document = json::Document::parse(
      ocsf_event(entry_of(R"({"action":"key.retire","at":1,"caller":null,"outcome":"done"})"), kOrigin));
  BOOST_REQUIRE(document);
  BOOST_TEST(text_at(document->root(), "actor", "app_name") == "chanceryd");
  BOOST_TEST(text_at(document->root(), "src_endpoint", "svc_name") == "chanceryd");
  BOOST_TEST(document->root().find("activity_id")->integer().value() == 4);
  BOOST_TEST(document->root().find("status_id")->integer().value() == 1);
}

BOOST_AUTO_TEST_CASE(names_of_identifiers_become_names_of_rfc_5424) {
  const auto message_with = [](const std::string& name) {
    return syslog_message(entry_of(R"({"action":"a","at":1,"ids":{")" + name + R"(":"x"}})"), kOrigin);
  };
  const std::string message = message_with(R"(a=b]\"c \u0000\nd)");
  BOOST_TEST(message.find(R"( id.a_b__c___d="x")") != std::string::npos, message);
  const std::string longest = message_with(std::string(40, 'k'));
  BOOST_TEST(longest.find(" id." + std::string(29, 'k') + "=\"x\"") != std::string::npos, longest);
}

BOOST_AUTO_TEST_CASE(a_syslog_message_is_one_of_rfc_5424) {
  BOOST_TEST(
      syslog_message(entry_of(kAuthorize), kOrigin) ==
      "<84>1 2026-09-21T14:13:20Z chancery.example.org chanceryd - action.authorize "
      "[chancery@32473 sequence=\"7\" outcome=\"deny\" principal=\"user:alice@example.org\" agent=\"support\" "
      "request_id=\"r1\" trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\" id.decision=\"d1\" id.token=\"t1\"] " +
          kAuthorize);
}

struct Hostile {
  const char* name;
  const char* json;  ///< of the principal
  const char* read;  ///< what a reader of the structured data gets
};
std::ostream& operator<<(std::ostream& out, const Hostile& hostile) { return out << hostile.name; }

const Hostile kHostile[] = {
    {"a quote", R"(a\"b)", "a\"b"},
    {"a bracket", "a]b", "a]b"},
    {"a backslash", R"(a\\b)", "a\\b"},
    {"the end of the structured data", R"(a\"] <34>1 forged)", "a\"] <34>1 forged"},
    {"a line feed and another message", R"(a\n<34>1 forged)", "a\\u{A}<34>1 forged"},
    {"a carriage return", R"(a\rb)", "a\\u{D}b"},
    {"NUL", R"(a\u0000b)", "a\\u{0}b"},
    {"an escape sequence", R"(a\u001b[2Jb)", "a\\u{1B}[2Jb"},
    {"text from right to left", "a\u202Eb", "a\\u{202E}b"},
    {"text beyond ASCII", "Zo\u00eb \U0001f600", "Zo\u00eb \U0001f600"},
};
BOOST_DATA_TEST_CASE(what_an_entry_has_in_it_stays_within_its_place, bdata::make(kHostile), hostile) {
  const Entry entry =
      entry_of(std::string(R"({"action":"grant","at":1,"principal":")") + hostile.json + "\"}");
  const std::string message = syslog_message(entry, kOrigin);
  BOOST_TEST(unescaped(message, "principal") == hostile.read);
  BOOST_TEST(message.find_first_of(std::string("\n\r\0\x1b", 4)) == std::string::npos);
  const auto said = json::Document::parse(message.substr(message.find("] {") + 2));
  BOOST_REQUIRE(said);
  BOOST_TEST(said->root().find("principal")->string().value() == entry.text("principal"));
  const auto event = json::Document::parse(ocsf_event(entry, kOrigin));
  BOOST_REQUIRE(event);
  BOOST_TEST(text_at(*event->root().find("actor"), "user", "uid") == entry.text("principal"));
}

BOOST_AUTO_TEST_CASE(the_header_has_no_room_for_anything_else) {
  const std::string message = syslog_message(
      entry_of(R"({"action":"a b\nc<1>1 an action that is longer than it may be","at":1})"), "h st\n/x");
  BOOST_TEST(
      message.starts_with("<86>1 1970-01-01T00:00:01Z h_st_ chanceryd - a_b_c<1>1_an_action_that_is_long ["));
  BOOST_TEST(syslog_message(entry_of(R"({"action":"a","at":1})"), "").find(" - chanceryd - a ") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
