#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "daemon/runtime/tools/tool_file.hpp"
#include "daemon/runtime/tools/upstream_fields.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"
#include "tests/unit/tools/declared.hpp"

namespace chancery::tools {
namespace {

using testing::TemporaryFolder;

constexpr const char* kWhole = R"([tool]
name = "refunds.create"
description = """
Gives money back.
All of it, or a part."""
scope = "payments.refund"
risk = "high"
approval = "required"
credential = "payments-api"

[tool.arguments]
type = "object"
required = ["charge", "amount"]
[tool.arguments.properties]
charge = { type = "string", pattern = "^ch_[a-z0-9]+$" }
amount = { type = "number", exclusiveMinimum = 0, multipleOf = 0.01 }
limit = { type = "integer" }

[[tool.constraint]]
argument = "/amount"
parameter = "amount"
as = "number"

[tool.http]
method = "POST"
url = "https://api.example.org/v1/charges/{charge}/refunds"
query = { limit = "/limit" }
body = "json"
credential_in = "header:Authorization: Bearer {}"
allow_addresses = ["127.0.0.1/32", "fd00::/8"]
max_response = "64KiB"
timeout = "2500ms"
redirects = "same_origin"

[tool.response]
allow = ["/id", "/items/*/id"]
pii = ["/customer/email"]
)";

BOOST_AUTO_TEST_CASE(every_option_of_a_declaration_is_taken) {
  const Tool tool = tool_of(kWhole);
  BOOST_TEST(tool.name == "refunds.create");
  BOOST_TEST(tool.description == "Gives money back.\nAll of it, or a part.");
  BOOST_TEST(tool.scope == "payments.refund");
  BOOST_TEST(risk_name(tool.risk) == "high");
  BOOST_TEST(approval_name(tool.approval) == "required");
  BOOST_TEST(tool.credential == "payments-api");
  BOOST_TEST(tool.arguments.document().find("additionalProperties")->boolean().value() == false);
  BOOST_REQUIRE(tool.constraints.size() == 1u);
  BOOST_TEST(tool.constraints[0].argument.text == "/amount");
  BOOST_TEST(value_form_name(tool.constraints[0].form) == "number");
  const auto& http = std::get<HttpUpstream>(tool.upstream);
  BOOST_TEST(http.method == "POST");
  BOOST_TEST(http.url.places().front() == "charge");
  BOOST_TEST(http.query.front().first == "limit");
  BOOST_TEST((http.body == BodyForm::kJson));
  BOOST_TEST(http.credential_in->name == "authorization");
  BOOST_TEST(http.credential_in->before == "Bearer ");
  BOOST_TEST(http.limits.allow_addresses.size() == 2u);
  BOOST_TEST(http.limits.max_response == 65536u);
  BOOST_TEST(http.limits.timeout.count() == 2500);
  BOOST_TEST((http.limits.redirects == Redirects::kSameOrigin));
  BOOST_TEST(tool.response.allow.size() == 2u);
  BOOST_TEST(tool.response.pii.front().tokens.back() == "email");
}

BOOST_AUTO_TEST_CASE(what_may_be_left_out_has_the_safe_value) {
  const Tool tool =
      tool_of(with_response("[tool.http]\nmethod = \"GET\"\nurl = \"https://api.example.org/\"\n"));
  const auto& http = std::get<HttpUpstream>(tool.upstream);
  BOOST_TEST((tool.approval == Approval::kNone));
  BOOST_TEST(tool.credential.empty());
  BOOST_TEST((http.body == BodyForm::kNone));
  BOOST_TEST((http.limits.redirects == Redirects::kNone));
  BOOST_TEST(http.limits.allow_addresses.empty());
  BOOST_TEST(http.limits.max_response == 1024u * 1024u);
  BOOST_TEST(http.limits.timeout.count() == 10'000);
  // Without a schema there are no arguments.
  BOOST_TEST(bool(prepared(tool, "{}")));
  BOOST_TEST(!prepared(tool, R"({"a":1})"));
}

BOOST_AUTO_TEST_CASE(mcp_servers_are_declared_with_a_pin) {
  const std::string pin(64, 'a');
  const Tool stdio = tool_of(
      with_response("[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\", \"--y\"]\ntool = \"up\"\nnetwork = true\n"
                    "description_sha256 = \"" +
                    pin + "\"\ntimeout = \"1s\"\n"));
  const auto& local = std::get<McpStdioUpstream>(stdio.upstream);
  BOOST_TEST(local.command.size() == 2u);
  BOOST_TEST(local.tool == "up");
  BOOST_TEST(local.network);
  BOOST_TEST(local.description_sha256.value() == pin);
  BOOST_TEST(local.limits.timeout.count() == 1000);
  const Tool remote = tool_of(with_response(
      "credential = \"c\"\n[tool.mcp_http]\nurl = \"https://mcp.example.org/mcp\"\ntool = \"up\"\n"
      "credential_in = \"header:X-Api-Key: {}\"\n"));
  const auto& server = std::get<McpHttpUpstream>(remote.upstream);
  BOOST_TEST(server.url.text() == "https://mcp.example.org/mcp");
  BOOST_TEST(!server.description_sha256.has_value());
  BOOST_TEST(server.credential_in->name == "x-api-key");
  const Tool variable = tool_of(
      with_response("credential = \"c\"\n[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"up\"\n"
                    "credential_in = \"env:API_KEY\"\n"));
  BOOST_TEST(std::get<McpStdioUpstream>(variable.upstream).credential_in.value_or("") == "API_KEY");
}

BOOST_AUTO_TEST_CASE(tools_of_mcp_servers_are_served_once_they_were_reviewed) {
  const std::string server = "[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"up\"\n";
  const std::string pin(64, 'a');
  const Tool fresh = tool_of(with_response(server));
  const Tool reviewed = tool_of(with_response(server + "description_sha256 = \"" + pin + "\"\n"));
  BOOST_TEST(speaks_mcp(fresh));
  BOOST_TEST(!may_be_served(fresh));
  BOOST_TEST(!reviewed_digest(fresh).has_value());
  BOOST_TEST(may_be_served(reviewed));
  BOOST_TEST(*reviewed_digest(reviewed) == pin);
  BOOST_TEST(name_at_server(reviewed) == "up");
}

BOOST_AUTO_TEST_CASE(a_variable_for_a_credential_is_the_servers_own) {
  for (const char* place : {"env:", "env:PATH", "env:LANG", "env:LD_PRELOAD", "env:a", "env:1A", "env:A B",
                            "header:X: {}", "API_KEY"}) {
    const auto tool = parse_tool(
        with_response("credential = \"c\"\n[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"up\"\n"
                      "credential_in = \"" +
                      std::string(place) + "\"\n"),
        "a.toml");
    BOOST_REQUIRE_MESSAGE(!tool, place);
    BOOST_TEST(tool.error().message.find("must be \"env:NAME\"") != std::string::npos, tool.error().message);
  }
}

BOOST_AUTO_TEST_CASE(arguments_that_nobody_declared_do_not_pass_unless_the_schema_says_so) {
  const std::string upstream = "[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"x\"\n";
  const auto with = [&](const char* arguments) {
    return tool_of(
        with_response(std::string("[tool.arguments]\ntype = \"object\"\n") + arguments + "\n" + upstream));
  };
  BOOST_TEST(!prepared(with("properties = { a = true }"), R"({"b":1})"));
  BOOST_TEST(bool(prepared(with("additionalProperties = true"), R"({"b":1})")));
  const Tool composed = with("allOf = [{ properties = { a = true } }]");
  BOOST_TEST(bool(prepared(composed, R"({"a":1})")));
  BOOST_TEST(!prepared(composed, R"({"b":1})"));
}

struct Wrong {
  const char* from;  ///< of the whole declaration above
  const char* to;
  int line;
  const char* message;  ///< a part of it
};
std::ostream& operator<<(std::ostream& out, const Wrong& row) { return out << row.from << " -> " << row.to; }

const Wrong kWrong[] = {
    {"name = \"refunds.create\"", "name = \"Refunds\"", 2, "tool.name must be 1 to 63"},
    {"name = \"refunds.create\"", "name = 5", 2, "tool.name must be a string"},
    {"name = \"refunds.create\"", "nme = \"refunds.create\"", 1, "tool.name is missing"},
    {"risk = \"high\"", "risk = \"huge\"", 7, "tool.risk must be one of \"low\" \"medium\" \"high\""},
    {"risk = \"high\"", "", 1, "tool.risk is missing"},
    {"scope = \"payments.refund\"", "scope = \"payments.*\"", 6, "tool.scope must be one scope"},
    {"approval = \"required\"", "approvl = \"required\"", 8,
     "unknown option \"tool.approvl\": did you mean \"tool.approval\"?"},
    {"credential = \"payments-api\"", "credential = \"A B\"", 9, "tool.credential must be the name"},
    {"credential = \"payments-api\"", "", 1, "tool.credential is missing"},
    {"credential_in = \"header:Authorization: Bearer {}\"", "", 9, "tool.credential has no place"},
    {"type = \"object\"\n", "type = \"array\"\n", 11, "is the schema of an object"},
    {"multipleOf = 0.01", "multipleof = 0.01", 16,
     "unknown keyword \"multipleof\": did you mean \"multipleOf\"?"},
    {"pattern = \"^ch_[a-z0-9]+$\"", "pattern = \"(?=a)\"", 15,
     "/properties/charge/pattern is a pattern that cannot be used"},
    {"limit = { type = \"integer\" }", "limit = { type = \"integer\", default = 2026-01-01 }", 17,
     "date or a time"},
    {"limit = { type = \"integer\" }", "limit = { maximum = 9007199254740993 }", 17, "beyond 2^53"},
    {"argument = \"/amount\"", "argument = \"amount\"", 20, "must be a JSON pointer"},
    {"argument = \"/amount\"", "argument = \"/ammount\"", 20, "which tool.arguments does not have"},
    {"argument = \"/amount\"", "argument = \"\"", 20, "names"},
    {"parameter = \"amount\"", "parameter = \"calls\"", 21, "may not be \"calls\""},
    {"as = \"number\"", "as = \"integer\"", 22, "must be one of \"number\""},
    {"as = \"number\"", "", 19, "tool.constraint.as is missing"},
    {"method = \"POST\"", "method = \"TRACE\"", 25, "tool.http.method must be one of"},
    {"method = \"POST\"", "method = \"GET\"", 28, "tool.http.body has no meaning with GET"},
    {"/{charge}/", "/{other}/", 26, "has {other}: put that argument into required"},
    {"/{charge}/", "/{limit}/", 26, "has {limit}: put that argument into required"},
    {"https://api.example.org/v1", "https://{charge}.example.org/v1", 26,
     "places for arguments are in the path alone"},
    {"https://api.example.org/v1", "http://user@api.example.org/v1", 26, "user information"},
    {"query = { limit = \"/limit\" }", "query = { limit = \"/limits\" }", 27,
     "which tool.arguments does not have"},
    {"query = { limit = \"/limit\" }", "query = \"/limit\"", 27, "must be a table"},
    {"query = { limit = \"/limit\" }", "headers = { Host = \"/limit\" }", 27,
     "arguments may not set: \"host\""},
    {"query = { limit = \"/limit\" }", "headers = { Authorization = \"/limit\" }", 27,
     "arguments may not set"},
    {"query = { limit = \"/limit\" }", "headers = { \"a b\" = \"/limit\" }", 27, "arguments may not set"},
    {"query = { limit = \"/limit\" }", "headers = { X = \"/limit\", x = \"/limit\" }", 27,
     "names a header twice"},
    {"body = \"json\"", "body_value = \"/amount\"", 28, "is for body = \"json\""},
    {"body = \"json\"", "body = \"json\"\nbody_value = \"/amount\"\nbody_members = { a = \"/amount\" }", 30,
     "without body_value"},
    {"header:Authorization: Bearer {}", "header:Authorization: Bearer", 29, "with {} in the value"},
    {"header:Authorization: Bearer {}", "header:Host: {}", 29, "the runtime sets itself"},
    {"header:Authorization: Bearer {}", "query:limit", 27, "or the credential has already"},
    {"https://api", "http://api", 29, ""},
    {"\"fd00::/8\"", "\"fd00::/129\"", 30, "address ranges"},
    {"\"64KiB\"", "\"64GB\"", 31, "must be a number of octets"},
    {"\"64KiB\"", "\"65MiB\"", 31, "from 1KiB to 64MiB"},
    {"\"2500ms\"", "\"1h\"", 32, "must be a duration"},
    {"\"2500ms\"", "\"1ms\"", 32, "from 100ms to 10m"},
    {"redirects = \"same_origin\"", "redirects = \"all\"", 33, "must be one of \"none\" \"same_origin\""},
    {"redirects = \"same_origin\"", "redirect = \"none\"", 33, "did you mean \"tool.http.redirects\"?"},
    {"allow = [\"/id\", \"/items/*/id\"]", "", 35, "tool.response.allow is missing"},
    {"allow = [\"/id\", \"/items/*/id\"]", "allow = [\"id\"]", 36, "must be a JSON pointer"},
    {"[tool.response]", "[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"x\"\n[tool.response]", 1,
     "exactly one of"},
    {"[tool.http]", "[tool.htp]", 1, "exactly one of"},
    {"[tool]", "[tol]", 1, "unknown option \"tol\": did you mean \"tool\"?"},
    {"[tool]\n", "x = 1\n[tool]\n", 1, "unknown option \"x\""},
    {"risk = \"high\"", "risk = ", 7, "not TOML"},
};
BOOST_DATA_TEST_CASE(mistake_is_told_with_its_line_and_what_to_do, boost::unit_test::data::make(kWrong),
                     row) {
  std::string text = kWhole;
  const std::size_t at = text.find(row.from);
  BOOST_REQUIRE(at != std::string::npos);
  text.replace(at, std::string_view(row.from).size(), row.to);
  const auto tool = parse_tool(text, "refund.toml");
  if (std::string_view(row.message).empty()) {
    // Plain http, and addresses that are meant by it.
    BOOST_TEST(bool(tool));
    return;
  }
  BOOST_REQUIRE(!tool);
  BOOST_TEST(tool.error().message.find(row.message) != std::string::npos, tool.error().message);
  BOOST_TEST(tool.error().line == row.line, load_error_text(tool.error()));
  BOOST_TEST(tool.error().file == "refund.toml");
}

BOOST_AUTO_TEST_CASE(credential_does_not_cross_the_network_in_the_clear) {
  const auto with = [](const char* rest) {
    return parse_tool(
        with_response(
            std::string(
                "credential = \"c\"\n[tool.http]\nmethod = \"GET\"\ncredential_in = \"query:key\"\n") +
            rest),
        "a.toml");
  };
  BOOST_TEST(bool(with("url = \"https://example.org/\"")));
  BOOST_TEST(bool(with("url = \"http://127.0.0.1/\"\nallow_addresses = [\"127.0.0.1/32\"]")));
  const auto refused = with("url = \"http://example.org/\"");
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().message.find("in the clear") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(places_of_credentials_are_read_exactly) {
  const auto header = parse_credential_place("header:X-Api-Key: {}");
  BOOST_REQUIRE(header);
  BOOST_TEST(header->name == "x-api-key");
  const auto cookie = parse_credential_place("header:Cookie: a={}; b");
  BOOST_REQUIRE(cookie);
  BOOST_TEST(cookie->before == "a=");
  BOOST_TEST(cookie->after == "; b");
  BOOST_TEST((parse_credential_place("query:key")->kind == CredentialPlace::Kind::kQuery));
  BOOST_TEST((parse_credential_place("basic:user")->kind == CredentialPlace::Kind::kBasic));
  for (const char* bad :
       {"", "header", "header:", "header:X", "header:X: ", "header:X Y: {}", "header:X: {} {}",
        "query:", "basic:", "basic:a:b", "cookie:a", "header:X: a\n{}"}) {
    BOOST_TEST(!parse_credential_place(bad), bad);
  }
  for (const char* good : {"127.0.0.1/32", "10.0.0.0/8", "::1/128", "0.0.0.0/0"})
    BOOST_TEST(is_address_range(good), good);
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1/", "127.0.0.1/33", "127.1/8", "localhost/8", "::1/129",
                          "1.2.3.4/-1", "1.2.3.4/8a"}) {
    BOOST_TEST(!is_address_range(bad), bad);
  }
}

void write(const std::filesystem::path& file, std::string_view text, mode_t mode = 0644) {
  std::ofstream(file, std::ios::binary) << text;
  BOOST_REQUIRE(::chmod(file.c_str(), mode) == 0);
}

std::string named(std::string_view name) {
  std::string text = with_response("[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"x\"\n");
  return text.replace(text.find("refunds.create"), 14, name);
}

BOOST_AUTO_TEST_CASE(folder_is_loaded_by_name_whatever_its_files_are_called) {
  const TemporaryFolder folder;
  write(folder.path() / "2.toml", named("a"));
  write(folder.path() / "1.toml", named("b"));
  write(folder.path() / ".hidden.toml", "not toml");
  write(folder.path() / "notes.txt", "not toml");
  const auto tools = load_tools(folder.path());
  BOOST_REQUIRE(tools);
  BOOST_REQUIRE(tools->size() == 2u);
  BOOST_TEST(tools->at(0).name == "a");
  BOOST_TEST(tools->at(1).name == "b");
  BOOST_TEST(tools->at(1).file == (folder.path() / "1.toml").string());
  const TemporaryFolder empty;
  BOOST_TEST(load_tools(empty.path())->empty());
}

BOOST_AUTO_TEST_CASE(one_file_that_cannot_be_used_loads_none_and_each_is_named) {
  const TemporaryFolder folder;
  write(folder.path() / "a.toml", named("a"));
  write(folder.path() / "b.toml", "[tool]\nname = \"B\"\n");
  write(folder.path() / "c.toml", "\n=");
  write(folder.path() / "d.toml", named("d"), 0646);
  std::filesystem::create_directory(folder.path() / "e.toml");
  std::filesystem::create_symlink("/nonexistent", folder.path() / "f.toml");
  write(folder.path() / "g.toml", std::string(300 * 1024, '#'));
  const auto tools = load_tools(folder.path());
  BOOST_REQUIRE(!tools);
  BOOST_REQUIRE(tools.error().size() == 6u);
  BOOST_TEST(load_error_text(tools.error()[0]).find("b.toml:2: tool.name must be") != std::string::npos);
  BOOST_TEST(load_error_text(tools.error()[1]).find("c.toml:2: not TOML") != std::string::npos);
  BOOST_TEST((tools.error()[2].code == ErrorCode::kFilePermissions));
  BOOST_TEST((tools.error()[3].code == ErrorCode::kFileUnreadable));
  BOOST_TEST((tools.error()[4].code == ErrorCode::kFileUnreadable));
  BOOST_TEST(load_error_text(tools.error()[5]).find("larger than 256 KiB") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(two_tools_of_one_name_are_refused_with_both_files) {
  const TemporaryFolder folder;
  write(folder.path() / "a.toml", named("same"));
  write(folder.path() / "b.toml", named("same"));
  const auto tools = load_tools(folder.path());
  BOOST_REQUIRE(!tools);
  BOOST_REQUIRE(tools.error().size() == 1u);
  const std::string text = load_error_text(tools.error().front());
  BOOST_TEST(text.find("a.toml") != std::string::npos);
  BOOST_TEST(text.find("b.toml") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(folder_that_others_may_write_to_or_that_is_none_is_refused) {
  const TemporaryFolder folder;
  write(folder.path() / "a.toml", named("a"));
  BOOST_REQUIRE(::chmod(folder.path().c_str(), 0707) == 0);
  const auto open = load_tools(folder.path());
  BOOST_REQUIRE(!open);
  BOOST_TEST((open.error().front().code == ErrorCode::kFilePermissions));
  const auto none = load_tools(folder.path() / "none");
  BOOST_REQUIRE(!none);
  BOOST_TEST((none.error().front().code == ErrorCode::kFileUnreadable));
  const auto file = load_tools(folder.path() / "a.toml");
  BOOST_REQUIRE(!file);
  BOOST_TEST((file.error().front().code == ErrorCode::kFileUnreadable));
}

BOOST_AUTO_TEST_CASE(schema_may_stand_in_a_file_beside_the_declaration) {
  const TemporaryFolder folder;
  const auto with = [&](const char* name) {
    return parse_tool(with_response("[tool.arguments]\nschema = \"" + std::string(name) +
                                    "\"\n[tool.mcp_stdio]\ncommand = [\"/usr/bin/x\"]\ntool = \"x\"\n"),
                      folder.path() / "a.toml");
  };
  write(folder.path() / "a.schema.json", R"({"type":"object","properties":{"a":{"enum":[null,1]}}})");
  const auto tool = with("a.schema.json");
  BOOST_REQUIRE_MESSAGE(tool, (tool ? "" : tool.error().message));
  BOOST_TEST(bool(prepared(*tool, R"({"a":null})")));
  BOOST_TEST(!prepared(*tool, R"({"a":2})"));

  write(folder.path() / "bad.json", "{");
  BOOST_TEST(with("bad.json").error().file == (folder.path() / "bad.json").string());
  write(folder.path() / "unknown.json", R"({"type":"object","propertis":{}})");
  BOOST_TEST(with("unknown.json").error().message.find("did you mean \"properties\"") != std::string::npos);
  write(folder.path() / "open.json", R"({"type":"object"})", 0666);
  BOOST_TEST((with("open.json").error().code == ErrorCode::kFilePermissions));
  BOOST_TEST((with("absent.json").error().code == ErrorCode::kFileUnreadable));
  for (const char* name : {"../a.schema.json", "/etc/passwd", "a.toml", ".hidden.json", "", "sub/a.json"}) {
    const auto refused = with(name);
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().message.find("in the same folder") != std::string::npos);
  }
}

}  // namespace
}  // namespace chancery::tools
