#include "daemon/runtime/tools/openapi.hpp"

#include <algorithm>
#include <ostream>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "sdk/json/writer.hpp"
#include "tests/unit/tools/declared.hpp"

namespace chancery::tools {
namespace {

constexpr const char* kPayments = R"json({
  "openapi": "3.0.3",
  "servers": [{"url": "https://api.example.org/v1/"}],
  "security": [{"key": []}],
  "components": {
    "securitySchemes": {
      "key": {"type": "http", "scheme": "bearer"},
      "basicAuth": {"type": "http", "scheme": "basic"},
      "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
      "query": {"type": "apiKey", "in": "query", "name": "key"},
      "mutual": {"type": "mutualTLS"}
    },
    "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}},
    "schemas": {
      "Refund": {"type": "object", "properties": {"id": {"type": "string"}, "amount": {"type": "number"}}},
      "NewRefund": {
        "type": "object", "required": ["amount"], "x-internal": true,
        "properties": {
          "amount": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "example": 5},
          "reason": {"type": "string", "nullable": true, "enum": ["fraud", "other", null]},
          "id": {"type": "integer", "format": "int64", "maximum": 9223372036854775807},
          "parent": {"$ref": "#/components/schemas/NewRefund"}
        }
      }
    }
  },
  "paths": {
    "/charges/{charge}/refunds": {
      "parameters": [{"name": "charge", "in": "path", "required": true, "description": "Which \"charge\".", "schema": {"type": "string"}}],
      "post": {
        "operationId": "createRefund", "summary": "Gives money back.",
        "requestBody": {"required": true, "content": {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/NewRefund"}}}},
        "responses": {"201": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}}}
      },
      "get": {
        "parameters": [{"$ref": "#/components/parameters/limit"}, {"name": "tags", "in": "query", "schema": {"type": "array"}},
                       {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}],
        "security": [{"header": []}],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Refund"}}}}}}
      },
      "delete": {"operationId": "dropAll", "security": [{}], "responses": {}},
      "options": {"responses": {}}
    },
    "/token": {
      "post": {"operationId": "token", "security": [{"query": []}],
        "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}}}},
        "responses": {}}
    },
    "/both": {"get": {"operationId": "both", "security": [{"key": [], "header": []}], "responses": {}}},
    "/basic": {"get": {"operationId": "basic", "security": [{"basicAuth": []}], "responses": {}}},
    "/mutual": {"get": {"operationId": "mutual", "security": [{"mutual": []}], "responses": {}}},
    "/upload": {"post": {"operationId": "upload", "requestBody": {"required": true, "content": {"multipart/form-data": {}}}, "responses": {}}},
    "/filter": {"get": {"operationId": "filter", "parameters": [{"name": "f", "in": "query", "required": true, "schema": {"type": "object"}}], "responses": {}}},
    "/cookie": {"get": {"operationId": "cookie", "parameters": [{"name": "f", "in": "cookie", "required": true, "schema": {"type": "string"}}], "responses": {}}},
    "/twice/{a}": {"get": {"operationId": "twice", "parameters": [{"name": "a", "in": "path", "required": true, "schema": {"type": "string"}},
                   {"name": "a", "in": "query", "schema": {"type": "string"}}], "responses": {}}},
    "/lost": {"get": {"operationId": "lost", "parameters": [{"$ref": "#/components/parameters/absent"}], "responses": {}}},
    "/remote": {"post": {"operationId": "remote", "requestBody": {"content": {"application/json": {"schema": {"$ref": "other.json"}}}}, "responses": {}}},
    "/lookahead": {"post": {"operationId": "lookahead", "requestBody": {"content": {"application/json": {"schema": {"type": "string", "pattern": "(?=a)"
}
}
}
}
, "responses" : {}
}
}
, "/nothing/{missing}" : {"get" : {"operationId" : "missing", "responses" : {}}},
                         "/same" : {"get" : {"operationId" : "createRefund", "responses" : {}}},
                                   "/elsewhere" : {
  "get" : {
    "operationId" : "elsewhere", "servers" : [ {"url" : "https://other.example/"} ], "responses" : {}
  }
}
}
})json";

ImportOptions options() {
  ImportOptions options;
  options.name_prefix = "payments.";
  options.scope_prefix = "payments";
  options.credential = "payments-api";
  return options;
}

Result<Import> imported(std::string_view text, const ImportOptions& how) {
  json::Limits limits;
  limits.allow_unsafe_integers = true;
  const auto document = json::Document::parse(std::string(text), limits);
  BOOST_REQUIRE(document);
  return import_openapi(document->root(), how);
}

const ImportedTool& named(const Import& import, std::string_view name) {
  const auto found = std::ranges::find(import.tools, name, &ImportedTool::name);
  BOOST_REQUIRE_MESSAGE(found != import.tools.end(), name);
  return *found;
}

std::string text_of(const Tool& tool) { return json::to_jcs(tool.arguments.document()); }

BOOST_AUTO_TEST_CASE(operation_with_a_body_becomes_a_tool) {
  const auto import = imported(kPayments, options());
  BOOST_REQUIRE(import);
  const ImportedTool& made = named(*import, "payments.create_refund");
  BOOST_TEST(made.notes.empty());
  const Tool tool = tool_of(made.toml);
  BOOST_TEST(tool.description == "Gives money back.");
  BOOST_TEST(tool.scope == "payments.create_refund");
  BOOST_TEST(risk_name(tool.risk) == "medium");
  BOOST_TEST(tool.credential == "payments-api");
  BOOST_TEST(
      text_of(tool) ==
      R"({"$defs":{"NewRefund":{"properties":{"amount":{"exclusiveMinimum":0,"type":"number"},)"
      R"("id":{"format":"int64","type":"integer"},"parent":{"$ref":"#/$defs/NewRefund"},)"
      R"("reason":{"enum":["fraud","other"],"type":["string","null"]}},"required":["amount"],"type":"object"}},)"
      R"("additionalProperties":false,"properties":{"body":{"$ref":"#/$defs/NewRefund"},)"
      R"("charge":{"description":"Which \"charge\".","type":"string"}},"required":["body","charge"],"type":"object"})");
  const HttpRequest request =
      request_of(tool, R"({"charge":"ch_1","body":{"amount":5,"parent":{"amount":1}}})");
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.url.text() == "https://api.example.org/v1/charges/ch_1/refunds");
  BOOST_TEST(request.body == R"({"amount":5,"parent":{"amount":1}})");
  BOOST_TEST(!prepared(tool, R"({"charge":"ch_1","body":{"amount":0}})"));
  const auto& http = std::get<HttpUpstream>(tool.upstream);
  BOOST_TEST(http.credential_in->before == "Bearer ");
  BOOST_REQUIRE(tool.response.allow.size() == 2u);
  BOOST_TEST(tool.response.allow[0].text == "/id");
}

BOOST_AUTO_TEST_CASE(operation_with_parameters_becomes_a_tool) {
  const auto import = imported(kPayments, options());
  const ImportedTool& made = named(*import, "payments.get_charges_charge_refunds");
  BOOST_REQUIRE(made.notes.size() == 1u);
  BOOST_TEST(made.notes.front().find("\"tags\"") != std::string::npos);
  const Tool tool = tool_of(made.toml);
  BOOST_TEST(risk_name(tool.risk) == "low");
  const HttpRequest request = request_of(tool, R"({"charge":"c","limit":7,"X-Trace":"t"})");
  BOOST_TEST(request.url.text() == "https://api.example.org/v1/charges/c/refunds?limit=7");
  BOOST_TEST((std::ranges::find(request.headers, std::pair<std::string, std::string>("x-trace", "t")) !=
              request.headers.end()));
  BOOST_TEST(std::get<HttpUpstream>(tool.upstream).credential_in->name == "x-api-key");
  BOOST_TEST(tool.response.allow.back().text == "/*/amount");
}

BOOST_AUTO_TEST_CASE(forms_and_operations_without_authentication_become_tools) {
  const auto import = imported(kPayments, options());
  const Tool form = tool_of(named(*import, "payments.token").toml);
  BOOST_TEST(request_of(form, R"({"form":{"a":"x y"}})").body == "a=x%20y");
  BOOST_TEST((std::get<HttpUpstream>(form.upstream).credential_in->kind == CredentialPlace::Kind::kQuery));
  const Tool drop = tool_of(named(*import, "payments.drop_all").toml);
  BOOST_TEST(risk_name(drop.risk) == "high");
  BOOST_TEST(drop.credential.empty());
  BOOST_TEST(drop.response.allow.empty());
}

struct Refused {
  const char* operation;
  const char* reason;  ///< a part of it
};
std::ostream& operator<<(std::ostream& out, const Refused& row) { return out << row.operation; }
const Refused kRefused[] = {
    {"OPTIONS /charges/{charge}/refunds", "no such method"},
    {"GET /both", "more than one credential"},
    {"GET /basic", "wants a user"},
    {"GET /mutual", "is not known here"},
    {"POST /upload", "neither application/json"},
    {"GET /filter", "\"f\" (query) is required"},
    {"GET /cookie", "\"f\" (cookie) is required"},
    {"GET /twice/{a}", "two parts of the request have the name \"a\""},
    {"GET /lost", "a place that is not there"},
    {"POST /remote", "another place than #/components/schemas"},
    {"POST /lookahead", "linear time"},
    {"GET /nothing/{missing}", "has {missing}"},
    {"GET /same", "the same name"},
    {"GET /elsewhere", "a server of its own"},
};
BOOST_DATA_TEST_CASE(operation_that_cannot_be_taken_over_is_reported_with_the_reason,
                     boost::unit_test::data::make(kRefused), row) {
  const auto import = imported(kPayments, options());
  BOOST_TEST(import->refused.size() == std::size(kRefused));
  const auto found = std::ranges::find(import->refused, row.operation, &RefusedOperation::operation);
  BOOST_REQUIRE(found != import->refused.end());
  BOOST_TEST(found->reason.find(row.reason) != std::string::npos, found->reason);
}

BOOST_AUTO_TEST_CASE(options_say_what_the_document_does_not) {
  ImportOptions how = options();
  how.basic_user = "robot";
  how.credential.clear();
  how.server = "http://127.0.0.1:8080";
  // A credential in the clear is for the operator to allow, address by address.
  const auto clear = imported(kPayments, how);
  BOOST_REQUIRE(clear);
  BOOST_TEST(clear->tools.size() == 1u);
  how.server = "https://127.0.0.1:8443/base";
  const auto import = imported(kPayments, how);
  const Tool tool = tool_of(named(*import, "payments.basic").toml);
  BOOST_TEST(tool.credential == "basic_auth");
  const auto& http = std::get<HttpUpstream>(tool.upstream);
  BOOST_TEST(http.credential_in->name == "robot");
  BOOST_TEST(http.url.base().text() == "https://127.0.0.1:8443/base/basic");
}

BOOST_AUTO_TEST_CASE(newer_documents_have_schemas_as_they_are) {
  const auto import =
      imported(R"({"openapi":"3.1.0","servers":[{"url":"https://a.example"}],"paths":{"/x":{"put":{
    "requestBody":{"content":{"application/json":{"schema":{"type":["string","null"],"exclusiveMinimum":3,"const":"a","x-y":1}}}}}}}})",
               options());
  BOOST_REQUIRE(import);
  BOOST_REQUIRE(import->tools.size() == 1u);
  BOOST_TEST(import->tools.front().name == "payments.put_x");
  BOOST_TEST(text_of(tool_of(import->tools.front().toml))
                 .find(R"({"const":"a","exclusiveMinimum":3,"type":["string","null"]})") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_document_or_has_no_server_is_refused) {
  const auto refused = [](const char* text, ErrorCode code) {
    const auto import = imported(text, options());
    BOOST_REQUIRE(!import);
    BOOST_TEST((import.error().code == code));
  };
  refused("[]", ErrorCode::kMalformed);
  refused(R"({"swagger":"2.0"})", ErrorCode::kMalformed);
  refused(R"({"openapi":"3.0.0"})", ErrorCode::kInvalidArgument);
  refused(R"({"openapi":"3.0.0","servers":[{"url":"/v1"}]})", ErrorCode::kInvalidArgument);
  refused(R"({"openapi":"3.0.0","servers":[{"url":"https://{host}/v1"}]})", ErrorCode::kInvalidArgument);
  ImportOptions how = options();
  how.scope_prefix = "Payments";
  BOOST_TEST(!imported(R"({"openapi":"3.0.0","servers":[{"url":"https://a.example"}]})", how));
  BOOST_TEST(
      imported(R"({"openapi":"3.0.0","servers":[{"url":"https://a.example"}]})", options())->tools.empty());
}

}  // namespace
}  // namespace chancery::tools
