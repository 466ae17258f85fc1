#include "sdk/mcp/message.hpp"

#include <array>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace chancery::tests {
namespace {

namespace data = boost::unit_test::data;
using mcp::Code;
using mcp::Id;
using mcp::Message;

struct Unread {
  const char* text;
  Code code;
  const char* id;  // in the answer; nullptr when it could not be read
};

std::ostream& operator<<(std::ostream& out, const Unread& row) { return out << row.text; }

constexpr std::array kUnread{
    Unread{"", Code::kParseError, nullptr},
    Unread{"{", Code::kParseError, nullptr},
    Unread{"\xFF\xFE", Code::kParseError, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":1,"id":2,"method":"a"})", Code::kParseError, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":9007199254740993,"method":"a"})", Code::kParseError, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":1,"method":"a","params":{"n":1e999}})", Code::kParseError, nullptr},
    Unread{"[]", Code::kInvalidRequest, nullptr},
    Unread{R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", Code::kInvalidRequest, nullptr},
    Unread{"null", Code::kInvalidRequest, nullptr},
    Unread{"\"ping\"", Code::kInvalidRequest, nullptr},
    Unread{R"({"id":1,"method":"a"})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"1.0","id":1,"method":"a"})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":2.0,"id":1,"method":"a"})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":null,"method":"a"})", Code::kInvalidRequest, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":1.5,"method":"a"})", Code::kInvalidRequest, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":true,"method":"a"})", Code::kInvalidRequest, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":{},"method":"a"})", Code::kInvalidRequest, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":"x"})", Code::kInvalidRequest, "\"x\""},
    Unread{R"({"jsonrpc":"2.0","id":"x","method":""})", Code::kInvalidRequest, "\"x\""},
    Unread{R"({"jsonrpc":"2.0","id":"x","method":7})", Code::kInvalidRequest, "\"x\""},
    Unread{R"({"jsonrpc":"2.0","id":1,"method":"a","params":[]})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":1,"method":"a","params":null})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":1,"method":"a","more":1})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":1,"method":"a","result":{}})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}})", Code::kInvalidRequest,
           "1"},
    Unread{R"({"jsonrpc":"2.0","result":{}})", Code::kInvalidRequest, nullptr},
    Unread{R"({"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":""}})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":1,"error":{"code":1}})", Code::kInvalidRequest, "1"},
    Unread{R"({"jsonrpc":"2.0","id":1,"error":"no"})", Code::kInvalidRequest, "1"}};

std::string id_text(const std::optional<Id>& id) { return id ? json::to_jcs(mcp::id_node(*id)) : "none"; }

std::string nested(std::size_t levels) {
  return R"({"jsonrpc":"2.0","id":1,"method":"a","params":{"x":)" + std::string(levels, '[') +
         std::string(levels, ']') + "}}";
}

}  // namespace

BOOST_DATA_TEST_CASE(what_is_no_message_has_a_code_and_the_id_where_there_is_one, data::make(kUnread), row) {
  const auto message = Message::read(row.text);
  BOOST_REQUIRE(!message);
  BOOST_TEST((message.error().code == row.code));
  BOOST_TEST(id_text(message.error().id) == std::string(row.id == nullptr ? "none" : row.id));
  BOOST_TEST(std::string(message.error().what).size() > 10U);
}

BOOST_AUTO_TEST_CASE(requests_notifications_and_responses_are_told_apart) {
  const auto request =
      Message::read(R"({"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{"name":"x"}})");
  BOOST_REQUIRE(request);
  BOOST_TEST((request->kind() == Message::Kind::kRequest));
  BOOST_TEST(id_text(request->id()) == "\"a-1\"");
  BOOST_TEST(request->method() == "tools/call");
  BOOST_REQUIRE(request->param("name") != nullptr);
  BOOST_TEST((request->param("name")->string() == "x"));
  BOOST_TEST((request->param("other") == nullptr));

  const auto notification = Message::read(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  BOOST_REQUIRE(notification);
  BOOST_TEST((notification->kind() == Message::Kind::kNotification));
  BOOST_TEST((notification->param("x") == nullptr));

  const auto result = Message::read(R"({"jsonrpc":"2.0","id":-3,"result":null})");
  BOOST_REQUIRE(result);
  BOOST_TEST((result->kind() == Message::Kind::kResponse));
  BOOST_TEST(id_text(result->id()) == "-3");
  BOOST_TEST((result->result() != nullptr && !result->error()));

  const auto error = Message::read(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}})");
  BOOST_REQUIRE(error);
  BOOST_TEST((error->result() == nullptr && !error->id()));
  BOOST_TEST(error->error()->code == -32700);
}

BOOST_AUTO_TEST_CASE(ids_and_methods_have_128_octets_at_most) {
  const auto with = [](std::size_t id, std::size_t method) {
    return Message::read(R"({"jsonrpc":"2.0","id":")" + std::string(id, 'i') + R"(","method":")" +
                         std::string(method, 'm') + "\"}");
  };
  BOOST_TEST(bool(with(128, 128)));
  BOOST_TEST(!with(129, 1));
  BOOST_TEST(!with(1, 129));
}

BOOST_AUTO_TEST_CASE(messages_are_bounded_in_length_and_depth) {
  const std::string text = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  BOOST_TEST(bool(Message::read(text, {.max_octets = text.size(), .json = {}})));
  const auto long_one = Message::read(text, {.max_octets = text.size() - 1, .json = {}});
  BOOST_REQUIRE(!long_one);
  BOOST_TEST((long_one.error().code == Code::kParseError));

  BOOST_TEST(bool(Message::read(nested(30))));  // with the message and its params
  const auto deep = Message::read(nested(31));
  BOOST_REQUIRE(!deep);
  BOOST_TEST((deep.error().code == Code::kParseError));
  BOOST_TEST(!Message::read(nested(200'000)));
  BOOST_TEST(!Message::read(std::string(std::size_t{10} << 20, ' ')));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_one_line_and_reads_back) {
  const json::Node hostile = json::Node::object({{"text", "a\nb\r\n\x01"}});
  for (const std::string& text :
       {mcp::request_text(Id(std::int64_t{7}), "a\nb", hostile), mcp::notification_text("n", hostile),
        mcp::result_text(Id(std::string("x\ny")), hostile),
        mcp::error_text(std::nullopt, Code::kInternalError, "line\nline", hostile)}) {
    BOOST_TEST(text.find_first_of("\r\n") == std::string::npos);
    BOOST_TEST(bool(Message::read(text)), text);
  }
  BOOST_TEST(mcp::error_text(Id(std::int64_t{1}), Code::kMethodNotFound, "no") ==
             R"({"error":{"code":-32601,"message":"no"},"id":1,"jsonrpc":"2.0"})");
}

}  // namespace chancery::tests
