#include "daemon/runtime/import_command.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "daemon/runtime/tools/tool_file.hpp"
#include "tests/unit/daemon/temporary_folder.hpp"

namespace chancery::runtime {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

// A help desk's API as version 3.0 writes such: shared parameters and answers, nullable fields, 64-bit identifiers, a file upload,
// operations that are about to go.
constexpr const char* kHelpdesk = R"json({
  "openapi": "3.0.3",
  "info": {"title": "Helpdesk", "version": "2024-11", "contact": {"email": "api@helpdesk.example"}},
  "servers": [{"url": "https://api.helpdesk.example/v2", "description": "Production"}],
  "security": [{"token": []}],
  "tags": [{"name": "tickets"}],
  "paths": {
    "/tickets": {
      "get": {
        "tags": ["tickets"], "operationId": "listTickets", "summary": "Lists tickets, newest first.",
        "parameters": [
          {"$ref": "#/components/parameters/PageSize"},
          {"name": "status", "in": "query", "schema": {"type": "string", "enum": ["open", "pending", "closed"]}},
          {"name": "labels", "in": "query", "style": "form", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}},
          {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}
        ],
        "responses": {
          "200": {"description": "Tickets", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Ticket"}}}}},
          "429": {"$ref": "#/components/responses/TooMany"}
        }
      },
      "post": {
        "operationId": "createTicket", "summary": "Opens a ticket.",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewTicket"}}}},
        "responses": {"201": {"description": "Created", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ticket"}}}}}
      }
    },
    "/tickets/{ticketId}": {
      "parameters": [{"name": "ticketId", "in": "path", "required": true, "schema": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9223372036854775807}}],
      "get": {"operationId": "getTicket", "responses": {"200": {"description": "One", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ticket"}}}}}},
      "delete": {"operationId": "deleteTicket", "deprecated": true, "responses": {"204": {"description": "Gone"}}}
    },
    "/tickets/{ticketId}/attachments": {
      "post": {
        "operationId": "attach",
        "parameters": [{"name": "ticketId", "in": "path", "required": true, "schema": {"type": "integer"}}],
        "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}}},
        "responses": {"201": {"description": "Attached"}}
      }
    }
  },
  "components": {
    "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "opaque"}},
    "parameters": {"PageSize": {"name": "page_size", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25}}},
    "responses": {"TooMany": {"description": "Slow down"}},
    "schemas": {
      "Ticket": {"type": "object", "properties": {
        "id": {"type": "integer", "format": "int64"}, "subject": {"type": "string"},
        "requester": {"$ref": "#/components/schemas/Person"}, "closed_at": {"type": "string", "format": "date-time", "nullable": true}}},
      "NewTicket": {"type": "object", "required": ["subject"], "additionalProperties": false, "properties": {
        "subject": {"type": "string", "maxLength": 200, "example": "It does not start"},
        "body": {"type": "string", "nullable": true}, "requester": {"$ref": "#/components/schemas/Person"}}},
      "Person": {"type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string", "format": "email"},
        "manager": {"$ref": "#/components/schemas/Person"}}}
    }
  }
})json";

// A warehouse's as 3.1 writes: JSON Schema as it is, several types, const, webhooks, two credentials of which one is enough.
constexpr const char* kWarehouse = R"json({
  "openapi": "3.1.0",
  "info": {"title": "Warehouse", "version": "7", "license": {"name": "Proprietary", "identifier": "LicenseRef-W"}},
  "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
  "servers": [{"url": "https://warehouse.example"}],
  "webhooks": {"stockLow": {"post": {"responses": {"200": {"description": "Heard"}}}}},
  "paths": {
    "/items/{sku}": {
      "get": {
        "operationId": "items.get", "security": [{"key": []}, {"oauth": ["items:read"]}],
        "parameters": [{"name": "sku", "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"}},
                       {"name": "X-Request-Id", "in": "header", "schema": {"type": "string", "format": "uuid"}}],
        "responses": {"200": {"description": "The item", "content": {"application/json": {"schema": {"type": "object", "properties": {"sku": {"type": "string"}, "stock": {"type": ["integer", "null"]}}}}}}}
      },
      "patch": {
        "operationId": "items.update", "security": [{"key": []}],
        "parameters": [{"name": "sku", "in": "path", "required": true, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {
          "stock": {"type": ["integer", "null"], "exclusiveMinimum": -1}, "unit": {"const": "piece"}, "note": {"type": "string", "examples": ["x"]}}}}}},
        "responses": {"204": {"description": "Done"}}
      }
    },
    "/login": {"post": {"operationId": "login", "security": [{"basic": []}], "responses": {"200": {"description": "In"}}}},
    "/export": {"get": {"operationId": "export", "security": [{"key": [], "oauth": []}], "responses": {"200": {"description": "All"}}}}
  },
  "components": {"securitySchemes": {
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://warehouse.example/token", "scopes": {"items:read": "Reads"}}}},
    "basic": {"type": "http", "scheme": "basic"}}}
})json";

struct Desk {
  TemporaryFolder folder;

  Desk() { fs::create_directory(out()); }
  fs::path out() const { return folder.path() / "proposals"; }
  ImportOrder of(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
    ImportOrder made;
    made.document = folder.path() / name;
    made.folder = out();
    return made;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(out())) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
};

ImportReport done(const ImportOrder& order) {
  auto result = import_declarations(order);
  const auto* wrong = std::get_if<std::string>(&result);
  BOOST_REQUIRE_MESSAGE(wrong == nullptr, (wrong == nullptr ? "" : *wrong));
  return std::get<ImportReport>(result);
}

std::string complaint(const ImportOrder& order) {
  const auto result = import_declarations(order);
  const auto* wrong = std::get_if<std::string>(&result);
  BOOST_REQUIRE(wrong != nullptr);
  return *wrong;
}

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(import_command)

struct Document {
  const char* file;
  const char* text;
  std::vector<std::string> written;
  std::vector<std::string> told;  // parts of the report
};
std::ostream& operator<<(std::ostream& out, const Document& row) { return out << row.file; }
const std::array kDocuments{
    Document{"helpdesk.json",
             kHelpdesk,
             {"create_ticket.toml.proposed", "delete_ticket.toml.proposed", "get_ticket.toml.proposed",
              "list_tickets.toml.proposed"},
             {"create_ticket: POST /tickets\n", "list_tickets: GET /tickets\n",
              "look: left out: the parameter \"labels\" (query)", "look: nothing of the answer passes",
              "not taken over: POST /tickets/{ticketId}/attachments: the body is neither",
              "4 declarations proposed, 1 operation not taken over.", "take .proposed off its name"}},
    Document{
        "warehouse.json",
        kWarehouse,
        {"items_get.toml.proposed", "items_update.toml.proposed"},
        {"items_get: GET /items/{sku}\n", "not taken over: POST /login: basic authentication wants a user",
         "not taken over: GET /export: every way to authenticate takes more than one credential",
         "2 declarations proposed, 2 operations not taken over."}},
};

BOOST_DATA_TEST_CASE(operations_become_proposals_that_are_good_and_serve_nobody,
                     boost::unit_test::data::make(kDocuments), row) {
  const Desk desk;
  const ImportReport report = done(desk.of(row.file, row.text));
  BOOST_TEST(report.written == row.written.size());
  BOOST_TEST(desk.files() == row.written, boost::test_tools::per_element());
  for (const std::string& part : row.told)
    BOOST_TEST(has(report.text, part), part << " is not in " << report.text);
  const auto before = tools::load_tools(desk.out());
  BOOST_REQUIRE(before);
  BOOST_TEST(before->empty());
  for (const std::string& name : row.written)
    fs::rename(desk.out() / name, desk.out() / name.substr(0, name.rfind('.')));
  const auto loaded = tools::load_tools(desk.out());
  BOOST_REQUIRE(loaded);
  BOOST_TEST(loaded->size() == row.written.size());
}

BOOST_AUTO_TEST_CASE(a_proposal_says_where_it_is_from_and_what_wants_a_look) {
  const Desk desk;
  done(desk.of("helpdesk.json", kHelpdesk));
  const std::string text = text_of(desk.out() / "list_tickets.toml.proposed");
  BOOST_TEST(text.starts_with("# Proposed from GET /tickets of helpdesk.json.\n"), text);
  BOOST_TEST(has(text, "\n# left out: the parameter \"labels\""));
  BOOST_TEST(has(text, "\nscope = \"helpdesk.list_tickets\"\n"));
  BOOST_TEST(has(text, "\ncredential = \"token\"\n"));
  struct stat status {};
  BOOST_REQUIRE(::stat((desk.out() / "list_tickets.toml.proposed").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777u) ==
             0644u);  // whatever the operator's umask is: the runtime reads it later
}

BOOST_AUTO_TEST_CASE(what_is_said_beside_the_document_counts) {
  const Desk desk;
  ImportOrder order = desk.of("warehouse.json", kWarehouse);
  order.options = {.name_prefix = "w.",
                   .scope_prefix = "stock.items",
                   .credential = "warehouse",
                   .basic_user = "robot",
                   .server = "https://test.warehouse.example/v7"};
  BOOST_TEST(done(order).written == 3u);
  const std::string text = text_of(desk.out() / "w.login.toml.proposed");
  for (const char* part :
       {"name = \"w.login\"", "scope = \"stock.items.login\"", "credential = \"warehouse\"",
        "credential_in = \"basic:robot\"", "url = \"https://test.warehouse.example/v7/login\""})
    BOOST_TEST(has(text, part), part << " is not in " << text);
}

struct Only {
  const char* name;
  std::vector<std::string> only;
  std::vector<std::string> written;
};
std::ostream& operator<<(std::ostream& out, const Only& row) { return out << row.name; }
const std::array kOnly{
    Only{"a tool", {"h.get_ticket"}, {"h.get_ticket.toml.proposed"}},
    Only{"its name without the prefix", {"get_ticket"}, {"h.get_ticket.toml.proposed"}},
    Only{"an operation", {"GET /tickets/{ticketId}"}, {"h.get_ticket.toml.proposed"}},
    Only{"one by both", {"get_ticket", "GET /tickets/{ticketId}"}, {"h.get_ticket.toml.proposed"}},
    Only{"two",
         {"get_ticket", "POST /tickets"},
         {"h.create_ticket.toml.proposed", "h.get_ticket.toml.proposed"}},
};

BOOST_DATA_TEST_CASE(only_what_is_asked_for_is_proposed, boost::unit_test::data::make(kOnly), row) {
  const Desk desk;
  ImportOrder order = desk.of("helpdesk.json", kHelpdesk);
  order.options.name_prefix = "h.";
  order.only = row.only;
  const ImportReport report = done(order);
  BOOST_TEST(desk.files() == row.written, boost::test_tools::per_element());
  BOOST_TEST(!has(report.text, "not taken over: "), report.text);
}

BOOST_AUTO_TEST_CASE(one_that_is_asked_for_and_cannot_be_taken_over_is_named_with_the_reason) {
  const Desk desk;
  ImportOrder order = desk.of("helpdesk.json", kHelpdesk);
  order.only = {"POST /tickets/{ticketId}/attachments"};
  const ImportReport report = done(order);
  BOOST_TEST(report.written == 0u);
  BOOST_TEST(has(report.text, "not taken over: POST /tickets/{ticketId}/attachments: "), report.text);
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten) {
  const Desk desk;
  const ImportOrder order = desk.of("helpdesk.json", kHelpdesk);
  std::ofstream(desk.out() / "get_ticket.toml.proposed") << "mine";
  BOOST_TEST(has(complaint(order), "get_ticket.toml.proposed: is there already"));
  const std::vector<std::string> mine{"get_ticket.toml.proposed"};
  BOOST_TEST(desk.files() == mine, boost::test_tools::per_element());
  BOOST_TEST(text_of(desk.out() / "get_ticket.toml.proposed") == "mine");
  // Nor where a link leads.
  fs::remove(desk.out() / "get_ticket.toml.proposed");
  fs::create_symlink(desk.folder.path() / "nowhere", desk.out() / "get_ticket.toml.proposed");
  BOOST_TEST(has(complaint(order), "is there already"));
}

BOOST_AUTO_TEST_CASE(a_declaration_that_serves_is_compared_and_left_alone) {
  const Desk desk;
  std::ofstream(desk.out() / "get_ticket.toml") << "serves";
  const ImportReport report = done(desk.of("helpdesk.json", kHelpdesk));
  BOOST_TEST(has(report.text, "look: get_ticket.toml is there already: compare the two"), report.text);
  BOOST_TEST(text_of(desk.out() / "get_ticket.toml") == "serves");
}

struct Refused {
  const char* name;
  const char* text;
  const char* complaint;
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.name; }
constexpr std::array kRefused{
    Refused{"YAML", "openapi: 3.0.3\npaths: {}\n", "YAML is not read here: convert it first"},
    Refused{"YAML with a marker", "---\nopenapi: 3.1.0\n", "YAML is not read here"},
    Refused{"nothing", "", "is no JSON object"},
    Refused{"a list", "[]", "is no JSON object"},
    Refused{"half a document", "{\"openapi\": \"3.0.0\"", "not JSON"},
    Refused{"a member twice", "{\"openapi\":\"3.0.0\",\"openapi\":\"3.1.0\"}", "names a member twice"},
    Refused{"Swagger", "{\"swagger\":\"2.0\"}", "no OpenAPI document of version 3.0 or 3.1"},
    Refused{"a later version", "{\"openapi\":\"4.0.0\"}", "no OpenAPI document of version 3.0 or 3.1"},
    Refused{"no server", "{\"openapi\":\"3.0.0\",\"paths\":{}}", "give the server"},
};

BOOST_DATA_TEST_CASE(what_is_no_document_is_explained, boost::unit_test::data::make(kRefused), row) {
  const Desk desk;
  const std::string wrong = complaint(desk.of("api.json", row.text));
  BOOST_TEST(has(wrong, row.complaint), wrong);
  BOOST_TEST(desk.files().empty());
}

BOOST_AUTO_TEST_CASE(what_the_order_lacks_is_explained) {
  const Desk desk;
  ImportOrder order = desk.of("helpdesk.json", kHelpdesk);
  order.folder = desk.folder.path() / "absent";
  BOOST_TEST(has(complaint(order), "is no folder: make it first"));
  order = desk.of("helpdesk.json", kHelpdesk);
  order.only = {"get_ticket", "get_tickets"};
  BOOST_TEST(has(complaint(order), "the document has no operation get_tickets"));
  order = desk.of("Help Desk.json", kHelpdesk);
  BOOST_TEST(has(complaint(order), "say --scope-prefix"));
  order.options.scope_prefix = "Help";
  BOOST_TEST(has(complaint(order), "no prefix of scopes"));
  order.document = desk.folder.path() / "absent.json";
  BOOST_TEST(has(complaint(order), "absent.json: cannot be read"));
  BOOST_TEST(desk.files().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chancery::runtime
